"""Connections that pass over interim responses: RFC 9110, 15.2 lets any number of them precede an answer."""

from __future__ import annotations

import http.client

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

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


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class Pool(HTTPConnectionPool):
    """Connections without TLS."""

    ConnectionCls = _Connection


class SecurePool(HTTPSConnectionPool):
    """Connections with TLS."""

    ConnectionCls = _SecureConnection


#: For `urllib3.PoolManager.pool_classes_by_scheme`.
POOLS = {"http": Pool, "https": SecurePool}
