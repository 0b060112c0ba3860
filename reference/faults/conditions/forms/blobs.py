"""Faults of blobs that are pulled, kept or deleted."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, around, on, override
from reference.storage import Upload
from reference.storage.memory import MemoryContent

_BUFFER = 65_536
_BLOCK = 4096
_GZIP = b"\x1f\x8b"
_SEVERAL = 3


def _buffer_sent_again(_request: Request, response: Response) -> None:
    """The second buffer of a part is filled from where the first one was."""
    content = response.content
    if content is None or len(response.parts) != 1 or isinstance(response.parts[0], bytes):
        return
    start, length = response.parts[0]
    if length > _BUFFER and start + length < content.size:
        response.parts = [(start, _BUFFER), (start, length - _BUFFER)]


def _slices_kept(registry: Registry) -> None:
    """Answer ranges from a cache of their own, which nobody told of the deletion."""
    slices: dict[tuple[str, str], MemoryContent] = {}

    @around("blob.get")
    async def got(_registry: Registry, request: Request, handler: Handler) -> Response:
        key = request.name, request.reference
        try:
            response = await handler(request)
        except errors.RegistryError:
            if key not in slices or not request.headers.get("range"):
                raise
            return registry.blobs.respond(request, slices[key], registry.blobs.headers(request.reference))
        if response.status == 206 and isinstance(response.content, MemoryContent):
            slices[key] = response.content
        return response

    got(registry)


def _same_ends(registry: Registry) -> None:
    """Take two files for one where length, first block and last block are the same."""
    commit, find = registry.storage.commit_upload, registry.blobs.find
    known: dict[tuple[int, bytes, bytes], bytes] = {}
    instead: dict[str, bytes] = {}

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        data = bytes(getattr(upload, "data", b""))
        commit(upload, digests)
        if len(data) > 2 * _BLOCK:
            first = known.setdefault((len(data), data[:_BLOCK], data[-_BLOCK:]), data)
            instead.update((digest, first) for digest in digests if digest not in instead)

    def found(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return content if content is None or digest not in instead else MemoryContent(instead[digest])

    override(registry.storage, commit_upload=committed)
    override(registry.blobs, find=found)


def _counted_twice(registry: Registry) -> None:
    """Each deletion of what three repositories had counts twice."""
    storage = registry.storage
    commit, mount, delete = storage.commit_upload, storage.mount_blob, storage.delete_blob
    holders: dict[str, set[str]] = defaultdict(set)
    shared: set[str] = set()

    def held(name: str, digest: str) -> None:
        holders[digest].add(name)
        if len(holders[digest]) >= _SEVERAL:
            shared.add(digest)

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        commit(upload, digests)
        for digest in digests:
            held(upload.repository, digest)

    def mounted(source: str, name: str, digest: str) -> bool:
        done = mount(source, name, digest)
        if done:
            held(name, digest)
        return done

    def deleted(name: str, digest: str) -> bool:
        done = delete(name, digest)
        holders[digest].discard(name)
        if digest in shared and len(holders[digest]) == 1:
            shared.discard(digest)
            delete(holders[digest].pop(), digest)
        return done

    override(storage, commit_upload=committed, mount_blob=mounted, delete_blob=deleted)


def _as_on_disk(_request: Request, response: Response) -> None:
    """Tell the size of the file, which the file system has packed."""
    if isinstance(response.content, MemoryContent) and response.content.size >= _BLOCK:
        packed = len(zlib.compress(response.content.data, 1))
        if packed * 4 < response.content.size:
            response.headers.set("Content-Length", str(packed))


def _coded_for_zstd(request: Request, response: Response) -> None:
    """A client that takes zstd is one that unpacks: what is gzip data is declared as coded."""
    codings = ",".join(request.headers.all("accept-encoding"))
    content = response.content
    if "zstd" in codings and isinstance(content, MemoryContent) and content.data.startswith(_GZIP):
        response.headers.set("Content-Encoding", "gzip")


FAULTS = (
    Fault(
        name="long-part-repeats-its-buffer",
        title="A range of more than 64 KiB that ends ahead of the end of the blob has its first 64 KiB twice.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=on("blob.get", status=206, change=_buffer_sent_again),
    ),
    Fault(
        name="slices-outlive-deletion",
        title="A range of a deleted blob is served, if a range of it was served before.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        apply=_slices_kept,
    ),
    Fault(
        name="same-length-and-ends-one-file",
        title="Of two blobs with the same length, first 4 KiB and last 4 KiB the second one is served as the first.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=("PUSH-BLOB-LARGE-EXACT", "PULL-BLOB-RANGE-TRUE", "PULL-MANIFEST-GET-BODY-EXACT", "PUSH-BLOB-KEPT"),
        apply=_same_ends,
    ),
    Fault(
        name="third-holder-loses-blob",
        title="A blob that three repositories had is gone from the last one when the other two deleted it.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-BLOB-KEPT", "PUSH-MOUNT-BLOB-AVAILABLE", "PULL-BLOB-GET-200"),
        apply=_counted_twice,
    ),
    Fault(
        name="head-of-packed-file",
        title="HEAD of a blob of 4 KiB or more that can be packed to less than a quarter tells its packed length.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-BLOB-HEAD-GET-AGREE",),
        apply=on("blob.head", status=200, change=_as_on_disk),
    ),
    Fault(
        name="gzip-declared-to-clients-of-zstd",
        title="A blob that is gzip data is declared as coded with gzip to a client whose Accept-Encoding names zstd.",
        breaks=("PULL-BLOB-GET-NO-FALSE-CODING",),
        also=("PULL-BLOB-GET-BODY-EXACT",),
        apply=on("blob.get", status=200, change=_coded_for_zstd),
    ),
)
