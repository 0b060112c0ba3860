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
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from reference.maintenance.contents import Contents, Unreadable
from reference.messages import Request, Response
from reference.storage import Storage

log = logging.getLogger("reference")
#: Seconds after which other requests have their turn.
_MOMENT = 0.005


@dataclass(slots=True)
class Collected:
    """What went, or would go: repositories and digests; and what stands in the way, in sentences."""

    manifests: list[tuple[str, str]] = field(default_factory=list)
    blobs: list[tuple[str, str]] = field(default_factory=list)
    #: Content that no repository holds, where that stays when its last holder gives it up.
    contents: list[str] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        unheld = f", and content of {len(self.contents)} that no repository holds," if self.contents else ""
        return f"{len(self.manifests)} manifests and {len(self.blobs)} blobs{unheld}"


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
        done.contents = await self.storage.reclaim(self.dry_run)
        await self.storage.durable()
        return done

    async def run(self) -> None:
        """One round, with a line of the log for what went and for each obstacle."""
        done = await self.collect()
        for obstacle in done.obstacles:
            log.error("collection: %s", obstacle)
        if done.manifests or done.blobs or done.contents:
            log.info("%s %s", "a collection would take" if self.dry_run else "collected", done)

    async def _repository(self, name: str, done: Collected) -> None:
        tags: Iterable[str] = ()
        if self.untagged:
            await self.storage.load_tags(name)
            await self.storage.load_tags_of(name)
            tags = self.storage.tags(name)
        before = self._since.get(name, {})
        reading = partial(self._plan, name, tags, before.copy())
        plan, since = await asyncio.get_running_loop().run_in_executor(self._thread, reading)
        # What was asked for in the meantime is no longer among those of before.
        self._since[name] = {d: at for d, at in since.items() if d in before or d not in plan.before}
        while not plan.is_done:
            plan.step(self._since[name], done, self.dry_run)
            await asyncio.sleep(0)

    def _plan(self, name: str, tags: Iterable[str], before: dict[str, float]) -> tuple[Plan, dict[str, float]]:
        """What may go of a repository, and since when what is not needed."""
        contents = Contents.read(self.storage, name, tags)
        stay = contents.needed(contents.tagged) if self.untagged else set(contents.manifests)
        unneeded = (contents.manifests.keys() - stay) | (contents.blobs - contents.parts(stay))
        now = self._clock()
        since = {digest: before.get(digest, now) for digest in unneeded}
        ripe = {digest for digest, at in since.items() if at <= now - self.age}
        stay = contents.manifests.keys() - ripe
        stay = contents.needed(stay) if self.untagged else stay
        manifests = contents.parents_first(contents.manifests.keys() - stay)
        blobs = sorted((contents.blobs & ripe) - contents.parts(stay))
        return Plan(self.storage, contents, manifests, blobs, before.keys()), since


class Plan:
    """What may go of a repository, in an order in which nothing goes before what needs it.

    Others push between two steps. Nothing is waited for within one, and what goes is looked at again in it.
    """

    def __init__(
        self, storage: Storage, contents: Contents, manifests: list[str], blobs: list[str], before: Collection[str]
    ) -> None:
        self.before = before
        self._storage = storage
        self._contents = contents
        self._manifests = deque(manifests)
        self._blobs = deque(blobs)
        #: What is needed after all: manifests that came, or that are tagged or asked for, and what goes with them.
        self._spared: set[str] = set()
        self._parts: set[str] = set()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left that may go."""
        return not self._manifests and not self._blobs

    def step(self, since: Mapping[str, float], done: Collected, dry_run: bool) -> None:
        """Remove as much as takes a moment; ``since`` has what is still not asked for.

        Raises:
            Unreadable: a manifest came that does not say what it needs.
        """
        began = time.perf_counter()
        self._spare(self._contents.read_manifests(self._storage))
        # Where looking takes long, more is done for it.
        end = time.perf_counter() + max(_MOMENT, time.perf_counter() - began)
        name = self._contents.name
        while self._manifests and time.perf_counter() < end:
            digest = self._manifests.popleft()
            if digest not in since or digest in self._spared or self._storage.tags_of(name, digest):
                self._spare([digest])
            elif self._storage.manifest(name, digest) is not None:
                done.manifests.append((name, digest))
                if not dry_run:
                    self._storage.delete_manifest(name, digest, self._contents.manifests.pop(digest).subject)
        while self._blobs and not self._manifests and time.perf_counter() < end:
            digest = self._blobs.popleft()
            if digest in since and digest not in self._parts and self._storage.has_blob(name, digest):
                done.blobs.append((name, digest))
                if not dry_run:
                    self._storage.delete_blob(name, digest)

    def _spare(self, digests: list[str]) -> None:
        new = [digest for digest in digests if digest not in self._spared]
        if new:
            stay = self._contents.needed(new)
            self._spared |= stay
            self._parts |= self._contents.parts(stay)
