"""Targets that make clients wait, and challenges and token services that are none."""

from __future__ import annotations

from tests.hostile.answers import broken_off, drip, fixed, forever, head, made, much, place, redirect, silent, whole
from tests.hostile.case import ALL, ANYWHERE, LOGIN, REFUSALS, TOKENS, VERDICTS, Hostile
from tests.hostile.proxy import Answer

_JSON = "application/json"
_BUSY = "429 Too Many Requests"


def _refused(*challenges: str) -> Answer:
    """Want a login, with challenges that may name places, as of `answers.place`."""
    body = b'{"errors": [{"code": "UNAUTHORIZED"}]}'
    return made(
        lambda asked: whole(
            body, _JSON, "401 Unauthorized", *(f"WWW-Authenticate: {place(text, asked)}" for text in challenges)
        )
    )


def _waits(name: str, status: str, after: str, innocent: bool = True) -> Hostile:
    answer = fixed(whole(b"", "a/b", status, f"Retry-After: {after}"))
    return Hostile(name, answer, ANYWHERE, ALL, 60, innocent=innocent)


def _service(name: str, answer: Answer, start: bool = False, innocent: bool = True) -> Hostile:
    """A token service that turns hostile after some tokens, or was so from the start."""
    endings = REFUSALS if start else VERDICTS
    return Hostile(name, answer, TOKENS, ALL, 0 if start else 80, LOGIN, gated=True, innocent=innocent, endings=endings)


def _challenged(name: str, *challenges: str, listens: bool = False) -> Hostile:
    return Hostile(name, _refused(*challenges), ANYWHERE, ALL, 0, LOGIN, listens=listens, endings=REFUSALS)


_WAITING = (
    _waits("retry-after-for-ever", _BUSY, "999999999"),
    _waits("retry-after-for-ever-of-a-fault", "503 Service Unavailable", "999999999"),
    _waits("retry-after-the-year-9999", _BUSY, "Fri, 31 Dec 9999 23:59:59 GMT"),
    _waits("retry-after-a-date-that-is-none", _BUSY, "Mon, 99 Foo 99999 99:99:99 GMT", innocent=False),
    _waits("retry-after-nonsense", "503 Service Unavailable", "-1e9, soon", innocent=False),
    _waits("retry-after-just-bearable", _BUSY, "3"),
    _waits("retry-after-nothing", _BUSY, "0"),
)

_CHALLENGES = (
    _challenged("challenge-of-another-host", 'Bearer realm="http://localhost:1/token",service="x"'),
    _challenged("challenge-of-a-stranger", 'Bearer realm="http://localhost:{stranger}/token",service="x"'),
    _challenged("challenge-of-the-listener", 'Bearer realm="http://127.0.0.1:{hook}/events"', listens=True),
    _challenged("challenge-of-its-own-path", 'Bearer realm="http://127.0.0.1:{own}/v2/"'),
    _challenged("challenge-of-a-file", 'Bearer realm="file:///etc/passwd"', 'Basic realm="x"'),
    _challenged("challenge-nonsense", 'Bearer realm="' + "\\" * 999, "=,=,,,", "Basic" * 9999),
    _challenged("challenge-very-long", "Bearer " + "a=b, " * 12_000, 'Bearer realm="' + "x" * 60_000 + '"'),
    _challenged("challenge-of-nonsense-hosts", 'Bearer realm="http://[::1:bad/\x01"', 'Bearer realm="http://a b/"'),
    Hostile(
        "challenge-of-a-stranger-later",
        _refused('Bearer realm="http://localhost:{stranger}/token",service="x"'),
        ANYWHERE,
        ALL,
        60,
        LOGIN,
    ),
)

_OPEN = head("200 OK", "Content-Type: application/json", "Connection: close")
_BIG = '{"token": "' + "x" * 1_000_000 + '"}'
_SERVICES = (
    _service("token-endless", forever(_OPEN, b"x" * 65536)),
    _service("token-endless-from-the-start", forever(_OPEN, b"x" * 65536), start=True),
    _service("token-drips", drip(_OPEN, b"x")),
    _service("token-drips-from-the-start", drip(_OPEN, b"x"), start=True),
    _service("token-silent", silent),
    _service("token-silent-from-the-start", silent, start=True),
    _service("token-reset", broken_off(b""), innocent=False),
    _service("token-redirects-in-a-circle", redirect("{target}"), innocent=False),
    _service("token-redirects-in-a-circle-from-the-start", redirect("{target}"), start=True),
    _service("token-redirects-to-a-stranger", redirect("http://localhost:{stranger}/stolen"), innocent=False),
    _service("token-of-100-megabytes", much((b'{"token": "', b"x", b'"}'), 100_000_000)),
    _service("token-of-100-megabytes-from-the-start", much((b'{"token": "', b"x", b'"}'), 100_000_000), start=True),
    _service("token-of-a-megabyte", fixed(whole(_BIG.encode())), innocent=False),
    _service("token-deep", fixed(whole(b"[" * 200_000)), innocent=False),
    _service("token-for-minus-infinity", fixed(whole(b'{"token": "x", "expires_in": -1e999}')), innocent=False),
    _service("token-for-ever", fixed(whole(b'{"token": "x", "expires_in": ' + b"9" * 4000 + b"}")), innocent=False),
    _service("token-for-a-boolean", fixed(whole(b'{"token": "x", "expires_in": true}')), innocent=False),
    _service("token-of-control-characters", fixed(whole(b'{"token": "a\\r\\nX-Injected: 1"}')), innocent=False),
    _service("token-is-empty", fixed(whole(b'{"token": "", "access_token": []}')), innocent=False),
    _service("token-wants-a-login", made(lambda _: whole(b"{}", _JSON, "401 Unauthorized")), innocent=False),
    _service("token-wants-patience", fixed(whole(b"", "a/b", _BUSY, "Retry-After: 999999999"))),
)

CASES = (*_WAITING, *_CHALLENGES, *_SERVICES)
