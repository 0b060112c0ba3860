"""Faults of blobs that show at no byte or one."""

from __future__ import annotations

from reference.app import Registry
from reference.faults.conditions.blobs.shared import found_blobs, size_of
from reference.grammar import digest_of
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, override, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryContent

_EMPTY = digest_of(b"")
_EMPTY_DIGESTS = (digest_of(b""), digest_of(b"", "sha512"))


def _one_byte_forgotten(registry: Registry) -> None:
    """0-0 is read as no progress."""
    check = registry.uploads.check_order

    def changed(upload: Upload, start: int | None) -> None:
        if start is not None and start == upload.size == 1:
            raise registry.uploads.out_of_order(upload)
        check(upload, start)

    override(registry.uploads, check_order=changed)


def _empty_everywhere(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is None and digest == _EMPTY and registry.storage.exists(name):
            return MemoryContent(b"")
        return content

    override(registry.blobs, find=changed)


def _first_byte_alone(registry: Registry) -> None:
    """A first chunk of 0-0 is taken for the range of an upload without data."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            upload = registry.uploads.find(request)
            if upload.size or request.headers.get("content-range").strip() != "0-0":
                return await handler(request)
            async for _ in request.pieces():
                pass
            return registry.uploads.accepted(upload)

        return changed

    wrap(registry, ["upload.patch"], around)


def _empty_stays(registry: Registry) -> None:
    """The empty blob is taken for one that everybody needs."""
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        return size_of(registry, name, digest) == 0 or remove(name, digest)

    override(registry.blobs, remove=changed)


def _byte_of_others(registry: Registry) -> None:
    """A blob of one byte is kept beside its digest, and not beside its repository."""

    def changed(name: str, digest: str, content: Content | None) -> Content | None:
        storage = registry.storage
        if content is not None or not storage.exists(name):
            return content
        others = [storage.open_blob(other, digest) for other in storage.repositories()]
        return next((other for other in others if other is not None and other.size == 1), None)

    found_blobs(changed)(registry)


def _single_byte_anywhere(registry: Registry) -> None:
    """What fits in the row of the index is looked up without the repository."""
    find = registry.storage.open_blob

    def changed(name: str, digest: str) -> Content | None:
        found = find(name, digest)
        if found is not None:
            return found
        others = (find(other, digest) for other in registry.storage.repositories())
        return next((content for content in others if content is not None and content.size == 1), None)

    override(registry.storage, open_blob=changed)


def _empty_blob_everywhere(registry: Registry) -> None:
    """Nothing need not be looked for."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        if digest in _EMPTY_DIGESTS and registry.storage.exists(name):
            return MemoryContent(b"")
        return find(name, digest)

    override(registry.blobs, find=changed)


def _one_byte_is_none(registry: Registry) -> None:
    """The progress of an upload is kept as its Range, and 0-0 read as nothing."""

    def changed(upload: Upload, start: int | None) -> None:
        received = 0 if upload.size == 1 else upload.size
        if start is not None and start != received:
            raise registry.uploads.out_of_order(upload)

    override(registry.uploads, check_order=changed)


def _built_in(registry: Registry) -> None:
    """The blob of no bytes is not stored, and so is everywhere."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        return MemoryContent(b"") if digest == _EMPTY else find(name, digest)

    override(registry.blobs, find=changed)


def _last_index_zero(registry: Registry) -> None:
    """The entry has the index of the last byte; where that is 0 there is nothing."""
    respond = registry.blobs.respond

    def changed(request: Request, content: Content, headers: list[tuple[str, str]]) -> Response:
        response = respond(request, content, headers)
        if response.status == 200 and content.size == 1:
            response.parts = []
        return response

    override(registry.blobs, respond=changed)


FAULTS = (
    Fault(
        name="chunk-behind-one-byte-416",
        title="The chunk that follows a first chunk of one byte returns 416.",
        breaks=("PUSH-PATCH-STATUS-202", "PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-STATUS-RESUME"),
        apply=_one_byte_forgotten,
    ),
    Fault(
        name="empty-blob-in-all-repositories",
        title="The blob of no bytes is there in each repository, though it was not pushed to it or was deleted.",
        breaks=("PULL-BLOB-OTHER-REPO-404", "PULL-BLOB-GET-UNKNOWN-404", "MGMT-BLOB-DELETE-GET-404"),
        also=("PULL-BLOB-HEAD-OTHER-REPO-404", "PULL-BLOB-HEAD-UNKNOWN-404", "MGMT-BLOB-DELETE-HEAD-404"),
        apply=_empty_everywhere,
    ),
    Fault(
        name="first-chunk-of-one-byte-lost",
        title="A first chunk of a single byte returns 202, and its byte is dropped.",
        breaks=("PUSH-PATCH-STATUS-202",),
        also=(
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PATCH-RANGE-VALUE",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-STATUS-RESUME",
        ),
        apply=_first_byte_alone,
    ),
    Fault(
        name="empty-blob-cannot-be-deleted",
        title="The deletion of the empty blob returns 202, and it stays.",
        breaks=("MGMT-BLOB-DELETE-GET-404", "MGMT-BLOB-DELETE-HEAD-404"),
        also=("MGMT-BLOB-DELETE-TWICE-404", "MGMT-BLOB-DELETE-202"),
        apply=_empty_stays,
    ),
    Fault(
        name="one-byte-blob-in-every-repository",
        title="A blob of one byte is served under every repository.",
        breaks=("PULL-BLOB-OTHER-REPO-404", "PULL-BLOB-HEAD-OTHER-REPO-404"),
        also=(
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
        apply=_byte_of_others,
    ),
    Fault(
        name="blob-of-one-byte-everywhere",
        title="A blob of one byte is served under every repository.",
        breaks=("PULL-BLOB-OTHER-REPO-404", "PULL-BLOB-HEAD-OTHER-REPO-404"),
        also=(
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
        apply=_single_byte_anywhere,
    ),
    Fault(
        name="empty-blob-everywhere",
        title="The empty blob is there in every repository, though nobody pushed it.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        also=(
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
        apply=_empty_blob_everywhere,
    ),
    Fault(
        name="chunk-of-one-byte-ends-upload",
        title="An upload whose first chunk is one byte takes no chunk that follows it.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-PATCH-STATUS-202"),
        also=("PUSH-PATCH-REPEATED-416", "PUSH-PUT-FINAL-CHUNK-CLOSES", "PUSH-STATUS-RESUME"),
        apply=_one_byte_is_none,
    ),
    Fault(
        name="empty-blob-in-unpushed-repositories",
        title="The blob of no bytes is in every repository, pushed or not.",
        breaks=("PULL-BLOB-GET-UNKNOWN-404", "PULL-BLOB-HEAD-OTHER-REPO-404"),
        also=(
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "PULL-BLOB-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
        ),
        apply=_built_in,
    ),
    Fault(
        name="blob-of-one-byte-empty",
        title="A blob of one byte is pulled as an empty one.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PUSH-PUT-LOCATION-PULLABLE",
        ),
        apply=_last_index_zero,
    ),
)
