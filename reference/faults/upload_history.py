"""Faults that depend on how an upload went: what the registry did with it is followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from reference.app import Registry
from reference.messages import Content, Disconnected, Request, Response
from reference.modifications import Apply, override
from reference.storage import Upload
from reference.storage.memory import MemoryContent

#: What becomes of a content that is found.
_ChangeContent = Callable[[Content], Content | None]


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


IsWay = Callable[[Way], bool]


def spoilt(content: Content) -> Content:
    """Another last byte."""
    if not isinstance(content, MemoryContent) or not content.size:
        return content
    data = bytes(content.data)
    return MemoryContent(data[:-1] + bytes([data[-1] ^ 1]))


def lost(content: Content) -> None:
    """Nothing."""
    content.close()


class Follower:
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


def blobs_pushed(when: IsWay, effect: _ChangeContent) -> Apply:
    """Give a blob otherwise whose upload went in a certain way."""

    def apply(registry: Registry) -> None:
        follower = Follower(registry)
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


def close_refused(changes: Callable[[Way], bool]) -> Apply:
    """Refuse to close an upload that went in a certain way, with 409."""

    def apply(registry: Registry) -> None:
        follower = Follower(registry)
        close = registry.handlers["upload.put"]

        async def changed(request: Request) -> Response:
            way = follower.ways.get(request.reference)
            if way is not None and changes(way):
                return Response(409)
            return await close(request)

        registry.handlers["upload.put"] = changed

    return apply
