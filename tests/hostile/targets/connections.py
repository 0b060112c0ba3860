"""Targets that break connections off, say nothing, die, or never end a handshake of TLS."""

from __future__ import annotations

from tests.hostile.answers import (
    broken_off,
    deaf,
    dies,
    fixed,
    half_closed,
    half_closed_after,
    head,
    in_plain,
    silent,
    silent_after,
)
from tests.hostile.case import ALL, ANYWHERE, BLOBS, DELETE, GET, REFUSALS, UPLOADS, WRITES, Hostile
from tests.hostile.greetings import closed, hello_and, reset_after_line, reset_at_once, saying

_PART = head("200 OK", "Content-Length: 500") + b"x"

_RESETS = (
    Hostile("reset-at-accept", greets=reset_at_once, after=60, innocent=True),
    Hostile("closed-at-accept", greets=closed, after=60, innocent=True),
    Hostile("reset-in-request-line", greets=reset_after_line, after=60, innocent=True),
    # The body of the request is still on its way.
    Hostile("reset-in-request-body", broken_off(b""), ANYWHERE, WRITES, 60, innocent=True),
    Hostile("reset-at-once", broken_off(b""), ANYWHERE, ALL, 60, innocent=True),
    Hostile("reset-in-status", broken_off(b"HTTP/1."), ANYWHERE, ALL, 60, innocent=True),
    Hostile("reset-in-head", broken_off(b"HTTP/1.1 200 OK\r\nContent-"), ANYWHERE, ALL, 60),
    Hostile("reset-in-body", broken_off(_PART), BLOBS),
    Hostile("reset-from-the-start", broken_off(b""), ANYWHERE, ALL, 0, endings=REFUSALS),
    Hostile("reset-in-head-from-the-start", broken_off(b"HTTP/1.1 200 OK\r\nCon"), ANYWHERE, ALL, 0, endings=REFUSALS),
    Hostile("reset-in-body-from-the-start", broken_off(_PART), ANYWHERE, ALL, 0, endings=REFUSALS),
)

_SILENCE = (
    Hostile("silent", silent, BLOBS, innocent=True),
    Hostile("silent-everywhere", silent, ANYWHERE, ALL, 60, innocent=True),
    Hostile("silent-from-the-start", silent, ANYWHERE, ALL, 0, endings=REFUSALS),
    Hostile("silent-to-deletions", silent, ANYWHERE, DELETE, 40, innocent=True),
    Hostile("half-closed", half_closed, UPLOADS, ALL),
    Hostile("half-closed-in-body", half_closed_after(_PART), BLOBS),
    Hostile("half-closed-in-head", half_closed_after(b"HTTP/1.1 200 OK\r\nContent-"), UPLOADS, ALL),
    Hostile("half-closed-to-us", deaf, ANYWHERE, WRITES, 60, innocent=True),
)

_DEATH = (
    Hostile("dies-half-way", dies, ANYWHERE, ALL, 400, innocent=True),
    Hostile("dies-early", dies, ANYWHERE, ALL, 60, innocent=True),
    Hostile("dies-before-two-workers", dies, ANYWHERE, ALL, 400, options=("-n", "2"), innocent=True),
    Hostile("dies-in-the-probes", dies, ANYWHERE, ALL, 5, innocent=True),
)

_GARBAGE = b"\x17\x03\x03\x00\x10" + b"\xff" * 16
_TLS = (
    Hostile("tls-silent-from-the-start", greets=saying(b""), after=0, tls=True, endings=REFUSALS),
    Hostile("tls-garbage-from-the-start", greets=saying(b"\x00\xff" * 50), after=0, tls=True, endings=REFUSALS),
    Hostile("tls-hello-and-silence-from-the-start", greets=hello_and("wait"), after=0, tls=True, endings=REFUSALS),
    Hostile("tls-hello-drips-from-the-start", greets=hello_and("drip"), after=0, tls=True, endings=REFUSALS),
    Hostile("tls-hello-and-silence", greets=hello_and("wait"), after=60, tls=True, innocent=True),
    Hostile("tls-hello-drips", greets=hello_and("drip"), after=60, tls=True, innocent=True),
    Hostile("tls-hello-and-reset", greets=hello_and("reset"), after=60, tls=True, innocent=True),
    Hostile("tls-reset-in-body", broken_off(_PART), BLOBS, tls=True),
    Hostile("tls-silent-in-body", silent_after(_PART), BLOBS, GET, tls=True, innocent=True),
    Hostile("tls-no-goodbye", fixed(head("200 OK") + b"xxx"), BLOBS, tls=True),
    Hostile("tls-garbage-in-body", in_plain(_PART, _GARBAGE), BLOBS, tls=True),
)

CASES = (*_RESETS, *_SILENCE, *_DEATH, *_TLS)
