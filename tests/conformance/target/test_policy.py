"""What has the form of a refusal by policy, and what of a manifest is unusual enough to be refused by one."""

from __future__ import annotations

import json

import pytest

from conformance.client.http.exchange import Headers, Response
from conformance.client.registry import OCI_INDEX
from conformance.target.content import OCI_CONFIG, OCI_LAYER, image, index
from conformance.target.policy import _unusual_types, is_denied, is_immutable, may_be


def _answer(status: int, *codes: str) -> Response:
    body = json.dumps({"errors": [{"code": code} for code in codes]}).encode() if codes else b""
    return Response(status, "", Headers(), body)


@pytest.mark.parametrize(
    ("answer", "policy", "denied", "immutable"),
    [
        (_answer(403), True, True, True),
        (_answer(405, "UNSUPPORTED"), True, False, True),
        (_answer(409), True, False, True),
        (_answer(409, "DENIED"), True, True, True),
        (_answer(429), True, False, True),
        (_answer(413), True, False, True),
        (_answer(400, "MANIFEST_INVALID"), False, False, True),
        (_answer(400, "DENIED"), True, True, True),
        (_answer(404, "DENIED"), False, False, False),
        (_answer(415), False, False, False),
        (_answer(416), False, False, False),
        (_answer(500, "DENIED"), False, False, False),
        (_answer(503), False, False, False),
        (_answer(201), False, False, False),
    ],
)
def test_forms(answer: Response, policy: bool, denied: bool, immutable: bool) -> None:
    """A 4xx of some statuses or codes may be a policy; a 404 and a 5xx never are."""
    assert (may_be(answer), is_denied(answer), is_immutable(answer)) == (policy, denied, immutable)


def test_types_that_are_not_of_an_image() -> None:
    """Types of configuration, layers and artifact count, a subject and annotations do not."""
    config, layer = {"mediaType": OCI_CONFIG, "digest": "", "size": 1}, {"mediaType": OCI_LAYER}
    plain = image(config, [layer], subject=config, annotations={"a": "b"})
    assert _unusual_types(json.dumps(plain).encode()) == {}
    odd = image({"mediaType": "text/x"}, [layer, {"mediaType": "text/y"}], artifactType="text/z")
    wanted = {"artifactType": "text/z", "config_type": "text/x", "layer_type": "text/y"}
    assert _unusual_types(json.dumps(odd).encode()) == wanted
    assert _unusual_types(json.dumps(index([layer])).encode()) == {}
    listed = index([layer], artifactType="text/z")
    assert listed["mediaType"] == OCI_INDEX
    assert _unusual_types(json.dumps(listed).encode()) == {"artifactType": "text/z", "index": True}
    assert _unusual_types(b"[") == _unusual_types(b"[]") == _unusual_types(None) == {}
