"""The hostile targets: where each turns hostile, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from re import Pattern

from tests.hostile import answers
from tests.hostile.answers import broken_off, drip, fixed, forever, head, made, redirect, tags, whole
from tests.hostile.proxy import Answer

_READS = frozenset({"GET", "HEAD"})
_GET = frozenset({"GET"})
_ALL = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_MIB = 1 << 20

ANYWHERE = re.compile("")
BLOBS = re.compile(r"/blobs/[a-z0-9]+:")
MANIFESTS = re.compile(r"/manifests/")
TAGS = re.compile(r"/tags/list")
UPLOADS = re.compile(r"/blobs/uploads")
LISTS = re.compile(r"/tags/list|/_catalog|/referrers/")
BASE = re.compile(r"^/v2/$")


@dataclass(frozen=True, slots=True)
class Hostile:
    """A target: the requests that it answers by hand, how, and after how many right answers."""

    name: str
    answer: Answer
    path: Pattern[str] = MANIFESTS
    methods: frozenset[str] = _READS
    after: int = 40
    env: Mapping[str, str] = field(default_factory=dict)


_LOGIN = {"REGISTRY_USERNAME": "canary-user", "REGISTRY_PASSWORD": "canary-password"}
_CHUNKED = head("200 OK", "Content-Type: application/json", "Transfer-Encoding: chunked")
_LONG = "Content-Length: 100000000"
_OPEN = head("200 OK", "Content-Type: application/json", "Connection: close")
_DEEP = b"[" * 200_000
_NUMBER = b'{"schemaVersion": ' + b"9" * 1_000_000 + b"}"
_UTF8 = b'{"name": "\xff\xfe\x80", "tags": ["\xc0\xaf"]}'
_CHALLENGE = "WWW-Authenticate: {}"


def _refused(*challenges: str) -> Answer:
    fields = [_CHALLENGE.format(challenge) for challenge in challenges]
    return fixed(whole(b'{"errors": [{"code": "UNAUTHORIZED"}]}', "application/json", "401 Unauthorized", *fields))


CASES = (
    # bodies
    Hostile("body-endless", forever(_OPEN, b"x" * 65536), BLOBS),
    Hostile("body-endless-chunked", forever(_CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"), MANIFESTS),
    Hostile("body-endless-list", forever(_OPEN + b'{"tags": [', b'"a",' * 20000), LISTS),
    Hostile("body-drips", drip(head("200 OK", _LONG), b"x"), BLOBS),
    Hostile("body-of-100-megabytes-of-json", made(lambda _: whole(b'["' + b"x" * 100_000_000 + b'"]')), TAGS),
    Hostile("body-longer-than-announced", fixed(head("200 OK", "Content-Length: 3") + b"x" * 5000), MANIFESTS),
    Hostile("body-shorter-than-announced", fixed(head("200 OK", "Content-Length: 5000") + b"xxx"), MANIFESTS),
    Hostile("body-after-204", fixed(head("204 No Content") + b"surprise" * 100), UPLOADS, _ALL),
    Hostile("body-after-head", fixed(whole(b"{}" * 500)), MANIFESTS, frozenset({"HEAD"})),
    Hostile("body-gzip-bomb", fixed(whole(answers.bomb(), "application/json", "200 OK", "Content-Encoding: gzip"))),
    Hostile(
        "body-brotli-bomb",
        fixed(whole(b"\xcf\xff\xff\x7f\xf8" * 9999, "application/json", "200 OK", "Content-Encoding: br")),
    ),
    # framing
    Hostile("length-negative", fixed(head("200 OK", "Content-Length: -5") + b"x")),
    Hostile("length-twice", fixed(head("200 OK", "Content-Length: 5", "Content-Length: 6") + b"xxxxxx")),
    Hostile("length-enormous", fixed(head("200 OK", "Content-Length: " + "9" * 40) + b"x")),
    Hostile("chunks-garbage", fixed(_CHUNKED + b"zz\r\nxx\r\n\x00\xff\r\n")),
    Hostile("chunk-enormous", fixed(_CHUNKED + b"f" * 40 + b"\r\nxx")),
    Hostile("chunk-extension-endless", forever(_CHUNKED + b"5;", b"x" * 65536)),
    Hostile("trailer-endless", forever(_CHUNKED + b"0\r\n", b"A: b\r\n" * 9999)),
    # heads
    Hostile("headers-endless", forever(b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n" * 5000)),
    Hostile("header-endless", forever(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 65536)),
    Hostile("headers-drip", drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", 0.2)),
    Hostile("status-drips", drip(b"HTTP/1.1 ", b"2", 0.2), ANYWHERE, _READS, 0),
    Hostile("headers-a-thousand", fixed(whole(b"{}", "a/b", "200 OK", *(f"Set-Cookie: c{n}=v" for n in range(1000))))),
    Hostile("header-injection", fixed(head("200 OK", "Docker-Content-Digest: a\rb\x00c\x0b: d", "Content-Length: 0"))),
    Hostile("header-without-colon", fixed(b"HTTP/1.1 200 OK\r\nno colon here\r\n: no name\r\n\r\n")),
    Hostile(
        "header-invalid-utf-8", fixed(b"HTTP/1.1 200 \xff\xfe\r\nLocation: \xff\xc0\xaf\r\nContent-Length: 0\r\n\r\n")
    ),
    Hostile("status-nonsense", fixed(b"HTTP/1.1 abc\r\n\r\n")),
    Hostile("status-1000", fixed(b"HTTP/1.1 1000 Many\r\nContent-Length: 0\r\n\r\n")),
    Hostile("status-101", fixed(head("101 Switching Protocols", "Upgrade: h2c") + b"\x00\x01" * 500)),
    Hostile("interim-endless", answers.interim),
    Hostile("http-0.9", fixed(b"<html>hello</html>")),
    Hostile("http-0.9-from-the-start", fixed(b"<html>hello</html>"), ANYWHERE, _ALL, 0),
    # connections
    Hostile("reset-at-once", broken_off(b""), ANYWHERE, _ALL, 60),
    Hostile("reset-in-head", broken_off(b"HTTP/1.1 200 OK\r\nContent-"), ANYWHERE, _ALL, 60),
    Hostile("reset-in-body", broken_off(head("200 OK", "Content-Length: 500") + b"x"), BLOBS),
    Hostile("reset-from-the-start", broken_off(b""), ANYWHERE, _ALL, 0),
    Hostile("silent", answers.silent, BLOBS),
    Hostile("silent-from-the-start", answers.silent, ANYWHERE, _ALL, 0),
    Hostile("half-closed", answers.half_closed, UPLOADS, _ALL),
    # places
    Hostile("redirects-in-a-circle", redirect("{target}")),
    Hostile("redirects-without-end", redirect("{target}{more}")),
    Hostile("redirects-to-a-file", redirect("file:///etc/passwd")),
    Hostile("redirects-to-javascript", redirect("javascript:alert(1)")),
    Hostile("redirects-to-nowhere", redirect("http://127.0.0.1:1/")),
    Hostile("redirects-to-nonsense", redirect("http://[::1:bad/\x01")),
    Hostile("redirects-to-another-host", redirect("http://localhost:{port}/stolen"), MANIFESTS, _READS, 40, _LOGIN),
    Hostile(
        "location-of-a-file",
        fixed(head("202 Accepted", "Location: file:///etc/passwd", "Content-Length: 0")),
        UPLOADS,
        frozenset({"POST"}),
    ),
    Hostile(
        "location-of-another-host",
        made(lambda a: head("202 Accepted", f"Location: http://localhost:{a.stranger}/stolen", "Content-Length: 0")),
        UPLOADS,
        frozenset({"POST"}),
        40,
        _LOGIN,
    ),
    Hostile("link-without-end", made(answers.link_without_end), TAGS, _GET),
    # JSON
    Hostile("json-deep", fixed(whole(_DEEP)), LISTS),
    Hostile("json-deep-manifest", fixed(whole(_DEEP, "application/vnd.oci.image.manifest.v1+json"))),
    Hostile("json-deep-error", fixed(whole(b'{"errors":' + _DEEP, "application/json", "404 Not Found"))),
    Hostile("json-huge-number", fixed(whole(_NUMBER)), LISTS),
    Hostile("json-not-a-number", tags("[NaN, Infinity, -Infinity, 1e999]"), TAGS, _GET),
    Hostile("json-duplicate-keys", fixed(whole(b'{"name": "a", "name": 1, "tags": [], "tags": {}}')), LISTS),
    Hostile("json-surrogates", tags('["\\ud800", "\\udfff\\u0000"]'), TAGS, _GET),
    Hostile("json-invalid-utf-8", fixed(whole(_UTF8)), LISTS),
    Hostile("json-utf-16", fixed(whole('{"name": "a", "tags": []}'.encode("utf-16"))), LISTS),
    Hostile("json-a-million-tags", tags(str([f"t{n}" for n in range(1_000_000)]).replace("'", '"')), TAGS, _GET),
    Hostile("json-wrong-types", fixed(whole(b'{"name": [], "tags": "x", "errors": 7, "manifests": {}}')), LISTS),
    # waiting and logins
    Hostile(
        "retry-after-for-ever",
        fixed(whole(b"", "a/b", "429 Too Many Requests", "Retry-After: 999999999")),
        ANYWHERE,
        _ALL,
        60,
    ),
    Hostile(
        "retry-after-nonsense",
        fixed(whole(b"", "a/b", "503 Service Unavailable", "Retry-After: -1e9, soon")),
        ANYWHERE,
        _ALL,
        60,
    ),
    Hostile(
        "challenge-of-another-host",
        _refused('Bearer realm="http://localhost:1/token",service="x"'),
        ANYWHERE,
        _ALL,
        0,
        _LOGIN,
    ),
    Hostile(
        "challenge-of-a-file",
        _refused('Bearer realm="file:///etc/passwd"', 'Basic realm="x"'),
        ANYWHERE,
        _ALL,
        0,
        _LOGIN,
    ),
    Hostile(
        "challenge-nonsense",
        _refused('Bearer realm="' + "\\" * 999, "=,=,,,", "Basic" * 9999),
        ANYWHERE,
        _ALL,
        0,
        _LOGIN,
    ),
    Hostile("poison-everywhere", made(answers.poisoned), ANYWHERE, _ALL, 60),
    Hostile("poison-from-the-start", made(answers.poisoned), ANYWHERE, _ALL, 1),
)
