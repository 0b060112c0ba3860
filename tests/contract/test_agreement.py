"""The compiled plans and openapi-core agree on recorded, broken and random exchanges."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.client.http.exchange import Exchange, Headers, Request, Response
from conformance.contract import Contract, ContractResult

from .samples import DIGEST, ERRORS, MANIFEST, TAGS, recorded, small_document

DOCUMENTS = ("specification", "small")
#: Values of header fields: good ones, nearly good ones, and any text that HTTP can carry.
VALUES = st.sampled_from(
    [
        DIGEST, DIGEST.upper(), "sha256:abc", "/v2/a/blobs/" + DIGEST, "https://h/x?y", "0-0", "bytes=0-9", "0-",
        "bytes 0-1/2", "bytes */3", "registry/2.0", "registry/1.0", "0", "-1", "12", "1e3", " 7", "",
        "Basic realm=\"a\"",
        "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:a:pull\"", "Negotiate", "</x>; rel=\"next\"",
        "<x>;rel=next, <y>; rel=last", "next", "GET, HEAD", "true", "bytes", "artifactType", MANIFEST,
    ]
) | st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=12)  # fmt: skip
TYPES = st.sampled_from(
    [
        "application/json", "Application/JSON; charset=utf-8", "application/octet-stream", "text/html", "", ";", "a=b",
        "application/vnd.oci.image.index.v1+json", MANIFEST, "application/json;;charset", "*/*", "application/*",
    ]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(
    ["", "a", "v1", "-", DIGEST, MANIFEST, "MANIFEST_UNKNOWN", "NOT_REGISTERED", "not a code", "2026-01-01T00:00:00Z"]
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "errors", "code", "message", "detail", "name", "tags", "repositories", "manifests", "schemaVersion",
        "mediaType", "digest", "size", "config", "layers", "annotations", "artifactType", "token", "access_token",
        "expires_in", "issued_at", "extensions", "x",
    ]
)  # fmt: skip
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
SEEDS: list[Any] = [
    ERRORS,
    TAGS,
    {"repositories": ["a", "b/c"]},
    {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []},
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{"mediaType": MANIFEST, "digest": DIGEST, "size": 2, "artifactType": "a/b"}],
    },
    {"token": "t", "access_token": "t", "expires_in": 60, "issued_at": "2026-01-01T00:00:00Z"},
    {"extensions": [{"name": "_oci", "description": "d", "url": "https://a/b"}]},
]


@cache
def contract(name: str) -> Contract:
    return Contract(small_document(), "all") if name == "small" else Contract.load("all")


def disagreements(result: ContractResult) -> list[str]:
    return [note for note in result.unbooked if "openapi-core" in note]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A body of the API with some of its values replaced, removed or added."""
    value = json.loads(json.dumps(draw(st.sampled_from(SEEDS))))
    for _ in range(draw(st.integers(0, 2))):
        node = value
        while isinstance(node, dict | list) and node:
            key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else list(range(len(node)))))
            if not isinstance(node[key], dict | list) or not node[key] or draw(st.booleans()):
                if isinstance(node, dict) and draw(st.booleans()):
                    del node[key]
                else:
                    node[key] = draw(JSON_VALUES)
                break
            node = node[key]
    return value


BODIES = st.one_of(
    mutated().map(lambda value: json.dumps(value).encode()),
    JSON_VALUES.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"", b"null", b" null ", b"{", b"<html>", b"\xff\xfe", b'"\xe9"', b'{"errors": []}x']),
)


@st.composite
def exchanges(draw: st.DrawFn, judge: Contract) -> Exchange:
    """An exchange of some operation of the document, more often than not nearly right."""
    operation = judge.operations[draw(st.sampled_from(sorted(judge.operations)))]
    known = [int(status.replace("XX", "18")) for status in operation.statuses if status != "default"]
    status = draw(st.sampled_from(known) | st.sampled_from([200, 201, 204, 302, 400, 418, 500, 299]))
    plan = operation.response(status)
    fields: list[tuple[str, str]] = []
    for rule in plan.headers if plan else ():
        for value in draw(st.lists(VALUES, min_size=0, max_size=2)):
            fields.append((draw(st.sampled_from([rule.name, rule.name.lower(), rule.name.upper()])), value))
    documented = list((plan.content if plan else None) or ["application/json"])
    sent = draw(st.none() | st.sampled_from(documented) | TYPES)
    if sent is not None:
        fields.append(("Content-Type", sent))
    body = draw(BODIES)
    return Exchange(
        operation=operation.id,
        parameters=draw(st.dictionaries(st.sampled_from(["name", "reference", "digest"]), st.text(max_size=8))),
        request=Request(operation.method.upper(), "http://127.0.0.1/", Headers()),
        response=Response(status, "", Headers(fields), body, len(body)),
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_plans_and_openapi_core_agree_on_random_exchanges(name: str) -> None:
    judge = contract(name)
    found = {"breaches": 0, "none": 0}

    @settings(max_examples=200, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(exchanges(judge))
    def agree(exchange: Exchange) -> None:
        result = judge.check(exchange)
        assert disagreements(result) == []
        found["breaches" if result.breaches else "none"] += 1

    agree()
    assert min(found.values()) > 25, "the exchanges are all of one sort"


def test_plans_and_openapi_core_agree_on_recorded_exchanges() -> None:
    judge = contract("specification")
    for exchange in recorded():
        result = judge.check(exchange)
        assert result.unbooked == (), exchange
        assert result.breaches == (), exchange


def test_plans_and_openapi_core_agree_on_broken_copies_of_recorded_exchanges() -> None:
    judge = contract("specification")
    booked: set[str] = set()
    for exchange in recorded()[::2]:
        for copy in broken(exchange):
            result = judge.check(copy)
            assert disagreements(result) == []
            booked |= {breach.requirement for breach in result.breaches}
    assert len(booked) > 15


def broken(exchange: Exchange) -> list[Exchange]:
    """Copies with one header removed or spoilt, another status, or a body cut short."""
    response = exchange.response
    assert response is not None
    fields = list(response.headers)
    spoilt = [Headers(field for field in fields if field is not gone) for gone in fields]
    spoilt += [Headers((k, "!" if (k, v) == bad else v) for k, v in fields) for bad in fields]
    answers = [Response(response.status, "", headers, response.body, response.size) for headers in spoilt]
    answers += [Response(status, "", response.headers, response.body, response.size) for status in (200, 299, 500)]
    answers += [Response(response.status, "", response.headers, body) for body in (b"", response.body[:-1], b"{}")]
    return [Exchange(exchange.operation, exchange.parameters, exchange.request, answer) for answer in answers]
