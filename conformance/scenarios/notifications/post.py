"""The events of one scenario: awaited, bounded, and undecided where nothing shows their loss."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from conformance.client.http.exchange import Exchange, Headers, Request, Response
from conformance.client.registry import Repository
from conformance.listener.mailbox import Delivery, Mailbox, Reply
from conformance.scenarios.notifications.events import MEDIA_TYPE, OLD_MEDIA_TYPE, Event, events_of, media_type
from conformance.settings import Settings
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided

DELIVERED = "NOTIF-DELIVERED-POST"
#: Seconds between two looks while something is waited for that a new delivery cannot show.
_PAUSE = 0.02
#: Bytes of the deliveries of one scenario, which are a few kilobytes.
_MOST_BYTES = 4 * 1024 * 1024

Fits = Callable[[Event], bool]


def marker(name_or_digest: str) -> bytes:
    """Return the parts of a body that mention a repository or a digest, in any JSON spelling."""
    return name_or_digest.rpartition("/")[2].rpartition(":")[2].encode()


class Post:
    """The deliveries that mention a scenario's repositories."""

    def __init__(self, mailbox: Mailbox, settings: Settings, setup: SetUp) -> None:
        self._mailbox = mailbox
        self._settings = settings
        self._given = setup
        self._names: dict[str, Repository] = {}
        self._markers: tuple[bytes, ...] = ()
        self._start = mailbox.look((), wait=0.0)
        self._last = self._start.last
        self.deliveries: list[Delivery] = []
        #: Whether what happened later was delivered, after something had been waited for in vain;
        #: None before.
        self.flows: bool | None = None

    def of(self, *repositories: Repository) -> None:
        """Collect what is told of some repositories from now on."""
        self._names |= {repository.name: repository for repository in repositories}
        self._markers = tuple(marker(name) for name in self._names)

    def note(self, *digests: str) -> None:
        """Collect what mentions some digests too, from the beginning."""
        self._markers += tuple(marker(digest) for digest in digests)
        self._last, self.deliveries = self._start.last, []
        self._read(0.0)

    @property
    def events(self) -> list[Event]:
        """The events that came, with others of the same envelope, as often as they came."""
        return events_of(self.deliveries)

    @property
    def own(self) -> list[Event]:
        """The events of these repositories, or of no repository that is named."""
        return [event for event in self.events if event.text("repository") in {*self._names, ""}]

    def pushes(self, digest: str) -> list[Event]:
        """The events of a push of a digest."""
        return [event for event in self.events if event.is_push(digest)]

    def answer(self, marked: str, *replies: Reply) -> None:
        """Answer the next deliveries that mention a digest in some way."""
        self._mailbox.script(marker(marked), replies)

    # -- waiting

    def wait(self, *wanted: Fits) -> bool:
        """Wait for an event of each predicate; False if one is missing when the time is over.

        Then something later is pushed, so as to know whether notifications come at all.
        """

        def there() -> bool:
            events = self.events
            return all(any(fits(event) for event in events) for fits in wanted)

        # Of bodies that cannot be read no more is to be hoped for.
        self._until(lambda: there() or (bool(self.deliveries) and not self.events))
        if there():
            return True
        if self.flows is None:
            self.flows = self._follows()
        return there()

    def comes(self, digests: tuple[str, ...], times: int = 1) -> bool:
        """Wait until so many deliveries mentioned one of some digests."""
        return self._until(lambda: len(self.mentions(*digests)) >= times)

    def mentions(self, *digests: str) -> list[Delivery]:
        """Return the deliveries that mention one of some digests."""
        marks = [marker(digest) for digest in digests]
        return [delivery for delivery in self.deliveries if any(mark in delivery.body for mark in marks)]

    def follow(self) -> bool:
        """Push once more and wait for its event: all earlier events are then due."""
        image = self._given.image(next(iter(self._names.values())))
        return self.comes((image.digest, image.blobs[0].digest))

    def _follows(self) -> bool:
        return not self.silent() and self.follow()

    def silent(self) -> bool:
        """Whether nothing at all came to the listener, ever."""
        return self._mailbox.look((), wait=0.0).last == 0

    def _until(self, condition: Callable[[], bool]) -> bool:
        seconds = self._settings.timeout
        if self.silent() and self._mailbox.gave_up():
            seconds = 0.0
        end = time.monotonic() + seconds
        self._read(0.0)
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                if self.silent():
                    self._mailbox.give_up()
                return False
            self._read(left)
        return True

    def _read(self, wait: float) -> None:
        found = self._mailbox.look(self._markers, self._last, wait)
        if found.forgotten > self._start.last:
            raise Undecided("the listener got more than it can keep")
        self._last = found.last
        self.deliveries += found.deliveries
        if sum(len(delivery.body) for delivery in self.deliveries) > _MOST_BYTES:
            raise Undecided("the listener got more than the suite reads")

    def settled(self) -> list[Delivery]:
        """Return the deliveries as they are now, with the times of their answers."""
        end = time.monotonic() + self._settings.timeout
        found = self._mailbox.look(self._markers, self._start.last).deliveries
        while any(not delivery.answered for delivery in found) and time.monotonic() < end:
            time.sleep(_PAUSE)
            found = self._mailbox.look(self._markers, self._start.last).deliveries
        return found

    def whole(self) -> list[Delivery]:
        """Return all deliveries of the run that mention it, or have the media type of events."""
        own = marker_of_run(self._settings), *self._markers
        everything = self._mailbox.look((b"",)).deliveries
        typed = {MEDIA_TYPE, OLD_MEDIA_TYPE}
        return [d for d in everything if media_type(d) in typed or any(mark in d.body for mark in own)]

    # -- judging

    def missing(self, judge: Judge, requirement: str, expected: str, *answers: Response) -> bool:
        """Judge that an awaited event did not come; undecided if no later event came either."""
        if self.flows:
            actual = "none came, though a later event did"
            return judge(requirement, False, expected, *self.evidence(), *answers, actual=actual)
        why = f"blocked by {DELIVERED}" if self.silent() else "no later event came either, so far"
        judge.inconclusive(requirement, why)
        return False

    def evidence(self, deliveries: Sequence[Delivery] | None = None) -> list[Response]:
        """Return the last deliveries in the form of answers, as evidence of a judgement."""
        chosen = self.deliveries if deliveries is None else deliveries
        return [_as_answer(delivery, self._settings) for delivery in chosen[-3:]]


def marker_of_run(settings: Settings) -> bytes:
    """Return what the names of this run's repositories have in them."""
    return settings.run_id.encode()


def _as_answer(delivery: Delivery, settings: Settings) -> Response:
    host, port = settings.notifications_listen or ("", 0)
    request = Request(
        delivery.method, f"http://{host}:{port}/", Headers(delivery.headers), delivery.body, len(delivery.body)
    )
    response = Response(delivery.reply.status, "", Headers())
    shown = response if delivery.reply.status else None
    error = None if shown else "the listener deliberately did not answer"
    response.trail = (Exchange("notification.post", {}, request, shown, error),)
    return response
