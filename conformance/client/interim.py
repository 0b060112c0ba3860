"""Connections that pass over interim responses, and have a limit on the time of a whole answer.

RFC 9110, 15.2 lets any number of interim responses precede an answer.
"""

from __future__ import annotations

import http.client

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .watchdog import WATCHDOG

#: No server has that many things to say before its answer.
_MOST = 100


class _Response(http.client.HTTPResponse):
    """The standard library passes over 100 alone, and takes 102 or 103 for the answer."""

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
