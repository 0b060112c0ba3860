"""Changes that several modules of faults of pull have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, INDEXES
from reference.faults.shared import IsAnswer
from reference.faults.upload_history import spoilt
from reference.grammar import digest_of
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, around, on, override, wrap
from reference.storage import Manifest
from reference.storage.memory import MemoryContent

_PART = 206
_ENDS = re.compile(r"(\d*)-(\d*)")
_BOTH = ("manifest.get", "manifest.head")
Part = tuple[int, int]


def wrong_digest(_request: Request, response: Response) -> None:
    """Send a Docker-Content-Digest of other content."""
    response.headers.set("Docker-Content-Digest", "sha256:" + "0" * 64)


def unsized(_request: Request, response: Response) -> None:
    """Send no Content-Length."""
    response.sized = False


def before_answer(change: Callable[[Request], Response | None], *operations: str) -> Apply:
    """Answer some requests otherwise, or change them before they are answered."""

    @around(*operations)
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        return change(request) or await handler(request)

    return changed


def coding_unasked(_request: Request, response: Response) -> None:
    """Say a coding that the bytes do not have, and that nobody asked for."""
    if "gzip" in _request.headers.get("accept-encoding"):
        response.headers.set("Content-Encoding", "compress")


def changed_if(when: IsAnswer, change: Callable[[Response], object]) -> Callable[[Request, Response], None]:
    """Change some answers."""

    def changed(request: Request, response: Response) -> None:
        if when(request, response):
            change(response)

    return changed


def under_if_range(change: Callable[[bool, Request, Response], None]) -> Apply:
    """Change answers to ranges on a condition; the flag tells whether it holds."""

    def changed(request: Request, response: Response) -> None:
        condition = request.headers.get("if-range")
        if condition:
            change(condition.strip() == f'"{request.reference}"', request, response)

    return on("blob.get", change=changed)


def is_part(request: Request, response: Response) -> bool:
    """Whether an answer is a part that was asked for."""
    return bool(request.headers.get("range")) and response.status == _PART


def is_open_part(request: Request, response: Response) -> bool:
    """Whether a range without an end, from the end, or beyond it was served."""
    if not is_part(request, response) or response.content is None:
        return False
    size = response.content.size
    asked = _ENDS.findall(request.headers.get("range"))
    return any(not first or not last or int(last) >= size for first, last in asked)


def spoil_part(response: Response) -> None:
    """Change the last byte of a part."""
    if response.content is not None and len(response.parts) == 1:
        response.stream(spoilt(response.content), response.parts)


def by_sha512(request: Request, _response: Response) -> bool:
    """Whether content is asked for by its sha512 digest."""
    return request.reference.startswith("sha512:")


def is_docker(_request: Request, response: Response) -> bool:
    """Whether an answer is a manifest of Docker."""
    return response.headers.get("content-type") in (DOCKER_MANIFEST, DOCKER_LIST)


def stale_digest(_request: Request, response: Response) -> None:
    """Send the Docker-Content-Digest of former content."""
    response.headers.set("Docker-Content-Digest", digest_of(b"what was there before"))


def by_digest(request: Request) -> bool:
    """Whether a manifest is asked for by its digest."""
    return ":" in request.reference


def labelled_as(media_type: str, where: Callable[[Request, Response], object]) -> Apply:
    """Label some manifests as something else."""

    def change(request: Request, response: Response) -> None:
        if where(request, response):
            response.headers.set("Content-Type", media_type)

    return on(*_BOTH, status=200, change=change)


def labelled(*media_types: str) -> Callable[[Request, Response], bool]:
    """Whether an answer has one of some types."""
    return lambda _request, response: response.headers.get("Content-Type") in media_types


def negotiated(choose: Callable[[Request, Manifest], object]) -> Apply:
    """Send what is stored only where it is chosen."""

    def apply(registry: Registry) -> None:
        def negotiate(request: Request, manifest: Manifest) -> Manifest:
            if choose(request, manifest):
                return manifest
            raise errors.manifest_unknown(request.reference)

        override(registry.manifests, negotiate=negotiate)

    return apply


def accepted_types(request: Request) -> set[str]:
    """The types that a request accepts."""
    values = (value for field in request.headers.all("accept") for value in field.split(","))
    return {value.partition(";")[0].strip() for value in values}


def parts_chosen(change: Callable[[str, int, list[Part]], list[Part] | None]) -> Apply:
    """Understand a Range otherwise: by its text, the size of the blob, and its true meaning."""

    def apply(registry: Registry) -> None:
        understood = registry.blobs.ranges

        def changed(request: Request, size: int) -> list[Part] | None:
            right = understood(request, size)
            return right if right is None else change(request.headers.get("range"), size, right)

        override(registry.blobs, ranges=changed)

    return apply


def the_part(response: Response) -> Part:
    """The one part of an answer."""
    part = response.parts[0]
    if isinstance(part, bytes):
        raise TypeError("a literal part is no range")
    return part


def at_first(*operations: str, change: Callable[[Request, Response], Response | None]) -> Apply:
    """Change the first answer that a URL gets, and none after it."""

    def apply(registry: Registry) -> None:
        seen: set[tuple[str, str]] = set()

        def around(handler: Handler) -> Handler:
            async def changed(request: Request) -> Response:
                place = (request.method, request.path)
                response = await handler(request)
                if place in seen or response.status != 200:
                    return response
                seen.add(place)
                return change(request, response) or response

            return changed

        wrap(registry, operations, around)

    return apply


def longer_than_sent(_request: Request, response: Response) -> None:
    """Announce more bytes than there are."""
    response.headers.set("Content-Length", str(response.length + 1))


def one_in(count: int, change: Callable[[Request, Response], Response | None], *operations: str) -> Apply:
    """Change one answer in so many."""

    def apply(registry: Registry) -> None:
        seen = 0

        def seldom(request: Request, response: Response) -> Response | None:
            nonlocal seen
            seen += 1
            return change(request, response) if seen % count == 0 else None

        on(*operations, status=200, change=seldom)(registry)

    return apply


def begins_with(*magic: bytes) -> IsAnswer:
    """Whether a blob begins with some bytes."""

    def condition(_request: Request, response: Response) -> bool:
        content = response.content
        return isinstance(content, MemoryContent) and content.data.startswith(magic)

    return condition


def has_member(member: str) -> IsAnswer:
    """Whether a manifest that is sent has a member."""
    return lambda _request, response: member in json.loads(response.body)


def is_index(_request: Request, response: Response) -> bool:
    """Whether an answer is an index or a manifest list."""
    return response.headers.get("Content-Type") in INDEXES
