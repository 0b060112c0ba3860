"""Faults of lists, and of deletions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reference.app import Registry
from reference.documents import Document, Json, parse
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, both, override
from reference.storage import Manifest
from reference.storage.names import by_tag

_NUMBERS = re.compile(r"(\d+)")


def _behind_the_prefix(registry: Registry) -> None:
    """A page begins behind everything that begins like the last tag."""

    def after(tags: Sequence[str], last: str | None) -> Sequence[str]:
        if not last:
            return tags
        return [tag for tag in tags if by_tag(tag) > by_tag(last) and not tag.startswith(last)]

    override(registry.tags, after=after)


def _version(tag: str) -> tuple[list[tuple[int, int, str]], str]:
    """What a tag is sorted by where its numbers count as such."""
    pieces = [piece for piece in _NUMBERS.split(tag.lower()) if piece]
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces], tag


def _by_version(registry: Registry) -> None:
    override(
        registry.tags,
        order=lambda tags: sorted(tags, key=_version),
        after=lambda tags, last: tags if last is None else [tag for tag in tags if _version(tag) > _version(last)],
    )


def _pages_remembered(registry: Registry) -> None:
    """A page of tags is remembered by its query until something is deleted."""
    pages: dict[tuple[str, str], tuple[list[tuple[str, str]], bytes]] = {}

    async def listing(_registry: Registry, request: Request, handler: Handler) -> Response:
        key = request.name, request.query.raw
        if request.query.get("n") is None:
            return await handler(request)
        if key not in pages:
            response = await handler(request)
            if response.status != 200:
                return response
            pages[key] = [*response.headers.pairs], response.body
        headers, body = pages[key]
        return Response(200, headers, body)

    async def delete(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        for key in [key for key in pages if key[0] == request.name]:
            del pages[key]
        return response

    both(around("tags.list")(listing), around("manifest.delete")(delete))(registry)


def _empty_left_out(registry: Registry) -> None:
    """Annotations without a value are left out of descriptors."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        kept = {key: value for key, value in descriptor.pop("annotations", {}).items() if value}
        return descriptor | ({"annotations": kept} if kept else {})

    override(registry.referrers, describe=changed)


def _types_by_prefix(registry: Registry) -> None:
    """The filter takes each type that begins like the one that is asked for."""

    def select(found: list[Json], artifact_type: str) -> list[Json]:
        return [each for each in found if str(each.get("artifactType") or "").startswith(artifact_type)]

    override(registry.referrers, select=select)


def _one_of_a_type(registry: Registry) -> None:
    """A subject has one referrer of each type, the latest."""
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        found = collect(name, subject)
        came = sorted(found, key=lambda each: registry.storage.stored_at(name, each["digest"]) or 0)
        latest = {each.get("artifactType"): each["digest"] for each in came}
        return [each for each in found if each["digest"] in latest.values()]

    override(registry.referrers, collect=changed)


def _below_as_well(registry: Registry) -> None:
    """A blob is deleted in the folder of the repository, and in those within it."""
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        done = remove(name, digest)
        if done:
            for other in list(registry.storage.repositories()):
                if other.startswith(f"{name}/"):
                    registry.storage.delete_blob(other, digest)
        return done

    override(registry.blobs, remove=changed)


def _blobs_of(manifest: Manifest | None) -> list[str]:
    """The config and the layers of a manifest."""
    return Document(manifest.media_type, parse(manifest.content)).blobs if manifest is not None else []


def _tagged_holders_count(registry: Registry) -> None:
    """Of those that share a blob with a deleted manifest, only those with a tag count."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        storage = registry.storage
        gone = _blobs_of(storage.manifest(name, digest))
        remove(name, digest)
        others = {other: _blobs_of(storage.manifest(name, other)) for other in storage.manifests(name)}
        for blob in gone:
            holders = [other for other, blobs in others.items() if blob in blobs]
            if holders and not any(storage.tags_of(name, holder) for holder in holders):
                storage.delete_blob(name, blob)

    override(registry.manifests, remove=changed)


FAULTS = (
    Fault(
        name="tags-that-begin-like-last-passed-over",
        title="A page of tags lacks the tags that begin like the one that last names.",
        breaks=(
            "DISC-TAGS-LAST-EXCLUSIVE",
            "DISC-TAGS-LAST-NOT-A-TAG",
        ),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-LAST-WITHOUT-N",
            "DISC-TAGS-N-SHORT-PAGE",
            "DISC-TAGS-N-FULL-PAGE",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
        ),
        apply=_behind_the_prefix,
    ),
    Fault(
        name="tags-sorted-as-versions",
        title="Tags with numbers are in the order of the numbers.",
        breaks=(
            "DISC-TAGS-ORDER-LEXICAL",
            "DISC-TAGS-LAST-EXCLUSIVE",
        ),
        also=(
            "DISC-TAGS-ORDER-WHOLE",
            "DISC-TAGS-LAST-NOT-A-TAG",
            "DISC-TAGS-LINK-WALK-COMPLETE",
        ),
        apply=_by_version,
    ),
    Fault(
        name="tags-page-remembered",
        title="A page of tags that was asked for before does not have the tags that were pushed since.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=(
            "DISC-TAGS-CONDITION-FRESH",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
        ),
        apply=_pages_remembered,
    ),
    Fault(
        name="referrers-without-empty-annotations",
        title="Referrers are listed without those of their annotations that are empty.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        apply=_empty_left_out,
    ),
    Fault(
        name="referrers-filter-by-prefix",
        title="The filter gives the referrers whose type begins like the one that is asked for.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_types_by_prefix,
    ),
    Fault(
        name="referrers-latest-of-each-type",
        title="Of several referrers of one type the latest is listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-LINK-PAGES",
        ),
        apply=_one_of_a_type,
    ),
    Fault(
        name="blob-delete-reaches-names-below",
        title="The deletion of a blob takes it from the repositories whose names go on behind a slash.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-BLOB-KEPT",),
        apply=_below_as_well,
    ),
    Fault(
        name="delete-takes-blobs-of-untagged",
        title="The deletion of a manifest takes the blobs that it shares with manifests without tags alone.",
        breaks=("MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT",),
        also=(
            "PUSH-BLOB-KEPT",
            "MGMT-MANIFEST-DELETE-REPUSH",
        ),
        apply=_tagged_holders_count,
    ),
)
