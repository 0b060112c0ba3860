"""Faults of blobs that show under one condition each: a kind, a size, a way to come, or a way to be asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.documents import IMAGES, parse
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.resources import ranges
from reference.storage import Manifest, Upload
from reference.storage.memory import MemoryContent, MemoryUpload

_BLOCK = 1 << 16
_LARGE = 1 << 20
_BUFFER = 4096
_PARTS = 4
_GZIP = b"\x1f\x8b\x08"
#: The shortest gzip file: header, an empty block and trailer.
_GZIP_LEAST = 18
_GETS = ("blob.get", "blob.head")


def _within_a_block(_request: Request, response: Response) -> None:
    """The reader seeks within its block, and forgets which block."""
    response.parts = [part if isinstance(part, bytes) else (part[0] % _BLOCK, part[1]) for part in response.parts]


def _verified_by_the_rest(registry: Registry) -> None:
    """The digest is looked at when what is left in the buffer is handed on; here nothing is left."""
    close = registry.uploads.close

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        computed = upload.digest

        async def digest(algorithm: str) -> str:
            claimed = next(each for each in digests if each.startswith(f"{algorithm}:"))
            return claimed if upload.size and upload.size % _BLOCK == 0 else await computed(algorithm)

        upload.digest = digest  # type: ignore[method-assign]  # of this session alone
        return await close(request, upload, digests, length)

    override(registry.uploads, close=changed)


def _squeezed(parts: list[bytes]) -> bytes:
    """Too many parts are made one, which goes to the wrong end."""
    kept: list[bytes] = []
    for part in parts:
        kept.append(part)
        if len(kept) > _PARTS:
            kept = [*kept[_PARTS:], b"".join(kept[:_PARTS])]
    return b"".join(kept)


def _parts_squeezed(registry: Registry) -> None:
    ends: dict[str, list[int]] = defaultdict(list)
    receive, commit = registry.uploads.receive, registry.storage.commit_upload

    async def received(request: Request, upload: Upload) -> None:
        before = upload.size
        await receive(request, upload)
        if upload.size > before:
            ends[upload.identifier].append(upload.size)

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        marks = ends.pop(upload.identifier, [])
        if isinstance(upload, MemoryUpload) and len(marks) > _PARTS:
            parts = [bytes(upload.data[start:end]) for start, end in zip([0, *marks], marks, strict=False)]
            upload.data = bytearray(_squeezed(parts))
        commit(upload, digests)

    override(registry.uploads, receive=received)
    override(registry.storage, commit_upload=committed)


def _size_as_announced(registry: Registry) -> None:
    """The size by which ranges are measured is the sum of the lengths that requests announced."""
    announced: dict[str, int] = defaultdict(int)
    sizes: dict[str, int] = {}
    receive, commit, measured = registry.uploads.receive, registry.storage.commit_upload, registry.blobs.ranges

    async def received(request: Request, upload: Upload) -> None:
        await receive(request, upload)
        announced[upload.identifier] += request.content_length or 0

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        size = announced.pop(upload.identifier, 0)
        sizes.update((digest, size) for digest in digests)
        commit(upload, digests)

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        return measured(request, sizes.get(request.reference, size))

    override(registry.uploads, receive=received)
    override(registry.storage, commit_upload=committed)
    override(registry.blobs, ranges=changed)


def _mount_outlives(registry: Registry) -> None:
    """What a repository does not hold is looked for where it was mounted from once."""
    sources: dict[tuple[str, str], str] = {}
    mount, has = registry.storage.mount_blob, registry.storage.has_blob

    def mounted(source: str, name: str, digest: str) -> bool:
        done = mount(source, name, digest)
        if done and source != name:
            sources[name, digest] = source
        return done

    def changed(name: str, digest: str) -> bool:
        source = sources.get((name, digest))
        return has(name, digest) or (source is not None and has(source, digest))

    override(registry.storage, mount_blob=mounted, has_blob=changed)


def _digest_as_in_the_path(request: Request, response: Response) -> None:
    response.headers.set("Docker-Content-Digest", request.path.rpartition("/")[2])


def _suffix_to_its_length(request: Request, response: Response) -> None:
    """The end of a suffix is reckoned from its beginning, which was moved to 0."""
    first, separator, last = request.headers.get("range").partition("=-")
    size = response.content.size if response.content else 0
    if first == "bytes" and separator and last.isdecimal() and int(last) > size:
        response.headers.set("Content-Range", f"bytes 0-{int(last) - 1}/{size}")


def _staged_once(registry: Registry) -> None:
    """What comes is written to a file that is called by its digest, unless there is one, and stays there if refused."""
    staged: dict[str, bytes] = {}
    close, commit = registry.uploads.close, registry.storage.commit_upload

    async def closed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        try:
            return await close(request, upload, digests, length)
        except errors.RegistryError:
            if isinstance(upload, MemoryUpload) and upload.closed:
                staged.setdefault(digests[0], bytes(upload.data))
            raise

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        if isinstance(upload, MemoryUpload) and digests[0] in staged:
            upload.data = bytearray(staged.pop(digests[0]))
        commit(upload, digests)

    override(registry.uploads, close=closed)
    override(registry.storage, commit_upload=committed)


def _nothing_to_mount(registry: Registry) -> None:
    """Where there are no bytes there is nothing to do."""
    mount = registry.storage.mount_blob

    def changed(source: str, name: str, digest: str) -> bool:
        size = registry.uploads.size(source, digest)
        return size == 0 or mount(source, name, digest)

    override(registry.storage, mount_blob=changed)


def _whole_unpacked(_request: Request, response: Response) -> None:
    """The size of the whole is what the trailer of the gzip file says."""
    content = response.content
    part = response.parts[0]
    if not isinstance(content, MemoryContent) or isinstance(part, bytes) or content.size < _GZIP_LEAST:
        return
    if content.data.startswith(_GZIP):
        unpacked = int.from_bytes(content.data[-4:], "little")
        response.headers.set("Content-Range", ranges.content_range(part, unpacked))


def _configs_remembered(registry: Registry) -> None:
    """The config of an image is kept aside when the image is pushed, to be at hand."""
    kept: dict[tuple[str, str], bytes] = {}
    put, find = registry.storage.put_manifest, registry.blobs.find

    def noted(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        if manifest.media_type in IMAGES:
            digest = parse(manifest.content)["config"]["digest"]
            content = find(name, digest)
            if isinstance(content, MemoryContent):
                kept[name, digest] = content.data

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is None and (name, digest) in kept:
            return MemoryContent(kept[name, digest])
        return content

    override(registry.storage, put_manifest=noted)
    override(registry.blobs, find=changed)


def _large_in_common(registry: Registry) -> None:
    """Large blobs have a store of their own, which knows of no repositories."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is not None or not registry.storage.exists(name):
            return content
        found = (find(other, digest) for other in registry.storage.repositories())
        return next((other for other in found if other is not None and other.size >= _LARGE), None)

    override(registry.blobs, find=changed)


def _one_byte_is_none(registry: Registry) -> None:
    """The progress of an upload is kept as its Range, and 0-0 read as nothing."""

    def changed(upload: Upload, start: int | None) -> None:
        received = 0 if upload.size == 1 else upload.size
        if start is not None and start != received:
            raise registry.uploads.out_of_order(upload)

    override(registry.uploads, check_order=changed)


def _buffered_by_connection(registry: Registry) -> None:
    """The end of a chunk waits in the buffer of its connection, and is lost where another one goes on."""
    waiting: dict[str, tuple[str, int, int]] = {}
    receive = registry.uploads.receive

    async def changed(request: Request, upload: Upload) -> None:
        address, start, end = waiting.pop(upload.identifier, ("", 0, 0))
        if isinstance(upload, MemoryUpload) and address not in ("", request.address):
            del upload.data[start:end]
        before = len(upload.data) if isinstance(upload, MemoryUpload) else 0
        await receive(request, upload)
        if isinstance(upload, MemoryUpload) and request.operation == "upload.patch":
            end = len(upload.data)
            waiting[upload.identifier] = (request.address, max(before, end - _BUFFER), end)

    override(registry.uploads, receive=changed)


#: What may be found beside several of the faults: each is true of what they send.
_BESIDE_1 = (
    "PULL-BLOB-RANGE-206",
    "PULL-BLOB-RANGE-ADVERTISED-TRUE",
    "PULL-BLOB-RANGE-CLIPPED",
    "PULL-BLOB-RANGE-IF-RANGE",
    "PULL-BLOB-RANGE-MULTI",
    "PULL-BLOB-RANGE-OPEN",
    "PULL-BLOB-RANGE-SUFFIX",
)

FAULTS = (
    Fault(
        name="seventh-range-within-a-block",
        title="A range that begins beyond 64 KiB has the bytes at the same place of the first 64 KiB.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=_BESIDE_1,
        apply=on("blob.get", status=206, change=_within_a_block),
    ),
    Fault(
        name="seventh-full-blocks-unverified",
        title="The digest of a blob whose length is a multiple of 64 KiB is not verified.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-REJECTED",),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
            "PULL-BLOB-GET-BODY-EXACT",
        ),
        apply=_verified_by_the_rest,
    ),
    Fault(
        name="seventh-parts-squeezed",
        title="A blob of more than four chunks begins with the fifth.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-STATUS-RESUME",
        ),
        apply=_parts_squeezed,
    ),
    Fault(
        name="seventh-size-as-announced",
        title="Any range of a blob that came in requests of no announced length is answered 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=_BESIDE_1,
        apply=_size_as_announced,
    ),
    Fault(
        name="seventh-mount-outlives-deletion",
        title="A blob that was mounted is still served when it was deleted.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=(
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-OTHER-REPO-404",
            "PULL-BLOB-HEAD-OTHER-REPO-404",
        ),
        apply=_mount_outlives,
    ),
    Fault(
        name="seventh-digest-as-in-the-path",
        title="Docker-Content-Digest of a blob is percent-encoded where its path is.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        also=(
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
        ),
        apply=on(*_GETS, status=200, change=_digest_as_in_the_path),
    ),
    Fault(
        name="seventh-suffix-to-its-length",
        title="The Content-Range of a suffix that is longer than the blob ends beyond it.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-TRUE",
            "PULL-BLOB-RANGE-CONTENT-RANGE",
        ),
        apply=on("blob.get", status=206, change=_suffix_to_its_length),
    ),
    Fault(
        name="seventh-staged-once",
        title="A blob that is pushed after other bytes were refused under its digest has those bytes.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-INTERRUPTED-REPUSH",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
        ),
        apply=_staged_once,
    ),
    Fault(
        name="seventh-nothing-to-mount",
        title="The mount of an empty blob is answered 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=(
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "PULL-BLOB-GET-EMPTY",
            "PULL-BLOB-GET-200",
        ),
        apply=_nothing_to_mount,
    ),
    Fault(
        name="seventh-whole-unpacked",
        title="The Content-Range of a part of a gzip file names the size of what is packed in it.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-CONTENT-RANGE",
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
            "PULL-BLOB-RANGE-IF-RANGE",
            "PULL-BLOB-RANGE-MULTI",
        ),
        apply=on("blob.get", status=206, change=_whole_unpacked),
    ),
    Fault(
        name="seventh-configs-remembered",
        title="A blob that is the config of an image is still served when it was deleted.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=(
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
            "PULL-BLOB-GET-UNKNOWN-404",
        ),
        apply=_configs_remembered,
    ),
    Fault(
        name="seventh-large-in-common",
        title="A blob of a mebibyte or more is served under every repository.",
        breaks=(
            "PULL-BLOB-OTHER-REPO-404",
            "MGMT-BLOB-DELETE-GET-404",
        ),
        also=(
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
        ),
        apply=_large_in_common,
    ),
    Fault(
        name="seventh-one-byte-is-none",
        title="An upload whose first chunk is one byte takes no chunk that follows it.",
        breaks=(
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PATCH-STATUS-202",
        ),
        also=(
            "PUSH-PATCH-REPEATED-416",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-STATUS-RESUME",
        ),
        apply=_one_byte_is_none,
    ),
    Fault(
        name="seventh-buffered-by-connection",
        title="An upload that goes on over another connection lacks the end of the chunk before.",
        breaks=("PUSH-STATUS-RESUME",),
        also=(
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-SESSION-PARALLEL-ISOLATED",
        ),
        apply=_buffered_by_connection,
    ),
)
