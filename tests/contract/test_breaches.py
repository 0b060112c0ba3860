"""Each departure from the document is booked to the requirement at its place only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.client.http.exchange import Exchange, Headers, Request
from conformance.contract import Contract
from conformance.contract.body import BODY_LIMIT
from conformance.contract.dereference import DocumentError, inline
from conformance.contract.wording import LIMIT

from .samples import DIGEST, ERRORS, JSON, MANIFEST, TAGS, exchange, small_document

LENGTH = ("Content-Length", "20")
TYPE = ("Content-Type", MANIFEST)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(small_document(), oversight="all")


def manifest(*headers: tuple[str, str], body: Any = b'{"schemaVersion": 2}', **more: Any) -> Exchange:
    return exchange("manifest.get", 200, *headers, body=body, **more)


def tags(body: Any, *headers: tuple[str, str], status: int = 200) -> Exchange:
    return exchange("tags.list", status, *(headers or (JSON,)), body=body)


def errors(code: str) -> dict[str, Any]:
    return {"errors": [{"code": "A"}, {"code": code}]}


BREACHES: dict[str, tuple[Exchange, str, str, str]] = {
    "header missing": (
        exchange("manifest.put", 201),
        "MANIFEST-PUT-LOCATION",
        "header Location to have at least 1 characters",
        "absent",
    ),
    "header with syntax missing": (
        exchange("base.get", 401, JSON, body=ERRORS),
        "BASE-CHALLENGE",
        "header WWW-Authenticate to match ^(Basic|Bearer) ",
        "absent",
    ),
    "header of a wrong syntax": (
        exchange("upload.patch", 202, ("Location", "/x"), ("range", "bytes 0-4")),
        "PATCH-RANGE",
        "header Range to match ^(bytes=)?0-[0-9]+$",
        '"bytes 0-4"',
    ),
    "optional header of a wrong value": (
        exchange("base.get", 200, ("Docker-Distribution-Api-Version", "registry/1.0")),
        "BASE-VERSION-HEADER",
        'header Docker-Distribution-API-Version to be "registry/2.0"',
        '"registry/1.0"',
    ),
    "header that is no number": (
        manifest(TYPE, ("Content-Length", "many")),
        "MANIFEST-LENGTH",
        "header Content-Length to be an integer and be at least 1",
        '"many"',
    ),
    "number out of bounds": (
        manifest(TYPE, ("Content-Length", "0")),
        "MANIFEST-LENGTH",
        "header Content-Length to be an integer and be at least 1",
        '"0"',
    ),
    "referenced header, mapped by operation": (
        manifest(TYPE, LENGTH, ("Docker-Content-Digest", "latest")),
        "MANIFEST-DIGEST",
        "header Docker-Content-Digest to match ^[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$",
        '"latest"',
    ),
    "the same header of another operation": (
        exchange("manifest.head", 200, ("Docker-Content-Digest", "latest")),
        "MANIFEST-HEAD-DIGEST",
        "header Docker-Content-Digest to match ^[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$",
        '"latest"',
    ),
    "a form of POST": (exchange("upload.mount", 201), "MOUNT-LOCATION", "header Location", "absent"),
    "another form of POST": (exchange("upload.start-digest", 201), "SINGLE-LOCATION", "header Location", "absent"),
    "Content-Type absent": (
        exchange("manifest.get", 200, LENGTH, streamed=True),
        "MANIFEST-TYPE",
        "header Content-Type to match ^application/",
        "absent",
    ),
    "undocumented success": (
        exchange("manifest.put", 200, ("Location", "/x")),
        "MANIFEST-PUT-201",
        "status 201",
        "status 200 Reason",
    ),
    "undocumented failure": (
        exchange("manifest.put", 500),
        "MANIFEST-PUT-STATUS",
        "status 201 or 4XX",
        "status 500 Reason",
    ),
    "undocumented success of a form of POST": (
        exchange("upload.mount", 200),
        "MOUNT-201",
        "status 201",
        "status 200 Reason",
    ),
    "member missing": (
        tags({"tags": []}),
        "TAGS-NAME",
        'the member "name"',
        "absent (there is tags)",
    ),
    "member of a wrong type": (
        tags({"name": "a", "tags": None}),
        "TAGS-ARRAY",
        "tags to be an array",
        "null",
    ),
    "member twice": (tags({"name": "a", "tags": ["a", "a"]}), "TAGS-ARRAY", "tags to have no item twice", '["a", "a"]'),
    "item of a wrong syntax, by operation": (
        tags({"name": "a", "tags": ["v1", "-"]}),
        "TAGS-TAG",
        "tags[1] to match ^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$",
        '"-"',
    ),
    "body of a wrong type": (tags([1]), "TAGS-BODY", "the body to be an object", "[1]"),
    "body that is no JSON": (tags(b"<html>"), "TAGS-BODY", "a JSON body", 'no JSON: "<html>"'),
    "body of an undocumented type": (
        tags(b"<html>", ("Content-Type", "Text/HTML; charset=utf-8")),
        "TAGS-TYPE",
        "Content-Type application/json",
        "Content-Type Text/HTML; charset=utf-8",
    ),
    "body absent": (tags(b""), "TAGS-TYPE", "a body of type application/json", "an empty body"),
    "body nested in references": (
        tags(errors("not a code"), status=404),
        "ERRORS-CODE",
        "errors[1].code to match ^[A-Z_]+$",
        '"not a code"',
    ),
    "nearest requirement above the breach": (
        tags({"errors": []}, status=404),
        "ERRORS-FORM",
        "errors to have at least 1 items",
        "[]",
    ),
    "member missing in a nested object": (
        exchange("manifest.put", 400, JSON, body={"errors": [{"message": "m"}]}),
        "ERRORS-CODE",
        'the member "code" in errors[0]',
        "absent (there is message)",
    ),
}


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_booked_to_the_requirement_at_its_place(contract: Contract, name: str) -> None:
    given, requirement, expected, actual = BREACHES[name]
    result = contract.check(given)
    assert [(b.requirement, b.expected, b.actual) for b in result.breaches] == [(requirement, expected, actual)]
    assert requirement in result.exercised
    assert result.unbooked == ()
    assert given.operation in result.breaches[0].place


HELD: dict[str, tuple[Exchange, set[str]]] = {
    "status and optional header": (exchange("base.get", 200), {"BASE-200", "BASE-STATUS"}),
    "header in another case": (
        exchange("base.get", 200, ("DOCKER-distribution-api-version", "registry/2.0")),
        {"BASE-200", "BASE-STATUS", "BASE-VERSION-HEADER"},
    ),
    "one of two challenges": (
        exchange(
            "base.get", 401, ("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "Basic r=1"), JSON, body=ERRORS
        ),
        {"BASE-CHALLENGE", "ERRORS-FORM", "ERRORS-CODE"},
    ),
    "media type with parameters": (
        tags(TAGS, ("content-type", 'Application/JSON; charset="utf-8";')),
        {"TAGS-200", "TAGS-TYPE", "TAGS-BODY", "TAGS-NAME", "TAGS-ARRAY", "TAGS-TAG"},
    ),
    "no items, so nothing of them": (
        tags({"name": "a", "tags": []}),
        {"TAGS-200", "TAGS-TYPE", "TAGS-BODY", "TAGS-NAME", "TAGS-ARRAY"},
    ),
    "vendor type of JSON": (manifest(TYPE, LENGTH), {"MANIFEST-200", "MANIFEST-TYPE", "MANIFEST-LENGTH"}),
    "type in a range": (
        manifest(("Content-Type", "application/x"), LENGTH, body=b"\xff"),
        {"MANIFEST-200", "MANIFEST-TYPE", "MANIFEST-LENGTH"},
    ),
    "HEAD has no body": (exchange("manifest.head", 200, JSON, LENGTH), set()),
    "status without a requirement for this form": (
        exchange("upload.mount", 202, ("Location", "/x")),
        {"START-LOCATION"},
    ),
    "a refusal says nothing of the operation's own requirement": (
        exchange("manifest.put", 418, JSON, body=ERRORS),
        {"ERRORS-FORM", "ERRORS-CODE"},
    ),
    "a name that looks like a path": (
        exchange("tags.list", 200, JSON, body=TAGS, parameters={"name": "v2/../blobs/uploads/%2F?x#y{name}"}),
        {"TAGS-200", "TAGS-TYPE", "TAGS-BODY", "TAGS-NAME", "TAGS-ARRAY", "TAGS-TAG"},
    ),
    "an opaque upload location": (
        exchange("upload.patch", 202, ("Location", "https://other/x?y"), ("Range", "0-4"), parameters={"name": "a"}),
        {"PATCH-RANGE"},
    ),
}


@pytest.mark.parametrize("name", HELD)
def test_what_the_document_allows_is_no_breach(contract: Contract, name: str) -> None:
    given, exercised = HELD[name]
    result = contract.check(given)
    assert (result.breaches, result.unbooked) == ((), ())
    assert result.exercised == exercised


UNBOOKED: dict[str, tuple[Exchange, str]] = {
    "refusal without words": (tags(b"", status=404), "expected a body of type application/json, got an empty body"),
    "refusal in HTML": (
        tags(b"<html>", ("Content-Type", "text/html"), status=404),
        "expected Content-Type application/json, got Content-Type text/html",
    ),
    "refusal without a type": (
        exchange("tags.list", 404, body=ERRORS),
        "expected Content-Type application/json, got no Content-Type",
    ),
    "manifest": (
        manifest(TYPE, LENGTH, body={"schemaVersion": 1}),
        "expected schemaVersion to be 2, got 1",
    ),
    "status": (exchange("tags.list", 500), "tags.list, status: expected status 200 or 404, got status 500 Reason"),
    "header": (
        exchange("upload.patch", 202, ("Range", "0-4")),
        "upload.patch, status 202, header Location: expected header Location, got absent",
    ),
}


@pytest.mark.parametrize("name", UNBOOKED)
def test_a_breach_without_a_requirement_is_noted_and_not_booked(contract: Contract, name: str) -> None:
    given, text = UNBOOKED[name]
    result = contract.check(given)
    assert result.breaches == ()
    assert len(result.unbooked) == 1
    assert text in result.unbooked[0]


def test_an_exchange_without_operation_or_response_is_not_checked(contract: Contract) -> None:
    redirected = exchange("", 200)
    broken = Exchange("tags.list", {}, Request("GET", "http://127.0.0.1/", Headers()), None, error="closed")
    probing = exchange("base.get", 405, method="POST")
    for given in (redirected, broken, probing):
        assert contract.check(given) == contract.check(redirected)
        assert not contract.check(given).exercised


@pytest.mark.parametrize(("query", "says"), [("service=r&scope=s", True), ("service=r", False)])
def test_an_answer_to_less_than_a_statement_is_about_is_not_checked(query: str, says: bool) -> None:
    asked = Request("GET", f"http://target/token?{query}", Headers())
    answered = Exchange("token.get", {}, asked, exchange("token.get", 201, JSON, body={}).response)
    assert bool(Contract.load().check(answered).breaches) is says


def test_an_unknown_operation_is_noted(contract: Contract) -> None:
    assert contract.check(exchange("base.dance", 200)).unbooked == ("the document has no operation base.dance",)


@pytest.mark.parametrize("why", ["streamed", "large", "encoded"])
def test_a_body_that_is_not_there_as_it_is_goes_unchecked(contract: Contract, why: str) -> None:
    body = b'"' + b"a" * BODY_LIMIT + b'"' if why == "large" else b"[]"
    encoding = (("Content-Encoding", "gzip"),) if why == "encoded" else ()
    result = contract.check(exchange("tags.list", 200, JSON, *encoding, body=body, streamed=why == "streamed"))
    assert (result.breaches, result.unbooked) == ((), ())
    assert result.exercised == {"TAGS-200"}


def test_one_requirement_is_broken_once_in_an_exchange(contract: Contract) -> None:
    result = contract.check(tags({"errors": [{"code": "a"}, {"code": "b"}, {}]}, status=404))
    assert [b.requirement for b in result.breaches] == ["ERRORS-CODE"]


def test_several_requirements_may_be_broken_at_once(contract: Contract) -> None:
    result = contract.check(tags({"name": 1, "tags": ["-"]}, JSON, ("Link", "next")))
    assert {b.requirement for b in result.breaches} == {"TAGS-NAME", "TAGS-TAG", "TAGS-LINK"}
    assert result.exercised >= {"TAGS-200", "TAGS-BODY", "TAGS-ARRAY"}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x" * 5000, "tags": "y" * 5000},
        {"name": {"k" * 300: [1] * 999}, "tags": {str(i): i for i in range(999)}},
        {"z" * 900: 1, **{str(i): 0 for i in range(99)}},
        b"{" + b"\xff" * 5000,
        b"[" * 100_000,
        b'{"name": "\\ud800", "tags": [NaN, 1e999, 123456789012345678901234567890]}',
    ],
)
def test_texts_are_bounded_and_plain(contract: Contract, body: Any) -> None:
    result = contract.check(tags(body, JSON, ("Link", "l" * 9000)))
    assert result.breaches
    for breach in result.breaches:
        for text in (breach.expected, breach.actual, breach.place):
            assert 0 < len(text) <= LIMIT + 100
            assert "object at 0x" not in text
            assert "ValidationError" not in text
    json.dumps([b.actual for b in result.breaches])


def test_openapi_core_is_not_imported_for_what_conforms() -> None:
    contract = Contract(small_document())
    assert contract.check(exchange("base.get", 200)).breaches == ()
    assert contract._judge is None
    assert contract.check(manifest(TYPE, LENGTH, ("Docker-Content-Digest", DIGEST))).breaches == ()
    assert contract._judge is None
    assert contract.check(exchange("upload.start", 202)).breaches
    assert contract._judge is not None


def test_every_response_of_the_specification_compiles() -> None:
    for operation in Contract.load().operations.values():
        for status in operation.statuses:
            plan = operation.response(int(status.replace("XX", "99")) if status != "default" else 999)
            assert plan is not None
            for rule in (plan.content or {}).values():
                rule.validator.is_valid({})


def test_a_schema_that_refers_to_itself_is_refused() -> None:
    loop = {"components": {"schemas": {"a": {"items": {"$ref": "#/components/schemas/a"}}}}}
    with pytest.raises(DocumentError, match="refers to itself"):
        inline(loop, {"$ref": "#/components/schemas/a"})
