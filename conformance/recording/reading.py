"""Read a recording: its exchanges, one after the other, as they were when they were checked."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.client.http.exchange import Exchange, Headers, Request, Response

#: Stands for a body that was kept by its digest: that there is one is all that is asked of it.
_SOMETHING = b"\0"


class RecordingError(ValueError):
    """A recording that cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange of a recording, the scenario that sent it, and what the contract found in it then."""

    exchange: Exchange
    scenario: str
    exercised: frozenset[str]
    breaches: Mapping[str, str]


def entries(path: Path) -> Iterator[Recorded]:
    """Give the exchanges of a recording in their order.

    Raises:
        RecordingError: it cannot be read, or is none of ours.
    """
    try:
        data = path.read_bytes()
        document = json.loads(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)
        found = document["log"]["entries"]
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile, RecursionError) as error:
        raise RecordingError(f"{path} is no recording: {error}") from None
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from None
    except (KeyError, TypeError):
        raise RecordingError(f"{path} is no recording: it has no log.entries") from None
    for number, one in enumerate(found):
        try:
            yield _recorded(one)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            told = f"entry {number} was not made by this suite ({type(error).__name__}: {error})"
            raise RecordingError(f"{path} is no recording of a run: {told}") from None


def _recorded(one: Mapping[str, Any]) -> Recorded:
    sent = one["request"]
    headers = Headers((field["name"], field["value"]) for field in sent["headers"])
    body = _body(sent["postData"]) if "postData" in sent else None
    exchange = Exchange(
        operation=one["_operation"],
        parameters=dict(one["_parameters"]),
        request=Request(sent["method"], sent["url"], headers, body, sent["bodySize"]),
        response=_response(one["response"]) if one["response"]["status"] else None,
        error=one["_error"],
        elapsed_ms=one["time"],
    )
    return Recorded(exchange, one["_scenario"], frozenset(one["_exercised"]), dict(one["_breaches"]))


def _response(came: Mapping[str, Any]) -> Response:
    content = came["content"]
    headers = Headers((field["name"], field["value"]) for field in came["headers"])
    response = Response(came["status"], came["statusText"], headers)
    if content.get("_streamed"):
        response.streamed, response.size, response.digest = True, content["size"], content["_digest"]
    else:
        response.body, response.digest = _body(content) or b"", content.get("_digest", "")
    return response


def _body(content: Mapping[str, Any]) -> bytes | None:
    if "_digest" in content:
        return _SOMETHING
    text = content.get("text")
    if text is None:
        return None
    return base64.b64decode(text) if content.get("encoding") == "base64" else str(text).encode("utf-8")
