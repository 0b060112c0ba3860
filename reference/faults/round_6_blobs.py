"""Faults of blobs under one condition: a range, a size, a way that they came, a place that they came from."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import AsyncGenerator, Iterable

from reference.app import Registry
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryContent, MemoryUpload

_BLOCK = 1 << 16
_LOCATION = 255
_SOURCES = 5
_EMPTY_JSON = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
_PULLS = ("blob.get", "blob.head")


class _Blocks(MemoryContent):
    """Content that is read through one block; its position is not set back when the next one is loaded."""

    async def chunks(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes, as far as the first block goes."""
        block = bytearray(_BLOCK)
        number, position = divmod(start, _BLOCK)
        skipped = position
        while length > 0:
            loaded = self.data[number * _BLOCK : (number + 1) * _BLOCK]
            block[: len(loaded)] = loaded
            size = min(length, _BLOCK - skipped)
            yield bytes((block[position:] + block[:position])[:size])
            number, skipped, length = number + 1, 0, length - size


def _one_block(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return _Blocks(content.data) if isinstance(content, MemoryContent) else content

    override(registry.blobs, find=changed)


def _last_of_zero(registry: Registry) -> None:
    """Take a last position of 0 for none."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        wanted = ranges(request, size)
        zero = request.headers.get("range").replace(" ", "").lower() == "bytes=0-0"
        return [(0, size)] if wanted and zero else wanted

    override(registry.blobs, ranges=changed)


def _ranges_of_unpacked(registry: Registry) -> None:
    respond = registry.blobs.respond

    def changed(request: Request, content: Content, headers: list[tuple[str, str]]) -> Response:
        packed = isinstance(content, MemoryContent) and content.data.startswith(b"\x1f\x8b")
        if packed and registry.blobs.ranges(request, content.size) is not None:
            content = MemoryContent(_unpacked(content.data))  # type: ignore[attr-defined]  # it is one in memory
        return respond(request, content, headers)

    override(registry.blobs, respond=changed)


def _unpacked(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data


def _location_cut(registry: Registry) -> None:
    created = registry.uploads.created

    def changed(name: str, digest: str) -> Response:
        response = created(name, digest)
        response.headers.set("Location", response.headers.get("Location")[:_LOCATION])
        return response

    override(registry.uploads, created=changed)


def _composed_in_turns(registry: Registry) -> None:
    """Compose five objects at a time; what they make goes to the end of the queue."""
    ends: dict[str, list[int]] = {}
    receive, commit = registry.uploads.receive, registry.storage.commit_upload

    async def noting(request: Request, upload: Upload) -> None:
        before = upload.size
        await receive(request, upload)
        known = [end for end in ends.get(upload.identifier, []) if end <= before]
        ends[upload.identifier] = [*known, upload.size] if upload.size > before else known

    def composed(upload: Upload, digests: Iterable[str]) -> None:
        if isinstance(upload, MemoryUpload):
            found = ends.pop(upload.identifier, [])
            starts = [0, *found[:-1]]
            parts = [bytes(upload.data[start:end]) for start, end in zip(starts, found, strict=True)] if found else []
            while len(parts) > _SOURCES:
                parts = [*parts[_SOURCES:], b"".join(parts[:_SOURCES])]
            upload.data = bytearray(b"".join(parts))
        commit(upload, digests)

    override(registry.uploads, receive=noting)
    override(registry.storage, commit_upload=composed)


def _size_as_announced(registry: Registry) -> None:
    """Know the size of a blob by the Content-Length of what brought it."""
    announced: Counter[str] = Counter()
    sizes: dict[str, int] = {}
    receive, commit = registry.uploads.receive, registry.storage.commit_upload

    async def noting(request: Request, upload: Upload) -> None:
        before = upload.size
        await receive(request, upload)
        announced[upload.identifier] += min(request.content_length or 0, upload.size - before)

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        sizes.update(dict.fromkeys(digests, announced.pop(upload.identifier, 0)))
        commit(upload, digests)

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.status == 200 and request.reference in sizes:
                response.headers.set("Content-Length", str(sizes[request.reference]))
            return response

        return changed

    override(registry.uploads, receive=noting)
    override(registry.storage, commit_upload=committed)
    wrap(registry, ["blob.head"], around)


def _one_link(registry: Registry) -> None:
    """A mount notes where the blob is, and a pull looks there, and no further."""
    links: dict[tuple[str, str], str] = {}
    storage, find = registry.storage, registry.blobs.find
    mount, commit, delete = storage.mount_blob, storage.commit_upload, storage.delete_blob

    def mounted(source: str, name: str, digest: str) -> bool:
        held = storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and not held:
            links[name, digest] = source
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        for digest in digests:
            links.pop((upload.repository, digest), None)
        commit(upload, digests)

    def deleted(name: str, digest: str) -> bool:
        links.pop((name, digest), None)
        return delete(name, digest)

    def changed(name: str, digest: str) -> Content | None:
        source = links.get((name, digest))
        return None if source is not None and (source, digest) in links else find(name, digest)

    override(storage, mount_blob=mounted, commit_upload=committed, delete_blob=deleted)
    override(registry.blobs, find=changed)


def _kept_by_path(registry: Registry) -> None:
    """Keep blobs by the path as it was written, while a deletion forgets the one that it would write itself."""
    kept: dict[str, bytes] = {}

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if "%" not in request.path:
                return await handler(request)
            content = registry.blobs.find(request.name, request.reference)
            if isinstance(content, MemoryContent) and request.method == "GET":
                kept[request.path] = content.data
            if content is None and request.path in kept:
                headers = registry.blobs.headers(request.reference)
                return registry.blobs.respond(request, MemoryContent(kept[request.path]), headers)
            return await handler(request)

        return changed

    wrap(registry, _PULLS, around)


def _progress_by_connection(registry: Registry) -> None:
    came: Counter[tuple[str, str]] = Counter()
    receive, status = registry.uploads.receive, registry.uploads.status

    async def noting(request: Request, upload: Upload) -> None:
        before = upload.size
        try:
            await receive(request, upload)
        finally:
            came[upload.identifier, request.address] += upload.size - before

    async def changed(request: Request) -> Response:
        response = await status(request)
        upload = registry.uploads.find(request)
        size = min(came[upload.identifier, request.address], upload.size)
        response.headers.set("Range", registry.uploads.range(size))
        return response

    override(registry.uploads, receive=noting)
    registry.handlers["upload.get"] = changed


def _sixteen_bits(_request: Request, response: Response) -> None:
    """Keep lengths that do not exceed 64 KiB in sixteen bits."""
    if response.length <= _BLOCK:
        response.headers.set("Content-Length", str(response.length % _BLOCK))


def _refused_for_ever(registry: Registry) -> None:
    refused: set[str] = set()
    verified, find = registry.uploads.verified, registry.blobs.find

    def noting(claimed: str, computed: str) -> bool:
        fits = verified(claimed, computed)
        if not fits:
            refused.add(claimed)
        return fits

    override(registry.uploads, verified=noting)
    override(registry.blobs, find=lambda name, digest: None if digest in refused else find(name, digest))


def _counted(registry: Registry) -> None:
    """Count the pushes of a blob; a deletion takes one off."""
    pushes: Counter[tuple[str, str]] = Counter()
    commit, remove = registry.storage.commit_upload, registry.blobs.remove

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        pushes.update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    def changed(name: str, digest: str) -> bool:
        pushes[name, digest] -= 1
        if pushes[name, digest] > 0 and registry.storage.has_blob(name, digest):
            return True
        del pushes[name, digest]
        return remove(name, digest)

    override(registry.storage, commit_upload=committed)
    override(registry.blobs, remove=changed)


def _second_names_shared(registry: Registry) -> None:
    """Digests of sha512 lead to content, in whichever repository it is."""
    storage, find = registry.storage, registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is not None or not digest.startswith("sha512:") or not storage.exists(name):
            return content
        holders = (find(holder, digest) for holder in storage.repositories())
        return next((each for each in holders if each is not None), None)

    override(registry.blobs, find=changed)


def _empty_json_anywhere(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        if digest == _EMPTY_JSON and registry.storage.exists(name):
            return MemoryContent(b"{}")
        return find(name, digest)

    override(registry.blobs, find=changed)


FAULTS = (
    Fault(
        name="sixth-range-across-blocks",
        title="Of a range across a multiple of 64 KiB the bytes behind that are others.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-CLIPPED",
        ),
        apply=_one_block,
    ),
    Fault(
        name="sixth-range-of-the-first-byte-whole",
        title="The first byte alone is asked for, and the whole blob comes as a part.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
        ),
        apply=_last_of_zero,
    ),
    Fault(
        name="sixth-range-of-gzip-unpacked",
        title="A range of a blob that is gzip data is one of what it unpacks to.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-416",
            "PULL-BLOB-RANGE-416-SIZE",
            "PULL-BLOB-RANGE-UNSUPPORTED-200",
        ),
        apply=_ranges_of_unpacked,
    ),
    Fault(
        name="sixth-location-of-255-characters",
        title="The Location of a blob ends after 255 characters, where the name is long.",
        breaks=("PUSH-PUT-LOCATION-PULLABLE",),
        also=(
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "BASE-NAME-ACCEPTED-KEPT",
        ),
        apply=_location_cut,
    ),
    Fault(
        name="sixth-sixth-chunk-first",
        title="A blob of more than five chunks begins with the sixth.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
        ),
        apply=_composed_in_turns,
    ),
    Fault(
        name="sixth-head-length-as-announced",
        title="HEAD tells of a blob whose length was not announced by its push that it has none.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
        ),
        apply=_size_as_announced,
    ),
    Fault(
        name="sixth-mount-of-a-mounted-blob-lost",
        title="A blob that is mounted from where it was mounted itself is unknown.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE",),
        apply=_one_link,
    ),
    Fault(
        name="sixth-encoded-path-outlives-deletion",
        title="A deleted blob is still there for who pulled it by a percent-encoded digest.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=(
            "MGMT-BLOB-DELETE-HEAD-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
        ),
        apply=_kept_by_path,
    ),
    Fault(
        name="sixth-status-of-this-connection",
        title="The status of an upload counts what came on the same connection.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-INTERRUPTED-RANGE",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-STATUS-EARLIER-LOCATION",
        ),
        apply=_progress_by_connection,
    ),
    Fault(
        name="sixth-head-length-in-sixteen-bits",
        title="HEAD of a blob of 64 KiB says that it has no bytes.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
        ),
        apply=on("blob.head", status=200, change=_sixteen_bits),
    ),
    Fault(
        name="sixth-digest-once-refused-lost",
        title="A blob is unknown if other content was refused under its digest before.",
        breaks=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-200",
        ),
        also=(
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-BLOB-KEPT",
            "PULL-BLOB-HEAD-200",
        ),
        apply=_refused_for_ever,
    ),
    Fault(
        name="sixth-deletion-of-one-push",
        title="A blob that was pushed twice is still there when it was deleted once.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=(
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
        ),
        apply=_counted,
    ),
    Fault(
        name="sixth-sha512-of-other-repositories",
        title="A blob is served under every repository by its sha512.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        also=(
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
        apply=_second_names_shared,
    ),
    Fault(
        name="sixth-empty-json-everywhere",
        title="The blob of the empty descriptor, {}, is in every repository, also where it was deleted.",
        breaks=(
            "MGMT-BLOB-DELETE-GET-404",
            "PULL-BLOB-HEAD-OTHER-REPO-404",
        ),
        also=(
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "PULL-BLOB-OTHER-REPO-404",
            "MGMT-BLOB-DELETE-HEAD-404",
            "PUSH-SESSION-NO-BLOB-BEFORE-CLOSE",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
        ),
        apply=_empty_json_anywhere,
    ),
)
