"""Faults of blobs that show with some kinds of content."""

from __future__ import annotations

import zlib

from reference.app import Registry
from reference.documents import IMAGES, parse
from reference.faults.conditions.blobs.shared import found_blobs
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest
from reference.storage.memory import MemoryContent

_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b\x08"
_RAW_WINDOW = 31  # the parameter of zlib for gzip framing
#: The length of Frame_Content_Size by its flag.
_SIZES = (0, 2, 4, 8)
_DIGEST = "Docker-Content-Digest"
_PULLS = ("blob.get", "blob.head")
_EMPTY_JSON = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


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


def _unpacked_size(frame: bytes) -> int:
    """What the first frame says of its content; 0 where it is silent."""
    flags = frame[4]
    single, kind = flags >> 5 & 1, flags >> 6
    width = _SIZES[kind] or single
    begin = 5 + 1 - single + (0, 1, 2, 4)[flags & 3]
    size = int.from_bytes(frame[begin : begin + width], "little")
    return size + 256 if width == 2 else size


def _zstd_length(_request: Request, response: Response) -> None:
    """The Content-Length of what is in the frame."""
    content = response.content
    if isinstance(content, MemoryContent) and content.data[:4] == _ZSTD and content.size > 4:
        response.headers.set("Content-Length", str(_unpacked_size(bytes(content.data[:32]))))


def _configs_with_line_feed(registry: Registry) -> None:
    """What a manifest names as its config is kept as a line of text."""
    configs: set[tuple[str, str]] = set()
    put = registry.storage.put_manifest

    def noting(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        if manifest.media_type in IMAGES:
            configs.add((name, parse(manifest.content)["config"]["digest"]))

    def changed(name: str, digest: str, content: Content | None) -> Content | None:
        if (name, digest) not in configs or not isinstance(content, MemoryContent):
            return content
        return MemoryContent(bytes(content.data) + b"\n")

    override(registry.storage, put_manifest=noting)
    found_blobs(changed)(registry)


def _zstd_head_unpacked_length(_request: Request, response: Response) -> None:
    content = response.content
    if isinstance(content, MemoryContent) and content.data[:4] == _ZSTD:
        response.headers.set("Content-Length", str(content.size * 4))


def _config_as_image(registry: Registry) -> None:
    """A config is known by the identity of its image."""
    images: dict[tuple[str, str], str] = {}
    put = registry.storage.put_manifest

    def noting(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        if manifest.media_type in IMAGES:
            images[name, parse(manifest.content)["config"]["digest"]] = manifest.digest

    def changed(request: Request, response: Response) -> None:
        image = images.get((request.name, request.reference))
        if image is not None and _DIGEST in response.headers:
            response.headers.set(_DIGEST, image)

    override(registry.storage, put_manifest=noting)
    on(*_PULLS, change=changed)(registry)


def _empty_json_anywhere(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        if digest == _EMPTY_JSON and registry.storage.exists(name):
            return MemoryContent(b"{}")
        return find(name, digest)

    override(registry.blobs, find=changed)


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


FAULTS = (
    Fault(
        name="zstd-file-declared-coded",
        title="A blob that is a whole zstd file is declared as coded with zstd.",
        breaks=("PULL-BLOB-GET-NO-FALSE-CODING", "PUSH-BLOB-ODD-CONTENT-EXACT", "PULL-BLOB-GET-BODY-EXACT"),
        apply=on("blob.get", "blob.head", status=200, change=_coded),
    ),
    Fault(
        name="gzip-file-head-unpacked",
        title="HEAD of a blob that is a whole gzip file tells the length of what is packed in it.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE", "PULL-BLOB-HEAD-GET-AGREE", "PUSH-BLOB-ODD-CONTENT-EXACT"),
        apply=on("blob.head", status=200, change=_unpacked_length),
    ),
    Fault(
        name="head-of-zstd-as-unpacked",
        title="HEAD of a blob that is a zstd frame has the length of what is in the frame.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PUSH-BLOB-ODD-CONTENT-EXACT"),
        apply=on("blob.head", status=200, change=_zstd_length),
    ),
    Fault(
        name="config-blob-with-line-feed",
        title="A blob that a manifest names as its config has a line feed more from then on.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "BASE-DIGEST-SHA512",
            "BASE-NAME-ACCEPTED-KEPT",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PULL-BLOB-HEAD-GET-AGREE",
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
            "PULL-BLOB-RANGE-TRUE",
            "PULL-CONSIST-REPEATABLE",
            "PUSH-BLOB-BINARY-EXACT",
            "PUSH-BLOB-KEPT",
            "PUSH-BLOB-LARGE-EXACT",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
        ),
        apply=_configs_with_line_feed,
    ),
    Fault(
        name="zstd-head-unpacked-length",
        title="HEAD of a blob that is zstd data tells a length four times as great.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PUSH-BLOB-ODD-CONTENT-EXACT"),
        apply=on("blob.head", status=200, change=_zstd_head_unpacked_length),
    ),
    Fault(
        name="config-digest-of-image",
        title="Docker-Content-Digest of a blob that an image names as its config is that of the image.",
        breaks=("PULL-BLOB-GET-DCD-TRUE",),
        also=(
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-CONSIST-REPEATABLE",
            "PULL-BLOB-HEAD-GET-AGREE",
        ),
        apply=_config_as_image,
    ),
    Fault(
        name="empty-json-everywhere",
        title="The blob of the empty descriptor, {}, is in every repository, also where it was deleted.",
        breaks=("MGMT-BLOB-DELETE-GET-404", "PULL-BLOB-HEAD-OTHER-REPO-404"),
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
    Fault(
        name="deleted-config-still-served",
        title="A blob that is the config of an image is still served when it was deleted.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=("MGMT-BLOB-DELETE-HEAD-404", "MGMT-BLOB-DELETE-TWICE-404", "PULL-BLOB-GET-UNKNOWN-404"),
        apply=_configs_remembered,
    ),
)
