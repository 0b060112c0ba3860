"""Targets whose JSON is none, is endless in one way or another, or means something else."""

from __future__ import annotations

from tests.hostile.answers import fixed, listed, made, tags, whole
from tests.hostile.case import ALL, ANYWHERE, GET, LISTS, MANIFESTS, REFERRERS, TAGS, Hostile
from tests.hostile.proxy import Answer, Asked

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_DEEP = b"[" * 200_000
_DEEP_OBJECTS = b'{"a":' * 100_000
_NUMBER = b'{"schemaVersion": ' + b"9" * 1_000_000 + b"}"
_UTF8 = b'{"name": "\xff\xfe\x80", "tags": ["\xc0\xaf"]}'
_TWICE = b'{"schemaVersion": 2, "schemaVersion": "x", "mediaType": "a", "mediaType": 7, "config": {}, "config": []}'
_NUMBERS = b'{"schemaVersion": NaN, "config": {"size": Infinity, "digest": -1e999}, "layers": [{"size": 1e400}]}'
_HALVES = b'{"errors": [{"code": "\\ud800", "message": "\\udc00"}], "name": "\\udfff", "\\udfff": 1}'
_WRONG = b'{"schemaVersion": [], "config": 7, "layers": {"a": 1}, "manifests": "x"}'
_NESTED = b'{"schemaVersion":2,"annotations":' + b"[" * 900 + b"]" * 900 + b"}"
_TWO = '{"digest": "x", "digest": [], "size": 1, "size": {}}'
_ZERO = "sha256:" + "0" * 64


def _manifest(content: bytes) -> Answer:
    return made(lambda asked: whole(b"" if asked.method == "HEAD" else content, _MANIFEST))


def _million(asked: Asked) -> bytes:
    """A list of about a million entries, of the kind that was asked for."""
    kind = "tags" if "/tags/" in asked.target else "repositories" if "/_catalog" in asked.target else "manifests"
    entry = f'{{"mediaType":"a/b","digest":"{_ZERO}","size":2}}' if kind == "manifests" else '"abcdefg"'
    pieces = ", ".join([entry] * 1_000_000)
    return whole(f'{{"name": "x", "schemaVersion": 2, "{kind}": [{pieces}]}}'.encode())


CASES = (
    Hostile("json-deep", fixed(whole(_DEEP)), LISTS),
    Hostile("json-deep-objects", fixed(whole(_DEEP_OBJECTS)), LISTS),
    Hostile("json-deep-manifest", _manifest(_DEEP)),
    Hostile("json-deep-within-a-manifest", _manifest(_NESTED)),
    Hostile("json-deep-error", fixed(whole(b'{"errors":' + _DEEP, "application/json", "404 Not Found"))),
    Hostile("json-huge-number", fixed(whole(_NUMBER)), LISTS),
    Hostile("json-huge-number-in-a-manifest", _manifest(_NUMBER)),
    Hostile("json-huge-sizes", listed(f'{{"mediaType": "a/b", "digest": "{_ZERO}", "size": {"9" * 4000}}}'), REFERRERS),
    Hostile("json-not-a-number", tags("[NaN, Infinity, -Infinity, 1e999]"), TAGS, GET, 20),
    Hostile("json-not-a-number-in-manifests", _manifest(_NUMBERS), MANIFESTS),
    Hostile("json-not-a-number-in-referrers", listed('{"size": NaN, "digest": 1e999}'), REFERRERS, GET, 10),
    Hostile("json-duplicate-keys", fixed(whole(b'{"name": "a", "name": 1, "tags": [], "tags": {}}')), LISTS),
    Hostile("json-duplicate-keys-in-manifests", _manifest(_TWICE)),
    Hostile("json-duplicate-keys-in-referrers", listed(_TWO), REFERRERS),
    Hostile("json-surrogates", tags('["\\ud800", "\\udfff\\u0000"]'), TAGS, GET, 20),
    Hostile(
        "json-surrogates-everywhere",
        fixed(
            whole(
                b'{"errors": [{"code": "\\ud800", "message": "\\udc00"}], "name": "\\udfff", "\\udfff": 1}',
                "application/json",
                "400 Bad Request",
            )
        ),
        ANYWHERE,
        ALL,
        60,
    ),
    Hostile("json-invalid-utf-8", fixed(whole(_UTF8)), LISTS),
    Hostile("json-invalid-utf-8-in-manifests", _manifest(_UTF8)),
    Hostile("json-utf-16", fixed(whole('{"name": "a", "tags": []}'.encode("utf-16"))), LISTS),
    Hostile("json-a-million-tags", tags(str([f"t{n}" for n in range(1_000_000)]).replace("'", '"')), TAGS, GET, 20),
    Hostile("json-a-million-entries", made(_million), LISTS, GET, 20),
    Hostile("json-tags-of-a-megabyte", listed('"' + "t" * 1_000_000 + '"'), LISTS, GET, 20),
    Hostile("json-tags-just-within-bounds", listed(", ".join(f'"t{n}"' for n in range(190_000))), LISTS, GET, 20),
    Hostile("json-wrong-types", fixed(whole(b'{"name": [], "tags": "x", "errors": 7, "manifests": {}}')), LISTS),
    Hostile(
        "json-wrong-types-in-manifests",
        _manifest(_WRONG),
    ),
)
