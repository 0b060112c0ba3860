"""Show exchanges as a script of curl lines that anyone can run, from nothing to what it shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import quote, unquote, urlsplit

from conformance.client.curl import Trust, command, faithful
from conformance.client.http.exchange import Exchange
from conformance.client.registry import upload_location

_HEAD = (
    r"""location() { tr -d '\r' | sed -n "s|^[Ll]ocation: */|$R/|p; s|^[Ll]ocation: *\(http\)|\1|p" | tail -n 1; }"""
)


_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
#: Longer scripts are read by nobody.
_MOST_REQUESTS = 40
_MOST_BYTES = 48 * 1024
#: Milliseconds by which requests that follow one another may seem to overlap.
_OVERLAP = 0.5
_FROM = re.compile(r"[?&]from=([^&]+)")


@dataclass(slots=True)
class _Location:
    """An upload location that an answer gave, and the variable that holds it."""

    url: str
    variable: str


def lines(
    root: str,
    exchanges: Sequence[Exchange],
    trust: Trust,
    notes: Iterable[tuple[int, str]] = (),
    run: str = "",
) -> list[str]:
    """Return the lines of a script for bash: a request a line, locations of uploads in variables.

    Args:
        root: the address of the target.
        exchanges: what is to be sent again, in its order.
        trust: how its certificate is checked.
        notes: comments, each with the number of exchanges before it, in their order.
        run: what the names of repositories have of the run, to be another each time; or empty.
    """
    shown = [*exchanges]
    names = {name for name in (each.parameters.get("name", "") for each in shown) if run and run in name}
    writer = _Writer(root.rstrip("/"), shown, trust, _Fresh(run, names))
    made = [f"R={shlex.quote(root.rstrip('/'))}"]
    if names:
        # As long as it was: names may be as long as they can be.
        made.append(f"N=$(printf %0{len(run)}x $((RANDOM * RANDOM % 16777216)))")
    if any(writer.leads(number) for number in range(len(shown))):
        made.append(_HEAD)
    left = [*notes]
    for number, exchange in enumerate(shown):
        while left and left[0][0] <= number:
            made.append(f"# {line(left.pop(0)[1])}")
        if not _repeated(shown, number):
            made.append(writer.line(number, exchange))
    return made


def from_nothing(
    root: str, evidence: Sequence[Exchange], scenario: Sequence[Exchange], trust: Trust, run: str
) -> list[str]:
    """Return the lines of a script that shows the evidence of a scenario from nothing, or none.

    It sends what the scenario had sent until then to the same repositories, and the evidence.
    Repositories that were the ``run``'s own are new ones each time. It sends one request after the
    other, so it cannot show what takes several clients at once, a broken connection, a token, or
    more bytes than anyone would read.
    """
    marks = {id(exchange) for exchange in evidence}
    ends = [number for number, exchange in enumerate(scenario) if id(exchange) in marks]
    if not evidence or len(ends) < len(marks):
        return []
    names = {exchange.parameters["name"] for exchange in evidence if "name" in exchange.parameters}
    names |= {unquote(found[1]) for each in evidence if (found := _FROM.search(each.request.url))}
    until = scenario[: ends[-1] + 1]
    chosen = [each for each in until if id(each) in marks or _prepares(each, names)]
    if not _can_be_sent(chosen):
        return []
    first = next(number for number, exchange in enumerate(chosen) if id(exchange) in marks)
    notes = [(0, "first, what it starts from"), (first, "then, what shows it")] if first else []
    made = lines(root, chosen, trust, notes, run)
    return made if sum(map(len, made)) <= _MOST_BYTES else []


def _prepares(exchange: Exchange, names: set[str]) -> bool:
    """Whether a request may have left what the evidence speaks of, in one of some repositories."""
    answer, name = exchange.response, exchange.parameters.get("name")
    if answer is None or not answer.ok or exchange.request.method not in _WRITES:
        return False
    return bool(exchange.operation) and (not names or name in names)


def _can_be_sent(chosen: Sequence[Exchange]) -> bool:
    overlap = any(
        later.started_ms < before.started_ms + before.elapsed_ms - _OVERLAP for before, later in pairwise(chosen)
    )
    token = any(exchange.operation.startswith("token.") for exchange in chosen)
    answered = all(exchange.response is not None for exchange in chosen)
    whole = all(faithful(exchange) for exchange in chosen)
    return len(chosen) <= _MOST_REQUESTS and answered and whole and not overlap and not token


@dataclass(frozen=True, slots=True)
class _Fresh:
    """Puts a variable where the names of repositories have what tells the run from others."""

    run: str
    names: set[str]

    def quote(self, url: str) -> str:
        """Return a part of a URL for a shell."""
        for name in sorted(self.names, key=len, reverse=True):
            for spelling in (name, quote(name, safe="")):
                url = url.replace(spelling, spelling.replace(self.run, "\0"))
        return '"$N"'.join(shlex.quote(piece) if piece else "" for piece in url.split("\0"))


class _Writer:
    """Writes the lines; knows which locations were given so far."""

    def __init__(self, root: str, exchanges: list[Exchange], trust: Trust, fresh: _Fresh) -> None:
        self._root = root
        self._exchanges = exchanges
        self._trust = trust
        self._fresh = fresh
        self._locations: list[_Location] = []
        self._count = 0

    def leads(self, number: int) -> bool:
        """Whether a later request goes to the location that an answer gave."""
        url = _given(self._exchanges[number])
        return bool(url) and any(e.request.url.startswith(url) for e in self._exchanges[number + 1 :])

    def line(self, number: int, exchange: Exchange) -> str:
        """Return the line of one exchange, with what came behind it."""
        request = exchange.request
        text = command(exchange, self._trust).removesuffix(shlex.quote(request.url)) + self._url(request.url)
        if self.leads(number):
            self._count += 1
            self._locations.insert(0, _Location(_given(exchange), f"L{self._count}"))
            text = f"L{self._count}=$({text.replace('curl -i', 'curl -si', 1)} | location)"
        answer = exchange.response
        return f"{text}  # {answer.status if answer else 'no answer'}"

    def _url(self, url: str) -> str:
        for location in self._locations:
            if url.startswith(location.url):
                rest = url.removeprefix(location.url)
                return f'"${location.variable}"' + (shlex.quote(rest) if rest else "")
        if url.startswith(self._root + "/"):
            return '"$R"' + self._fresh.quote(url.removeprefix(self._root))
        return shlex.quote(url)


def _given(exchange: Exchange) -> str:
    """Return the absolute location of an answer that opens or continues an upload, or nothing."""
    answer = exchange.response
    if answer is None or answer.status not in {202, 204} or exchange.request.method == "DELETE":
        return ""
    answer.url = answer.url or exchange.request.url
    url = upload_location(answer) or ""
    return url if urlsplit(url).path.strip("/") else ""


def _repeated(exchanges: list[Exchange], number: int) -> bool:
    """Whether a request only fetched a login, or was sent again with one."""
    exchange = exchanges[number]
    if exchange.operation.startswith("token."):
        return True
    if exchange.response is None or exchange.response.status != 401:
        return False
    sent = exchange.request.method, exchange.request.url
    return any((e.request.method, e.request.url) == sent for e in exchanges[number + 1 : number + 3])


def line(text: str) -> str:
    """Return a text as one line, for a comment."""
    return " ".join(text.split())
