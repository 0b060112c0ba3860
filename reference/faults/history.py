"""Faults that depend on how a blob was pushed: it is answered rightly, and lost or spoilt all the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from reference.app import Registry
from reference.messages import Content, Disconnected, Request, Response
from reference.modifications import Apply, Fault, override
from reference.storage import Upload
from reference.storage.memory import MemoryContent


@dataclass(slots=True)
class Way:
    """How an upload came to its end."""

    repository: str
    #: Chunks with a Content-Range, and such without.
    chunks: int = 0
    streams: int = 0
    #: Whether the closing PUT had content of its own, after chunks.
    rest: bool = False
    asked: int = 0
    single: bool = False
    #: Whether it was opened for an algorithm, and whether a chunk broke off.
    announced: bool = False
    broken: bool = False
    algorithm: str = ""
    #: The digests, and those of them that the repository held before.
    digests: tuple[str, ...] = ()
    again: bool = False
    #: How many sessions of the repository took chunks in turns with this one.
    beside: set[str] = field(default_factory=set)


When = Callable[[Way], bool]
#: What becomes of a content that is found.
Effect = Callable[[Content], Content | None]


def spoilt(content: Content) -> Content:
    """Another last byte."""
    if not isinstance(content, MemoryContent) or not content.size:
        return content
    data = bytes(content.data)
    return MemoryContent(data[:-1] + bytes([data[-1] ^ 1]))


def lost(content: Content) -> None:
    """Nothing."""
    content.close()


class _Follower:
    """Follows the sessions of a registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.ways: dict[str, Way] = {}
        start = registry.storage.start_upload

        def started(name: str) -> Upload:
            upload = start(name)
            self.ways[upload.identifier] = Way(name)
            return upload

        override(registry.storage, start_upload=started)
        opened = registry.handlers["upload.start"]

        async def announced(request: Request) -> Response:
            before = {*self.ways}
            response = await opened(request)
            for identifier in {*self.ways} - before:
                self.ways[identifier].announced = request.query.get("digest-algorithm") is not None
            return response

        registry.handlers["upload.start"] = announced
        self._around("upload.patch", self._patched)
        self._around("upload.get", self._asked)
        self._around("upload.put", self._closing)
        start_digest = registry.uploads.close

        async def closed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
            way = self.ways.setdefault(upload.identifier, Way(upload.repository))
            way.single = request.operation == "upload.start-digest"
            return await start_digest(request, upload, digests, length)

        override(registry.uploads, close=closed)

    def _around(self, operation: str, note: Callable[[Request, Way], None]) -> None:
        handler = self._registry.handlers[operation]

        async def changed(request: Request) -> Response:
            way = self.ways.get(request.reference)
            if way is not None:
                note(request, way)
            try:
                return await handler(request)
            except Disconnected:
                if way is not None:
                    way.broken = True
                raise

        self._registry.handlers[operation] = changed

    def _patched(self, request: Request, way: Way) -> None:
        if request.headers.get("content-range"):
            way.chunks += 1
        else:
            way.streams += 1
        for identifier, other in self.ways.items():
            if other is not way and other.repository == way.repository and other.chunks and not other.digests:
                way.beside.add(identifier)
                other.beside.add(request.reference)

    @staticmethod
    def _asked(_request: Request, way: Way) -> None:
        way.asked += 1

    @staticmethod
    def _closing(request: Request, way: Way) -> None:
        way.rest = bool(way.chunks and request.content_length)


def pushed(when: When, effect: Effect) -> Apply:
    """Give a blob otherwise whose upload went in a certain way."""

    def apply(registry: Registry) -> None:
        follower = _Follower(registry)
        marked: set[tuple[str, str]] = set()
        commit, find = registry.storage.commit_upload, registry.blobs.find

        def committed(upload: Upload, digests: Iterable[str]) -> None:
            way = follower.ways.setdefault(upload.identifier, Way(upload.repository))
            way.digests = tuple(digests)
            way.algorithm = way.digests[0].partition(":")[0]
            way.again = registry.storage.has_blob(upload.repository, way.digests[0])
            commit(upload, way.digests)
            if when(way):
                marked.update((upload.repository, digest) for digest in way.digests)

        def found(name: str, digest: str) -> Content | None:
            content = find(name, digest)
            return effect(content) if content is not None and (name, digest) in marked else content

        override(registry.storage, commit_upload=committed)
        override(registry.blobs, find=found)

    return apply


def _refused(changes: Callable[[Way], bool]) -> Apply:
    """Refuse to close an upload that went in a certain way, with 409."""

    def apply(registry: Registry) -> None:
        follower = _Follower(registry)
        close = registry.handlers["upload.put"]

        async def changed(request: Request) -> Response:
            way = follower.ways.get(request.reference)
            if way is not None and changes(way):
                return Response(409)
            return await close(request)

        registry.handlers["upload.put"] = changed

    return apply


def _answered(operation: str, when: When, answer: Callable[[Response], Awaitable[None] | None]) -> Apply:
    """Change the answer of an operation on a session that went in a certain way."""

    def apply(registry: Registry) -> None:
        follower = _Follower(registry)
        handler = registry.handlers[operation]

        async def changed(request: Request) -> Response:
            response = await handler(request)
            way = follower.ways.get(request.reference)
            if way is not None and when(way):
                answer(response)
            return response

        registry.handlers[operation] = changed

    return apply


def _fault(name: str, title: str, *breaks: str, apply: Apply, also: tuple[str, ...] = ()) -> Fault:
    return Fault(name=name, title=title, breaks=breaks, also=also, apply=apply)


_RESUME = "PUSH-STATUS-RESUME"
_STREAM = "PUSH-PATCH-STREAM-202"
_LAST = "PUSH-PUT-FINAL-CHUNK-CLOSES"
_TURNS = "PUSH-SESSION-PARALLEL-ISOLATED"
_AGAIN = "PUSH-BLOB-PARALLEL-SAME-DIGEST"
_SHA512 = "PUSH-BLOB-SHA512-ACCEPTED"

FAULTS = (
    _fault(
        "resumed-upload-spoilt",
        "A blob whose upload was asked for twice on the way has another last byte.",
        _RESUME,
        apply=pushed(lambda way: way.asked > 1 and way.chunks > 1, spoilt),
    ),
    _fault(
        "resumed-upload-lost",
        "A blob whose upload was asked for twice on the way is unknown.",
        _RESUME,
        apply=pushed(lambda way: way.asked > 1 and way.chunks > 1, lost),
    ),
    _fault(
        "resumed-upload-not-closed",
        "An upload that was asked for twice on the way cannot be closed.",
        _RESUME,
        apply=_refused(lambda way: way.asked > 1 and way.chunks > 1),
    ),
    _fault(
        "stream-not-closed",
        "An upload to which data was streamed cannot be closed.",
        _STREAM,
        apply=_refused(lambda way: way.streams > 0),
    ),
    _fault(
        "last-chunk-spoilt",
        "A blob whose last chunk came with the closing PUT has another last byte.",
        _LAST,
        apply=pushed(lambda way: way.rest, spoilt),
        also=(_TURNS, "PUSH-PATCH-CHUNKS-CONCATENATED"),
    ),
    _fault(
        "last-chunk-lost",
        "A blob whose last chunk came with the closing PUT is unknown.",
        _LAST,
        apply=pushed(lambda way: way.rest, lost),
        also=(_TURNS, "PUSH-PATCH-CHUNKS-CONCATENATED"),
    ),
    _fault(
        "turns-spoilt",
        "The blobs of two uploads whose chunks alternate have another last byte.",
        _TURNS,
        apply=pushed(lambda way: bool(way.beside), spoilt),
    ),
    _fault(
        "turns-not-closed",
        "Of two uploads whose chunks alternate none can be closed.",
        _TURNS,
        apply=_refused(lambda way: bool(way.beside)),
    ),
    _fault(
        "turns-counted-together",
        "The Range of an upload counts the chunks of those beside it.",
        _TURNS,
        apply=_answered("upload.patch", lambda way: bool(way.beside), lambda r: r.headers.set("Range", "0-9999")),
        also=("PUSH-PATCH-RANGE-VALUE",),
    ),
    _fault(
        "same-blob-again-lost",
        "A blob that is pushed a second time is unknown.",
        _AGAIN,
        # The search meets it with one push after another.
        "PUSH-BLOB-KEPT",
        apply=pushed(lambda way: way.again, lost),
        also=("PUSH-INTERRUPTED-REPUSH", "PUSH-CONCURRENT-BLOB-WHOLE"),
    ),
    _fault(
        "sha512-lost",
        "A blob that is pushed by its sha512 digest is unknown.",
        "BASE-DIGEST-SHA512",
        apply=pushed(lambda way: way.algorithm == "sha512" and not way.chunks, lost),
        also=(_SHA512,),
    ),
    _fault(
        "sha512-spoilt",
        "A blob that is pushed whole by its sha512 digest has another last byte.",
        "BASE-DIGEST-SHA512",
        apply=pushed(lambda way: way.algorithm == "sha512" and not way.chunks, spoilt),
        also=(_SHA512,),
    ),
    _fault(
        "announced-algorithm-not-closed",
        "An upload that was opened for an algorithm cannot be closed.",
        "PUSH-START-DIGEST-ALGORITHM-PARAM",
        apply=_refused(lambda way: way.announced),
    ),
    _fault(
        "broken-upload-spoilt",
        "A blob whose upload broke off once has another last byte.",
        "PUSH-INTERRUPTED-RESUME",
        "PULL-BLOB-GET-BODY-EXACT",
        apply=pushed(lambda way: way.broken, spoilt),
    ),
    _fault(
        "broken-upload-not-closed",
        "An upload that broke off once cannot be closed.",
        "PUSH-INTERRUPTED-RESUME",
        apply=_refused(lambda way: way.broken),
    ),
    _fault(
        "single-post-lost",
        "A blob that is pushed with one POST is unknown.",
        "PUSH-SINGLE-LOCATION-PULLABLE",
        apply=pushed(lambda way: way.single, lost),
    ),
)
