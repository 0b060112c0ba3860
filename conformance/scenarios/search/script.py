"""Show the exchanges of an example as a script of curl lines that anyone can run."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

from conformance.client.curl import command
from conformance.client.http.exchange import Exchange
from conformance.client.registry import upload_location
from conformance.scenarios.search.trial import Breach
from conformance.settings import Settings

_HEAD = (
    r"""location() { tr -d '\r' | sed -n "s|^[Ll]ocation: */|$R/|p; s|^[Ll]ocation: *\(http\)|\1|p" | tail -n 1; }"""
)


@dataclass(slots=True)
class _Location:
    """An upload location that an answer gave, and the variable that holds it."""

    url: str
    variable: str


def script(breach: Breach, settings: Settings) -> str:
    """Return a bash script: steps as comments, a request a line, locations in variables."""
    root = settings.url.rstrip("/")
    exchanges = breach.exchanges
    writer = _Writer(root, exchanges, settings.insecure)
    lines = [
        f"# {breach.requirement}: expected {_line(breach.expected)}, but {_line(breach.actual)}",
        f"# found with --effort {settings.effort} --seed {settings.seed}",
        f"R={shlex.quote(root)}",
    ]
    if any(writer.leads(number) for number in range(len(exchanges))):
        lines.append(_HEAD)
    steps = [*breach.steps]
    for number, exchange in enumerate(exchanges):
        while steps and steps[0].before <= number:
            lines.append(f"# {_line(steps.pop(0).text)}")
        if not _repeated(exchanges, number):
            lines.append(writer.line(number, exchange))
    return "\n".join(lines)


class _Writer:
    """Writes the lines; knows which locations were given so far."""

    def __init__(self, root: str, exchanges: list[Exchange], insecure: bool) -> None:
        self._root = root
        self._exchanges = exchanges
        self._insecure = insecure
        self._locations: list[_Location] = []
        self._count = 0

    def leads(self, number: int) -> bool:
        """Whether a later request goes to the location that an answer gave."""
        url = _given(self._exchanges[number])
        return bool(url) and any(e.request.url.startswith(url) for e in self._exchanges[number + 1 :])

    def line(self, number: int, exchange: Exchange) -> str:
        """Return the line of one exchange, with what came behind it."""
        request = exchange.request
        text = command(exchange, self._insecure).removesuffix(shlex.quote(request.url)) + self._url(request.url)
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
            return '"$R"' + shlex.quote(url.removeprefix(self._root))
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


def _line(text: str) -> str:
    return " ".join(text.split())
