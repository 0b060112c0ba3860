"""The way of ``requests`` to a connection, without what it does anew for each request and nobody here looks at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter

from conformance.client.http.interim import POOLS

#: An origin and what is asked for there, in characters that need no look at them.
_PLAIN = re.compile(r"(https?://[A-Za-z0-9.\[\]:-]+)(/[!-~]*)")


class Fields:
    """The fields of a request, in order; names may repeat. It has what ``requests`` and urllib3 ask of a mapping."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        self._fields = list(fields)

    def add(self, name: str, value: str) -> None:
        """Add a field unless there is one of that name."""
        if name not in self:
            self._fields.append((name, value))

    def __contains__(self, name: str) -> bool:
        wanted = name.lower()
        return any(key.lower() == wanted for key, _ in self._fields)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields)

    def items(self) -> list[tuple[str, str]]:
        """Return names and values."""
        return self._fields

    def copy(self) -> Fields:
        """Return fields to which others can be added."""
        return Fields(self._fields)

    def update(self, more: Mapping[str, str]) -> None:
        """Add the fields that a proxy asks for."""
        self._fields += more.items()


class Adapter(HTTPAdapter):
    """Sends by pooled connections, chosen by ``requests``; gives the response of urllib3 as it is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.poolmanager.pool_classes_by_scheme = POOLS
        #: The pools by origin, for as long as the manager of ``requests`` keeps them.
        self._pools: dict[str, Any] = {}
        self._timeout: urllib3.Timeout | None = None

    def send_raw(
        self, request: requests.PreparedRequest, timeout: float, verify: bool | str, proxies: dict[str, str]
    ) -> urllib3.BaseHTTPResponse:
        """Send a request; raises as ``requests`` does."""
        if self._timeout is None or self._timeout.read_timeout != timeout:
            self._timeout = urllib3.Timeout(connect=timeout, read=timeout)
        limit = cast(Any, self._timeout)  # requests takes one, too, whatever its stubs say
        answer: Any = self.send(request, stream=True, timeout=limit, verify=verify, proxies=proxies)
        return cast(urllib3.BaseHTTPResponse, answer)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool of an origin; what ``requests`` once found stays right, as the options are the same."""
        found = _PLAIN.fullmatch(request.url or "")
        if found is None or proxies:
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        pool = self._pools.get(found[1])
        if pool is None or pool.pool is None:  # the manager has closed it for another
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            super().cert_verify(pool, request.url, verify, cert)  # type: ignore[no-untyped-call]  # not in its stubs
            self._pools[found[1]] = pool
        return pool

    def close(self) -> None:
        """Close all connections; urllib3 leaves those of a pool open that somebody still knows."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        super().close()

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Do it once for a pool."""
        if conn not in self._pools.values():
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]  # as above

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return what is asked for, without a fragment and without a question mark that nothing follows."""
        found = None if proxies else _PLAIN.fullmatch(request.url or "")
        if found is None or "#" in found[2] or found[2].endswith("?"):
            return super().request_url(request, proxies)
        return found[2]

    def build_response(self, _req: requests.PreparedRequest, resp: Any) -> Any:
        """Leave the response as it is: what ``requests`` makes of it (cookies, an encoding) is not wanted."""
        return resp
