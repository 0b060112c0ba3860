"""Copies of images from one end to another: first what is needed, then the manifests that need it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from reference.dist.content import Descriptor, Manifest
from reference.dist.ends import End
from reference.dist.errors import ContentError, DistError, NotFoundError, RegistryError, StoppedError
from reference.dist.streams import Verified

P = ParamSpec("P")
T = TypeVar("T")
_DEEP = 8
#: Is told of each blob, how many bytes of it are new, and whether it is done.
Progress = Callable[[Descriptor, int, bool], None]


@dataclass(slots=True)
class Copied:
    """What a copy did: the manifest at the top, blobs and bytes that went over, and blobs that were there."""

    descriptor: Descriptor
    blobs: int = 0
    bytes: int = 0
    present: int = 0
    mounted: int = 0
    problems: list[str] = field(default_factory=list)


class Work:
    """Calls that block, in threads, and no more at once than the executor has; one failure stops all.

    Args:
        executor: the threads.
        progress: is told what goes over, from those threads.
    """

    def __init__(self, executor: Executor, progress: Progress | None = None) -> None:
        self._executor, self._progress = executor, progress
        self._stop = threading.Event()

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Wait for a call; where the waiting is cancelled, the call is told to stop, and is waited for."""
        job = self._executor.submit(call, *args, **kwargs)
        future = asyncio.wrap_future(job)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self._stop.set()
            if not job.cancel():
                while not future.done():
                    with suppress(asyncio.CancelledError):
                        await asyncio.wait([future])
                future.exception()  # it is of no interest now
            raise

    async def all(self, awaitables: Iterable[Awaitable[T]]) -> list[T]:
        """Wait for all; the first failure cancels the others, and is raised."""
        tasks = [asyncio.ensure_future(one) for one in awaitables]
        try:
            return await asyncio.gather(*tasks)
        except BaseException:
            self._stop.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    def tell(self, descriptor: Descriptor, new: int, done: bool = False) -> None:
        """Tell the progress; raise StoppedError where the copy is to stop."""
        if self._stop.is_set():
            raise StoppedError("the copy was stopped")
        if self._progress:
            self._progress(descriptor, new, done)


async def copy(work: Work, source: End, target: End, *, platforms: Sequence[str] = (), every: bool = False) -> Copied:
    """Copy an image, byte for byte, with all that it needs.

    Args:
        work: does what blocks.
        source: its place names the image.
        target: its place may name a tag.
        platforms: those of an index; one gives its image, several a new index of them.
        every: an index goes over as it is.

    Raises:
        ContentError: something is not what its digest says; nothing of it is at the target then.
        DistError: something else failed.
    """
    root = await work.run(source.manifest, source.place.reference)
    if root.is_index and not every:
        if len(platforms) == 1:
            root = await work.run(source.manifest, root.choose(platforms[0]).digest)
        else:
            root = root.only(platforms)
    manifests = await _collected(work, source, root)
    copied = Copied(root.descriptor)
    blobs = {blob.digest: blob for manifest in manifests for blob in manifest.blobs()}
    # The large ones first, so that none of them is left alone at the end.
    ordered = sorted(blobs.values(), key=lambda one: -one.size)
    await work.all([work.run(_blob, work, source, target, one, copied) for one in ordered])
    tag = target.place.tag
    for manifest in reversed(manifests):
        try:
            await work.run(target.put_manifest, manifest, tag, top=manifest is root)
        except RegistryError as error:
            if "MANIFEST_BLOB_UNKNOWN" not in str(error) or not copied.present:
                raise
            # Some registries tell of a blob that another repository has; this one needs it as well.
            sent = (work.run(_blob, work, source, target, one, copied, again=True) for one in manifest.blobs())
            await work.all(sent)
            await work.run(target.put_manifest, manifest, tag, top=manifest is root)
    await work.run(target.finish)
    return copied


async def verify(work: Work, source: End, *, every: bool = True, platform: str = "") -> Copied:
    """Read all of an image and check it; what is wrong are the ``problems`` of the result.

    Raises:
        DistError: the manifest at the top cannot be read.
    """
    root = await work.run(source.manifest, source.place.reference)
    if root.is_index and not every:
        root = await work.run(source.manifest, root.choose(platform).digest)
    copied = Copied(root.descriptor)
    manifests = await _collected(work, source, root, copied.problems)
    blobs = {blob.digest: blob for manifest in manifests for blob in manifest.blobs()}
    await work.all([work.run(_checked, work, source, one, copied) for one in blobs.values()])
    copied.problems.sort()
    return copied


async def _collected(work: Work, source: End, root: Manifest, problems: list[str] | None = None) -> list[Manifest]:
    """A manifest and those below it, each before what it leads to."""
    found = {root.descriptor.digest: root}
    level = [root]
    for _ in range(_DEEP):
        wanted = {one.digest: one for manifest in level for one in manifest.manifests()}
        new = [one for digest, one in wanted.items() if digest not in found]
        if not new:
            return list(found.values())
        got = await work.all([work.run(_manifest, source, one, problems) for one in new])
        level = [manifest for manifest in got if manifest is not None]
        found |= {manifest.descriptor.digest: manifest for manifest in level}
    raise ContentError(f"{root.descriptor.digest}: indexes lead to indexes, more than {_DEEP} deep")


def _manifest(source: End, descriptor: Descriptor, problems: list[str] | None) -> Manifest | None:
    try:
        manifest = source.manifest(descriptor.digest)
        if manifest.descriptor.size != descriptor.size:
            raise ContentError(f"{descriptor.digest} has {manifest.descriptor.size} bytes, not {descriptor.size}")
        manifest.blobs()
    except DistError as error:
        if problems is None or not isinstance(error, ContentError | NotFoundError):
            raise
        problems.append(str(error))
        return None
    return manifest


def _blob(work: Work, source: End, target: End, descriptor: Descriptor, copied: Copied, *, again: bool = False) -> None:
    work.tell(descriptor, 0)
    if not again and target.has(descriptor):
        copied.present += 1
    elif target.mount(descriptor, source.place):
        copied.mounted += 1
    else:
        content = _content(work, source, descriptor)
        try:
            target.put(content)
        finally:
            content.close()
        copied.blobs += 1
        copied.bytes += descriptor.size
    work.tell(descriptor, 0, done=True)


def _checked(work: Work, source: End, descriptor: Descriptor, copied: Copied) -> None:
    content = _content(work, source, descriptor)
    try:
        for _ in content.blocks():
            pass
        copied.blobs += 1
        copied.bytes += descriptor.size
    except (ContentError, NotFoundError) as error:
        copied.problems.append(str(error))
    finally:
        content.close()
    work.tell(descriptor, 0, done=True)


def _content(work: Work, source: End, descriptor: Descriptor) -> Verified:
    return Verified(
        descriptor,
        lambda offset: source.open(descriptor, offset),
        lambda new: work.tell(descriptor, new),
        str(source.place.at(descriptor.digest)),
    )
