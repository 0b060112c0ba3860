"""What the server writes about itself and about requests."""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import sys
import time
from collections.abc import Mapping
from typing import TextIO

from reference.messages import Request, Response

TEXT = "%(asctime)s %(levelname)s %(message)s"
_PLACE = "%(filename)s:%(lineno)d "


class _Text(logging.Formatter):
    def __init__(self, fields: Mapping[str, str], places: bool) -> None:
        more = "".join(f" {name}={value}" for name, value in fields.items()).replace("%", "%%")
        super().__init__(TEXT.replace("%(message)", f"{_PLACE if places else ''}%(message)") + more)


class _Json(logging.Formatter):
    """An object a line; logstash has other names for the time and the message than json."""

    def __init__(self, fields: Mapping[str, str], places: bool, logstash: bool) -> None:
        super().__init__()
        self._more: dict[str, object] = {**({"@version": 1} if logstash else {}), **fields}
        self._time, self._message = ("@timestamp", "message") if logstash else ("time", "msg")
        self._places = places

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        when = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat()
        entry = {**self._more, self._time: when, "level": record.levelname.lower(), self._message: record.getMessage()}
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        if self._places:
            entry["file"] = f"{record.filename}:{record.lineno}"
        return json.dumps(entry)


def set_up(formatter: str, fields: Mapping[str, str], places: bool) -> None:
    """Write the log in one of the forms text, json and logstash, with fields in each entry, and places in the code."""
    form = _Text(fields, places) if formatter == "text" else _Json(fields, places, formatter == "logstash")
    for handler in logging.getLogger().handlers:
        handler.setFormatter(form)


class AccessLog:
    """A line for each answered request, in the combined format of web servers, with seconds and the request's id."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._second = -1
        self._stamp = ""

    def tell(self, request: Request, response: Response) -> None:
        """Write the line of a request."""
        client = request.address.rpartition(":")[0] or "-"
        size = 0 if request.method == "HEAD" else response.length
        agent, referer = (_quoted(request.headers.get(name)) for name in ("user-agent", "referer"))
        query = f"?{request.query.raw}" if request.query.raw else ""
        target = _quoted(request.path + query)
        line = (
            f'{client} - {_quoted(request.user) or "-"} [{self._now()}] "{request.method} {target} HTTP/1.1" '
            f'{response.status} {size} "{referer}" "{agent}" {time.monotonic() - request.began:.3f} {request.id}\n'
        )
        # Whoever read it may be gone; the requests go on.
        with contextlib.suppress(OSError):
            self._stream.write(line)
            self._stream.flush()

    def _now(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._stamp = datetime.datetime.fromtimestamp(second, datetime.UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
        return self._stamp


def _quoted(value: str) -> str:
    """A value that can neither end its field nor its line."""
    plain = value.isprintable() and value.isascii() and '"' not in value and "\\" not in value
    return value if plain else json.dumps(value)[1:-1]
