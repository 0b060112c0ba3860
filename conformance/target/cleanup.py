"""After a run: remove what it made and nothing else, in an order that a registry may insist on."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from conformance.client.client import WriteForbidden
from conformance.client.http.exchange import OVERLOADED, Headers, Response
from conformance.client.journal import Made, Place
from conformance.client.registry import Repository
from conformance.target.lists import all_tags
from conformance.target.session import Session
from conformance.verdict.judge import Verdictless

T = TypeVar("T")

#: So many removals at once where the target is near, and as many as a run has processes where it is far.
_CLEANERS, _FAR_CLEANERS = 8, 16
#: Milliseconds of a round trip from which a target is far.
_FAR_MS = 20.0
#: Seconds that it may take; what is left then stays.
_LONGEST = 60.0
#: So many removals without an answer show that the target gives none.
_IN_VAIN = 8
#: So many repositories show whether tags go with their manifests.
_SAMPLED = 3
_NOT_FOUND = 404


@dataclass(slots=True)
class Rest:
    """What stayed: how many things, and why."""

    causes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return "; ".join(
            f"{count} {cause if count > 1 else cause.replace('s stay', ' stays', 1)}"
            for cause, count in self.causes.most_common()
        )


def run(session: Session, hurry: Callable[[], bool]) -> Rest:
    """Remove what the processes of the run wrote down; they must have ended.

    Only now, so that no removal can touch what another scenario still looks at. What is left is
    left undone once there is a ``hurry``.
    """
    journal = session.registry.journal
    rest = Rest()
    if journal.path is not None:
        _Cleaner(session, journal.read(), rest, hurry).run()
        session.note("clean-up")
        journal.remove()
    with contextlib.suppress(OSError):
        session.lock_file.unlink(missing_ok=True)
    return rest


def repositories(session: Session) -> int:
    """Return how many repositories the processes of the run made; they stay, as no request deletes one."""
    return 0 if session.settings.repositories else len(session.registry.journal.read().repositories)


class _Cleaner:
    """Removes: open uploads, manifests before what they name, tags that stayed, blobs."""

    def __init__(self, session: Session, made: Made, rest: Rest, hurry: Callable[[], bool]) -> None:
        self._hurry = hurry
        self._session = session
        self._made = made
        self._rest = rest
        rate = session.transport.pace.rate
        # At a slow pace it takes as long as it takes; half as much again for what is refused or looked at.
        longest = max(_LONGEST, 1.5 * len(made) / rate) if rate else _LONGEST
        self._end = time.monotonic() + min(longest, session.settings.max_time)
        # The time of the run may be over: what it made is removed all the same.
        session.transport.until = self._end
        self._unanswered = 0

    def run(self) -> None:
        has = self._session.capabilities.has
        cleaners = _FAR_CLEANERS if self._session.round_trip_ms > _FAR_MS else _CLEANERS
        with ThreadPoolExecutor(cleaners) as pool:
            self._pool = pool
            if has("upload-cancel"):
                self._each("uploads", list(self._made.uploads.items()), lambda e: self._at(e[0]).cancel_upload(e[1]))
            if not has("delete-manifest"):
                self._stays("manifests", len(self._made.manifests))
            else:
                for places in in_order(self._made.manifests):
                    self._each("manifests", places, lambda place: self._at(place).delete_manifest(place[1]))
            if has("delete-tag"):
                self._tags()
            if not has("delete-blob"):
                self._stays("blobs", len(self._made.blobs))
            else:
                self._each("blobs", list(self._made.blobs), lambda place: self._at(place).delete_blob(place[1]))

    def _at(self, place: Place) -> Repository:
        return Repository(self._session.registry, place[0])

    def _stays(self, kind: str, count: int) -> None:
        if count:
            self._rest.causes[f"{kind} stay, as the target deletes none"] += count

    def _each(self, kind: str, things: Sequence[T], remove: Callable[[T], Response]) -> None:
        for answer in self._pool.map(lambda thing: self._timely(thing, remove), things):
            if answer is None:
                why = "the time for clean-up was over"
                if self._hurry() or self._dead:
                    why = "the clean-up was interrupted" if self._hurry() else "the target removes nothing now"
                self._rest.causes[f"{kind} stay, as {why}"] += 1
            elif not answer.ok and answer.status != _NOT_FOUND:
                why = f"status {answer.status}" if answer.status else answer.failure
                self._rest.causes[f"{kind} stay ({why})"] += 1

    @property
    def _dead(self) -> bool:
        """Whether so many removals in a row had no answer that the next will have none either."""
        return self._unanswered >= _IN_VAIN

    def _timely(self, thing: T, remove: Callable[[T], Response]) -> Response | None:
        if self._over:
            return None
        try:
            answer = remove(thing)
            self._unanswered = self._unanswered + 1 if answer.failure or answer.status in OVERLOADED else 0
            return answer
        except WriteForbidden as error:
            self._rest.causes[str(error)] += 1
            return Response(_NOT_FOUND, "", Headers())

    def _tags(self) -> None:
        """Delete the tags that outlived their manifests; a few repositories show whether any do."""
        own: dict[str, set[str]] = {}
        for (name, tag), digest in self._made.tags.items():
            # What others keep under a digest must not go with a tag of ours.
            if (name, digest) in self._made.manifests:
                own.setdefault(name, set()).add(tag)
        repositories = sorted(own, key=lambda name: -len(own[name]))
        for names in (repositories[:_SAMPLED], repositories[_SAMPLED:]):
            listed = [(name, tag) for name in names for tag in sorted(own[name] & self._listed(name))]
            if not listed and self._session.capabilities.has("delete-manifest"):
                return
            self._each("tags", listed, lambda place: self._at(place).delete_manifest(place[1]))

    @property
    def _over(self) -> bool:
        return self._hurry() or self._dead or time.monotonic() >= self._end

    def _listed(self, name: str) -> set[str]:
        if self._over:
            return set()
        try:
            return set(all_tags(Repository(self._session.registry, name)))
        except Verdictless:
            return set()


def in_order(manifests: dict[Place, tuple[str, ...]]) -> Iterator[list[Place]]:
    """Group manifests in the order of deletion: referrers and indexes before what they name."""
    left = dict(manifests)
    while left:
        named = {(name, digest) for (name, _), digests in left.items() for digest in digests}
        free = [place for place in left if place not in named]
        # A manifest cannot name itself, but what a journal says is not relied upon.
        free = free or list(left)
        yield free
        for place in free:
            del left[place]
