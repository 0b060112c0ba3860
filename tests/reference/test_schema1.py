"""Signed manifests of schema 1: what the suite signs the reference verifies, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from conformance.target.content import Blob, Maker, digest_of
from conformance.target.schema1 import signed_image, signed_text
from reference import schema1
from reference.documents import SIGNED, read
from reference.errors import RegistryError


def _signed() -> bytes:
    return signed_image(Maker("schema1"), "a/b", "t", [Blob.of(b"layer")]).body


def _changed(change: Callable[[dict[str, object]], object]) -> bytes:
    """The signatures of one text around another."""
    whole = _signed()
    document = json.loads(whole)
    change(document["signatures"][0])
    head = whole[: whole.index(b',\n   "signatures"')]
    return head + b',\n   "signatures": ' + json.dumps(document["signatures"]).encode() + b"\n}"


def test_what_was_signed_is_found() -> None:
    """The text within the signatures is that which was signed; its digest is the manifest's."""
    manifest = signed_image(Maker("schema1"), "a/b", "t", [Blob.of(b"layer")])
    text = schema1.payload(manifest.body)
    assert text == signed_text(manifest.body)
    assert digest_of(text) == manifest.digest
    assert json.loads(text)["name"] == "a/b"
    assert read(manifest.body, SIGNED, schema1=True).blobs == [digest_of(b"layer")]


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b'{"signatures": []}',
        b'{"signatures": [1]}',
        b'{"signatures": [{"protected": "e30"}]}',
        b'{"signatures": [{"protected": "***"}]}',
        _signed().replace(b'"t"', b'"u"'),
        _changed(lambda s: s.update(signature="AAAA")),
        _changed(lambda s: s.update(header={})),
        _changed(lambda s: s["header"]["jwk"].update(x="AAAA")),  # type: ignore[index]  # of JSON
        _changed(lambda s: s["header"].update(alg="none")),  # type: ignore[attr-defined]  # of JSON
    ],
)
def test_what_was_not_signed_is_refused(content: bytes) -> None:
    """A changed text, a foreign key and members of another form are refused, with a code."""
    with pytest.raises(RegistryError) as caught:
        schema1.payload(content)
    assert caught.value.status == 400
    assert caught.value.entries[0].code == "MANIFEST_UNVERIFIED"


@pytest.mark.parametrize(
    ("name", "reference", "code"),
    [("a/b", "t", ""), ("a/b", "u", "TAG_INVALID"), ("a/c", "t", "NAME_INVALID"), ("a/b", "sha256:0", "")],
)
def test_a_manifest_belongs_where_it_says(name: str, reference: str, code: str) -> None:
    """Name and tag of the manifest are those of the URL."""
    members = read(_signed(), SIGNED, schema1=True).members
    if not code:
        schema1.check_place(members, name, reference)
        return
    with pytest.raises(RegistryError) as caught:
        schema1.check_place(members, name, reference)
    assert caught.value.entries[0].code == code


def test_schema_1_is_refused_unless_it_is_enabled() -> None:
    """Without the configuration no such manifest is taken."""
    with pytest.raises(RegistryError):
        read(_signed(), SIGNED)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"signatures": 3}', b'{"signatures": [{"protected": 3}]}'])
def test_text_of_an_answer_without_signatures(content: bytes) -> None:
    """The suite makes no error of its own of what a target sends."""
    assert signed_text(content) is None
