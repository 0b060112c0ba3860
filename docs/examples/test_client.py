"""A client that pushes and pulls blobs, and its tests against what registries do."""

from __future__ import annotations

import hashlib
from urllib.parse import urljoin

import pytest
import requests

from reference import RunningRegistry


class BadContentError(Exception):
    """The registry did not send what the digest says."""


class Client:
    """Pushes and pulls the blobs of one repository."""

    def __init__(self, url: str, repository: str) -> None:
        self.blobs = f"{url}/v2/{repository}/blobs/"
        self.session = requests.Session()

    def push(self, content: bytes) -> str:
        """Push a blob and return its digest."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        started = self.session.post(f"{self.blobs}uploads/")
        started.raise_for_status()
        # It may be absolute or relative, on another host, and have a query of its own.
        upload = urljoin(started.url, started.headers["Location"])
        joint = "&" if "?" in upload else "?"
        self.session.put(f"{upload}{joint}digest={digest}", data=content).raise_for_status()
        return digest

    def pull(self, digest: str) -> bytes:
        """Return a blob; BadContentError where its digest is another one."""
        pulled = self.session.get(f"{self.blobs}{digest}")
        pulled.raise_for_status()
        if hashlib.sha256(pulled.content).hexdigest() != digest.partition(":")[2]:
            raise BadContentError(digest)
        return pulled.content


@pytest.fixture
def client(registry: RunningRegistry) -> Client:
    """The client of a registry that only this test has."""
    return Client(registry.url, "team/app")


@pytest.mark.registry(variants="push.locations")
def test_what_is_pushed_can_be_pulled(client: Client) -> None:
    """It works with each kind of Location that the specification allows."""
    assert client.pull(client.push(b"content")) == b"content"


@pytest.mark.registry(variant=["blob-redirected", "location-absolute"])
def test_redirects_are_followed(client: Client) -> None:
    """Two oddities at once."""
    assert client.pull(client.push(b"content")) == b"content"


@pytest.mark.registry(fault="blob-spoilt-when-large")
def test_wrong_content_is_refused(client: Client) -> None:
    """A broken registry is no reason to return broken content."""
    digest = client.push(bytes(300_000))
    with pytest.raises(BadContentError):
        client.pull(digest)
