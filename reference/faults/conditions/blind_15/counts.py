"""Faults that show with many of something."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from reference import errors
from reference.app import Registry
from reference.documents import Document, Json
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override
from reference.storage import Manifest

_ERRORS = 20
_SHARD = 1000
_ROWS = 100
_TAGS = 9


def _errors_cut(registry: Registry) -> None:
    """An answer has room for twenty errors."""
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        try:
            check(name, document)
        except errors.RegistryError as error:
            raise errors.RegistryError(error.status, error.entries[:_ERRORS], error.headers) from None

    override(registry.manifests, check_references=changed)


def _shards_not_merged(registry: Registry) -> None:
    """More than a thousand tags lie in two shards; pages are merged, and the whole list is put together as it comes."""
    cut = registry.tags.cut

    def changed(tags: Sequence[str], size: int | None) -> Sequence[str]:
        if size is not None or len(tags) <= _SHARD:
            return cut(tags, size)
        return sorted(tags, key=lambda tag: zlib.crc32(tag.encode()) & 1)

    override(registry.tags, cut=changed)


def _annotations_joined(registry: Registry) -> None:
    """The annotations of a referrer are the rows of a query, of which a hundred are read."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if "annotations" in descriptor:
            descriptor["annotations"] = dict(list(descriptor["annotations"].items())[:_ROWS])
        return descriptor

    override(registry.referrers, describe=changed)


@around("manifest.put")
async def _tags_of_one_statement(registry: Registry, request: Request, handler: Handler) -> Response:
    """One statement sets nine tags, and is not repeated for the rest."""
    rest = list(dict.fromkeys(request.query.all("tag")))[_TAGS:] if ":" in request.reference else []
    before = {tag: registry.storage.tag(request.name, tag) for tag in rest}
    response = await handler(request)
    if response.status == 201:
        for tag, digest in before.items():
            if digest is None:
                registry.storage.delete_tag(request.name, tag)
            else:
                registry.storage.set_tag(request.name, tag, digest)
    return response


FAULTS = (
    Fault(
        name="missing-blobs-told-up-to-twenty",
        title="The refusal of a manifest with more than twenty unknown blobs names the first twenty alone.",
        breaks=("PUSH-MANIFEST-MISSING-BLOB-DETAIL",),
        apply=_errors_cut,
    ),
    Fault(
        name="shards-of-tags-not-merged",
        title="A list of more than 1,000 tags without n is two sorted lists, one behind the other.",
        breaks=("DISC-TAGS-ORDER-WHOLE", "DISC-TAGS-ORDER-SAME-IN-PAGES"),
        also=("DISC-TAGS-ORDER-LEXICAL", "DISC-TAGS-ORDER-MIXED-CASE", "DISC-TAGS-LAST-WITHOUT-N"),
        apply=_shards_not_merged,
    ),
    Fault(
        name="annotations-beyond-a-hundred-dropped",
        title="A referrer with more than 100 annotations is listed with 100 of them.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        apply=_annotations_joined,
    ),
    Fault(
        name="tenth-tag-parameter-told-and-not-set",
        title="Of ten tag parameters or more OCI-Tag names all, and nine are set.",
        breaks=("PUSH-TAGPARAM-LISTED-TAG-RESOLVES",),
        also=("PUSH-TAGPARAM-TEN-TAGS", "PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED", "PUSH-TAGPARAM-SUPPORTED"),
        apply=_tags_of_one_statement,
    ),
)
