"""Faults of blobs and uploads that show under one condition each: a size, a name, a way of pushing, a kind of pull."""

from __future__ import annotations

import re
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryContent

_WINDOW = 1 << 16
_PIECE = 1 << 20
#: How many parts of an upload are listed at once, and how many components of a name are told.
_PARTS = 5
_SUFFIX = re.compile(r"bytes=-([0-9]+)")


def _window_from_its_start(registry: Registry) -> None:
    """The offset of a range is taken within a window of 64 KiB, and the window is always the first."""
    respond = registry.blobs.respond

    def changed(request: Request, content: Content, headers: list[tuple[str, str]]) -> Response:
        response = respond(request, content, headers)
        if response.status == 206:
            response.parts = [
                part if isinstance(part, bytes) else (part[0] % _WINDOW, part[1]) for part in response.parts
            ]
        return response

    override(registry.blobs, respond=changed)


def _tombstone_over_mount(registry: Registry) -> None:
    """The mark of a deletion is taken away by an upload, and not by a mount."""
    gone: set[tuple[str, str]] = set()
    find, delete, commit = registry.blobs.find, registry.storage.delete_blob, registry.storage.commit_upload

    def deleted(name: str, digest: str) -> bool:
        if not delete(name, digest):
            return False
        gone.add((name, digest))
        return True

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        gone.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    def changed(name: str, digest: str) -> Content | None:
        return None if (name, digest) in gone else find(name, digest)

    override(registry.storage, delete_blob=deleted, commit_upload=committed)
    override(registry.blobs, find=changed)


def _deleted_among_sha256(registry: Registry) -> None:
    """What is to be deleted is looked for in the directory of sha256 alone; that it is absent there is no error."""
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        if digest.startswith("sha512:"):
            return registry.storage.has_blob(name, digest)
        return remove(name, digest)

    override(registry.blobs, remove=changed)


def _first_page_of_parts(registry: Registry) -> None:
    """The parts of an upload are put together from one page of their list."""
    ends: dict[str, list[int]] = {}
    cuts: dict[tuple[str, str], int] = {}
    commit, find = registry.storage.commit_upload, registry.blobs.find

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            upload = registry.storage.find_upload(request.name, request.reference)
            if upload is not None:
                ends.setdefault(upload.identifier, []).append(upload.size)
            return response

        return changed

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        parts = ends.pop(upload.identifier, [])
        for digest in digests:
            cuts.pop((upload.repository, digest), None)
            if len(parts) > _PARTS:
                cuts[upload.repository, digest] = parts[_PARTS - 1]
        commit(upload, digests)

    def cut(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        end = cuts.get((name, digest))
        return MemoryContent(content.data[:end]) if end is not None and isinstance(content, MemoryContent) else content

    wrap(registry, ["upload.patch"], around)
    override(registry.storage, commit_upload=committed)
    override(registry.blobs, find=cut)


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


def _nothing_to_mount(registry: Registry) -> None:
    """A blob of length 0 is taken for one that needs no link."""
    mount = registry.storage.mount_blob

    def changed(source: str, name: str, digest: str) -> bool:
        content = registry.storage.open_blob(source, digest)
        if content is None:
            return False
        content.close()
        return mount(source, name, digest) if content.size else True

    override(registry.storage, mount_blob=changed)


def _length_of_a_piece(_request: Request, response: Response) -> None:
    if response.content is not None and response.content.size > _PIECE:
        response.headers.set("Content-Length", str(_PIECE))


def _looked_up_above(registry: Registry) -> None:
    """What a repository lacks is looked for in those that its name extends."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        while content is None and "/" in name:
            name = name.rpartition("/")[0]
            content = find(name, digest)
        return content

    override(registry.blobs, find=changed)


def _few_components(request: Request, response: Response) -> None:
    kept = "/".join(request.name.split("/")[:_PARTS])
    location = response.headers.get("Location")
    response.headers.set("Location", location.replace(f"/v2/{request.name}/", f"/v2/{kept}/"))


def _encoded_unknown(registry: Registry) -> None:
    """HEAD is answered from a table whose keys are compared with the path as it came."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if "%" in request.path:
                raise errors.blob_unknown(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ["blob.head"], around)


def _remembered_as_absent(registry: Registry) -> None:
    """A digest that an upload was refused for is noted as absent, and nothing takes the note away."""
    absent: set[tuple[str, str]] = set()
    close, find = registry.uploads.close, registry.blobs.find

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        try:
            return await close(request, upload, digests, length)
        except errors.RegistryError as error:
            if any(entry.code == "DIGEST_INVALID" for entry in error.entries):
                absent.update((upload.repository, digest) for digest in digests)
            raise

    def found(name: str, digest: str) -> Content | None:
        return None if (name, digest) in absent else find(name, digest)

    override(registry.uploads, close=changed)
    override(registry.blobs, find=found)


def _progress_of_a_connection(registry: Registry) -> None:
    """How far an upload is, is kept with the connection that its data came by."""
    fed: dict[str, str] = {}

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            fed[request.reference] = request.address
            return response

        return changed

    def change(request: Request, response: Response) -> None:
        if fed.get(request.reference, request.address) != request.address:
            response.headers.set("Range", "0-0")

    wrap(registry, ["upload.patch"], around)
    on("upload.get", status=204, change=change)(registry)


def _suffix_beyond(registry: Registry) -> None:
    """The beginning of the last N bytes is computed, and must not be negative."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        match = _SUFFIX.fullmatch(request.headers.get("range").strip())
        if match is not None and request.method == "GET" and int(match[1]) > size:
            return []
        return ranges(request, size)

    override(registry.blobs, ranges=changed)


def _last_zero_is_none(registry: Registry) -> None:
    """A last position of 0 counts as none."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        return [(0, size)] if found == [(0, 1)] and request.headers.get("range").strip() == "bytes=0-0" else found

    override(registry.blobs, ranges=changed)


FAULTS = (
    Fault(
        name="tenth-range-in-the-first-window",
        title="A range that begins behind the first 64 KiB has the bytes of the same place within the first 64 KiB.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_window_from_its_start,
    ),
    Fault(
        name="tenth-mount-under-a-tombstone",
        title="A blob that was deleted and is mounted again stays unknown, though the mount is answered 201.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE", "MGMT-BLOB-DELETE-REUPLOAD"),
        apply=_tombstone_over_mount,
    ),
    Fault(
        name="tenth-sha512-blob-not-deleted",
        title="The deletion of a blob by sha512 is answered 202, and the blob stays.",
        breaks=("MGMT-BLOB-DELETE-GET-404", "MGMT-BLOB-DELETE-HEAD-404"),
        also=("MGMT-BLOB-DELETE-TWICE-404",),
        apply=_deleted_among_sha256,
    ),
    Fault(
        name="tenth-parts-of-one-page",
        title="A blob whose upload took more than five chunks ends behind the fifth.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PULL-BLOB-GET-BODY-EXACT", "PUSH-PUT-LOCATION-PULLABLE"),
        apply=_first_page_of_parts,
    ),
    Fault(
        name="tenth-first-chunk-of-a-byte",
        title="A first chunk of a single byte is answered 202, and its byte is dropped.",
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
        name="tenth-empty-blob-not-linked",
        title="The mount of a blob of zero bytes is answered 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE",),
        apply=_nothing_to_mount,
    ),
    Fault(
        name="tenth-head-length-of-a-piece",
        title="HEAD of a blob of more than a mebibyte tells the length of a mebibyte.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-BLOB-LARGE-EXACT", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=on("blob.head", status=200, change=_length_of_a_piece),
    ),
    Fault(
        name="tenth-blob-inherited",
        title="A blob is served under each repository whose name extends that of the one that holds it.",
        breaks=("PULL-BLOB-OTHER-REPO-404", "PULL-BLOB-HEAD-OTHER-REPO-404"),
        also=("PULL-BLOB-GET-UNKNOWN-REPO-404", "PULL-BLOB-GET-UNKNOWN-404", "PULL-BLOB-HEAD-UNKNOWN-404"),
        apply=_looked_up_above,
    ),
    Fault(
        name="tenth-location-of-five-components",
        title="The Location of a blob in a repository of more than five components names the first five.",
        breaks=("PUSH-PUT-LOCATION-PULLABLE",),
        also=("PUSH-SINGLE-LOCATION-PULLABLE", "PUSH-MOUNT-LOCATION-PULLABLE"),
        apply=on("upload.put", "upload.start-digest", "upload.mount", status=201, change=_few_components),
    ),
    Fault(
        name="tenth-head-of-encoded-digest",
        title="HEAD of a blob whose digest is percent-encoded in the URL is answered 404; GET is not.",
        breaks=("PULL-BLOB-HEAD-200",),
        also=("PULL-BLOB-HEAD-GET-AGREE",),
        apply=_encoded_unknown,
    ),
    Fault(
        name="tenth-refused-and-absent-since",
        title="A blob for whose digest other content was refused before is accepted, and unknown.",
        breaks=("PULL-BLOB-GET-200",),
        also=(
            "PULL-BLOB-HEAD-200",
            "PUSH-BLOB-KEPT",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
        ),
        apply=_remembered_as_absent,
    ),
    Fault(
        name="tenth-progress-of-a-connection",
        title="The status of an upload tells another connection than that of its last chunk of no data.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        also=("PUSH-STATUS-RESUME", "PUSH-INTERRUPTED-RANGE"),
        apply=_progress_of_a_connection,
    ),
    Fault(
        name="tenth-suffix-longer-than-the-blob",
        title="The last N bytes of a blob that is shorter than that are answered 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        apply=_suffix_beyond,
    ),
    Fault(
        name="tenth-range-of-the-first-byte",
        title="The range of the first byte alone gives the whole blob as 206.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_last_zero_is_none,
    ),
)
