"""Faults of uploads."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.messages import BINARY, Handler, Notice, Request, Response
from reference.modifications import Fault, around, both, override
from reference.storage import Upload
from reference.storage.memory import MemoryUpload

_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})")
#: Of an archive, and of a disk.
_BLOCK = 512


def _parts_by_name(registry: Registry) -> None:
    """The parts of an upload are put together in the order of their numbers as text."""
    ends: dict[str, list[int]] = defaultdict(list)
    commit = registry.storage.commit_upload

    async def noting(registry: Registry, request: Request, handler: Handler) -> Response:
        upload = registry.uploads.find(request)
        response = await handler(request)
        ends[upload.identifier].append(upload.size)
        return response

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        marks = sorted({0, *ends.pop(upload.identifier, ()), upload.size})
        if isinstance(upload, MemoryUpload) and len(marks) > 1:
            parts = [bytes(upload.data[start:end]) for start, end in itertools.pairwise(marks)]
            order = sorted(range(len(parts)), key=lambda number: str(number + 1))
            upload.data = bytearray(b"".join(parts[number] for number in order))
        commit(upload, digests)

    around("upload.patch")(noting)(registry)
    override(registry.storage, commit_upload=changed)


@around("upload.put")
async def _known_unverified(registry: Registry, request: Request, handler: Handler) -> Response:
    """What the repository has under the digest already is not looked at again."""
    uploads = registry.uploads
    digest = request.query.get("digest") or ""
    if "content-range" in request.headers or not registry.storage.has_blob(request.name, digest):
        return await handler(request)
    upload = uploads.find(request)
    async with uploads.turn(request, upload):
        await uploads.receive(request, upload)
        registry.storage.discard_upload(upload)
    size = uploads.size(request.name, digest)
    return uploads.created(request.name, digest).tells(Notice("push", digest, "blobs", BINARY, size))


def _mounts_of_mounts(registry: Registry) -> None:
    """A link to a link is written, and not followed."""
    links: set[tuple[str, str]] = set()
    mounted = registry.uploads.mounted

    def changed(source: str | None, name: str, digest: str) -> bool:
        storage = registry.storage
        if (source, digest) in links and storage.has_blob(source or "", digest):
            return True
        held = storage.has_blob(name, digest)
        done = mounted(source, name, digest)
        if done and not held:
            links.add((name, digest))
        return done

    override(registry.uploads, mounted=changed)


def _no_chunks_after_mount(registry: Registry) -> None:
    """A session that a mount opened is not written down as one to which chunks come."""
    opened: set[str] = set()

    async def mount(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        if response.status == 202:
            opened.add(response.headers.get("Docker-Upload-UUID"))
        return response

    async def patch(_registry: Registry, request: Request, handler: Handler) -> Response:
        if request.reference in opened:
            raise errors.upload_unknown(request.reference)
        return await handler(request)

    both(around("upload.mount")(mount), around("upload.patch")(patch))(registry)


@around("upload.patch")
async def _overlap_trimmed(registry: Registry, request: Request, handler: Handler) -> Response:
    """Of a chunk that begins within the data and ends behind it, what is new is appended."""
    uploads = registry.uploads
    match = _RANGE.fullmatch(request.headers.get("content-range").strip())
    upload = uploads.find(request)
    if match is None or not int(match[1]) < upload.size <= int(match[2]):
        return await handler(request)
    async with uploads.turn(request, upload):
        uploads.check_length(int(match[2]) - int(match[1]) + 1, request.content_length)
        skipped = upload.size - int(match[1])
        content = b"".join([piece async for piece in request.pieces()])
        await upload.write(content[skipped:])
        await upload.flush()
    return uploads.accepted(upload)


def _status_by_lengths(registry: Registry) -> None:
    """The status adds up what the headers of chunks announced; a chunk in chunked coding announced nothing."""
    uncounted: dict[str, int] = defaultdict(int)

    async def patch(registry: Registry, request: Request, handler: Handler) -> Response:
        upload = registry.uploads.find(request)
        before = upload.size
        response = await handler(request)
        if request.content_length is None:
            uncounted[upload.identifier] += upload.size - before
        return response

    async def status(registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        if uncounted[request.reference]:
            size = registry.uploads.find(request).size - uncounted[request.reference]
            response.headers.set("Range", registry.uploads.range(size))
        return response

    both(around("upload.patch")(patch), around("upload.get")(status))(registry)


def _last_blocks_lost(registry: Registry) -> None:
    """Blocks of zeros are skipped when a blob is written, and its end is not set behind the last of them."""
    commit = registry.storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        if isinstance(upload, MemoryUpload):
            end = len(upload.data)
            while end and end % _BLOCK == 0 and not any(upload.data[end - _BLOCK : end]):
                end -= _BLOCK
            del upload.data[end:]
        commit(upload, digests)

    override(registry.storage, commit_upload=changed)


def _absence_remembered(registry: Registry) -> None:
    """That a blob is not there is remembered, and only the request that has its last bytes ends that."""
    absent: set[tuple[str, str]] = set()

    async def head(registry: Registry, request: Request, handler: Handler) -> Response:
        if (request.name, request.reference) in absent:
            raise registry.blobs.unknown(request)
        try:
            return await handler(request)
        except errors.RegistryError as error:
            if error.status == 404:
                absent.add((request.name, request.reference))
            raise

    async def stored(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        streamed = "transfer-encoding" in request.headers
        if response.status == 201 and (request.method == "POST" or request.content_length or streamed):
            digests = [*request.query.all("digest"), *request.query.all("mount")]
            absent.difference_update((request.name, digest) for digest in digests)
        return response

    storing = around("upload.put", "upload.start-digest", "upload.mount")(stored)
    both(around("blob.head")(head), storing)(registry)


FAULTS = (
    Fault(
        name="ten-chunks-put-together-by-name",
        title="From ten chunks on, they are put together in the order of their numbers as text.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PULL-BLOB-GET-BODY-EXACT",
        ),
        apply=_parts_by_name,
    ),
    Fault(
        name="known-blob-stands-for-any",
        title="A PUT with the digest of a blob that the repository has returns 201, whatever was sent.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-REJECTED",),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
        ),
        apply=_known_unverified,
    ),
    Fault(
        name="mount-from-a-mount-lost",
        title="A mount from a repository that has the blob by a mount returns 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=(
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
        ),
        apply=_mounts_of_mounts,
    ),
    Fault(
        name="mount-upload-without-chunks",
        title="The upload that a mount opened is unknown to a PATCH.",
        breaks=("PUSH-MOUNT-FALLBACK-SESSION-USABLE",),
        apply=_no_chunks_after_mount,
    ),
    Fault(
        name="overlap-cut-off-and-taken",
        title="A chunk that begins within the data and ends behind it is taken, without what was there.",
        breaks=("PUSH-PATCH-OVERLAP-416",),
        also=("PUSH-PATCH-416-STATE-UNCHANGED",),
        apply=_overlap_trimmed,
    ),
    Fault(
        name="status-without-streamed-bytes",
        title="The Range of the status does not count what came without Content-Length.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-STATUS-NO-SIDE-EFFECT",
        ),
        apply=_status_by_lengths,
    ),
    Fault(
        name="last-blocks-of-zeros-lost",
        title="A blob loses the blocks of 512 zeros that it ends with.",
        breaks=(
            "PUSH-BLOB-BINARY-EXACT",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
        ),
        also=(
            "PUSH-BLOB-LARGE-EXACT",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-BODY-EXACT",
        ),
        apply=_last_blocks_lost,
    ),
    Fault(
        name="absent-before-its-chunks",
        title="A blob whose absence was asked for stays absent to a HEAD, if a PUT without body completes it.",
        breaks=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-HEAD-200",
        ),
        also=(
            "MGMT-BLOB-DELETE-REUPLOAD",
            "PULL-CONSIST-AT-ONCE",
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-NO-BODY-CLOSES",
        ),
        apply=_absence_remembered,
    ),
)
