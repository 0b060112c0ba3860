"""Changes that several modules of faults have in common."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from reference import errors
from reference.app import Registry
from reference.grammar import digest_of, is_digest
from reference.messages import Content, Disconnected, Handler, Request, Response
from reference.modifications import Apply, Transform, answers, around, override, set_header, wrap
from reference.storage import Storage, Upload
from reference.storage.files import FileContent, FileUpload
from reference.storage.memory import MemoryContent, MemoryUpload

IsRequest = Callable[[Request], object]
#: Seconds in which requests that were sent at the same time have all come.
_MEETING = 0.03
_PUT = ("manifest.put",)
_LONGEST = 1 << 20
IsAnswer = Callable[[Request, Response], object]
_LINE = b"x-content-follows: yes\r\n"
_CONTENT = b'{"errors": []}'
_MARK = ("X-Content-Follows", "yes")
_CHALLENGE = "WWW-Authenticate"
DIGEST_LENGTH = len("sha256:") + 64
OTHER_DIGEST = digest_of(b"something else")
other_digest = set_header("Docker-Content-Digest", OTHER_DIGEST)


def answers_401(*operations: str, change: Transform) -> Apply:
    """Change the answers 401 of operations."""
    return answers(*operations, status=401, change=change)


def before_session(operation: str, check: Callable[[Upload, Request], None]) -> Apply:
    """Look at a request of a session before it is answered."""

    @around(operation)
    async def changed(registry: Registry, request: Request, handler: Handler) -> Response:
        check(registry.uploads.find(request), request)
        return await handler(request)

    return changed


class IndexedStorage:
    """A storage that keeps its lists apart, and writes them back whole after a pause."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._index: dict[object, frozenset[str]] = defaultdict(frozenset)

    async def add(self, key: object, entries: set[str]) -> None:
        """Read, wait, write back."""
        before = self._index[key]
        await asyncio.sleep(_MEETING)
        self._index[key] = before | entries

    def exists(self, name: str) -> bool:
        """Whether there is something."""
        return self._storage.exists(name)

    def tags(self, name: str) -> list[str]:
        """The tags that are in the index as well."""
        return [tag for tag in self._storage.tags(name) if tag in self._index[name]]

    def referrers(self, name: str, subject: str) -> list[str]:
        """The referrers that are in the index as well."""
        return [digest for digest in self._storage.referrers(name, subject) if digest in self._index[name, subject]]

    def __getattr__(self, name: str) -> object:
        return getattr(self._storage, name)


def after_put(registry: Registry, then: Callable[[Request, Response], object]) -> None:
    """Wait for something after each manifest that was stored."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.status == 201:
                waited = then(request, response)
                if asyncio.iscoroutine(waited):
                    await waited
            return response

        return changed

    wrap(registry, _PUT, around)


def served_instead(registry: Registry, other: dict[str, bytes | None]) -> None:
    """Serve other bytes, or nothing, under some digests."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        found = find(name, digest)
        if found is None or digest not in other:
            return found
        content = other[digest]
        return MemoryContent(content) if content is not None else None

    override(registry.blobs, find=changed)


def blobs_rewritten(change: Callable[[bytes], bytes]) -> Apply:
    """Serve other bytes in the place of small blobs."""

    def apply(registry: Registry) -> None:
        find = registry.blobs.find

        def changed(name: str, digest: str) -> Content | None:
            content = find(name, digest)
            if not isinstance(content, MemoryContent) or content.size > _LONGEST:
                return content
            return MemoryContent(change(content.data))

        override(registry.blobs, find=changed)

    return apply


def gzip_unpacked(data: bytes) -> bytes:
    """What gzip data unpacks to; other data as it is."""
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data


def code_instead(operation: str, code: bytes, other: bytes, status: int = 404) -> Apply:
    """Give another code than the right one."""

    def change(_request: Request, response: Response) -> None:
        response.body = response.body.replace(code, other)

    return answers(operation, status=status, change=change)


def answered_500(request: Request) -> Response:
    """Break down."""
    return Response(500, [("Content-Type", "application/json")], b'{"errors": [{"code": "UNKNOWN"}]}')


def with_status(status: int) -> Callable[[Response], object]:
    """Answer with another status."""

    def change(response: Response) -> None:
        response.status = status

    return change


class _Leaking:
    """A transport that sends content after each header section that is marked for it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send content after a marked header section."""
        head, end, rest = data.partition(b"\r\n\r\n")
        if data.startswith(b"HTTP/1.1 ") and _LINE in (head + b"\r\n").lower():
            rest = _CONTENT + rest
        self._transport.write(head + end + rest)


def leaks(*operations: str, status: int) -> Apply:
    """Send content after the headers of a HEAD."""

    def mark(request: Request, response: Response) -> None:
        if request.method == "HEAD":
            response.headers.add(*_MARK)

    def apply(registry: Registry) -> None:
        registry.wraps.append(_Leaking)
        answers(*operations, change=mark, status=status)(registry)

    return apply


def unauthorized_as(code: str) -> Transform:
    """Replace the code UNAUTHORIZED."""

    def change(_request: Request, response: Response) -> None:
        response.body = response.body.replace(b"UNAUTHORIZED", code.encode())

    return change


def challenge_rewritten(change: Callable[[str], str]) -> Transform:
    """Change the challenge."""

    def edit(_request: Request, response: Response) -> None:
        response.headers.set(_CHALLENGE, change(response.headers.get(_CHALLENGE)))

    return edit


def instead(*operations: str, when: IsRequest, answer: Callable[[Request], Response]) -> Apply:
    """Answer some requests of operations in another way, and do nothing of what they ask."""

    @around(*operations)
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        return answer(request) if when(request) else await handler(request)

    return changed


def busy(status: int, *operations: str, when: IsRequest = lambda _: True, after: str = "") -> Apply:
    """Answer with a status of overload, and Retry-After where ``after`` has a value."""
    hint = [("Retry-After", after)] if after else []
    return instead(*operations, when=when, answer=lambda _: Response(status, hint))


def hang_up(request: Request) -> Response:
    """Close the connection without an answer."""
    cycle = request._receive.__self__  # type: ignore[attr-defined]  # the server's own state of the request
    cycle.disconnected = True
    cycle.transport.close()
    raise Disconnected


def no_answer(*operations: str, when: IsRequest = lambda _: True) -> Apply:
    """Give no answer to some requests of operations."""
    return instead(*operations, when=when, answer=hang_up)


def blobs_spoilt(where: Callable[[str, str, int], object]) -> Apply:
    """Give some blobs with their last byte changed; by repository, digest and size."""

    def apply(registry: Registry) -> None:
        find = registry.blobs.find

        def changed(name: str, digest: str) -> Content | None:
            content = find(name, digest)
            if not isinstance(content, MemoryContent) or not content.size or not where(name, digest, content.size):
                return content
            data = bytes(content.data)
            return MemoryContent(data[:-1] + bytes([data[-1] ^ 1]))

        override(registry.blobs, find=changed)

    return apply


def content_of(upload: Upload) -> Content | None:
    """The data of an open session, as if it were a blob."""
    if isinstance(upload, MemoryUpload):
        return MemoryContent(bytes(upload.data))
    return FileContent(str(upload.path)) if isinstance(upload, FileUpload) else None


def is_malformed(reference: str) -> bool:
    """Whether a reference looks like a digest and is none."""
    return ":" in reference and not is_digest(reference)


def failing_where(fails: Callable[[Request], bool], *operations: str) -> Apply:
    """Fail at some requests, before anything else is looked at."""

    @around(*operations)
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        if fails(request):
            raise errors.RegistryError(500)
        return await handler(request)

    return changed


def body_of(content: bytes) -> Callable[[int], object]:
    """Give content as the body of a request."""

    async def body(_limit: int) -> bytes:
        return content

    return body


def no_content(_request: Request, response: Response) -> None:
    """No Content comes without any, and says of none how long it is."""
    response.status = 204
    response.headers.drop("Content-Length")


def where_answer(condition: IsAnswer, change: Transform) -> Transform:
    """Change only some answers."""
    return lambda request, response: change(request, response) if condition(request, response) else None


def recoded(old: str, new: str) -> Transform:
    """Replace an error code."""

    def change(_request: Request, response: Response) -> None:
        response.body = response.body.replace(old.encode(), new.encode())

    return change
