"""One POST to an endpoint, over a connection that is kept open between two of them."""

from __future__ import annotations

import http.client
from collections.abc import Mapping, Sequence
from urllib.parse import urljoin, urlsplit

_REDIRECTS = 10
_KEPT = frozenset({307, 308})
_REDIRECT = frozenset({301, 302, 303}) | _KEPT
_PORTS = {"http": 80, "https": 443}
#: So much of an answer is read and forgotten; a longer one costs the connection.
_ANSWER = 1 << 16

Headers = Mapping[str, Sequence[str]]


class Poster:
    """Posts to one URL; ``timeout`` in seconds, none where it is 0."""

    def __init__(self, target: str, headers: Headers, timeout: float) -> None:
        self.target = target
        self._headers = headers
        self._timeout = timeout or None
        self._connection: http.client.HTTPConnection | None = None
        self._origin: tuple[str, str, int] | None = None

    def post(self, body: bytes, media_type: str) -> int:
        """The status of the answer, redirects followed; raises OSError, HTTPException or ValueError where none came."""
        method, target, headers = "POST", self.target, self._headers
        for _ in range(_REDIRECTS):
            status, location = self._send(method, target, headers, body, media_type)
            if status not in _REDIRECT or not location:
                return status
            following = urljoin(target, location)
            if _origin(following) != _origin(target):
                headers = {}  # what the owner configured is for the endpoint alone
            if status not in _KEPT:
                method = "GET"
            target = following
        raise ValueError(f"more than {_REDIRECTS} redirects")

    def _send(self, method: str, target: str, headers: Headers, body: bytes, media_type: str) -> tuple[int, str]:
        parts = urlsplit(target)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = self._connect(target)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, values in headers.items():
                for value in values:
                    connection.putheader(name, value)
            if method == "POST":
                connection.putheader("Content-Type", media_type)
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body if method == "POST" else None)
            with connection.getresponse() as response:
                rest = len(response.read(_ANSWER))
                if rest == _ANSWER:
                    self.close()
                return response.status, response.headers.get("Location") or ""
        except BaseException:
            self.close()
            raise

    def _connect(self, target: str) -> http.client.HTTPConnection:
        origin = _origin(target)
        if self._connection is not None and self._origin == origin:
            return self._connection
        self.close()
        scheme, host, port = origin
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        self._connection, self._origin = kind(host, port, timeout=self._timeout), origin
        return self._connection

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _origin(target: str) -> tuple[str, str, int]:
    parts = urlsplit(target)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("a redirect to what is no web address")
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]
