"""A contradiction within a scenario's exchanges is booked once, and what is legal is not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from conformance.client.http.exchange import Exchange
from conformance.contract.invariants import breaches
from tests.contract.exchanges import (
    BARE,
    BLOB,
    IMAGE,
    INDEX,
    MANIFEST,
    OTHER,
    STRANGE,
    UNKNOWN,
    UPLOADED,
    URL,
    ZIPPED,
    digest,
    exchange,
    part,
    patch,
    pushed,
    sha256,
    sha512,
    started,
)


def found(exchanges: Sequence[Exchange], **options: Any) -> list[str]:
    """Return the requirements that are booked."""
    return [breach.requirement for breach in breaches(exchanges, **options)]


_FALSE: list[tuple[str, list[Exchange], str]] = [
    ("other bytes", [exchange("blob.get", sha256(BLOB), body=OTHER)], "PULL-BLOB-GET-BODY-EXACT"),
    (
        "a digest of others",
        [exchange("blob.get", sha256(BLOB), body=BLOB, told=digest(OTHER))],
        "PULL-BLOB-GET-DCD-TRUE",
    ),
    (
        "a digest of others for a part",
        [part("bytes 0-3/*", BLOB[:4], told=digest(OTHER))],
        "PULL-BLOB-GET-DCD-TRUE",
    ),
    (
        "a digest of others in a redirect",
        [exchange("blob.get", sha256(BLOB), 307, told=digest(OTHER))],
        "PULL-REDIRECT-DCD",
    ),
    (
        "a coding that is none",
        [exchange("blob.get", sha256(ZIPPED), body=ZIPPED, told={"Content-Encoding": "x-gzip"})],
        "PULL-BLOB-GET-NO-FALSE-CODING",
    ),
    (
        "coded bytes of something else",
        [exchange("blob.get", sha256(BLOB), body=ZIPPED, told={"Content-Encoding": "gzip"})],
        "PULL-BLOB-GET-BODY-EXACT",
    ),
    ("HEAD of others", [exchange("blob.head", sha256(BLOB), told=digest(OTHER))], "PULL-BLOB-HEAD-DCD-TRUE"),
    (
        "HEAD of others by another algorithm",
        [UPLOADED, exchange("blob.head", sha256(BLOB), told={"Docker-Content-Digest": sha512(OTHER)})],
        "PULL-BLOB-HEAD-DCD-TRUE",
    ),
    (
        "HEAD of another length",
        [UPLOADED, exchange("blob.head", sha256(BLOB), told={"Content-Length": "3"})],
        "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
    ),
    (
        "a manifest of another digest",
        [exchange("manifest.get", sha256(OTHER), body=MANIFEST)],
        "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
    ),
    (
        "a manifest with a digest of others",
        [exchange("manifest.get", "tag", body=MANIFEST, told=digest(OTHER))],
        "PULL-MANIFEST-GET-DCD-TRUE",
    ),
    (
        "a tag that leads to what nobody pushed",
        [pushed(MANIFEST), exchange("manifest.get", "tag", body=BARE, fields={"Accept": "*/*"})],
        "PULL-MANIFEST-GET-BODY-EXACT",
    ),
    (
        "HEAD of a tag with a digest of others",
        [pushed(MANIFEST), exchange("manifest.head", "tag", told=digest(OTHER), fields={"Accept": IMAGE})],
        "PULL-MANIFEST-HEAD-DCD-TRUE",
    ),
    (
        "HEAD of a manifest of another length",
        [pushed(MANIFEST), exchange("manifest.head", sha256(MANIFEST), told={"Content-Length": "0"})],
        "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
    ),
    (
        "a type that neither push nor body has",
        [pushed(MANIFEST), exchange("manifest.get", "tag", body=MANIFEST, told={"Content-Type": INDEX})],
        "PULL-MANIFEST-GET-CONTENT-TYPE",
    ),
    (
        "a type of nobody's that is told as JSON",
        [
            pushed(STRANGE, UNKNOWN),
            exchange("manifest.get", "tag", body=STRANGE, told={"Content-Type": "application/json"}),
        ],
        "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
    ),
    (
        "a type that the push had not",
        [pushed(BARE), exchange("manifest.get", "tag", body=BARE, told={"Content-Type": INDEX})],
        "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
    ),
    (
        "a type that the body has not",
        [exchange("manifest.get", "tag", body=MANIFEST, told={"Content-Type": INDEX})],
        "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",
    ),
    (
        "HEAD with a type that the push had not",
        [pushed(MANIFEST), exchange("manifest.head", "tag", told={"Content-Type": INDEX, **digest(MANIFEST)})],
        "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
    ),
    ("a push with a digest of others", [pushed(MANIFEST, told=digest(OTHER))], "PUSH-MANIFEST-DIGEST-HEADER-VALUE"),
    (
        "a push with a Location of others",
        [pushed(MANIFEST, told={"Location": f"/v2/a/manifests/{sha256(OTHER)}"})],
        "PUSH-MANIFEST-LOCATION-PULLABLE",
    ),
    (
        "OCI-Subject without subject",
        [pushed(MANIFEST, told={"OCI-Subject": "x"})],
        "PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",
    ),
    (
        "OCI-Subject of others",
        [pushed(json.dumps({"subject": {"digest": sha256(BLOB)}}).encode(), told={"OCI-Subject": sha256(OTHER)})],
        "PUSH-MANIFEST-OCI-SUBJECT-VALUE",
    ),
    ("OCI-Tag of nobody", [pushed(MANIFEST, told={"OCI-Tag": "tag, latest"})], "PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED"),
    (
        "a mount with a digest of others",
        [exchange("upload.mount", "", 201, told=digest(OTHER), query=f"?mount={sha256(BLOB)}&from=b")],
        "PUSH-MOUNT-DIGEST-HEADER",
    ),
    (
        "a mount with a Location of others",
        [
            exchange(
                "upload.mount",
                "",
                201,
                told={"Location": f"{URL}blobs/{sha256(OTHER)}"},
                query=f"?mount={sha256(BLOB)}",
            )
        ],
        "PUSH-MOUNT-LOCATION-PULLABLE",
    ),
    (
        "a single POST with a digest of others",
        [exchange("upload.start-digest", "", 201, told=digest(OTHER), query=f"?digest={sha256(BLOB)}")],
        "PUSH-PUT-DIGEST-HEADER-VALUE",
    ),
    (
        "a closing PUT with a Location of others",
        [
            exchange(
                "upload.put",
                "",
                201,
                told={"Location": f"/v2/a/blobs/{sha256(OTHER)}"},
                query=f"?digest={sha256(BLOB)}",
            )
        ],
        "PUSH-PUT-LOCATION-PULLABLE",
    ),
    (
        "a deletion with a digest of others",
        [exchange("blob.delete", sha256(BLOB), 202, told=digest(OTHER))],
        "MGMT-BLOB-DELETE-HEADERS",
    ),
    (
        "filters of nobody",
        [exchange("referrers.list", sha256(BLOB), told={"OCI-Filters-Applied": "artifactType"})],
        "DISC-REFERRERS-FILTER-HEADER-HONEST",
    ),
    (
        "a part without its place",
        [exchange("blob.get", sha256(BLOB), 206, body=BLOB[:2], fields={"Range": "bytes=0-1"})],
        "PULL-BLOB-RANGE-CONTENT-RANGE",
    ),
    (
        "a part that was packed by itself",
        [part("bytes 0-1/*", ZIPPED, told={"Content-Encoding": "gzip"})],
        "PULL-BLOB-RANGE-TRUE",
    ),
    (
        "a push of a manifest without its place",
        [exchange("manifest.put", "tag", 201, sent=MANIFEST, fields={"Content-Type": IMAGE})],
        "PUSH-MANIFEST-LOCATION-PULLABLE",
    ),
    ("a part that nobody asked for", [part("bytes 0-1/9", b"co", fields={})], "PULL-BLOB-GET-200"),
    ("a part beyond the whole", [part("bytes 0-9/5", b"c" * 10)], "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE"),
    ("a part of another whole", [UPLOADED, part("bytes 0-1/99", b"co")], "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE"),
    ("a part of another length", [part("bytes 0-4/*", b"con")], "PULL-BLOB-RANGE-TRUE"),
    (
        "a part under another name",
        [UPLOADED, part("bytes 1-2/*", b"co", fields={"Range": "bytes=0-1"})],
        "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
    ),
    (
        "the end under another name",
        [UPLOADED, part("bytes 1-2/*", b"ob", fields={"Range": "bytes=-2"})],
        "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
    ),
    (
        "all from one place on under another name",
        [UPLOADED, part("bytes 1-2/*", b"ob", fields={"Range": "bytes=15-"})],
        "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
    ),
    ("a part with other bytes", [UPLOADED, part("bytes 0-1/*", b"on")], "PULL-BLOB-RANGE-TRUE"),
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
    "another algorithm": [exchange("blob.get", sha256(BLOB), body=BLOB, told={"Docker-Content-Digest": sha512(BLOB)})],
    "another algorithm of unknown content": [
        exchange("blob.head", sha256(BLOB), told={"Docker-Content-Digest": sha512(OTHER)})
    ],
    "capitals": [exchange("blob.get", sha256(BLOB).upper().replace("SHA", "sha"), body=BLOB)],
    "a digest of the part": [
        part("bytes 0-1/*", BLOB[:2]),
        part("bytes 0-1/*", BLOB[:2], told=digest(BLOB[:2])),
    ],
    "a true coding": [exchange("blob.get", sha256(b"a layer" * 9), body=ZIPPED, told={"Content-Encoding": "gzip"})],
    "a coding that nobody here undoes": [
        exchange("blob.get", sha256(BLOB), body=ZIPPED, told={"Content-Encoding": "br"})
    ],
    "a failure": [exchange("blob.get", sha256(BLOB), body=OTHER, error="the body broke off before its end")],
    "another status": [exchange("blob.get", sha256(BLOB), 404, body=OTHER, told=digest(OTHER))],
    "an algorithm that nobody knows": [
        exchange("blob.get", "blake3:abc", body=OTHER, told={"Docker-Content-Digest": "blake3:def"})
    ],
    "HEAD with the length of coded content": [
        UPLOADED,
        exchange("blob.head", sha256(BLOB), told={"Content-Length": "3", "Content-Encoding": "gzip"}),
    ],
    "HEAD of what is not there": [
        exchange("upload.put", "id", 400, sent=BLOB, query=f"?digest={sha256(BLOB)}"),
        exchange("blob.head", sha256(BLOB), told={"Content-Length": "0"}),
    ],
    "HEAD of what was deleted": [
        UPLOADED,
        exchange("blob.delete", sha256(BLOB), 202),
        exchange("blob.head", sha256(BLOB), told={"Content-Length": "0"}),
    ],
    "HEAD after an upload in chunks": [
        exchange("upload.put", "id", 201, sent=b"blob", query=f"?digest={sha256(BLOB)}"),
        exchange("blob.head", sha256(BLOB), told={"Content-Length": "17"}),
    ],
    "schema 1": [
        pushed(MANIFEST, _SIGNED, told=digest(OTHER)),
        exchange("manifest.get", sha256(OTHER), body=MANIFEST, told={"Content-Type": _SIGNED, **digest(OTHER)}),
    ],
    "a child where no index is taken": [
        pushed(BARE, INDEX),
        exchange("manifest.get", "tag", body=MANIFEST, fields={"Accept": IMAGE}),
    ],
    "either of two pushes": [
        pushed(MANIFEST),
        pushed(BARE),
        exchange("manifest.head", "tag", told=digest(MANIFEST), fields={"Accept": "*/*"}),
    ],
    "a push whose bytes are not recorded": [
        pushed(MANIFEST),
        exchange("manifest.put", "tag"),
        exchange("manifest.get", "tag", body=BARE, fields={"Accept": "*/*"}),
    ],
    "the type of the body": [
        pushed(MANIFEST, INDEX),
        exchange("manifest.get", "tag", body=MANIFEST, told={"Content-Type": IMAGE}),
    ],
    "a type with parameters": [
        pushed(MANIFEST),
        exchange("manifest.get", "tag", body=MANIFEST, told={"Content-Type": IMAGE.title() + "; charset=utf-8"}),
    ],
    "a type of a push without one": [
        pushed(BARE, ""),
        exchange("manifest.get", "tag", body=BARE, told={"Content-Type": INDEX}),
    ],
    "a smaller part than was asked for": [UPLOADED, part("bytes 2-3/17", b"nt", fields={"Range": "bytes=1-9"})],
    "several ranges": [UPLOADED, part("bytes 2-3/17", b"nt", fields={"Range": "bytes=2-3,5-6"})],
    "a Location elsewhere": [
        pushed(MANIFEST, told={"Location": f"http://store.example/v2/a/manifests/{sha256(OTHER)}"})
    ],
    "a Location of another form": [pushed(MANIFEST, told={"Location": f"/objects/{sha256(OTHER)}"})],
    "a Location by tag": [pushed(MANIFEST, told={"Location": "/v2/a/manifests/tag"})],
    "a Location by another algorithm": [
        exchange(
            "upload.put",
            "",
            201,
            sent=BLOB,
            told={"Location": f"/v2/a/blobs/{sha512(BLOB)}"},
            query=f"?digest={sha256(BLOB)}",
        )
    ],
    "two digests": [
        exchange(
            "upload.put",
            "",
            201,
            sent=BLOB,
            told=digest(BLOB),
            query=f"?digest={sha256(BLOB)}&digest={sha512(BLOB)}",
        )
    ],
    "a page of a filtered list": [
        exchange("referrers.list", sha256(BLOB), query="?next=x", told={"OCI-Filters-Applied": "artifactType"})
    ],
    "tags that were asked for": [
        pushed(MANIFEST, reference=sha256(MANIFEST), query="?tag=a&tag=b", told={"OCI-Tag": "b,a"})
    ],
    "chunks at the same time": [started(), patch(2, "0-4"), patch(2.5, "0-4")],
    "chunks at the same time of which the later ends first": [started(), patch(2.5, "0-9"), patch(2, "0-4")],
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
    exchanges = [pushed(MANIFEST), exchange("manifest.get", "tag", body=BARE, fields={"Accept": "*/*"})]
    assert found(exchanges, shared=True) == []


def test_chunks_make_the_content_that_their_digest_names() -> None:
    closing = exchange("upload.put", "id", 201, sent=b"6789", query=f"?digest={sha256(b'123456789')}", at=4)
    head = exchange("blob.head", sha256(b"123456789"), told={"Content-Length": "4"}, at=6)
    assert found([started(), patch(2, "0-4"), closing, head]) == ["PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE"]


def test_the_evidence_ends_with_the_exchange_that_is_false() -> None:
    head = exchange("blob.head", sha256(BLOB), told={"Content-Length": "3"})
    [breach] = breaches([UPLOADED, head])
    assert breach.evidence == (UPLOADED, head)
    assert "17" in breach.expected
    assert breach.actual == "Content-Length: 3"
