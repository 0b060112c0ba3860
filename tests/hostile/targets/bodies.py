"""Targets with hostile bodies and framing."""

from __future__ import annotations

from tests.hostile.answers import (
    broken_off,
    brotli_bomb,
    drip,
    fixed,
    forever,
    gzip_bomb,
    head,
    in_chunks,
    made,
    much,
    reads_slowly,
    silent_after,
    unread,
    whole,
)
from tests.hostile.case import (
    ALL,
    ANYWHERE,
    BLOBS,
    GET,
    HEAD,
    LISTS,
    MANIFESTS,
    TAGS,
    UPLOADS,
    WRITES,
    Hostile,
)
from tests.hostile.proxy import Answer

_JSON = "application/json"
_CHUNKED = head("200 OK", "Content-Type: application/json", "Transfer-Encoding: chunked")
_OPEN = head("200 OK", "Content-Type: application/json", "Connection: close")
_BOTH = head("200 OK", "Content-Length: 3", "Transfer-Encoding: chunked")
_LONG = "Content-Length: 100000000"
_GZIP_CHUNKED = head("200 OK", "Content-Type: application/json", "Transfer-Encoding: gzip, chunked")
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def _encoded(body: bytes, coding: str) -> Answer:
    return fixed(whole(body, _JSON, "200 OK", f"Content-Encoding: {coding}"))


def _length(status: str, length: int, content: bytes = b"") -> Answer:
    return fixed(head(status, f"Content-Length: {length}", "Connection: close") + content)


_BODIES = (
    Hostile("body-endless", forever(_OPEN, b"x" * 65536), BLOBS),
    Hostile("body-endless-chunked", forever(_CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"), MANIFESTS),
    Hostile("body-endless-list", forever(_OPEN + b'{"tags": [', b'"a",' * 20000), LISTS),
    Hostile("body-endless-error", forever(head("404 Not Found", "Connection: close"), b"x" * 65536), ANYWHERE),
    Hostile("body-drips", drip(head("200 OK", _LONG), b"x"), BLOBS, GET, innocent=True),
    Hostile("body-drips-everywhere", drip(head("200 OK", _LONG), b"x"), ANYWHERE, ALL - HEAD, 60, innocent=True),
    Hostile("body-of-100-megabytes-of-json", made(lambda _: whole(b'["' + b"x" * 100_000_000 + b'"]')), TAGS),
    Hostile("body-longer-than-announced", fixed(head("200 OK", "Content-Length: 3") + b"x" * 5000), MANIFESTS),
    Hostile("body-shorter-than-announced", fixed(head("200 OK", "Content-Length: 5000") + b"xxx"), MANIFESTS),
    Hostile("body-after-204", fixed(head("204 No Content") + b"surprise" * 100), UPLOADS, ALL),
    Hostile("body-after-304", fixed(head("304 Not Modified") + b"surprise" * 100)),
    Hostile("body-after-head", fixed(whole(b"{}" * 500)), MANIFESTS, HEAD),
    Hostile("body-endless-after-head", forever(_OPEN, b"x" * 65536), ANYWHERE, HEAD),
    Hostile("body-gzip-bomb", _encoded(gzip_bomb(), "gzip")),
    Hostile("body-gzip-bomb-everywhere", _encoded(gzip_bomb(), "gzip"), ANYWHERE),
    Hostile("body-brotli-bomb", _encoded(brotli_bomb(), "br")),
    Hostile("body-brotli-bomb-everywhere", _encoded(brotli_bomb(), "br"), ANYWHERE),
    Hostile("body-zipped-twice", _encoded(gzip_bomb(), "gzip, br, deflate, zstd")),
    Hostile("body-gzip-in-transfer-encoding", fixed(_GZIP_CHUNKED + in_chunks(gzip_bomb()))),
    Hostile("body-in-an-unknown-transfer-encoding", fixed(head("200 OK", "Transfer-Encoding: x") + b"xx")),
    # sent by us
    Hostile("request-body-unread", unread, ANYWHERE, WRITES, 20, innocent=True),
    Hostile("request-body-read-slowly", reads_slowly, ANYWHERE, WRITES, 20, innocent=True),
)

_LARGE = (
    Hostile("json-large-manifest", much((b'{"a": [', b"[],", b"0]}"), 100_000_000, kind=_MANIFEST)),
    Hostile("json-large-manifest-within-bounds", much((b'{"a": [', b"[],", b"0]}"), 79_000_000, kind=_MANIFEST)),
    Hostile(
        "json-large-manifest-of-4-megabytes", much((b'{"a": [', b"[],", b'"\\ud800"]}'), 4_190_000, kind=_MANIFEST)
    ),
    Hostile("json-large-lists", much((b'{"tags": [', b"{},", b"0]}"), 100_000_000), LISTS),
    Hostile("json-large-lists-within-bounds", much((b'{"tags": [', b"{},", b'"\\ud800"]}'), 4_190_000), LISTS),
    Hostile(
        "json-large-errors",
        much((b'{"errors": [', b"{},", b"{}]}"), 100_000_000, status="404 Not Found"),
        ANYWHERE,
        ALL,
        60,
    ),
    Hostile(
        "json-large-errors-within-bounds",
        much((b'{"errors": [', b"{},", b"{}]}"), 79_000_000, status="400 Bad Request"),
        ANYWHERE,
        ALL,
        60,
    ),
    Hostile("json-large-blobs", much((b"[", b"[],", b"0]"), 79_000_000), BLOBS),
)

_FRAMING = (
    Hostile("length-negative", fixed(head("200 OK", "Content-Length: -5") + b"x")),
    Hostile("length-twice", fixed(head("200 OK", "Content-Length: 5", "Content-Length: 6") + b"xxxxxx")),
    Hostile("length-enormous", fixed(head("200 OK", "Content-Length: " + "9" * 40) + b"x")),
    Hostile("length-and-chunks", fixed(_BOTH + b"0\r\n\r\n")),
    Hostile("length-of-head-too-long", _length("200 OK", 10**12), ANYWHERE, HEAD),
    Hostile("length-of-head-too-short", _length("200 OK", 0), ANYWHERE, HEAD),
    Hostile("length-of-204", _length("204 No Content", 500), ANYWHERE, ALL, 60),
    Hostile("length-of-304", _length("304 Not Modified", 10**12), MANIFESTS),
    Hostile("length-with-nothing", silent_after(head("200 OK", "Content-Length: 500")), MANIFESTS, GET, innocent=True),
    Hostile("chunks-garbage", fixed(_CHUNKED + b"zz\r\nxx\r\n\x00\xff\r\n")),
    Hostile("chunks-broken-off", broken_off(_CHUNKED + b"5\r\nab")),
    Hostile("chunk-enormous", fixed(_CHUNKED + b"f" * 40 + b"\r\nxx")),
    Hostile("chunk-negative", fixed(_CHUNKED + b"-5\r\nxx\r\n0\r\n\r\n")),
    Hostile("chunk-extension-endless", forever(_CHUNKED + b"5;", b"x" * 65536)),
    Hostile("chunks-of-one-byte", forever(_CHUNKED, b"1\r\nx\r\n" * 5000), MANIFESTS),
    Hostile("trailer-endless", forever(_CHUNKED + b"0\r\n", b"A: b\r\n" * 9999)),
)

CASES = (*_BODIES, *_LARGE, *_FRAMING)
