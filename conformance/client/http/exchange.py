"""What went over the wire: one request and its response, and how a report shows them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

#: Bodies above this size are recorded by digest and length only.
RECORDED_BODY_LIMIT = 64 * 1024
#: Statuses that tell of a passing overload and not of the registry's conduct.
OVERLOADED = frozenset({429, 502, 503, 504})
#: Values of bodies above this size are parsed anew each time: they take ten times the room of the text.
_REMEMBERED = 1024 * 1024
#: Objects and arrays of such a body; with more it is none that a registry has use for, and would take minutes.
_CONTAINERS = 100_000


class Headers:
    """Header fields in order of arrival; names are compared without case, fields may repeat."""

    __slots__ = ("_by_name", "_fields")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = tuple(fields)
        self._by_name: dict[str, list[str]] | None = None

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the values of all fields of that name joined by a comma (RFC 9110, 5.3)."""
        values = self.all(name)
        return ", ".join(values) if values else default

    def all(self, name: str) -> list[str]:
        """Return the value of each field of that name."""
        return list(self._named().get(name.lower(), ()))

    def _named(self) -> dict[str, list[str]]:
        if self._by_name is None:
            found: dict[str, list[str]] = {}
            for key, value in self._fields:
                found.setdefault(key.lower(), []).append(value)
            self._by_name = found
        return self._by_name

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._named()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def names(self) -> frozenset[str]:
        """Return the names in lower case."""
        return frozenset(self._named())


@dataclass(slots=True)
class Request:
    """A request as it was sent, credentials removed."""

    method: str
    url: str
    headers: Headers
    body: bytes | None = None
    size: int = 0


@dataclass(slots=True)
class Response:
    """A response as it came; ``body`` is what was received, undecoded.

    Where a pull was streamed, ``body`` is empty and ``size`` and ``digest`` tell of the content.
    Where no whole answer came, ``failure`` says why, and ``status`` is 0 unless the body alone is
    incomplete; ``repeated`` tells that the same came each time while other requests were answered. ``withheld`` says
    why a 401 was got without credentials, where the target is not to blame.
    ``url`` is what was asked last, ``trail`` all exchanges that led here: challenges, throttling and
    redirects included.
    """

    status: int
    reason: str
    headers: Headers
    body: bytes = b""
    size: int = 0
    digest: str = ""
    streamed: bool = False
    failure: str = ""
    repeated: bool = False
    withheld: str = ""
    url: str = ""
    trail: tuple[Exchange, ...] = field(default=(), repr=False)
    _json: Any = field(default=None, repr=False)
    _parsed: bool = field(default=False, repr=False)

    @property
    def excuse(self) -> str:
        """Why nobody is blamed for it, in words; empty where it is the target's own answer."""
        if self.repeated:
            return ""
        if self.failure:
            return f"no answer: {self.failure}"
        if self.status in OVERLOADED:
            return f"the target was overloaded (status {self.status})"
        return self.withheld

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case; empty where there is none."""
        return (self.headers.get("Content-Type") or "").split(";")[0].strip().lower()

    @property
    def says_json(self) -> bool:
        """Whether there is a body, and its Content-Type says that it is JSON."""
        return bool(self.body.strip()) and (self.media_type == "application/json" or self.media_type.endswith("+json"))

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether the status is 4xx."""
        return 400 <= self.status < 500

    @property
    def json(self) -> Any:
        """The body as JSON, or ``None`` where it is none (or too deep or too full to be read)."""
        if self._parsed:
            return self._json
        value = _parse(self.body)
        if len(self.body) <= _REMEMBERED:
            self._parsed, self._json = True, value
        return value

    @property
    def error_codes(self) -> list[str] | None:
        """The codes of the error body, or ``None`` where the body is no JSON of that shape."""
        document = self.json
        errors = document.get("errors") if isinstance(document, dict) else None
        if not isinstance(errors, list):
            return None
        return [e["code"] for e in errors if isinstance(e, dict) and isinstance(e.get("code"), str)]

    def header(self, name: str) -> str | None:
        """Return a header's value, or ``None``."""
        return self.headers.get(name)

    def content_digest(self) -> str:
        """Return the sha256 digest of the content received."""
        return self.digest or "sha256:" + hashlib.sha256(self.body).hexdigest()


def _parse(body: bytes) -> Any:
    if len(body) > _REMEMBERED and body.count(b"{") + body.count(b"[") > _CONTAINERS:
        return None
    try:
        value = json.loads(body, parse_constant=_no_constant)
        if b"\\ud" in body.lower():
            # Half a surrogate pair can be written in JSON, and in nothing that is made of it here.
            # One of the two at a time: a value takes many times the room of its text.
            text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
            del value
            value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


@dataclass(slots=True)
class Exchange:
    """One request and its response, or the transport error in its place.

    ``operation`` is an operation id of the OpenAPI document ("" where the request belongs to none,
    as a redirect's target) and ``parameters`` are its path parameters, decoded. ``started_ms`` counts
    from the start of its client, ``started_at`` is the Unix time.
    """

    operation: str
    parameters: dict[str, str]
    request: Request
    response: Response | None
    error: str | None = None
    started_ms: float = 0.0
    elapsed_ms: float = 0.0
    started_at: float = 0.0

    def record(self) -> dict[str, Any]:
        """Return the exchange as ``report.json`` holds it (``report.schema.json``, exchange)."""
        response = None
        if self.response is not None:
            response = {
                "status": self.response.status,
                "reason": self.response.reason,
                "headers": [[k, v] for k, v in self.response.headers],
                "body": _record_response_body(self.response),
            }
        return {
            "operation": self.operation,
            "started_ms": round(self.started_ms, 1),
            "elapsed_ms": round(self.elapsed_ms, 1),
            "request": {
                "method": self.request.method,
                "url": self.request.url,
                "headers": [[k, v] for k, v in self.request.headers],
                "body": record_body(self.request.body),
            },
            "response": response,
            "error": self.error,
        }


def _record_response_body(response: Response) -> dict[str, Any] | None:
    if response.streamed:
        return {"size": response.size, "digest": response.digest, "text": None, "base64": None, "truncated": True}
    return record_body(response.body)


def record_body(body: bytes | None) -> dict[str, Any] | None:
    """Return a body as a report holds it: text, base64, or only digest and length when large."""
    if not body:
        return None
    record: dict[str, Any] = {
        "size": len(body),
        "digest": "sha256:" + hashlib.sha256(body).hexdigest(),
        "text": None,
        "base64": None,
        "truncated": len(body) > RECORDED_BODY_LIMIT,
    }
    if not record["truncated"]:
        try:
            record["text"] = body.decode("utf-8")
        except UnicodeDecodeError:
            record["base64"] = base64.b64encode(body).decode("ascii")
    return record
