"""Faults of the lists of tags, referrers and repositories that show under one condition each."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import Json
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Manifest

_BATCH = 20
_COLUMN = 127


def _no_page_behind_one(request: Request, response: Response) -> None:
    if request.query.get("n") == "1":
        response.headers.drop("Link")


def _batches_overlap(registry: Registry) -> None:
    """A whole list is read in batches, each of which begins with the last tag of the one before."""
    cut = registry.tags.cut

    def changed(tags: list[str], size: int | None) -> list[str]:
        if size is not None:
            return cut(tags, size)
        return [tag for at in range(0, len(tags), _BATCH) for tag in tags[max(at - 1, 0) : at + _BATCH]]

    override(registry.tags, cut=changed)


def _tag_of_the_schema(registry: Registry) -> None:
    """The referrers tag of older clients is kept up for each referrer."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        if subject is not None:
            registry.storage.set_tag(name, subject.replace(":", "-")[:128], manifest.digest)

    override(registry.storage, put_manifest=changed)


def _column_too_short(registry: Registry) -> None:
    order = registry.tags.order
    override(registry.tags, order=lambda tags: [tag[:_COLUMN] for tag in order(tags)])


def _one_batch_of_referrers(registry: Registry) -> None:
    """The list of referrers is one batch of a query."""
    collect = registry.referrers.collect
    override(registry.referrers, collect=lambda name, subject: collect(name, subject)[:_BATCH])


def _unlisted_since_deletion(registry: Registry) -> None:
    """A deleted referrer is taken from the list by a mark that stays when it is pushed again."""
    marks: set[tuple[str, str]] = set()
    delete, collect = registry.storage.delete_manifest, registry.referrers.collect

    def deleted(name: str, digest: str, subject: str | None) -> None:
        if subject is not None:
            marks.add((name, digest))
        delete(name, digest, subject)

    def changed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if (name, each["digest"]) not in marks]

    override(registry.storage, delete_manifest=deleted)
    override(registry.referrers, collect=changed)


def _not_below_the_last(registry: Registry) -> None:
    """The walk of the directories goes on behind that of the last name, and leaves out what is in it."""
    repositories = registry.storage.repositories
    passed: list[str] = []

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            last = request.query.get("last")
            passed[:] = [f"{last}/"] if last else []
            try:
                return await handler(request)
            finally:
                passed.clear()

        return changed

    override(registry.storage, repositories=lambda: [n for n in repositories() if not n.startswith(tuple(passed))])
    wrap(registry, ["catalog.list"], around)


def _decoded_twice(registry: Registry) -> None:
    """The filter is decoded once more, where a plus sign is a blank."""
    select = registry.referrers.select
    override(
        registry.referrers,
        select=lambda found, artifact_type: select(found, artifact_type.replace("+", " ")),
    )


FAULTS = (
    Fault(
        name="tenth-tags-one-by-one",
        title="A page of one tag has no Link to the next.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=("DISC-TAGS-LINK-PRESENT-WHEN-MORE", "DISC-TAGS-N-SHORT-PAGE"),
        apply=on("tags.list", status=200, change=_no_page_behind_one),
    ),
    Fault(
        name="tenth-tags-in-overlapping-batches",
        title="A list of more than 20 tags without n has each twentieth tag twice.",
        breaks=("DISC-TAGS-NO-DUPLICATES",),
        also=("DISC-TAGS-ORDER-WHOLE", "DISC-TAGS-ORDER-SAME-IN-PAGES", "DISC-TAGS-NO-N-PAGE-LIMIT"),
        apply=_batches_overlap,
    ),
    Fault(
        name="tenth-tag-made-for-a-referrer",
        title="A manifest with a subject that is pushed by digest gets the referrers tag of its subject.",
        breaks=("DISC-TAGS-ISOLATION-REPO",),
        also=("DISC-TAGS-DIGEST-NOT-LISTED",),
        apply=_tag_of_the_schema,
    ),
    Fault(
        name="tenth-tag-listed-short",
        title="A tag of 128 characters is listed without its last one.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-NO-DUPLICATES",
        ),
        apply=_column_too_short,
    ),
    Fault(
        name="tenth-referrers-of-one-batch",
        title="A list of referrers ends after 20, without a Link.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-LINK-PAGES",),
        apply=_one_batch_of_referrers,
    ),
    Fault(
        name="tenth-referrer-unlisted-since-deletion",
        title="A referrer that was deleted and is pushed again is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("MGMT-MANIFEST-DELETE-REPUSH", "DISC-REFERRERS-COMPLETE-INDEX"),
        apply=_unlisted_since_deletion,
    ),
    Fault(
        name="tenth-catalog-not-below-the-last",
        title="A page of the catalog lacks the names that extend the one that is named by last.",
        breaks=("DISC-CATALOG-N-LAST",),
        also=("DISC-CATALOG-LINK-WALK",),
        apply=_not_below_the_last,
    ),
    Fault(
        name="tenth-filter-decoded-twice",
        title="The filter of referrers finds no type that has a plus sign.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_decoded_twice,
    ),
)
