"""The real specification: it loads, is valid, and its schemas tell good bodies from bad ones."""

from __future__ import annotations

import time
from typing import Any

import jsonschema_rs
import pytest
from openapi_core import OpenAPI

from spec import catalogue, document
from spec.catalogue import UnknownIdError
from spec.check import check

DIGEST = f"sha256:{'a' * 64}"
DESCRIPTOR = {"mediaType": "application/octet-stream", "digest": DIGEST, "size": 3}
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": DIGEST, "size": 2}
IMAGE = {"schemaVersion": 2, "config": CONFIG, "layers": [DESCRIPTOR]}
INDEX: dict[str, Any] = {"schemaVersion": 2, "manifests": [DESCRIPTOR]}
DOCKER_IMAGE = {**IMAGE, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}
PLATFORM = {"architecture": "amd64", "os": "linux"}
DOCKER_LIST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
    "manifests": [{**DESCRIPTOR, "platform": PLATFORM}],
}
EVENT = {"id": "1", "timestamp": "2026-07-01T12:00:00.123456789Z", "action": "push", "target": {"repository": "a/b"}}


def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    bundled = document.load()
    reference = {"$ref": f"#/components/schemas/{name}", "components": bundled["components"]}
    return jsonschema_rs.Draft202012Validator(reference)


def test_real_tree_has_no_problem() -> None:
    assert [str(problem) for problem in check().problems] == []


def test_catalogue_loads_fast_and_once() -> None:
    started = time.perf_counter()
    known = catalogue.load()
    assert time.perf_counter() - started < 3
    assert catalogue.load() is known
    assert set(known.profiles) == {"docker-v2", "oci-1.0", "oci-1.1", "oci-1.2-dev"}
    assert all(requirement.line > 0 for requirement in known)


def test_presumed_requirements_are_followed() -> None:
    known = catalogue.load()
    assert "PUSH-PATCH-STATUS-202" in known.presumes("PUSH-PATCH-RANGE-SYNTAX")
    with pytest.raises(UnknownIdError, match="did you mean PUSH-PATCH-RANGE"):
        known.requirement("PUSH-PATCH-RANG")


def test_openapi_core_takes_the_document() -> None:
    OpenAPI.from_dict(document.load())


def test_every_operation_has_an_id_and_the_forms_of_upload_start_are_three() -> None:
    operations = {operation.id: operation for operation in document.operations(document.load())}
    assert operations["upload.start"].ids == ("upload.start", "upload.start-digest", "upload.mount")
    assert operations["notification.post"].webhook
    for operation in operations.values():
        assert {key[0] for key in operation.node["responses"]} >= {"2", "4", "5"}


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ("errors", {"errors": [{"code": "NAME_UNKNOWN"}]}),
        ("errors", {"errors": [{"code": "RANGE_INVALID", "message": "", "detail": None, "more": 1}], "more": 1}),
        ("tag-list", {"name": "a/b", "tags": ["1", "latest"], "more": True}),
        ("tag-list", {"name": "a/b", "tags": []}),
        ("catalog", {"repositories": []}),
        ("extensions", {"extensions": [{"name": "_oci", "url": "https://example.org"}]}),
        ("oci-image-manifest", IMAGE),
        ("oci-image-manifest", {**IMAGE, "layers": [], "annotations": {"a": "b"}, "subject": DESCRIPTOR}),
        ("oci-image-index", INDEX),
        ("oci-image-index", {**INDEX, "manifests": []}),
        ("docker-manifest", DOCKER_IMAGE),
        ("docker-manifest-list", DOCKER_LIST),
        ("referrers", {"schemaVersion": 2, "manifests": []}),
        ("referrers", {**INDEX, "mediaType": "application/vnd.oci.image.index.v1+json"}),
        ("token", {"token": "x"}),
        ("token", {"access_token": "x", "expires_in": 60, "issued_at": "2026-07-01T12:00:00Z"}),
        ("oauth-token", {"access_token": "x", "scope": ""}),
        ("notification", {"events": [EVENT]}),
    ],
)
def test_schema_takes_a_good_body(schema: str, body: Any) -> None:
    validator(schema).validate(body)


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ("errors", []),
        ("errors", {"errors": []}),
        ("errors", {"errors": [{"message": "no code"}]}),
        ("errors", {"errors": [{"code": "not_found"}]}),
        ("errors", {"errors": [{"code": "NOT_FOUND"}]}),
        ("errors", {"errors": [{"code": "DENIED", "message": 1}]}),
        ("tag-list", {"tags": ["1"]}),
        ("tag-list", {"name": "a"}),
        ("tag-list", {"name": "a", "tags": ["1", "1"]}),
        ("tag-list", {"name": "a", "tags": [1]}),
        ("catalog", {"repositories": None}),
        ("extensions", {"extensions": [{"name": "_oci"}]}),
        ("oci-image-manifest", {**IMAGE, "schemaVersion": 1}),
        ("oci-image-manifest", {**IMAGE, "config": {**CONFIG, "digest": "sha256:abc"}}),
        ("oci-image-manifest", {**IMAGE, "config": {**CONFIG, "mediaType": "application/vnd.oci.empty.v1+json"}}),
        ("oci-image-manifest", {**IMAGE, "annotations": {"a": 1}}),
        ("oci-image-index", {"schemaVersion": 2}),
        ("oci-image-index", {**INDEX, "manifests": [{**DESCRIPTOR, "size": -1}]}),
        ("docker-manifest", IMAGE),
        ("docker-manifest-list", {**DOCKER_LIST, "manifests": [DESCRIPTOR]}),
        ("referrers", {"schemaVersion": 2, "manifests": None}),
        ("referrers", {"schemaVersion": 2, "manifests": [{"digest": DIGEST}]}),
        ("token", {}),
        ("token", {"token": "x", "expires_in": 30}),
        ("token", {"token": "x", "issued_at": "yesterday"}),
        ("oauth-token", {"access_token": "x"}),
        ("notification", {"events": []}),
        ("notification", {"events": [{**EVENT, "timestamp": "12:00"}]}),
    ],
)
def test_schema_refuses_a_bad_body(schema: str, body: Any) -> None:
    assert not validator(schema).is_valid(body)


@pytest.mark.parametrize(
    ("schema", "value", "good"),
    [
        ("challenge-header", 'Bearer realm="https://a/token",service="r",scope="repository:a/b:pull,push"', True),
        ("challenge-header", 'Basic realm="x", Bearer realm="y", service=z', True),
        ("challenge-header", "Negotiate", True),
        ("challenge-header", "Bearer realm=https://a/token", False),
        ("challenge-header", 'Bearer realm="https://a/token', False),
        ("link-header", '</v2/a/tags/list?n=1&last=b>; rel="next"', True),
        ("link-header", '<a>;rel=next;title="x, y", <b>; rel=prev', True),
        ("link-header", "/v2/a/tags/list; rel=next", False),
        ("digest-header", DIGEST, True),
        ("digest-header", f"sha512:{'0' * 128}", True),
        ("digest-header", "blake3:abc", True),
        ("digest-header", "sha256:abc", False),
        ("digest-header", f"{DIGEST}, {DIGEST}", False),
    ],
)
def test_header_syntax(schema: str, value: str, good: bool) -> None:
    assert validator(schema).is_valid(value) is good


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ('299 - "deprecated"', True),
        ('299 - "a \\" b", 299 - "c"', True),
        ('110 cache "stale" "Sun, 06 Nov 1994 08:49:37 GMT"', True),
        ('299 - "dated" "Sun, 06 Nov 1994 08:49:37 GMT"', False),
        ('299 registry "named"', False),
    ],
)
def test_warning_syntax(value: str, good: bool) -> None:
    schema = document.load()["components"]["headers"]["warning"]["schema"]
    assert jsonschema_rs.Draft202012Validator(schema).is_valid(value) is good
