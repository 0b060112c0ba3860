"""Faults that show with one kind of object only."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable

from reference.app import Registry
from reference.documents import INDEXES, Document, parse
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest
from reference.storage.memory import MemoryContent

_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b\x08"
_RAW_WINDOW = 31  # the parameter of zlib for gzip framing
_MANY = 1000
#: No manifest of fewer bytes has that many descriptors.
_MANY_BYTES = 50_000
_LARGE = 3 << 20


def _is_zstd(data: bytes) -> bool:
    """Whether the data is a whole frame: RFC 8878, section 3.1.1."""
    if data[:4] != _ZSTD or len(data) < 9:
        return False
    flags = data[4]
    single = bool(flags & 0x20)
    at = 5 + (0 if single else 1) + (0, 1, 2, 4)[flags & 3] + (1 if single else 0, 2, 4, 8)[flags >> 6]
    while at + 3 <= len(data):
        header = int.from_bytes(data[at : at + 3], "little")
        at += 3 + (1 if header >> 1 & 3 == 1 else header >> 3)
        if header & 1:
            return at + (4 if flags & 4 else 0) <= len(data)
    return False


def _coded(_request: Request, response: Response) -> None:
    if isinstance(response.content, MemoryContent) and _is_zstd(response.content.data):
        response.headers.set("Content-Encoding", "zstd")


def _unpacked_length(_request: Request, response: Response) -> None:
    """The length at the end of a gzip file, where it is one."""
    if not isinstance(response.content, MemoryContent) or not response.content.data.startswith(_GZIP):
        return
    data = response.content.data
    try:
        zlib.decompress(data, _RAW_WINDOW)
    except zlib.error:
        return
    response.headers.set("Content-Length", str(int.from_bytes(data[-4:], "little")))


def _nested_removed(registry: Registry) -> None:
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        remove(name, digest)
        if manifest is None or manifest.media_type not in INDEXES:
            return
        for child in Document(manifest.media_type, parse(manifest.content)).children:
            entry = registry.storage.manifest(name, child)
            if entry is not None and entry.media_type in INDEXES:
                remove(name, child)

    override(registry.manifests, remove=changed)


def _large_unlisted(registry: Registry) -> None:
    def is_small(name: str, tag: str) -> bool:
        digest = registry.storage.tag(name, tag)
        manifest = registry.storage.manifest(name, digest) if digest is not None else None
        return manifest is None or len(manifest.content) <= _LARGE

    order_of_names(registry, lambda name, tags: [tag for tag in tags if is_small(name, tag)])


def order_of_names(registry: Registry, change: Callable[[str, list[str]], list[str]]) -> None:
    """Change the tags of a repository before they are listed; by its name."""
    order, listing = registry.tags.order, registry.handlers["tags.list"]
    name = ""

    async def named(request: Request) -> Response:
        nonlocal name
        # Nothing waits between here and the order.
        name = request.name
        return await listing(request)

    registry.handlers["tags.list"] = named
    override(registry.tags, order=lambda tags: change(name, order(tags)))


def _written_again(registry: Registry) -> None:
    find = registry.manifests.find

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        if manifest is None or len(manifest.content) < _MANY_BYTES or _descriptors(manifest) < _MANY:
            return manifest
        members = parse(manifest.content)
        text = json.dumps(members, separators=(",", ":")).encode()
        if text == manifest.content:
            text = json.dumps(members).encode()
        return Manifest(manifest.digest, manifest.media_type, text)

    override(registry.manifests, find=changed)


def _descriptors(manifest: Manifest) -> int:
    members = parse(manifest.content)
    counts = [len(value) for key in ("layers", "manifests", "blobs") if isinstance(value := members.get(key), list)]
    return sum(counts) + ("config" in members)


FAULTS = (
    Fault(
        name="zstd-file-declared-coded",
        title="A blob that is a whole zstd file is declared as coded with zstd.",
        breaks=(
            "PULL-BLOB-GET-NO-FALSE-CODING",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
            "PULL-BLOB-GET-BODY-EXACT",
        ),
        apply=on("blob.get", "blob.head", status=200, change=_coded),
    ),
    Fault(
        name="gzip-file-head-unpacked",
        title="HEAD of a blob that is a whole gzip file tells the length of what is packed in it.",
        breaks=(
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
        ),
        apply=on("blob.head", status=200, change=_unpacked_length),
    ),
    Fault(
        name="nested-index-goes-with-outer",
        title="An index that is listed in another index is deleted with that.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        apply=_nested_removed,
    ),
    Fault(
        name="tag-of-large-manifest-unlisted",
        title="The tag of a manifest of more than 3 MiB is not in the list.",
        breaks=(
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "PUSH-MANIFEST-4MB-ACCEPTED",
        ),
        apply=_large_unlisted,
    ),
    Fault(
        name="manifest-of-1000-descriptors-rewritten",
        title="A manifest of 1,000 descriptors or more is served with other blanks.",
        breaks=(
            "PUSH-MANIFEST-BYTES-EXACT",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-GET-DCD-TRUE",
        ),
        apply=_written_again,
    ),
)
