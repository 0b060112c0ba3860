"""Exchanges that are made by hand, for tests of the invariants."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

from conformance.client.http.exchange import Exchange, Headers, Request, Response

URL = "http://registry.example/v2/a/"
BLOB, OTHER = b"content of a blob", b"something else"
ZIPPED = gzip.compress(b"a layer" * 9)
IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": IMAGE}).encode()
UNKNOWN = "application/vnd.example.thing+json"
STRANGE = json.dumps({"mediaType": UNKNOWN}).encode()
BARE = json.dumps({"schemaVersion": 2}).encode()


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
    request = Request(method, f"{URL}{folder}{what}{query}", headers, sent, len(sent or b""))
    response = Response(status, "", Headers((told or {}).items()), body, len(body))
    return Exchange(operation, parameters, request, response, error, started_ms=at, elapsed_ms=1.0)


def digest(content: bytes) -> dict[str, str]:
    """Return the digest header of some bytes."""
    return {"Docker-Content-Digest": sha256(content)}


def pushed(content: bytes, media_type: str = IMAGE, reference: str = "tag", **more: Any) -> Exchange:
    """Make the push of a manifest."""
    told = {"Location": f"{URL}manifests/{reference}", **more.pop("told", {})}
    return exchange(
        "manifest.put", reference, 201, sent=content, fields={"Content-Type": media_type}, told=told, **more
    )


UPLOADED = exchange("upload.put", "id", 201, sent=BLOB, query=f"?digest={sha256(BLOB)}")


def patch(at: float, told: str, sent: bytes | None = b"12345", status: int = 202, **more: Any) -> Exchange:
    """Make a chunk, which leads to the URL of ``id``."""
    fields = {"Content-Range": "0-4"} if more.get("ranged", True) else {}
    return exchange(
        "upload.patch",
        more.get("where", "id"),
        status,
        sent=sent,
        fields=fields,
        told={"Range": told, "Location": URL + "blobs/uploads/id"},
        at=at,
    )


def started(at: float = 0.0) -> Exchange:
    """Make the start of an upload."""
    return exchange("upload.start", "", 202, told={"Location": "/v2/a/blobs/uploads/id"}, at=at)


def part(content_range: str, body: bytes, **more: Any) -> Exchange:
    """Make a partial answer."""
    more = {"fields": {"Range": "bytes=0-"}, **more}
    told = {"Content-Range": content_range, **more.pop("told", {})}
    return exchange("blob.get", sha256(BLOB), 206, told=told, body=body, **more)
