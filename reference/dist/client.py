"""The library: a client for registries, layouts and archives, asynchronous, and with a synchronous face."""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from reference.dist import copying
from reference.dist.archive import DockerArchive
from reference.dist.content import Descriptor, Manifest
from reference.dist.copying import Copied, Progress, Work
from reference.dist.ends import End
from reference.dist.errors import DistError, UsageError
from reference.dist.layout import Layout
from reference.dist.logins import Login, Logins
from reference.dist.names import DOCKER_ARCHIVE, REGISTRY, Place, machine, parse, parse_host, parse_repository
from reference.dist.registry import Registry
from reference.dist.streams import BLOCK, Opener, Reader, Verified, save
from reference.dist.transport import Options, Transport

P = ParamSpec("P")
T = TypeVar("T")


class Client:
    """Registries, layouts and archives by their references; use it as ``async with Client() as client``.

    Requests block in threads of its own, as many as ``options.jobs``, so that a copy hashes and sends on
    all processors.

    Args:
        options: how registries are reached.
        progress: is told of each blob, how many bytes of it are new and whether it is done, from threads.
    """

    def __init__(self, options: Options | None = None, progress: Progress | None = None) -> None:
        self.options = options or Options()
        self._progress = progress
        self._logins = Logins(self.options.logins)
        self._transports: dict[tuple[str, str], Transport] = {}
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(self.options.jobs, "dist")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections, and end the threads."""
        for transport in self._transports.values():
            transport.close()
        self._executor.shutdown()

    async def resolve(self, reference: str) -> Descriptor:
        """What a tag is at the moment: media type, digest and size; raise NotFoundError where there is none."""
        place = parse(reference)
        with self._end(place) as end:
            if isinstance(end, Registry):
                return await self._run(end.resolve, str(place.reference))
            return (await self._run(end.manifest, place.reference)).descriptor

    async def fetch(self, reference: str, platform: str = "") -> Manifest:
        """A manifest, checked; of an index that for a platform, where one is given."""
        place = parse(reference)
        with self._end(place) as end:
            manifest = await self._run(end.manifest, place.reference)
            if platform and manifest.is_index:
                manifest = await self._run(end.manifest, manifest.choose(platform).digest)
            return manifest

    async def fetch_blob(self, reference: str, descriptor: Descriptor, path: Path | None = None) -> bytes:
        """A blob of the image's place, checked: to a file, whole or not at all, or else as bytes."""
        with self._end(parse(reference)) as end:
            work = Work(self._executor, self._progress)
            return await work.run(_fetched, work, end, descriptor, path)

    async def push(self, content: bytes | Path, repository: str, media_type: str) -> Descriptor:
        """Push bytes or a file as a blob of ``HOST/NAME``."""
        with self._end(parse_repository(repository), write=True) as end:
            work = Work(self._executor, self._progress)
            return await work.run(_pushed, work, end, content, media_type)

    async def push_manifest(self, body: bytes, reference: str, media_type: str = "") -> Descriptor:
        """Push a manifest whose content is there, under the tag of the reference, or by its digest alone."""
        place = parse(reference)
        manifest = Manifest.read(body, media_type, place.digest, reference)
        with self._end(place, write=True) as end:
            await self._run(lambda: end.put_manifest(manifest, place.tag, top=True))
            await self._run(end.finish)
        return manifest.descriptor

    async def mount(self, descriptor: Descriptor, source: str, target: str) -> bool:
        """Take a blob from another repository of the same registry; whether it could."""
        place = parse_repository(source)
        with self._end(parse_repository(target), write=True) as end:
            return await self._run(end.has, descriptor) or await self._run(end.mount, descriptor, place)

    async def copy(
        self, source: str | Place, target: str | Place, *, platforms: Sequence[str] = (), every: bool = False
    ) -> Copied:
        """Copy an image from anywhere to anywhere, byte for byte.

        Args:
            source: where it is.
            target: where it shall be; a registry gets its tag, a layout its name.
            platforms: of an index; without any, this machine's. One gives its image, several a new index.
            every: an index goes over as it is.

        Raises:
            ContentError: something is not what its digest says.
            DistError: something else failed.
        """
        chosen = list(platforms) or [machine()]
        places = [one if isinstance(one, Place) else parse(one) for one in (source, target)]
        if every and platforms:
            raise UsageError("--all and --platform exclude each other")
        if places[1].digest:
            raise UsageError(f"{places[1]}: the target of a copy has a tag, not a digest")
        work = Work(self._executor, self._progress)
        with self._end(places[0]) as start, self._end(places[1], write=True) as end:
            return await copying.copy(work, start, end, platforms=chosen, every=every)

    async def verify(self, reference: str | Place, *, platform: str = "") -> Copied:
        """Read all of an image, and check each digest; what is wrong is in ``problems``."""
        with self._end(reference if isinstance(reference, Place) else parse(reference)) as end:
            work = Work(self._executor, self._progress)
            return await copying.verify(work, end, every=not platform, platform=platform)

    async def tags(self, reference: str) -> list[str]:
        """The tags of a repository, or the names in a layout or archive."""
        place = parse(reference)
        with self._end(parse_repository(reference) if place.kind == REGISTRY else place) as end:
            return await self._run(lambda: list(end.tags()))

    async def catalog(self, host: str) -> list[str]:
        """The repositories of a registry."""
        registry = Registry(parse_host(host), self._transport(parse_host(host)))
        return await self._run(lambda: list(registry.catalog()))

    async def referrers(self, reference: str, artifact_type: str = "") -> list[Descriptor]:
        """The manifests whose subject is an image of a registry."""
        place = parse(reference)
        registry = self._registry(place, "pull")
        digest = place.digest or (await self._run(registry.resolve, str(place.tag))).digest
        return await self._run(registry.referrers, digest, artifact_type)

    async def delete(self, reference: str) -> None:
        """Delete a tag, or by its digest a manifest."""
        place = parse(reference)
        await self._run(self._registry(place, "pull,delete").delete, str(place.reference))

    async def login(self, host: str, user: str, password: str) -> str:
        """Try a login and keep it, as Docker does; return where. Raises DeniedError where it is refused."""
        place, login = parse_host(host), Login(user, password)
        transport = Transport(place, self.options, lambda _: login)
        try:
            await self._run(Registry(place, transport).check)
        finally:
            transport.close()
        return await self._run(self._logins.store, place.host, login)

    async def logout(self, host: str) -> bool:
        """Forget a login; whether there was one."""
        return await self._run(self._logins.erase, parse_host(host).host)

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await Work(self._executor).run(call, *args, **kwargs)

    def _transport(self, place: Place) -> Transport:
        key = (place.scheme, place.host)
        with self._lock:
            if key not in self._transports:
                self._transports[key] = Transport(place, self.options, self._logins.find)
            return self._transports[key]

    def _registry(self, place: Place, actions: str) -> Registry:
        if place.kind != REGISTRY:
            raise UsageError(f"{place}: this is for registries")
        return Registry(place, self._transport(place), actions)

    @contextmanager
    def _end(self, place: Place, *, write: bool = False) -> Iterator[End]:
        end: End
        if place.kind == REGISTRY:
            end = self._registry(place, "pull,push" if write else "pull")
        elif place.kind == DOCKER_ARCHIVE:
            end = DockerArchive(place, write=write)
        else:
            end = Layout(place, write=write)
        try:
            yield end
        finally:
            end.close()


def _fetched(work: Work, end: End, descriptor: Descriptor, path: Path | None) -> bytes:
    content = Verified(
        descriptor, lambda at: end.open(descriptor, at), lambda new: work.tell(descriptor, new), str(end.place)
    )
    try:
        if path is None:
            return b"".join(content.blocks())
        save(path, content.blocks())
    except OSError as error:
        raise DistError(f"{path}: {error.strerror}") from None
    finally:
        content.close()
    return b""


def _pushed(work: Work, end: End, content: bytes | Path, media_type: str) -> Descriptor:
    opened = _opener(content)
    state, size, reader = hashlib.sha256(), 0, opened(0)
    while block := reader.read(BLOCK):
        state.update(block)
        size += len(block)
    reader.close()
    descriptor = Descriptor(media_type, f"sha256:{state.hexdigest()}", size)
    if not end.has(descriptor):
        body = Verified(descriptor, opened, lambda new: work.tell(descriptor, new), "the content")
        try:
            end.put(body)
        finally:
            body.close()
    return descriptor


def _opener(content: bytes | Path) -> Opener:
    def opened(offset: int) -> Reader:
        try:
            file = content.open("rb", buffering=0) if isinstance(content, Path) else io.BytesIO(content)
        except OSError as error:
            raise UsageError(f"{content!s}: {error.strerror}") from None
        file.seek(offset)
        return file

    return opened


def _blocking(
    method: Callable[Concatenate[Client, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[SyncClient, P], T]:
    @wraps(method)
    def call(self: SyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.run(method(self.client, *args, **kwargs))

    return call


class SyncClient:
    """The same for programs without a loop: each method returns when it is done.

    Args:
        options: how registries are reached.
        progress: as of `Client`.
    """

    def __init__(self, options: Options | None = None, progress: Progress | None = None) -> None:
        self.client = Client(options, progress)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for something that `client` does."""
        return self._runner.run(work)

    resolve = _blocking(Client.resolve)
    fetch = _blocking(Client.fetch)
    fetch_blob = _blocking(Client.fetch_blob)
    push = _blocking(Client.push)
    push_manifest = _blocking(Client.push_manifest)
    mount = _blocking(Client.mount)
    copy = _blocking(Client.copy)
    verify = _blocking(Client.verify)
    tags = _blocking(Client.tags)
    catalog = _blocking(Client.catalog)
    referrers = _blocking(Client.referrers)
    delete = _blocking(Client.delete)
    login = _blocking(Client.login)
    logout = _blocking(Client.logout)
    close = _blocking(Client.close)
