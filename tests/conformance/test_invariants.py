"""What a scenario's exchanges contradict, and what they must not be held against."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest

from conformance.client.http.exchange import Exchange, Headers, Request, Response
from conformance.contract.invariants import breaches

_URL = "http://registry.example/v2/a/"
_BLOB, _OTHER = b"content of a blob", b"something else"
_ZIPPED = gzip.compress(b"a layer" * 9)
_IMAGE = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": _IMAGE}).encode()
_UNKNOWN = "application/vnd.example.thing+json"
_STRANGE = json.dumps({"mediaType": _UNKNOWN}).encode()
_BARE = json.dumps({"schemaVersion": 2}).encode()


def sha256(content: bytes) -> str:
    """Return the digest of some bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def sha512(content: bytes) -> str:
    """Return another digest of some bytes."""
    return "sha512:" + hashlib.sha512(content).hexdigest()


def exchange(  # each is a part of what some invariant reads
    operation: str,
    what: str,
    status: int = 200,
    *,
    told: dict[str, str] | None = None,
    body: bytes = b"",
    sent: bytes | None = None,
    fields: dict[str, str] | None = None,
    query: str = "",
    error: str | None = None,
    at: float = 0.0,
) -> Exchange:
    """Make an exchange about a digest, a reference or an upload."""
    resource, method = operation.split(".")
    method = {"start-digest": "POST", "start": "POST", "mount": "POST", "list": "GET"}.get(method, method.upper())
    folder = {"manifest": "manifests/", "blob": "blobs/", "upload": "blobs/uploads/"}.get(resource, "referrers/")
    parameters = {"name": "a"}
    if resource != "upload":
        parameters["reference" if resource == "manifest" else "digest"] = what
    headers = Headers((fields or {}).items())
    request = Request(method, f"{_URL}{folder}{what}{query}", headers, sent, len(sent or b""))
    response = Response(status, "", Headers((told or {}).items()), body, len(body))
    return Exchange(operation, parameters, request, response, error, started_ms=at, elapsed_ms=1.0)


def digest(content: bytes) -> dict[str, str]:
    """Return the digest header of some bytes."""
    return {"Docker-Content-Digest": sha256(content)}


def found(exchanges: Sequence[Exchange], **options: Any) -> list[str]:
    """Return the requirements that are booked."""
    return [breach.requirement for breach in breaches(exchanges, **options)]


def pushed(content: bytes, media_type: str = _IMAGE, reference: str = "tag", **more: Any) -> Exchange:
    """Make the push of a manifest."""
    return exchange("manifest.put", reference, 201, sent=content, fields={"Content-Type": media_type}, **more)


_UPLOADED = exchange("upload.put", "id", 201, sent=_BLOB, query=f"?digest={sha256(_BLOB)}")


def patch(at: float, told: str, sent: bytes | None = b"12345", status: int = 202, **more: Any) -> Exchange:
    """Make a chunk, which leads to the URL of ``id``."""
    fields = {"Content-Range": "0-4"} if more.get("ranged", True) else {}
    return exchange(
        "upload.patch",
        more.get("where", "id"),
        status,
        sent=sent,
        fields=fields,
        told={"Range": told, "Location": _URL + "blobs/uploads/id"},
        at=at,
    )


def started(at: float = 0.0) -> Exchange:
    """Make the start of an upload."""
    return exchange("upload.start", "", 202, told={"Location": "/v2/a/blobs/uploads/id"}, at=at)


def part(content_range: str, body: bytes, **more: Any) -> Exchange:
    """Make a partial answer."""
    more = {"fields": {"Range": "bytes=0-"}, **more}
    return exchange("blob.get", sha256(_BLOB), 206, told={"Content-Range": content_range}, body=body, **more)


_FALSE: list[tuple[str, list[Exchange], str]] = [
    ("other bytes", [exchange("blob.get", sha256(_BLOB), body=_OTHER)], "PULL-BLOB-GET-BODY-EXACT"),
    (
        "a digest of others",
        [exchange("blob.get", sha256(_BLOB), body=_BLOB, told=digest(_OTHER))],
        "PULL-BLOB-GET-DCD-TRUE",
    ),
    (
        "a digest of others for a part",
        [exchange("blob.get", sha256(_BLOB), 206, told=digest(_OTHER), fields={"Range": "x"})],
        "PULL-BLOB-GET-DCD-TRUE",
    ),
    (
        "a digest of others in a redirect",
        [exchange("blob.get", sha256(_BLOB), 307, told=digest(_OTHER))],
        "PULL-REDIRECT-DCD",
    ),
    (
        "a coding that is none",
        [exchange("blob.get", sha256(_ZIPPED), body=_ZIPPED, told={"Content-Encoding": "x-gzip"})],
        "PULL-BLOB-GET-NO-FALSE-CODING",
    ),
    (
        "coded bytes of something else",
        [exchange("blob.get", sha256(_BLOB), body=_ZIPPED, told={"Content-Encoding": "gzip"})],
        "PULL-BLOB-GET-BODY-EXACT",
    ),
    ("HEAD of others", [exchange("blob.head", sha256(_BLOB), told=digest(_OTHER))], "PULL-BLOB-HEAD-DCD-TRUE"),
    (
        "HEAD of others by another algorithm",
        [_UPLOADED, exchange("blob.head", sha256(_BLOB), told={"Docker-Content-Digest": sha512(_OTHER)})],
        "PULL-BLOB-HEAD-DCD-TRUE",
    ),
    (
        "HEAD of another length",
        [_UPLOADED, exchange("blob.head", sha256(_BLOB), told={"Content-Length": "3"})],
        "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
    ),
    (
        "a manifest of another digest",
        [exchange("manifest.get", sha256(_OTHER), body=_MANIFEST)],
        "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
    ),
    (
        "a manifest with a digest of others",
        [exchange("manifest.get", "tag", body=_MANIFEST, told=digest(_OTHER))],
        "PULL-MANIFEST-GET-DCD-TRUE",
    ),
    (
        "a tag that leads to what nobody pushed",
        [pushed(_MANIFEST), exchange("manifest.get", "tag", body=_BARE, fields={"Accept": "*/*"})],
        "PULL-MANIFEST-GET-BODY-EXACT",
    ),
    (
        "HEAD of a tag with a digest of others",
        [pushed(_MANIFEST), exchange("manifest.head", "tag", told=digest(_OTHER), fields={"Accept": _IMAGE})],
        "PULL-MANIFEST-HEAD-DCD-TRUE",
    ),
    (
        "HEAD of a manifest of another length",
        [pushed(_MANIFEST), exchange("manifest.head", sha256(_MANIFEST), told={"Content-Length": "0"})],
        "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
    ),
    (
        "a type that neither push nor body has",
        [pushed(_MANIFEST), exchange("manifest.get", "tag", body=_MANIFEST, told={"Content-Type": _INDEX})],
        "PULL-MANIFEST-GET-CONTENT-TYPE",
    ),
    (
        "a type of nobody's that is told as JSON",
        [
            pushed(_STRANGE, _UNKNOWN),
            exchange("manifest.get", "tag", body=_STRANGE, told={"Content-Type": "application/json"}),
        ],
        "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
    ),
    (
        "a type that the push had not",
        [pushed(_BARE), exchange("manifest.get", "tag", body=_BARE, told={"Content-Type": _INDEX})],
        "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
    ),
    (
        "a type that the body has not",
        [exchange("manifest.get", "tag", body=_MANIFEST, told={"Content-Type": _INDEX})],
        "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",
    ),
    (
        "HEAD with a type that the push had not",
        [pushed(_MANIFEST), exchange("manifest.head", "tag", told={"Content-Type": _INDEX, **digest(_MANIFEST)})],
        "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
    ),
    ("a push with a digest of others", [pushed(_MANIFEST, told=digest(_OTHER))], "PUSH-MANIFEST-DIGEST-HEADER-VALUE"),
    (
        "a push with a Location of others",
        [pushed(_MANIFEST, told={"Location": f"/v2/a/manifests/{sha256(_OTHER)}"})],
        "PUSH-MANIFEST-LOCATION-PULLABLE",
    ),
    (
        "OCI-Subject without subject",
        [pushed(_MANIFEST, told={"OCI-Subject": "x"})],
        "PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",
    ),
    (
        "OCI-Subject of others",
        [pushed(json.dumps({"subject": {"digest": sha256(_BLOB)}}).encode(), told={"OCI-Subject": sha256(_OTHER)})],
        "PUSH-MANIFEST-OCI-SUBJECT-VALUE",
    ),
    ("OCI-Tag of nobody", [pushed(_MANIFEST, told={"OCI-Tag": "tag, latest"})], "PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED"),
    (
        "a mount with a digest of others",
        [exchange("upload.mount", "", 201, told=digest(_OTHER), query=f"?mount={sha256(_BLOB)}&from=b")],
        "PUSH-MOUNT-DIGEST-HEADER",
    ),
    (
        "a mount with a Location of others",
        [
            exchange(
                "upload.mount",
                "",
                201,
                told={"Location": f"{_URL}blobs/{sha256(_OTHER)}"},
                query=f"?mount={sha256(_BLOB)}",
            )
        ],
        "PUSH-MOUNT-LOCATION-PULLABLE",
    ),
    (
        "a single POST with a digest of others",
        [exchange("upload.start-digest", "", 201, told=digest(_OTHER), query=f"?digest={sha256(_BLOB)}")],
        "PUSH-PUT-DIGEST-HEADER-VALUE",
    ),
    (
        "a closing PUT with a Location of others",
        [
            exchange(
                "upload.put",
                "",
                201,
                told={"Location": f"/v2/a/blobs/{sha256(_OTHER)}"},
                query=f"?digest={sha256(_BLOB)}",
            )
        ],
        "PUSH-PUT-LOCATION-PULLABLE",
    ),
    (
        "a deletion with a digest of others",
        [exchange("blob.delete", sha256(_BLOB), 202, told=digest(_OTHER))],
        "MGMT-BLOB-DELETE-HEADERS",
    ),
    (
        "filters of nobody",
        [exchange("referrers.list", sha256(_BLOB), told={"OCI-Filters-Applied": "artifactType"})],
        "DISC-REFERRERS-FILTER-HEADER-HONEST",
    ),
    ("a part that nobody asked for", [part("bytes 0-1/9", b"co", fields={})], "PULL-BLOB-GET-200"),
    ("a part beyond the whole", [part("bytes 0-9/5", b"c" * 10)], "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE"),
    ("a part of another whole", [_UPLOADED, part("bytes 0-1/99", b"co")], "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE"),
    ("a part of another length", [part("bytes 0-4/*", b"con")], "PULL-BLOB-RANGE-TRUE"),
    (
        "a part under another name",
        [_UPLOADED, part("bytes 1-2/*", b"co", fields={"Range": "bytes=0-1"})],
        "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
    ),
    (
        "the end under another name",
        [_UPLOADED, part("bytes 1-2/*", b"ob", fields={"Range": "bytes=-2"})],
        "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
    ),
    (
        "all from one place on under another name",
        [_UPLOADED, part("bytes 1-2/*", b"ob", fields={"Range": "bytes=15-"})],
        "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
    ),
    ("a part with other bytes", [_UPLOADED, part("bytes 0-1/*", b"on")], "PULL-BLOB-RANGE-TRUE"),
    ("a Range that ends early", [started(), patch(2, "0-3")], "PUSH-PATCH-RANGE-VALUE"),
    (
        "a Range of a stream that ends early",
        [started(), patch(2, "0-3", ranged=False)],
        "PUSH-PATCH-STREAM-RANGE-VALUE",
    ),
    (
        "a Range of the status that ends early",
        [started(), patch(2, "0-4"), exchange("upload.get", "id", 204, told={"Range": "bytes=0-3"}, at=4)],
        "PUSH-STATUS-RANGE-VALUE",
    ),
]


@pytest.mark.parametrize(
    ("exchanges", "requirement"), [(e, r) for _, e, r in _FALSE], ids=[name for name, _, _ in _FALSE]
)
def test_a_contradiction_is_booked_once(exchanges: list[Exchange], requirement: str) -> None:
    assert found(exchanges) == [requirement]


_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"
_LEGAL: dict[str, list[Exchange]] = {
    "another algorithm": [
        exchange("blob.get", sha256(_BLOB), body=_BLOB, told={"Docker-Content-Digest": sha512(_BLOB)})
    ],
    "another algorithm of unknown content": [
        exchange("blob.head", sha256(_BLOB), told={"Docker-Content-Digest": sha512(_OTHER)})
    ],
    "capitals": [exchange("blob.get", sha256(_BLOB).upper().replace("SHA", "sha"), body=_BLOB)],
    "a digest of the part": [
        part("bytes 0-1/*", _BLOB[:2]),
        exchange("blob.get", sha256(_BLOB), 206, body=b"co", told=digest(b"co"), fields={"Range": "x"}),
    ],
    "a true coding": [exchange("blob.get", sha256(b"a layer" * 9), body=_ZIPPED, told={"Content-Encoding": "gzip"})],
    "a coding that nobody here undoes": [
        exchange("blob.get", sha256(_BLOB), body=_ZIPPED, told={"Content-Encoding": "br"})
    ],
    "a failure": [exchange("blob.get", sha256(_BLOB), body=_OTHER, error="the body broke off before its end")],
    "another status": [exchange("blob.get", sha256(_BLOB), 404, body=_OTHER, told=digest(_OTHER))],
    "an algorithm that nobody knows": [
        exchange("blob.get", "blake3:abc", body=_OTHER, told={"Docker-Content-Digest": "blake3:def"})
    ],
    "HEAD with the length of coded content": [
        _UPLOADED,
        exchange("blob.head", sha256(_BLOB), told={"Content-Length": "3", "Content-Encoding": "gzip"}),
    ],
    "HEAD of what is not there": [
        exchange("upload.put", "id", 400, sent=_BLOB, query=f"?digest={sha256(_BLOB)}"),
        exchange("blob.head", sha256(_BLOB), told={"Content-Length": "0"}),
    ],
    "HEAD of what was deleted": [
        _UPLOADED,
        exchange("blob.delete", sha256(_BLOB), 202),
        exchange("blob.head", sha256(_BLOB), told={"Content-Length": "0"}),
    ],
    "HEAD after an upload in chunks": [
        exchange("upload.put", "id", 201, sent=b"blob", query=f"?digest={sha256(_BLOB)}"),
        exchange("blob.head", sha256(_BLOB), told={"Content-Length": "17"}),
    ],
    "schema 1": [
        pushed(_MANIFEST, _SIGNED, told=digest(_OTHER)),
        exchange("manifest.get", sha256(_OTHER), body=_MANIFEST, told={"Content-Type": _SIGNED, **digest(_OTHER)}),
    ],
    "a child where no index is taken": [
        pushed(_BARE, _INDEX),
        exchange("manifest.get", "tag", body=_MANIFEST, fields={"Accept": _IMAGE}),
    ],
    "either of two pushes": [
        pushed(_MANIFEST),
        pushed(_BARE),
        exchange("manifest.head", "tag", told=digest(_MANIFEST), fields={"Accept": "*/*"}),
    ],
    "a push whose bytes are not recorded": [
        pushed(_MANIFEST),
        exchange("manifest.put", "tag"),
        exchange("manifest.get", "tag", body=_BARE, fields={"Accept": "*/*"}),
    ],
    "the type of the body": [
        pushed(_MANIFEST, _INDEX),
        exchange("manifest.get", "tag", body=_MANIFEST, told={"Content-Type": _IMAGE}),
    ],
    "a type with parameters": [
        pushed(_MANIFEST),
        exchange("manifest.get", "tag", body=_MANIFEST, told={"Content-Type": _IMAGE.title() + "; charset=utf-8"}),
    ],
    "a type of a push without one": [
        pushed(_BARE, ""),
        exchange("manifest.get", "tag", body=_BARE, told={"Content-Type": _INDEX}),
    ],
    "a smaller part than was asked for": [_UPLOADED, part("bytes 2-3/17", b"nt", fields={"Range": "bytes=1-9"})],
    "several ranges": [_UPLOADED, part("bytes 2-3/17", b"nt", fields={"Range": "bytes=2-3,5-6"})],
    "a Location elsewhere": [
        pushed(_MANIFEST, told={"Location": f"http://store.example/v2/a/manifests/{sha256(_OTHER)}"})
    ],
    "a Location of another form": [pushed(_MANIFEST, told={"Location": f"/objects/{sha256(_OTHER)}"})],
    "a Location by tag": [pushed(_MANIFEST, told={"Location": "/v2/a/manifests/tag"})],
    "a Location by another algorithm": [
        exchange(
            "upload.put",
            "",
            201,
            sent=_BLOB,
            told={"Location": f"/v2/a/blobs/{sha512(_BLOB)}"},
            query=f"?digest={sha256(_BLOB)}",
        )
    ],
    "two digests": [
        exchange(
            "upload.put",
            "",
            201,
            sent=_BLOB,
            told=digest(_BLOB),
            query=f"?digest={sha256(_BLOB)}&digest={sha512(_BLOB)}",
        )
    ],
    "a page of a filtered list": [
        exchange("referrers.list", sha256(_BLOB), query="?next=x", told={"OCI-Filters-Applied": "artifactType"})
    ],
    "tags that were asked for": [
        pushed(_MANIFEST, reference=sha256(_MANIFEST), query="?tag=a&tag=b", told={"OCI-Tag": "b,a"})
    ],
    "chunks at the same time": [started(), patch(2, "0-4"), patch(2.5, "0-4")],
    "a chunk after a refusal": [started(), patch(2, "0-4", status=416), patch(4, "0-9")],
    "a chunk that is not recorded": [started(), patch(2, "0-4", sent=None), patch(4, "0-12")],
    "an upload that was not started here": [patch(2, "0-12")],
    "an earlier Location": [
        exchange("upload.start", "", 202, told={"Location": "/v2/a/blobs/uploads/first"}),
        patch(2, "0-4", where="first"),
        exchange("upload.get", "first", 204, told={"Range": "0-0"}, at=4),
    ],
    "a Range of another form": [started(), patch(2, "bytes 0-3/5")],
}


@pytest.mark.parametrize("exchanges", _LEGAL.values(), ids=_LEGAL)
def test_what_is_legal_or_unknown_is_held_against_nobody(exchanges: list[Exchange]) -> None:
    assert found(exchanges) == []


def test_others_may_write_to_shared_repositories() -> None:
    exchanges = [pushed(_MANIFEST), exchange("manifest.get", "tag", body=_BARE, fields={"Accept": "*/*"})]
    assert found(exchanges, shared=True) == []


def test_chunks_make_the_content_that_their_digest_names() -> None:
    closing = exchange("upload.put", "id", 201, sent=b"6789", query=f"?digest={sha256(b'123456789')}", at=4)
    head = exchange("blob.head", sha256(b"123456789"), told={"Content-Length": "4"}, at=6)
    assert found([started(), patch(2, "0-4"), closing, head]) == ["PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE"]


def test_the_evidence_ends_with_the_exchange_that_is_false() -> None:
    head = exchange("blob.head", sha256(_BLOB), told={"Content-Length": "3"})
    [breach] = breaches([_UPLOADED, head])
    assert breach.evidence == (_UPLOADED, head)
    assert "17" in breach.expected
    assert breach.actual == "Content-Length: 3"
