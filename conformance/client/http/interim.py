"""Connections that pass over interim responses, and have a limit on the time of a whole answer.

RFC 9110, 15.2 lets any number of interim responses precede an answer.
"""

from __future__ import annotations

import http.client
from typing import Any, BinaryIO

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from conformance.client.http.watchdog import WATCHDOG

#: No server has that many things to say before its answer.
_MOST = 100


class _Lines:
    """Lines of a head: the standard library takes the end of a connection for the end of the head."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._begun = False

    def readline(self, limit: int = -1) -> bytes:
        """Read a line; raises IncompleteRead where the head ends before its last one."""
        line = self._source.readline(limit)
        if not line.endswith(b"\n") and len(line) != limit and (line or self._begun):
            raise http.client.IncompleteRead(line)
        self._begun = True
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class _Response(http.client.HTTPResponse):
    """The standard library passes over 100 alone, and takes 102 or 103 for the answer."""

    def begin(self) -> None:
        """Read the head; raises IncompleteRead where the connection ends before it does."""
        source = self.fp
        self.fp = _Lines(source)  # type: ignore[assignment]  # it has all that is read of it here
        try:
            super().begin()
        finally:
            if isinstance(self.fp, _Lines):
                self.fp = source

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # not in its stubs
        for _ in range(_MOST):
            if not http.HTTPStatus.PROCESSING <= status < http.HTTPStatus.OK:
                break
            http.client.parse_headers(self.fp)
            version, status, reason = super()._read_status()  # type: ignore[misc]  # as above
        return version, status, reason


class _Watched(HTTPConnection):
    response_class = _Response

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, which is taken before the time-out or breaks off; each piece of it has one of its own."""
        if self.sock is None:
            self.connect()
        seconds = self.timeout
        if self.sock is None or not isinstance(seconds, int | float):
            super().request(*args, **kwargs)
            return
        limit = WATCHDOG.limit(self.sock, seconds)
        try:
            super().request(*args, **kwargs)
        except OSError:
            if limit.passed:
                raise TimeoutError("timed out") from None
            raise
        finally:
            limit.lift()

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # urllib3 itself does not keep to it
        """Begin to read an answer, which ends before the time-out or with its connection."""
        seconds = self.timeout
        if self.sock is None or not isinstance(seconds, int | float):
            return super().getresponse()
        limit = WATCHDOG.limit(self.sock, seconds)
        try:
            response = super().getresponse()
        except Exception:
            limit.lift()
            if limit.passed:
                raise TimeoutError("timed out") from None
            raise
        response.limit = limit  # type: ignore[attr-defined]  # `lift` finds it there
        return response


def lift(response: object) -> bool:
    """Take the limit off an answer that has been read or given up; return whether it had passed."""
    limit = getattr(response, "limit", None)
    if limit is None:
        return False
    limit.lift()
    return bool(limit.passed)


class _Connection(_Watched):
    """Without TLS."""


class _SecureConnection(_Watched, HTTPSConnection):
    """With TLS."""


class Pool(HTTPConnectionPool):
    """Connections without TLS."""

    ConnectionCls = _Connection


class SecurePool(HTTPSConnectionPool):
    """Connections with TLS."""

    ConnectionCls = _SecureConnection


#: For `urllib3.PoolManager.pool_classes_by_scheme`.
POOLS = {"http": Pool, "https": SecurePool}
