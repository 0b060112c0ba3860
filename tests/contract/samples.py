"""Exchanges made by hand, and the small document that they are checked against."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from conformance.client.http.exchange import Exchange, Headers, Request, Response

METHODS = {"get": "GET", "head": "HEAD", "put": "PUT", "delete": "DELETE", "patch": "PATCH", "list": "GET"}
ERRORS: dict[str, Any] = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "no such manifest", "detail": {}}]}
TAGS: dict[str, Any] = {"name": "a/b", "tags": ["latest", "v1"]}
DIGEST = "sha256:" + "0" * 64
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
JSON = ("Content-Type", "application/json")


@cache
def small_document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("small.yaml").read_text(encoding="utf-8"))
    return document


def exchange(
    operation: str,
    status: int,
    *headers: tuple[str, str],
    body: Any = b"",
    streamed: bool = False,
    parameters: dict[str, str] | None = None,
    method: str = "",
) -> Exchange:
    """An exchange of that operation; a body that is no bytes is written as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    method = method or METHODS.get(operation.rpartition(".")[2], "POST")
    return Exchange(
        operation=operation,
        parameters=parameters if parameters is not None else {"name": "a/b", "reference": "latest"},
        request=Request(method, "http://127.0.0.1/v2/", Headers()),
        response=Response(status, "Reason", Headers(headers), content, len(content), streamed=streamed),
    )


def recorded() -> list[Exchange]:
    """What docker-registry 2.8.2 and the reference answered, one of each kind."""
    lines = Path(__file__).with_name("recorded.jsonl").read_text(encoding="utf-8").splitlines()
    return [_from_record(json.loads(line)) for line in lines]


def _from_record(record: dict[str, Any]) -> Exchange:
    body = record["body"].encode("latin-1")
    headers = Headers((name, value) for name, value in record["headers"])
    return Exchange(
        operation=record["operation"],
        parameters=record["parameters"],
        request=Request(record["method"], "http://127.0.0.1/v2/", Headers()),
        response=Response(record["status"], record["reason"], headers, body, len(body)),
    )
