"""Uploads: the Range of an answer against the bytes that the session has acknowledged.

A session is followed along its Locations as long as everything about it is known: each chunk was recorded and accepted,
none was refused, broken off, redirected or sent beside another request of the session.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from conformance.client.digests import is_digest_of
from conformance.client.http.exchange import Exchange, Response
from conformance.contract.invariants.facts import ACCEPTED, CREATED, Breach, Facts, asked

_STARTS = frozenset({"upload.start", "upload.start-digest", "upload.mount"})
_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,18})", re.IGNORECASE)
_NO_CONTENT = 204


@dataclass(slots=True)
class _Session:
    """What one upload has: the bytes in order."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    known: bool = True
    #: The newest Location. An earlier one need not tell what came since.
    place: str = ""


def follow(facts: Facts, exchanges: Iterable[Exchange]) -> Iterator[Breach]:
    """Follow the uploads of a scenario from their start to their end."""
    sessions: dict[str, _Session] = {}
    exchanges = list(exchanges)
    beside = _beside(exchanges)
    for exchange in exchanges:
        response = exchange.response
        if exchange.operation in _STARTS:
            if response is not None and response.status == ACCEPTED and not exchange.error:
                _move(sessions, _Session(), exchange, response)
        elif exchange.operation.startswith("upload."):
            url = exchange.request.url
            session = sessions.get(url) or sessions.get(_without_digest(url))
            if session is not None:
                session.known = session.known and id(exchange) not in beside
                yield from _step(facts, sessions, session, exchange)


def _beside(exchanges: Iterable[Exchange]) -> set[int]:
    """Return the requests to uploads, by ``id()``, that another was under way beside.

    Either answer may tell what the other has sent, and chance decides which of them is recorded first.
    """
    found: set[int] = set()
    longest: Exchange | None = None
    uploads = (each for each in exchanges if each.operation.startswith("upload."))
    for exchange in sorted(uploads, key=lambda each: each.started_ms):
        if longest is not None and exchange.started_ms < _end(longest):
            found |= {id(exchange), id(longest)}
        if longest is None or _end(exchange) > _end(longest):
            longest = exchange
    return found


def _step(facts: Facts, sessions: dict[str, _Session], session: _Session, exchange: Exchange) -> Iterator[Breach]:
    response, body = exchange.response, exchange.request.body
    if response is None or exchange.error:
        session.known = False
    elif exchange.operation == "upload.get":
        if response.status == _NO_CONTENT:
            yield from _progress(session, exchange, response, "PUSH-STATUS-RANGE-VALUE")
            _move(sessions, session, exchange, response)
    elif body is None:
        session.known = False
    elif exchange.operation == "upload.patch" and response.status == ACCEPTED:
        session.parts.append(body)
        session.size += len(body)
        ranged = "Content-Range" in exchange.request.headers
        requirement = "PUSH-PATCH-RANGE-VALUE" if ranged else "PUSH-PATCH-STREAM-RANGE-VALUE"
        yield from _progress(session, exchange, response, requirement)
        _move(sessions, session, exchange, response)
    elif exchange.operation == "upload.put" and response.status == CREATED and session.known:
        _close(facts, session, exchange, body)
    else:
        session.known = False


def _progress(session: _Session, exchange: Exchange, response: Response, requirement: str) -> Iterator[Breach]:
    values = response.headers.all("Range")
    found = _RANGE.fullmatch(values[0].strip()) if len(values) == 1 else None
    newest = _without_digest(exchange.request.url) == session.place
    if session.known and newest and session.size and found and int(found[1]) != session.size - 1:
        expected = f"a Range that ends at {session.size - 1}, as {session.size} bytes were sent and accepted"
        yield Breach(requirement, expected, f"Range: {values[0]}", (exchange,))


def _close(facts: Facts, session: _Session, exchange: Exchange, body: bytes) -> None:
    """Keep what an upload has in all as the content of the digest that closed it, if it is."""
    session.known = False
    named = asked(exchange, "digest")
    content = b"".join((*session.parts, body))
    if session.parts and len(named) == 1 and is_digest_of(named[0], content):
        facts.learn(named[0], content, exchange)


def _move(sessions: dict[str, _Session], session: _Session, exchange: Exchange, response: Response) -> None:
    values = response.headers.all("Location")
    try:
        where = urljoin(exchange.request.url, values[0].strip()) if len(values) == 1 else ""
    except ValueError:
        return
    if where:
        sessions[where] = session
        session.place = where


def _without_digest(url: str) -> str:
    """Return the URL to which a closing PUT added its digest at the end."""
    return re.sub(r"[?&]digest=[^&]*$", "", url)


def _end(exchange: Exchange) -> float:
    return exchange.started_ms + exchange.elapsed_ms
