"""A control beside what looks like an overload: what comes each time to one request alone is the target's answer.

An overload or a dead connection accuses nobody, so a broken target could hide behind it. Where such an answer comes,
other requests are sent beside the same one, in an order that no period of two or more can tell apart.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import Counter
from dataclasses import dataclass

from conformance.client.client import RETRY_BUDGET, Call, Client
from conformance.client.http.exchange import OVERLOADED, Response
from conformance.client.http.pace import retry_after
from conformance.client.journal import Journal
from conformance.client.locations import upload_location, with_query

#: Looks that found the same of one operation, after which a short one is enough.
_FULL = 2
#: Looks of one process in all; what comes after them stays undecided.
_MOST = 60
#: The order of a look: C for the controls, q for the request itself.
_ORDER = "CqqCCqqC"
#: The same where each request costs a whole time-out, and where the same was found before.
_ORDER_SLOW, _ORDER_KNOWN = "CqC", "Cq"
#: The controls of a request that timed out take less than this part of the time-out, or the target is merely slow.
_QUICK = 0.25
#: A header that tells of a budget of requests (RateLimit-Remaining, X-RateLimit-Limit and so on).
_BUDGETS = ("ratelimit", "x-ratelimit")
_SENT_TWICE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request that was answered well, and the client that sent it."""

    client: Client
    call: Call


class Control:
    """Tells the target's own answers from those of an overload; one for all clients of a process."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._well: dict[str, _Sent] = {}
        self._found: Counter[tuple[str, str]] = Counter()
        self._looks = 0
        self._looking = False

    def look(self, client: Client, call: Call, response: Response) -> None:
        """Mark a response as repeated where the same comes each time while other requests are answered.

        Answers to requests at the same time are left alone: there an overload is one.
        """
        if self._looking or threading.current_thread() is not threading.main_thread():
            return
        if not response.excuse:
            # An upload that was started with parameters may go on otherwise than others.
            if response.ok and not (call.operation == "upload.start" and "?" in call.url):
                self._well[_key(call)] = _Sent(client, call)
            return
        if response.withheld or self._looks >= _MOST or client.over or not _can_be_sent_again(call, response):
            return
        # What others put into a list, which may take long to read, is no fault of it.
        if call.foreign and "longer than" in response.failure:
            return
        if call.operation == "catalog.list" and "time-out" in response.failure:
            return
        self._looks += 1
        self._looking = True
        try:
            response.repeated = self._comes_each_time(client, call, response)
        finally:
            self._looking = False

    def _comes_each_time(self, client: Client, call: Call, response: Response) -> bool:
        known = (_key(call), _kind(response))
        alike = self._alike(call)
        # What came to an operation that works otherwise may be a limit that was reached: /v2/ has none of it.
        if not alike and (_key(call) in self._well or _has_a_budget(response)):
            return False
        order = _ORDER_KNOWN if self._found[known] >= _FULL else _ORDER
        if "time-out" in response.failure:
            order = _ORDER_SLOW
        for letter in order:
            if letter == "C":
                if not self._base(client, response) or (alike and not self._answered(alike, client, call, response)):
                    return False
            elif _kind(client.send(call)) != known[1]:
                return False
        self._found[known] += 1
        return True

    def _alike(self, call: Call) -> _Sent | None:
        """Return what shows that the operation itself is served: the last read of its kind, or a push for a write."""
        if call.method in _SENT_TWICE:
            return self._well.get(_key(call))
        return self._well.get("upload.start") if "upload.put" in self._well else None

    def _base(self, client: Client, response: Response) -> bool:
        return _is_served(client, client.send(Call("GET", f"{client.url}/v2/", "base.get")), response)

    def _answered(self, sent: _Sent, client: Client, call: Call, response: Response) -> bool:
        if sent.call.method in _SENT_TWICE:
            return _is_served(client, sent.client.send(sent.call), response)
        return self._pushed(sent, client, response)

    def _pushed(self, sent: _Sent, client: Client, response: Response) -> bool:
        """Push a small blob that nobody else has."""
        content = secrets.token_bytes(16)
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        name = sent.call.parameters.get("name", "")
        self.journal.blob(name, digest)
        start = sent.client.send(sent.call)
        location = upload_location(start) if start.ok else None
        if location is None or not _is_served(client, start, response):
            return False
        url = with_query(location, f"digest={digest}")
        headers = (("Content-Type", "application/octet-stream"),)
        put = Call("PUT", url, "upload.put", {"name": name}, headers, content)
        closed = sent.client.send(put)
        return closed.ok and _is_served(client, closed, response)


def _key(call: Call) -> str:
    return call.operation or call.method


def _kind(response: Response) -> str:
    """Return what is compared of two answers; empty where there is nothing to excuse."""
    return response.excuse if response.failure or response.status in OVERLOADED else ""


def _is_served(client: Client, answer: Response, suspect: Response) -> bool:
    """Whether a control was answered, and soon enough where the suspect timed out."""
    if answer.failure or answer.status in OVERLOADED:
        return False
    took = sum(exchange.elapsed_ms for exchange in answer.trail) / 1000
    return "time-out" not in suspect.failure or took < _QUICK * client.timeout


def _can_be_sent_again(call: Call, response: Response) -> bool:
    """Whether a request may be sent again: a body that is made may break off on purpose."""
    return not response.failure or not callable(call.payload)


def _has_a_budget(response: Response) -> bool:
    """Whether a 429 says that a budget is used up, or when to come again; who asks sooner gets no other answer."""
    if response.status != 429:  # Too Many Requests
        return False
    pause = retry_after(response)
    announced = pause is not None and pause > RETRY_BUDGET
    return announced or any(name.startswith(_BUDGETS) for name in response.headers.names())
