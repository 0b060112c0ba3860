"""Faults of lists that show with many entries."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from reference.app import Registry
from reference.documents import Json
from reference.modifications import Fault, override
from reference.storage import Manifest

_PAGE_100 = 100
_BATCH_20 = 20
_NODE = 20
_ROWS = 100
_BATCH_100 = 100
_PAGE_20 = 20
#: As many tags are read at once.
_WINDOW = 20


def _hundredth_again(registry: Registry) -> None:
    after = registry.tags.after

    def changed(tags: Sequence[str], last: str | None) -> Sequence[str]:
        rest = after(tags, last)
        return tags[_PAGE_100 - 1 :] if len(tags) > _PAGE_100 and len(rest) == len(tags) - _PAGE_100 else rest

    override(registry.tags, after=changed)


def _hundred_referrers(registry: Registry) -> None:
    page = registry.referrers.page

    def changed(found: list[Json], last: str | None) -> tuple[list[Json], str | None]:
        here, following = page(found, last)
        return (here, following) if len(here) <= _PAGE_100 else (here[:_PAGE_100], None)

    override(registry.referrers, page=changed)


def _batches_overlap(registry: Registry) -> None:
    """A whole list is read in batches, each of which begins with the last tag of the one before."""
    cut = registry.tags.cut

    def changed(tags: Sequence[str], size: int | None) -> Sequence[str]:
        if size is not None:
            return cut(tags, size)
        return [tag for at in range(0, len(tags), _BATCH_20) for tag in tags[max(at - 1, 0) : at + _BATCH_20]]

    override(registry.tags, cut=changed)


def _one_batch_of_referrers(registry: Registry) -> None:
    """The list of referrers is one batch of a query."""
    collect = registry.referrers.collect
    override(registry.referrers, collect=lambda name, subject: collect(name, subject)[:_BATCH_20])


def _second_batch_untyped(registry: Registry) -> None:
    """Only the first referrers are looked up with their types."""
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        referrers = collect(name, subject)
        for descriptor in referrers[_BATCH_20:]:
            descriptor.pop("artifactType", None)
        return referrers

    override(registry.referrers, collect=changed)


def _border_twice(registry: Registry) -> None:
    """A node of the tree holds twenty entries, and the last of the first one is in the second too."""
    cut = registry.tags.cut

    def changed(tags: Sequence[str], size: int | None) -> Sequence[str]:
        page = cut(tags, size)
        return cut([*page[:_NODE], *page[_NODE - 1 :]], size) if len(page) > _NODE else page

    override(registry.tags, cut=changed)


def _first_rows(registry: Registry) -> None:
    """The query for referrers ends after a hundred rows."""
    collect = registry.referrers.collect
    override(registry.referrers, collect=lambda name, subject: collect(name, subject)[:_ROWS])


def _hundredth_referrer_twice(registry: Registry) -> None:
    """Each batch from the database begins with the last of the one before."""
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        found, batches = collect(name, subject), []
        for start in range(0, len(found), _BATCH_100):
            batches += found[max(start - 1, 0) : start + _BATCH_100]
        return batches

    override(registry.referrers, collect=changed)


def _pages_of_two_orders(registry: Registry) -> None:
    """Sort by time, and begin a page behind a digest."""
    arrived: dict[str, int] = {}
    clock, put = count(), registry.storage.put_manifest

    def noting(name: str, manifest: Manifest, subject: str | None) -> None:
        arrived.setdefault(manifest.digest, next(clock))
        put(name, manifest, subject)

    def page(found: list[Json], last: str | None) -> tuple[list[Json], str | None]:
        ordered = sorted(found, key=lambda each: arrived[each["digest"]])
        rest = [each for each in ordered if last is None or each["digest"] > last]
        return rest[:_PAGE_20], rest[_PAGE_20 - 1]["digest"] if len(rest) > _PAGE_20 else None

    override(registry.storage, put_manifest=noting)
    override(registry.referrers, page=page)


def _next_window(registry: Registry) -> None:
    """Tags are read in windows; a page that begins with a new one begins behind its first tag."""
    after = registry.tags.after

    def changed(tags: Sequence[str], last: str | None) -> Sequence[str]:
        rest = after(tags, last)
        begin = len(tags) - len(rest)
        return rest[1:] if begin and begin % _WINDOW == 0 else rest

    override(registry.tags, after=changed)


FAULTS = (
    Fault(
        name="hundredth-tag-twice",
        title="The page behind the hundredth of more than 100 tags begins with the hundredth.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE", "DISC-TAGS-LINK-WALK-COMPLETE"),
        apply=_hundredth_again,
    ),
    Fault(
        name="referrers-behind-the-hundredth-lost",
        title="A list of more than 100 referrers ends with the hundredth and has no Link.",
        breaks=("DISC-REFERRERS-COMPLETE", "DISC-REFERRERS-LINK-PAGES"),
        also=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_hundred_referrers,
    ),
    Fault(
        name="every-twentieth-tag-twice",
        title="A list of more than 20 tags without n has each twentieth tag twice.",
        breaks=("DISC-TAGS-NO-DUPLICATES",),
        also=("DISC-TAGS-ORDER-WHOLE", "DISC-TAGS-ORDER-SAME-IN-PAGES", "DISC-TAGS-NO-N-PAGE-LIMIT"),
        apply=_batches_overlap,
    ),
    Fault(
        name="referrers-end-after-20",
        title="A list of referrers ends after 20, without a Link.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-LINK-PAGES",),
        apply=_one_batch_of_referrers,
    ),
    Fault(
        name="referrers-beyond-twenty-untyped",
        title="Referrers beyond the twentieth of a list are described without their artifactType.",
        breaks=(
            "DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",
            "DISC-REFERRERS-ARTIFACTTYPE-CONFIG",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
        ),
        also=("DISC-REFERRERS-FILTER-SUPPORTED", "DISC-REFERRERS-LINK-PAGES"),
        apply=_second_batch_untyped,
    ),
    Fault(
        name="twentieth-tag-twice",
        title="In a list of more than twenty tags the twentieth stands twice.",
        breaks=("DISC-TAGS-NO-DUPLICATES",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-N-FROM-START", "DISC-TAGS-ORDER-WHOLE"),
        apply=_border_twice,
    ),
    Fault(
        name="referrers-end-after-100",
        title="The list of referrers ends after a hundred, without a Link.",
        breaks=("DISC-REFERRERS-COMPLETE", "DISC-REFERRERS-LINK-PAGES"),
        also=("DISC-REFERRERS-COMPLETE-INDEX", "DISC-REFERRERS-CONCURRENT-COMPLETE"),
        apply=_first_rows,
    ),
    Fault(
        name="hundredth-referrer-twice",
        title="The hundredth of more than 100 referrers is listed twice.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-LINK-PAGES",
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
        ),
        apply=_hundredth_referrer_twice,
    ),
    Fault(
        name="referrers-in-two-orders",
        title="The second page of more than twenty referrers repeats some and lacks others.",
        breaks=("DISC-REFERRERS-LINK-PAGES", "DISC-REFERRERS-COMPLETE"),
        also=("DISC-REFERRERS-COMPLETE-INDEX", "DISC-REFERRERS-FILTER-ONLY-MATCHING"),
        apply=_pages_of_two_orders,
    ),
    Fault(
        name="tag-after-twentieth-lost",
        title="A page of tags that begins behind the twentieth lacks its first.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-LAST-EXCLUSIVE"),
        also=(
            "DISC-TAGS-LAST-WITHOUT-N",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
            "DISC-TAGS-N-SHORT-PAGE",
        ),
        apply=_next_window,
    ),
    Fault(
        name="referrers-end-at-100",
        title="A list of referrers ends after a hundred, without a Link.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "DISC-REFERRERS-LINK-PAGES",
        ),
        apply=_first_rows,
    ),
    Fault(
        name="referrers-beyond-100-lost",
        title="The list of referrers ends after 100 of them, without a Link.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-LINK-PAGES", "DISC-REFERRERS-FILTER-ONLY-MATCHING", "DISC-REFERRERS-COMPLETE-INDEX"),
        apply=_first_rows,
    ),
)
