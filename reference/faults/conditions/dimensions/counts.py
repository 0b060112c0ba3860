"""Faults that depend on how many there are of something."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from reference.app import Registry
from reference.documents import Json
from reference.faults.conditions.dimensions.shared import Key, before_commit, is_by_tag
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest, Upload

_PAGE = 20
_BATCH = 10


def _filtered_page(registry: Registry) -> None:
    """The filter is applied to the first page that the database gives."""
    select = registry.referrers.select

    def changed(found: list[Json], artifact_type: str) -> list[Json]:
        return select(found[:_PAGE], artifact_type)

    override(registry.referrers, select=changed)


def _position_kept(registry: Registry) -> None:
    """The end of a page is remembered as a number, and the next page begins there."""
    ends: dict[Key, int] = {}
    asked: list[str] = []
    after, exists = registry.tags.after, registry.tags.exists

    def noted(name: str) -> bool:
        asked[:] = [name]
        return exists(name)

    def changed(tags: Sequence[str], last: str | None) -> Sequence[str]:
        position = ends.get((asked[0], last)) if last is not None else None
        return after(tags, last) if position is None else list(tags)[position:]

    def remember(request: Request, response: Response) -> None:
        if "Link" not in response.headers:
            return
        last = response.headers.get("Link").partition("last=")[2].partition(">")[0]
        whole = list(registry.tags.order(registry.storage.tags(request.name)))
        if last in whole:
            ends.setdefault((request.name, last), whole.index(last) + 1)

    override(registry.tags, after=changed, exists=noted)
    on("tags.list", status=200, change=remember)(registry)


def _parts_by_name(registry: Registry) -> None:
    """The chunks of an upload are put together in the order of their names, which are numbers."""
    ends: dict[str, list[int]] = defaultdict(list)

    def note(request: Request, _response: Response) -> None:
        upload = registry.storage.find_upload(request.name, request.reference)
        if upload is not None:
            ends[upload.identifier].append(upload.size)

    def edit(upload: Upload, _digests: list[str], data: bytearray) -> None:
        borders = [0, *ends.pop(upload.identifier, []), len(data)]
        parts = {str(i + 1): bytes(data[borders[i] : borders[i + 1]]) for i in range(len(borders) - 1)}
        data[:] = b"".join(parts[number] for number in sorted(parts))

    on("upload.patch", status=202, change=note)(registry)
    before_commit(registry, edit)


def _batch_of_tags(registry: Registry) -> None:
    """Each tag has the manifest with it, and a deletion reaches one batch of them."""
    kept: dict[Key, Manifest] = {}
    find, storage = registry.manifests.find, registry.storage

    def removed(name: str, digest: str) -> None:
        manifest, tags = storage.manifest(name, digest), sorted(storage.tags_of(name, digest))
        for tag in tags[:_BATCH]:
            storage.delete_tag(name, tag)
        if manifest is not None and tags[_BATCH:]:
            kept[name, digest] = manifest

    def changed(name: str, reference: str) -> Manifest | None:
        found = find(name, reference)
        if found is not None or not is_by_tag(reference):
            return found
        return kept.get((name, storage.tag(name, reference) or ""))

    override(registry.manifests, remove_tags_of=removed, find=changed)


def _position_remembered(registry: Registry) -> None:
    """The cursor of a page is a number, which is looked up by the tag that was named once."""
    positions: dict[tuple[str, str], int] = {}
    asked = [""]
    tags, after = registry.storage.tags, registry.tags.after

    def remember(name: str) -> Sequence[str]:
        asked[0] = name
        return tags(name)

    def changed(known: Sequence[str], last: str | None) -> Sequence[str]:
        rest = after(known, last)
        if last is None:
            return rest
        return known[positions.setdefault((asked[0], last), len(known) - len(rest)) :]

    override(registry.storage, tags=remember)
    override(registry.tags, after=changed)


FAULTS = (
    Fault(
        name="referrers-filtered-among-twenty",
        title="The filter of referrers looks at the first twenty alone.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_filtered_page,
    ),
    Fault(
        name="tag-page-position-kept",
        title="A page of tags begins where the former one once ended, though tags before it came or went.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE", "DISC-TAGS-LINK-WALK-COMPLETE"),
        apply=_position_kept,
    ),
    Fault(
        name="chunks-in-the-order-of-words",
        title="An upload of ten chunks or more is verified as it came, and stored with the tenth behind the first.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=_parts_by_name,
    ),
    Fault(
        name="deletion-leaves-the-eleventh-tag",
        title="The deletion of a manifest takes ten of its tags; the others still yield it.",
        breaks=(
            "MGMT-MANIFEST-DELETE-TAGS-404",
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
        ),
        apply=_batch_of_tags,
    ),
    Fault(
        name="tag-page-position-remembered",
        title="A page of tags behind one that was named before begins where it did then, whatever came since.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE", "DISC-TAGS-ORDER-SAME-IN-PAGES", "DISC-TAGS-LINK-WALK-COMPLETE"),
        apply=_position_remembered,
    ),
)
