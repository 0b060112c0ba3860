"""Content that was in a registry before a run: images, indexes, artifacts and tags of others."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import requests

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
TYPES = (
    f"{OCI}.manifest.v1+json",
    f"{OCI}.index.v1+json",
    f"{DOCKER}.distribution.manifest.v2+json",
    f"{DOCKER}.distribution.manifest.list.v2+json",
)
_TIMEOUT = 10
#: The empty JSON object, which many artifacts share.
EMPTY = b"{}"


def digest_of(content: bytes) -> str:
    """Return the sha256 digest of some bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Pusher:
    """Pushes to one repository."""

    def __init__(self, url: str, name: str) -> None:
        self._base = f"{url}/v2/{name}"
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def blob(self, content: bytes, media_type: str) -> dict[str, Any]:
        """Push a blob; return its descriptor."""
        start = self._session.post(f"{self._base}/blobs/uploads/", timeout=_TIMEOUT)
        location = requests.compat.urljoin(self._url, start.headers["Location"])
        joint = "&" if "?" in location else "?"
        closed = self._session.put(
            f"{location}{joint}digest={digest_of(content)}",
            data=content,
            headers={"Content-Type": "application/octet-stream"},
            timeout=_TIMEOUT,
        )
        assert closed.status_code == 201, closed.text
        return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}

    def manifest(self, document: dict[str, Any], *tags: str) -> dict[str, Any]:
        """Push a manifest under some tags, by digest without one; return its descriptor."""
        body = json.dumps(document).encode()
        for reference in tags or (digest_of(body),):
            headers = {"Content-Type": document["mediaType"]}
            put = self._session.put(f"{self._base}/manifests/{reference}", data=body, headers=headers, timeout=_TIMEOUT)
            assert put.status_code == 201, put.text
        return {"mediaType": document["mediaType"], "digest": digest_of(body), "size": len(body)}

    def image(self, text: str, *tags: str, kind: str = f"{OCI}.manifest.v1+json", **members: Any) -> dict[str, Any]:
        """Push an image that differs from others by a text; its layer is gzip data."""
        docker = kind.startswith(DOCKER)
        config_type = f"{DOCKER}.container.image.v1+json" if docker else f"{OCI}.config.v1+json"
        layer_type = f"{DOCKER}.image.rootfs.diff.tar.gzip" if docker else f"{OCI}.layer.v1.tar+gzip"
        config = self.blob(json.dumps({"architecture": "amd64", "os": "linux", "text": text}).encode(), config_type)
        noise = b"".join(hashlib.sha256(f"{text}{number}".encode()).digest() for number in range(64))
        layer = self.blob(gzip.compress(noise, mtime=0), layer_type)
        document = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer], **members}
        return self.manifest(document, *tags)

    def index(self, kind: str, *children: dict[str, Any], tag: str, **members: Any) -> dict[str, Any]:
        """Push an index of manifests."""
        platform = {"architecture": "amd64", "os": "linux"}
        listed = [{**child, "platform": platform} for child in children]
        return self.manifest({"schemaVersion": 2, "mediaType": kind, "manifests": listed, **members}, tag)

    def artifact(self, subject: dict[str, Any], tag: str) -> dict[str, Any]:
        """Push an artifact whose configuration is the empty object, which others may share."""
        empty = self.blob(EMPTY, "application/vnd.oci.empty.v1+json")
        document = {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "artifactType": "application/vnd.example.others.v1",
            "config": empty,
            "layers": [empty],
            "subject": subject,
            "annotations": {"org.example.of": "others"},
        }
        return self.manifest(document, tag)


def fill(url: str, name: str, amount: str = "all") -> list[str]:
    """Fill a repository; return what is there as ``NAME:TAG``.

    ``few`` makes one image, ``all`` also an index, Docker manifests, an artifact and several tags.
    """
    pusher = Pusher(url, name)
    image = pusher.image(name, "latest")
    if amount == "few":
        return [f"{name}:latest"]
    pusher.image(f"{name} again", "0", "1.0", "1.0-alpine", "V2", "stable", "t")
    pusher.index(f"{OCI}.index.v1+json", image, tag="all")
    docker = pusher.image(name, "docker", kind=f"{DOCKER}.distribution.manifest.v2+json")
    pusher.index(f"{DOCKER}.distribution.manifest.list.v2+json", docker, tag="docker-all")
    pusher.artifact(image, "artifact")
    return [f"{name}:{tag}" for tag in ("latest", "all", "docker", "docker-all", "artifact")]


def snapshot(url: str, name: str) -> dict[str, Any]:
    """Return all that shows of a repository: each tag with its manifest and blobs."""
    session = requests.Session()
    session.trust_env = False
    base = f"{url}/v2/{name}"
    listed = session.get(f"{base}/tags/list", timeout=_TIMEOUT)
    tags = (listed.json().get("tags") or []) if listed.status_code == 200 else []
    seen: dict[str, Any] = {}
    for tag in tags:
        answer = session.get(f"{base}/manifests/{tag}", headers={"Accept": ", ".join(TYPES)}, timeout=_TIMEOUT)
        document = answer.json()
        entries = [document.get("config"), *document.get("layers", [])]
        blobs = {
            e["digest"]: session.head(f"{base}/blobs/{e['digest']}", timeout=_TIMEOUT).status_code for e in entries if e
        }
        subject = document.get("subject", {}).get("digest", digest_of(answer.content))
        referrers = session.get(f"{base}/referrers/{subject}", timeout=_TIMEOUT)
        seen[tag] = (answer.status_code, digest_of(answer.content), blobs, referrers.text)
    return seen
