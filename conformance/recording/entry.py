"""One exchange as an entry of HAR 1.2: http://www.softwareishard.com/blog/har-12-spec/."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conformance.client.http.exchange import Exchange, Response
from conformance.client.redaction import Redactor
from conformance.contract import ContractResult

#: Longer bodies are kept by digest and length. JSON is kept as far as the contract looks at it.
BODY_LIMIT, JSON_LIMIT = 1024, 1024 * 1024
_NONE = -1


def moment(seconds: float) -> str:
    """Return a Unix time as HAR has it."""
    told = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    return told.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def entry(
    exchange: Exchange, redactor: Redactor, scenario: str, judged: Mapping[str, str], checked: ContractResult
) -> dict[str, Any]:
    """Return an exchange as an entry, credentials removed as in a report.

    ``judged`` has the outcome of each requirement whose judgement it is evidence of, ``checked`` what the contract
    found in it.
    """
    response = exchange.response
    breaches = {breach.requirement: f"expected {breach.expected}, but {breach.actual}" for breach in checked.breaches}
    made: dict[str, Any] = {
        "pageref": scenario,
        "startedDateTime": moment(exchange.started_at),
        "time": round(exchange.elapsed_ms, 1),
        "request": _request(exchange, redactor),
        "response": _response(response, redactor) if response is not None else _no_response(),
        "cache": {},
        "timings": {"send": 0, "wait": round(exchange.elapsed_ms, 1), "receive": 0},
        "_scenario": scenario,
        "_operation": exchange.operation,
        "_parameters": redactor.scrub(dict(exchange.parameters)),
        "_error": redactor.clean(exchange.error) if exchange.error else None,
        "_judgements": dict(judged),
        "_exercised": sorted(checked.exercised),
        "_breaches": redactor.scrub(breaches),
    }
    return made


def _request(exchange: Exchange, redactor: Redactor) -> dict[str, Any]:
    request = exchange.request
    url = redactor.sent(request.url)
    made: dict[str, Any] = {
        "method": request.method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": name, "value": redactor.field(name, value)} for name, value in request.headers],
        "queryString": [{"name": n, "value": v} for n, v in parse_qsl(urlsplit(url).query, keep_blank_values=True)],
        "headersSize": _NONE,
        "bodySize": request.size,
    }
    if request.body:
        media_type = (request.headers.get("Content-Type") or "").split(";")[0].strip().lower()
        made["postData"] = {
            "mimeType": request.headers.get("Content-Type") or "application/octet-stream",
            "params": [],
            **_body(request.body, media_type, redactor),
        }
    return made


def _response(response: Response, redactor: Redactor) -> dict[str, Any]:
    headers = [{"name": n, "value": redactor.header(n, v)} for n, v in response.headers]
    content: dict[str, Any] = {"size": len(response.body), "mimeType": response.header("Content-Type") or ""}
    if response.streamed:
        content |= {"size": response.size, "_digest": response.digest, "_streamed": True}
    elif response.body:
        content |= _body(response.body, response.media_type, redactor)
    return {
        "status": response.status,
        "statusText": response.reason,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers,
        "content": content,
        "redirectURL": redactor.clean(response.header("Location") or ""),
        "headersSize": _NONE,
        "bodySize": content["size"],
    }


def _no_response() -> dict[str, Any]:
    """Return what HAR has where no answer came: status 0."""
    return {
        "status": 0,
        "statusText": "",
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": ""},
        "redirectURL": "",
        "headersSize": _NONE,
        "bodySize": _NONE,
    }


def _body(body: bytes, media_type: str, redactor: Redactor) -> dict[str, Any]:
    json = media_type.endswith(("/json", "+json"))
    if len(body) > (JSON_LIMIT if json else BODY_LIMIT):
        return {"_digest": "sha256:" + hashlib.sha256(body).hexdigest(), "_size": len(body)}
    try:
        return {"text": redactor.clean(body.decode("utf-8"))}
    except UnicodeDecodeError:
        cleaned = redactor.scrub({"base64": base64.b64encode(body).decode("ascii")})
        return {"text": cleaned["base64"], "encoding": "base64"}
