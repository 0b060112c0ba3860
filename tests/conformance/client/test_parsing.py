"""Parsing of headers (challenges, links, locations), and what the redactor removes."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.client.http.exchange import Headers, Response
from conformance.client.login.authentication import redact_token_body, tokens_in
from conformance.client.login.challenge import Challenge, parse_challenges
from conformance.client.redaction import REMOVED, Redactor
from conformance.client.registry import next_link, parse_link, upload_location, with_query


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (['Basic realm="x"'], [("basic", {"realm": "x"})]),
        (["Basic"], [("basic", {})]),
        (
            ['bearer Realm = "a, b=\\"c\\"" , scope="x:y:pull,push"'],
            [("bearer", {"realm": 'a, b="c"', "scope": "x:y:pull,push"})],
        ),
        (["Bearer realm=https://t/x,service=s"], None),
        (['Basic realm="x", Bearer realm="y"'], [("basic", {"realm": "x"}), ("bearer", {"realm": "y"})]),
        (["Negotiate, Basic realm=x"], [("negotiate", {}), ("basic", {"realm": "x"})]),
        (["Negotiate YWJj=="], [("negotiate", {"": "YWJj=="})]),
        (["Basic realm=x", 'Bearer realm="y"'], [("basic", {"realm": "x"}), ("bearer", {"realm": "y"})]),
        ([], []),
        ([""], None),
        (['realm="x"'], None),
        (['Basic realm="x" "y"'], None),
        (['"'], None),
    ],
)
def test_challenges(values: list[str], wanted: list[tuple[str, dict[str, str]]] | None) -> None:
    expected = None if wanted is None else [Challenge(scheme, parameters) for scheme, parameters in wanted]
    assert parse_challenges(values) == expected


def test_challenges_without_quotes() -> None:
    wanted = [Challenge("bearer", {"realm": "https://t/x", "service": "s"})]
    assert parse_challenges(["Bearer realm=https://t/x,service=s"], lenient=True) == wanted
    assert parse_challenges(['Bearer realm="https://t/x",service=s'], lenient=True) == wanted


@given(st.lists(st.text(alphabet=st.characters(max_codepoint=255), max_size=60), max_size=3))
def test_challenges_of_anything(values: list[str]) -> None:
    strict = parse_challenges(values)
    assert strict is None or parse_challenges(values, lenient=True) == strict


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ('</v2/a/tags/list?n=1&last=b>; rel="next"', [("/v2/a/tags/list?n=1&last=b", {"rel": "next"})]),
        ("<x>;rel=next", [("x", {"rel": "next"})]),
        ('<a,b;c> ; REL = "prev next" ; title="x, y"', [("a,b;c", {"rel": "prev next", "title": "x, y"})]),
        ("<a>; rel=prev, <b>; rel=next", [("a", {"rel": "prev"}), ("b", {"rel": "next"})]),
        ("<a>", [("a", {})]),
        ("", []),
        ("/v2/a; rel=next", None),
        ("<a; rel=next", None),
        ("<a> rel=next", None),
    ],
)
def test_links(value: str, wanted: list[tuple[str, dict[str, str]]] | None) -> None:
    assert parse_link(value) == wanted


@given(st.text(alphabet='<>;,="ab \t', max_size=40))
def test_links_of_anything(value: str) -> None:
    parse_link(value)
    next_link(_answer(Link=value))


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (['</v2/_catalog?last=b>; rel="next"'], "http://r.example:1/v2/_catalog?last=b"),
        (["<?last=b>; rel=next"], "http://r.example:1/v2/a/x?last=b"),
        (["<https://o.example/b>; rel=NEXT"], "https://o.example/b"),
        (["<a>; rel=prev", "<b>; rel=next"], "http://r.example:1/v2/a/b"),
        (["<a>; rel=prev"], None),
        (["<http://[a>; rel=next"], None),
        ([], None),
    ],
)
def test_next_link(values: list[str], wanted: str | None) -> None:
    assert next_link(_answer(*[("Link", value) for value in values])) == wanted


@pytest.mark.parametrize(
    ("location", "wanted"),
    [
        ("/v2/a/blobs/uploads/1?_state=x%3D", "http://r.example:1/v2/a/blobs/uploads/1?_state=x%3D"),
        ("http://o.example/u", "http://o.example/u"),
        ("//o.example/u", "http://o.example/u"),
        ("u", "http://r.example:1/v2/a/u"),
        (" /u ", "http://r.example:1/u"),
        ("", None),
        ("  ", None),
        ("ftp://o.example/u", None),
        ("http://[o/u", None),
        ("http://o.example:port/u", None),
        (None, None),
    ],
)
def test_upload_location(location: str | None, wanted: str | None) -> None:
    assert upload_location(_answer(*([("Location", location)] if location is not None else []))) == wanted


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://r/u", "http://r/u?digest=x"),
        ("http://r/u?", "http://r/u?digest=x"),
        ("http://r/u?a=%2B+b", "http://r/u?a=%2B+b&digest=x"),
        ("http://r/u?a=b&", "http://r/u?a=b&digest=x"),
        ("http://r/u#part", "http://r/u?digest=x"),
    ],
)
def test_with_query(url: str, wanted: str) -> None:
    assert with_query(url, "digest=x") == wanted


@given(st.text(min_size=4, max_size=20), st.text(max_size=5), st.text(max_size=5))
def test_a_secret_is_removed_wherever_it_stands(secret: str, before: str, after: str) -> None:
    redactor = Redactor()
    try:
        redactor.add(secret)
    except UnicodeEncodeError:
        return
    assert secret not in redactor.clean(before + secret + after).replace(REMOVED, "\n")


def test_redaction() -> None:
    redactor = Redactor()
    redactor.add("c4n/ary")
    redactor.add("abc")
    code = base64.b64encode(b"c4n/ary").decode().rstrip("=")
    dirty = {
        "headers": [["Authorization", "any"], ["X-A", f"c4n%2Fary {code}"], ["set-cookie", "s=1"]],
        "text": '{"token": "t0", "access_token" : "t\\"1", "refresh_token":"t2"}',
        "list": ["c4n/ary", 1, None],
    }
    assert redactor.scrub(dirty) == {
        "headers": [["Authorization", REMOVED], ["X-A", f"{REMOVED} {REMOVED}"], ["set-cookie", REMOVED]],
        "text": f'{{"token": "{REMOVED}", "access_token" : "{REMOVED}", "refresh_token":"{REMOVED}"}}',
        "list": [REMOVED, 1, None],
    }
    assert redactor.clean("abcd") == "abcd"


def _answer(*fields: tuple[str, str], **more: str) -> Response:
    answer = Response(202, "Accepted", Headers([*fields, *more.items()]))
    answer.url = "http://r.example:1/v2/a/x"
    return answer


def test_of_a_token_the_record_keeps_the_type_alone() -> None:
    body = b'{"token": "s", "access_token": "", "refresh_token": ["s"], "id_token": 7, "expires_in": 60}'
    kept = {"token": "(removed)", "access_token": "", "refresh_token": [], "id_token": 0, "expires_in": 60}
    assert json.loads(redact_token_body(body)) == kept


def test_the_type_of_a_token_is_no_secret() -> None:
    """A scheme's name that was taken for one was removed from each challenge."""
    body = b'{"token": "s", "token_type": "Bearer", "issued_token_type": "urn:ietf:params:oauth:token-type:jwt"}'
    answer = Response(200, "", Headers(), body)
    assert [*tokens_in(answer)] == ["s"]
    assert json.loads(redact_token_body(body)) == {**json.loads(body), "token": "(removed)"}
