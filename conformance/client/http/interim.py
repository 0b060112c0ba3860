"""Connections that pass over interim responses, and have a limit on the time of a whole answer.

RFC 9110, 15.2 lets any number of interim responses precede an answer.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
from collections import deque
from typing import Any, BinaryIO

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from conformance.client.http.watchdog import WATCHDOG

#: No server has that many things to say before its answer.
_MOST = 100
#: Bytes of a line of a head, and lines, up to which the standard library reads them.
_LINE, _FIELDS = 65536, 100
#: Bytes of the line that ends a head.
_EMPTY = 2
#: The first line of a final answer: version, status, reason.
_FINAL = rb"HTTP/1\.([01]) ([2-9]\d\d)(?: ([ -~]*))?\r\n"
_STATUS = re.compile(_FINAL)
#: The whole head of one, with fields of one line each.
_PLAIN = re.compile(_FINAL + rb"((?:[!-9;-~]+:[^\r\n]*\r\n)*)\r\n")
#: A field of a request that may go out as it is; urllib3 begins with @ what it leaves out.
_FIELD = re.compile(r"[!-9;-~]+: (?!@)[ -~]*")
#: Bytes of a body that go out together with its head.
_TOGETHER = 64 * 1024
_BODILESS = frozenset({http.HTTPStatus.NO_CONTENT, http.HTTPStatus.NOT_MODIFIED})


class _Lines:
    """Lines of a head: the standard library takes the end of a connection for the end of the head."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._begun = False
        #: Lines that were read and looked at, and are to be read again.
        self._again: deque[bytes] = deque()

    def readline(self, limit: int = -1) -> bytes:
        """Read a line; raises IncompleteRead where the head ends before its last one."""
        line = self._again.popleft() if self._again else self._source.readline(limit)
        if not line.endswith(b"\n") and len(line) != limit and (line or self._begun):
            raise http.client.IncompleteRead(line)
        self._begun = True
        return line

    def plain(self) -> re.Match[bytes] | None:
        """Read a whole head, and return it where it is one of those that nearly all are.

        Otherwise its lines, or what came of them, can be read again.
        """
        lines = [self._source.readline(_LINE + 1)]
        status = _STATUS.fullmatch(lines[0])
        while status and _EMPTY < len(lines[-1]) <= _LINE and len(lines) <= _FIELDS:
            lines.append(self._source.readline(_LINE + 1))
        found = _PLAIN.fullmatch(b"".join(lines)) if status else None
        if found is None:
            self._again.extend(lines)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class _Response(http.client.HTTPResponse):
    """The standard library passes over 100 alone, and takes 102 or 103 for the answer."""

    def begin(self) -> None:
        """Read the head; raises IncompleteRead where the connection ends before it does."""
        source = self.fp
        lines = _Lines(source)
        if (head := lines.plain()) is not None:
            self._take(head)
            return
        self.fp = lines  # type: ignore[assignment]  # it has all that is read of it here
        try:
            super().begin()
        finally:
            if isinstance(self.fp, _Lines):
                self.fp = source

    def _take(self, head: re.Match[bytes]) -> None:
        """Do what the standard library does with a head, without its parser of mails."""
        self.version = 10 + int(head[1])
        self.code = self.status = int(head[2])
        self.reason = (head[3] or b"").decode("ascii").strip()
        self.headers = self.msg = http.client.HTTPMessage()
        first: dict[str, str] = {}
        for line in head[4].decode("iso-8859-1").split("\r\n")[:-1]:
            name, _, value = line.partition(":")
            value = value.lstrip(" \t")
            self.headers.set_raw(name, value)
            first.setdefault(name.lower(), value)
        self.chunked = first.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        kept_open = self.version == 11 and "close" not in first.get("connection", "").lower()
        self.will_close = not kept_open and self._check_close()  # type: ignore[attr-defined]  # not in its stubs
        self.length = None
        if not self.chunked:
            with contextlib.suppress(ValueError):
                length = int(first.get("content-length") or "none")
                self.length = length if length >= 0 else None
        if self.status in _BODILESS or self._method == "HEAD":  # type: ignore[attr-defined]  # as above
            self.length = 0
        # Without a length, the answer ends with its connection.
        self.will_close = self.will_close or (not self.chunked and self.length is None)

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
    #: The pieces of a request that go out together; ``None`` where each goes out at once.
    _pieces: list[bytes] | None = None

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> None:
        """Send a request, which is taken before the time-out or breaks off; each piece of it has one of its own."""
        if self.sock is None:
            self.connect()
        seconds = self.timeout
        if self.sock is None or not isinstance(seconds, int | float):
            super().request(method, url, body, headers, **options)
            return
        limit = WATCHDOG.limit(self.sock, seconds)
        try:
            if body is None or (isinstance(body, bytes) and len(body) <= _TOGETHER):
                self._pieces = []
            super().request(method, url, body, headers, **options)
            if self._pieces:
                self.sock.sendall(b"".join(self._pieces))
        except OSError:
            if limit.passed:
                raise TimeoutError("timed out") from None
            raise
        finally:
            self._pieces = None
            limit.lift()

    def send(self, data: Any) -> None:
        """Send a piece of a request, or keep it for the rest."""
        if self._pieces is None:
            super().send(data)
        else:
            self._pieces.append(data)

    def putheader(self, header: Any, *values: Any) -> None:
        """Add a field; nearly all are of signs that need no second look."""
        texts = isinstance(header, str) and len(values) == 1 and isinstance(values[0], str)
        if texts and _FIELD.fullmatch(line := f"{header}: {values[0]}"):
            self._output(line.encode("ascii"))  # type: ignore[attr-defined]  # not in its stubs
        else:
            super().putheader(header, *values)

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


class _AsItStands(HTTPConnectionPool):
    """Asks for what it is told: urllib3 writes percent-encoded octets in capitals."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._asked = threading.local()

    def urlopen(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        """Send a request for a path, and remember that."""
        self._asked.url = url
        return super().urlopen(method, url, *arguments, **options)

    def _make_request(self, conn: Any, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        asked = getattr(self._asked, "url", url)
        same = asked.upper() == url.upper()
        return super()._make_request(conn, method, asked if same else url, *arguments, **options)


class Pool(_AsItStands):
    """Connections without TLS."""

    ConnectionCls = _Connection


class SecurePool(_AsItStands, HTTPSConnectionPool):
    """Connections with TLS."""

    ConnectionCls = _SecureConnection


#: For `urllib3.PoolManager.pool_classes_by_scheme`.
POOLS = {"http": Pool, "https": SecurePool}
