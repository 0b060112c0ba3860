"""The collection of content that no image needs, while clients push and pull.

What is not needed is found in a thread, and removed in the event loop, where it is made sure in the same step that it
is still not needed: no manifest is ever left without a part of it. That alone would still trouble a client that asks
for a blob, finds it, does not push it, and comes with the manifest later. So content goes only when it was not needed
for a while in which nobody asked for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from reference.maintenance.contents import Contents, Unreadable
from reference.messages import Request, Response
from reference.storage import Storage

log = logging.getLogger("reference")
#: How much is removed before other requests have their turn.
_AT_ONCE = 100


@dataclass(slots=True)
class Collected:
    """What went, or would go: repositories and digests; and what stands in the way, in sentences."""

    manifests: list[tuple[str, str]] = field(default_factory=list)
    blobs: list[tuple[str, str]] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{len(self.manifests)} manifests and {len(self.blobs)} blobs"


class Collector:
    """Removes blobs that no manifest names, and where it is asked to, manifests that no tag leads to.

    With ``untagged``, a manifest stays where a tag leads to it, to an index that names it, or to its subject. ``age``
    is in seconds: so long nobody must have needed or asked for what goes.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        age: float,
        untagged: bool = False,
        dry_run: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.storage = storage
        self.age = age
        self.untagged = untagged
        self.dry_run = dry_run
        self._clock = clock
        # One thread of its own: large manifests leave room for the next ones there, and not in each thread.
        self._thread = ThreadPoolExecutor(1, "collection")
        #: Since when what is not needed: repository, digest, time.
        self._since: dict[str, dict[str, float]] = {}

    def asked(self, request: Request, response: Response | None = None) -> None:
        """Note what a request asks for or brought: somebody may be about to need it."""
        since = self._since.get(request.name)
        if since:
            answered = [response.headers.get("Docker-Content-Digest")] if response is not None else []
            for digest in (request.reference, *request.query.all("digest"), *request.query.all("mount"), *answered):
                since.pop(digest, None)

    async def collect(self) -> Collected:
        """One round through all repositories."""
        done = Collected()
        await self.storage.load_repositories()
        names = list(self.storage.repositories())
        for name in names:
            try:
                await self._repository(name, done)
            except Unreadable as error:
                done.obstacles.append(f"repository {name}: {error}; nothing in it is collected")
        self._since = {name: self._since[name] for name in names if self._since.get(name)}
        await self.storage.durable()
        return done

    async def run(self) -> None:
        """One round, with a line of the log for what went and for each obstacle."""
        done = await self.collect()
        for obstacle in done.obstacles:
            log.error("collection: %s", obstacle)
        if done.manifests or done.blobs:
            log.info("%s %s", "a collection would take" if self.dry_run else "collected", done)

    async def _repository(self, name: str, done: Collected) -> None:
        tags: Iterable[str] = ()
        if self.untagged:
            await self.storage.load_tags(name)
            tags = self.storage.tags(name)
        reading = partial(Contents.read, self.storage, name, tags)
        contents = await asyncio.get_running_loop().run_in_executor(self._thread, reading)
        stay = contents.needed(contents.tagged) if self.untagged else set(contents.manifests)
        unneeded = (contents.manifests.keys() - stay) | (contents.blobs - contents.parts(stay))
        now, before = self._clock(), self._since.get(name, {})
        self._since[name] = {digest: before.get(digest, now) for digest in unneeded}
        # Nothing is waited for within a step.
        while self._step(contents, now - self.age, done):
            await asyncio.sleep(0)

    def _step(self, contents: Contents, before: float, done: Collected) -> bool:
        """Remove some of what is not needed at this moment; whether there is more."""
        name = contents.name
        contents.read_manifests(self.storage)
        ripe = {digest for digest, since in self._since[name].items() if since <= before}
        stay = {d for d in contents.manifests if d not in ripe or self.storage.tags_of(name, d)}
        stay = contents.needed(stay) if self.untagged else set(contents.manifests)
        manifests = contents.parents_first(contents.manifests.keys() - stay)
        blobs = sorted((contents.blobs & ripe) - contents.parts(stay))
        if self.dry_run:
            done.manifests += [(name, digest) for digest in manifests]
            done.blobs += [(name, digest) for digest in blobs]
            return False
        for digest in manifests[:_AT_ONCE]:
            self.storage.delete_manifest(name, digest, contents.manifests.pop(digest).subject)
            done.manifests.append((name, digest))
        # A blob goes when the manifests that named it are gone.
        some = blobs[:_AT_ONCE] if len(manifests) <= _AT_ONCE else []
        for digest in some:
            contents.blobs.discard(digest)
            if self.storage.delete_blob(name, digest):
                done.blobs.append((name, digest))
        return len(manifests) > _AT_ONCE or len(blobs) > len(some)
