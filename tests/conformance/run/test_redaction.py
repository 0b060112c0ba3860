"""A secret is removed however it is written, and what is no secret stays."""

from __future__ import annotations

import base64
import html
import json
import logging
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.client.redaction import REMOVED, Redactor
from conformance.run.secrecy import Secrecy

_SECRET = "c4nary-of-a-test&<\"/+%' \u00fc"
_TOKEN = "c4narytoken" + "x" * 60 + "end-of-c4nary"


@pytest.fixture
def redactor() -> Redactor:
    """Knows both."""
    made = Redactor()
    made.add(_SECRET)
    made.add(_TOKEN)
    return made


_DATA = _SECRET.encode()
_FORMS = {
    "plain": _SECRET,
    "url": quote(_SECRET, safe=""),
    "url-lower-case": _SECRET.replace("&", "%26").replace("<", "%3c").replace("\u00fc", "%c3%bc"),
    "url-twice": quote(quote(_SECRET)),
    "json": json.dumps(_SECRET),
    "json-of-go": json.dumps(_SECRET, ensure_ascii=False).replace("&", "\\u0026").replace("<", "\\u003c"),
    "json-of-php": json.dumps(_SECRET).replace("/", "\\/"),
    "json-in-json": json.dumps({"a": json.dumps(_SECRET)}),
    "html": html.escape(_SECRET),
    "html-by-number": _SECRET.replace("&", "&#38;").replace("<", "&#x3C;"),
    "bytes": str(_DATA),
    "latin-1": _DATA.decode("latin-1"),
    "hex": _DATA.hex(),
    "hex-upper-case": _DATA.hex().upper(),
    **{f"base64-{shift}": base64.b64encode(b"?" * shift + _DATA + b"!!").decode() for shift in range(3)},
    "base64-latin-1": base64.b64encode(b"u:" + _SECRET.encode("latin-1")).decode(),
    "base64-url": base64.urlsafe_b64encode(_DATA).decode(),
    "cut": f"'{_TOKEN[:40]}... (99 characters)",
    "cut-at-the-start": f"...{_TOKEN[-30:]}'",
    "cut-in-the-middle": f"{_TOKEN[:20]}\u2026{_TOKEN[-20:]}",
}


@pytest.mark.parametrize("name", _FORMS)
def test_each_form_is_removed(name: str, redactor: Redactor) -> None:
    cleaned = redactor.clean(f"before {_FORMS[name]} after")
    assert REMOVED in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")
    plain = base64.b64encode(b"c4nary").decode()[:7]
    assert not [word for word in ("c4nary", b"c4nary".hex(), plain) if word in cleaned], cleaned


def test_bytes_in_a_record_are_cleaned(redactor: Redactor) -> None:
    body = base64.b64encode(b"\xff\xfe" + _DATA + b"\x00").decode()
    record = redactor.scrub({"text": None, "base64": body, "size": 3})
    assert base64.b64decode(record["base64"]) == b"\xff\xfe" + REMOVED.encode() + b"\x00"
    untouched = {"text": None, "base64": base64.b64encode(b"\xff\xfe").decode()}
    assert redactor.scrub(untouched) == untouched


def test_what_opens_a_url_is_cut_out() -> None:
    clean = Redactor().clean
    signed = "https://s.example/b?X-Amz-Date=2&X-Amz-Signature=c4nary&sig=c4nary&n=2"
    wanted = f"https://s.example/b?X-Amz-Date=2&X-Amz-Signature={REMOVED}&sig={REMOVED}&n=2"
    assert clean(f"to '{signed}'") == f"to '{wanted}'"
    assert clean("http://ann:c4nary@r.example/v2/") == f"http://{REMOVED}@r.example/v2/"
    assert clean("of eyJhbGciOi.eyJzdWIiOi.c4nary-c4nary") == f"of {REMOVED}"
    for text in ("/v2/a/tags/list?n=2&last=signature", "a@b", "_state=abc", "the token of sigma=3"):
        assert clean(text) == text


@given(st.text(max_size=60))
def test_other_text_stays(text: str) -> None:
    redactor = Redactor()
    redactor.add("a-secret-that-is-nowhere")
    assert redactor.hide(text) == text


def test_exceptions_are_cleaned_where_they_stand(redactor: Redactor) -> None:
    secrets = Secrecy(redactor)
    try:
        behind = ValueError(_DATA, {"password": _SECRET}, 5)
        error = RuntimeError(f"with {_SECRET}")
        error.__cause__ = behind
        error.add_note(_TOKEN)
        secrets.cleanse(error)
        assert error.args == (f"with {REMOVED}",)
        assert "c4nary" not in f"{behind}{error.__notes__}"
        assert behind.args[2] == 5
        assert not secrets.tells(error)
        record = logging.getLogger("a-test").makeRecord("a", 10, "f", 1, "of %s", (_SECRET,), None)
        assert record.getMessage() == f"of {REMOVED}"
        assert logging.getLogger("a-test").makeRecord("a", 10, "f", 1, "of %d %d", ("x",), None).getMessage()
    finally:
        secrets.pytest_unconfigure()
