"""Faults of answers that are half right: the status and not the content, the content and not what is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, OCI_MANIFEST, parse
from reference.faults.history import spoilt
from reference.messages import Content, Request, Response
from reference.modifications import Apply, Fault, on, override
from reference.storage import Manifest
from reference.storage.memory import MemoryContent

When = Callable[[Request, Response], bool]
_ENDS = re.compile(r"(\d*)-(\d*)")
_PART = 206
_OTHER = 203  # Non-Authoritative Information: a success, and not the one that is meant


def _if(when: When, change: Callable[[Response], object]) -> Callable[[Request, Response], None]:
    def changed(request: Request, response: Response) -> None:
        if when(request, response):
            change(response)

    return changed


def _status(status: int) -> Callable[[Response], object]:
    def change(response: Response) -> None:
        response.status = status

    return change


def _body(response: Response) -> None:
    """Another byte, of the same number."""
    response.body = response.body[:-1] + bytes([response.body[-1] ^ 1])


def _moved(response: Response) -> None:
    """Say the range that begins one byte later, and is as long."""
    first, _, rest = response.headers.get("content-range").removeprefix("bytes ").partition("-")
    last, _, size = rest.partition("/")
    response.headers.set("Content-Range", f"bytes {int(first) + 1}-{int(last) + 1}/{size}")


def _empty_as_byte(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return MemoryContent(b"\0") if content is not None and not content.size else content

    override(registry.blobs, find=changed)


def _found(when: Callable[[Manifest], bool], change: Callable[[Manifest, str], Manifest]) -> Apply:
    """Change manifests that are found; the reference tells by what."""

    def apply(registry: Registry) -> None:
        find = registry.manifests.find

        def changed(name: str, reference: str) -> Manifest | None:
            manifest = find(name, reference)
            return change(manifest, reference) if manifest is not None and when(manifest) else manifest

        override(registry.manifests, find=changed)

    return apply


def _nameless(manifest: Manifest) -> bool:
    """Whether a manifest does not tell its own type."""
    return manifest.media_type == OCI_MANIFEST and "mediaType" not in parse(manifest.content)


def _typed(*references: str) -> Callable[[Manifest, str], Manifest]:
    """Another type, of what is pulled by a tag, or by a digest."""

    def change(manifest: Manifest, reference: str) -> Manifest:
        if ("digest" if ":" in reference else "tag") not in references:
            return manifest
        return Manifest(manifest.digest, "application/json", manifest.content)

    return change


def _condition(change: Callable[[bool, Request, Response], None]) -> Apply:
    """Change answers to ranges on a condition; the flag tells whether it holds."""

    def changed(request: Request, response: Response) -> None:
        condition = request.headers.get("if-range")
        if condition:
            change(condition.strip() == f'"{request.reference}"', request, response)

    return on("blob.get", change=changed)


def _whole_as_part(holds: bool, _request: Request, response: Response) -> None:
    if not holds:
        response.status = _PART


def _part_as_whole(holds: bool, _request: Request, response: Response) -> None:
    if not holds and response.content is not None:
        response.stream(response.content, [(0, 4)])


def _refused_if_it_holds(holds: bool, _request: Request, response: Response) -> None:
    if holds:
        response.status, response.content, response.parts = 416, None, []


def _others_if_it_holds(holds: bool, _request: Request, response: Response) -> None:
    if holds and response.content is not None:
        response.stream(spoilt_first(response.content), response.parts)


def spoilt_first(content: Content) -> Content:
    """Another first byte."""
    if not isinstance(content, MemoryContent):
        return content
    data = bytes(content.data)
    return MemoryContent(bytes([data[0] ^ 1]) + data[1:])


def _ranged(request: Request, response: Response) -> bool:
    return bool(request.headers.get("range")) and response.status == _PART


def _open(request: Request, response: Response) -> bool:
    """Whether a range without an end, from the end, or beyond it was served."""
    if not _ranged(request, response) or response.content is None:
        return False
    size = response.content.size
    asked = _ENDS.findall(request.headers.get("range"))
    return any(not first or not last or int(last) >= size for first, last in asked)


def _spoil_part(response: Response) -> None:
    if response.content is not None and len(response.parts) == 1:
        response.stream(spoilt(response.content), response.parts)


def _head_of_range(status: int, length: int | None) -> Apply:
    def changed(request: Request, response: Response) -> None:
        if request.headers.get("range"):
            response.status = status
            if length is not None:
                response.headers.set("Content-Length", str(length))

    return on("blob.head", status=200, change=changed)


def _second_status(change: Callable[[Response], object]) -> Apply:
    """Change each answer to a status request but the first one of a session."""

    def apply(registry: Registry) -> None:
        seen: set[str] = set()

        def changed(request: Request, response: Response) -> None:
            if request.reference in seen:
                change(response)
            seen.add(request.reference)

        on("upload.get", status=204, change=changed)(registry)

    return apply


def _sha512(request: Request, _response: Response) -> bool:
    return request.reference.startswith("sha512:")


def _docker(_request: Request, response: Response) -> bool:
    return response.headers.get("content-type") in (DOCKER_MANIFEST, DOCKER_LIST)


def _named(request: Request, _response: Response) -> bool:
    return request.query.get("ns") is not None


def _second_tag_spoilt(registry: Registry) -> None:
    """Give other bytes under a tag whose manifest has another tag already."""
    set_tag, find = registry.storage.set_tag, registry.manifests.find
    marked: set[tuple[str, str]] = set()

    def tagged(name: str, tag: str, digest: str) -> None:
        storage = registry.storage
        marked.discard((name, tag))
        if any(storage.tag(name, other) == digest for other in storage.tags(name) if other != tag):
            marked.add((name, tag))
        set_tag(name, tag, digest)

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        if manifest is None or (name, reference) not in marked:
            return manifest
        return Manifest(manifest.digest, manifest.media_type, manifest.content + b" ")

    override(registry.storage, set_tag=tagged)
    override(registry.manifests, find=changed)


def _digest_of_another(response: Response) -> None:
    response.headers.set("Docker-Content-Digest", "sha512:" + "0" * 128)


def _spoilt_without_digest(response: Response) -> None:
    _body(response)
    response.headers.drop("Docker-Content-Digest")


_RANGES = ("PULL-BLOB-RANGE-OPEN", "PULL-BLOB-RANGE-SUFFIX", "PULL-BLOB-RANGE-CLIPPED")
_TYPES = ("PULL-TYPE-DOCKER-V2", "PULL-TYPE-DOCKER-LIST")
_IF_RANGE = "PULL-BLOB-RANGE-IF-RANGE"
_HEAD = "PULL-BLOB-RANGE-HEAD-IGNORED"
_SIDE = "PUSH-STATUS-NO-SIDE-EFFECT"
_AS_PUSHED = "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED"


def _fault(name: str, title: str, *breaks: str, apply: Apply, also: tuple[str, ...] = ()) -> Fault:
    return Fault(name=name, title=title, breaks=breaks, also=also, apply=apply)


FAULTS = (
    _fault(
        "empty-blob-204",
        "The pull of the empty blob is answered 204.",
        "PULL-BLOB-GET-200",
        also=("PULL-BLOB-GET-EMPTY",),
        apply=on("blob.get", status=200, change=_if(lambda _q, r: not r.length, _status(204))),
    ),
    _fault("empty-blob-with-a-byte", "The empty blob has a byte.", "PULL-BLOB-GET-EMPTY", apply=_empty_as_byte),
    _fault(
        "sha512-manifest-203",
        "The pull of a manifest by sha512 is answered 203.",
        "PULL-MANIFEST-GET-DIGEST-200",
        apply=on("manifest.get", status=200, change=_if(_sha512, _status(_OTHER))),
        # It shows where that is asked for.
        also=("PULL-MANIFEST-SHA512",),
    ),
    _fault(
        "sha512-manifest-spoilt",
        "The last byte of a manifest that is pulled by sha512 is another.",
        "PULL-MANIFEST-SHA512",
        apply=on("manifest.get", status=200, change=_if(_sha512, _body)),
    ),
    _fault(
        "sha512-manifest-with-another-digest",
        "A manifest that is pulled by sha512 has the digest of another.",
        "PULL-MANIFEST-SHA512",
        apply=on("manifest.get", status=200, change=_if(_sha512, _digest_of_another)),
    ),
    _fault(
        "sha512-manifest-spoilt-without-digest",
        "The last byte of a manifest that is pulled by sha512 is another, and no digest tells.",
        "PULL-MANIFEST-SHA512",
        apply=on("manifest.get", status=200, change=_if(_sha512, _spoilt_without_digest)),
        also=("PULL-MANIFEST-GET-DCD",),
    ),
    _fault(
        "second-tag-spoilt",
        "Under its second tag a manifest has a byte more.",
        # The first tag is such a one when it is pushed again.
        "PUSH-MANIFEST-KEPT",
        # Each scenario with a second tag meets it.
        also=(
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-CONCURRENT-REPOSITORIES-APART",
            "PUSH-TAGPARAM-LISTED-TAG-RESOLVES",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
        ),
        apply=_second_tag_spoilt,
    ),
    _fault(
        "docker-manifest-203",
        "The pull of a Docker manifest is answered 203.",
        "PULL-MANIFEST-GET-TAG-200",
        apply=on("manifest.get", status=200, change=_if(_docker, _status(_OTHER))),
        # It shows where those are asked for.
        also=_TYPES,
    ),
    _fault(
        "docker-manifest-spoilt",
        "The last byte of a Docker manifest is another.",
        *_TYPES,
        apply=on("manifest.get", status=200, change=_if(_docker, _body)),
        also=("PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED",),
    ),
    _fault(
        "range-203",
        "A range is served with the status 203.",
        "PULL-BLOB-GET-200",
        apply=on("blob.get", change=_if(_ranged, _status(_OTHER))),
        also=("PULL-BLOB-RANGE-206", *_RANGES),
    ),
    _fault(
        "content-range-moved",
        "The Content-Range begins one byte too late.",
        "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
        apply=on("blob.get", change=_if(_ranged, _moved)),
    ),
    _fault(
        "content-range-of-open-ranges-moved",
        "The Content-Range of a range up to the end begins one byte too late.",
        "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
        apply=on("blob.get", change=_if(_open, _moved)),
    ),
    _fault(
        "open-range-spoilt",
        "The last byte of a range up to the end is another.",
        "PULL-BLOB-RANGE-TRUE",
        apply=on("blob.get", change=_if(_open, _spoil_part)),
    ),
    _fault(
        "if-range-whole-206",
        "Where If-Range does not hold, the whole has the status 206.",
        _IF_RANGE,
        "PULL-BLOB-RANGE-TRUE",
        apply=_condition(_whole_as_part),
    ),
    _fault(
        "if-range-part-200",
        "Where If-Range does not hold, a part has the status 200.",
        _IF_RANGE,
        "PULL-BLOB-GET-BODY-EXACT",
        apply=_condition(_part_as_whole),
    ),
    _fault(
        "if-range-416",
        "Where If-Range holds, the range is refused.",
        _IF_RANGE,
        apply=_condition(_refused_if_it_holds),
        also=("PULL-BLOB-RANGE-416-SIZE",),
    ),
    _fault(
        "if-range-other-bytes",
        "Where If-Range holds, other bytes come.",
        "PULL-BLOB-RANGE-TRUE",
        apply=_condition(_others_if_it_holds),
    ),
    _fault(
        "head-of-range-206",
        "HEAD with a range has the status 206 and the length of the whole.",
        _HEAD,
        apply=_head_of_range(_PART, None),
    ),
    _fault(
        "head-of-range-with-its-length",
        "HEAD with a range has the length of the range.",
        _HEAD,
        "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
        apply=_head_of_range(200, 1),
    ),
    _fault(
        "second-status-200",
        "The status of an upload is answered 200 when it is asked again.",
        _SIDE,
        apply=_second_status(_status(200)),
    ),
    _fault(
        "second-status-other",
        "The Range of an upload is another when it is asked again.",
        _SIDE,
        apply=_second_status(lambda response: response.headers.set("Range", "0-0")),
    ),
    _fault(
        "ns-203",
        "A pull with the parameter ns is answered 203.",
        "PULL-BLOB-GET-200",
        apply=on("blob.get", status=200, change=_if(_named, _status(_OTHER))),
        also=("PULL-PROXY-NS",),
    ),
    _fault(
        "ns-spoilt",
        "A pull with the parameter ns gives another last byte.",
        "PULL-PROXY-NS-TRUE",
        "PULL-BLOB-GET-BODY-EXACT",
        apply=on(
            "blob.get",
            status=200,
            change=_if(_named, _spoil_part),
        ),
    ),
    _fault(
        "nameless-manifest-typed-by-tag",
        "A manifest without mediaType has another type by tag.",
        _AS_PUSHED,
        apply=_found(_nameless, _typed("tag")),
    ),
    _fault(
        "nameless-manifest-typed-by-digest",
        "A manifest without mediaType has another type by digest.",
        _AS_PUSHED,
        apply=_found(_nameless, _typed("digest")),
    ),
)
