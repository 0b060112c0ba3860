"""A certificate beside an image: in the list of referrers, or under the tag that stands for one."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import requests

from conformance.command.main import run
from reports.certificate.envelope import PAYLOAD_TYPE
from tests.support.servers import Server, docker_registry, reference

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_ENVELOPE = json.dumps({"payloadType": PAYLOAD_TYPE, "payload": base64.b64encode(b"{}").decode(), "signatures": []})
_BUNDLE = "dev.sigstore.bundle.v0.3"


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def _push(server: Server, auth: tuple[str, str] | None = None) -> str:
    """Push an image without layers; return its digest."""
    base = f"{server.url}/v2/team/app"
    config = b"{}"
    location = requests.post(f"{base}/blobs/uploads/", auth=auth, timeout=10).headers["Location"]
    url = location if "://" in location else server.url + location
    sign = "&" if "?" in url else "?"
    requests.put(f"{url}{sign}digest={_digest(config)}", data=config, auth=auth, timeout=10).raise_for_status()
    descriptor = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": _digest(config), "size": 2}
    body = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, "config": descriptor, "layers": []}).encode()
    headers = {"Content-Type": _MANIFEST}
    answer = requests.put(f"{base}/manifests/v1", data=body, headers=headers, auth=auth, timeout=10)
    answer.raise_for_status()
    return _digest(body)


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    """The file of a certificate."""
    path = tmp_path / "certificate.json"
    path.write_text(_ENVELOPE, encoding="utf-8")
    return str(path)


def _there(url: str, entry: dict[str, Any], digest: str, kind: str = "dsse.envelope.v1", text: str = "") -> None:
    """Follow an entry to the certificate."""
    assert entry["artifactType"] == f"application/vnd.{kind}+json"
    manifest = requests.get(f"{url}/v2/team/app/manifests/{entry['digest']}", headers={"Accept": _MANIFEST}, timeout=10)
    made = manifest.json()
    assert made["subject"]["digest"] == digest
    layer = requests.get(f"{url}/v2/team/app/blobs/{made['layers'][0]['digest']}", timeout=10)
    assert layer.text == (text or _ENVELOPE) and made["layers"][0]["mediaType"] == entry["artifactType"]


def test_in_the_list_of_referrers(tmp_path: Path, certificate: str, capsys: pytest.CaptureFixture[str]) -> None:
    with reference(tmp_path) as server:
        digest = _push(server)
        for image in (f"{server.url}/team/app:v1", f"{server.url}/team/app@{digest}"):
            assert run(["attach", certificate, image]) == 0
        assert "team/app@sha256:" in capsys.readouterr().out
        found = requests.get(f"{server.url}/v2/team/app/referrers/{digest}", timeout=10).json()["manifests"]
        assert len(found) == 1
        _there(server.url, found[0], digest)
        bundle = {"mediaType": f"application/vnd.{_BUNDLE}+json", "dsseEnvelope": json.loads(_ENVELOPE)}
        keyless = tmp_path / "keyless.json"
        keyless.write_text(json.dumps(bundle), encoding="utf-8")
        assert run(["attach", str(keyless), f"{server.url}/team/app:v1"]) == 0
        found = requests.get(f"{server.url}/v2/team/app/referrers/{digest}", timeout=10).json()["manifests"]
        _there(
            server.url,
            next(one for one in found if _BUNDLE in one["artifactType"]),
            digest,
            _BUNDLE,
            json.dumps(bundle),
        )


@pytest.mark.needs("docker-registry")
def test_under_the_tag_where_there_is_no_list(tmp_path: Path, certificate: str) -> None:
    with docker_registry(tmp_path) as server:
        digest = _push(server)
        for _ in range(2):
            assert run(["attach", certificate, f"{server.url}/team/app:v1"]) == 0
        tag = digest.replace(":", "-")
        accept = {"Accept": "application/vnd.oci.image.index.v1+json"}
        index = requests.get(f"{server.url}/v2/team/app/manifests/{tag}", headers=accept, timeout=10).json()
        assert len(index["manifests"]) == 1
        _there(server.url, index["manifests"][0], digest)


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[AbstractContextManager[Server]]:
    """A registry with one user."""
    yield reference(tmp_path, users={"ann": "c4nary"})


def test_with_a_login(
    locked: AbstractContextManager[Server],
    certificate: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with locked as server:
        digest = _push(server, ("ann", "c4nary"))
        image = f"{server.url}/team/app@{digest}"
        monkeypatch.delenv("REGISTRY_USERNAME", raising=False)
        assert run(["attach", certificate, image]) == 1
        assert "status 401" in capsys.readouterr().err
        monkeypatch.setenv("REGISTRY_PASSWORD", "c4nary")
        assert run(["attach", certificate, image, "--username", "ann"]) == 0
        assert "c4nary" not in "".join(capsys.readouterr())


def test_mistakes(tmp_path: Path, certificate: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "text"
    text.write_text("{}", encoding="utf-8")
    other = tmp_path / "other"
    other.write_text(json.dumps({"mediaType": "text/plain", "dsseEnvelope": json.loads(_ENVELOPE)}), encoding="utf-8")
    for path, image, code, said in (
        (str(other), "https://registry.example.com/app:v1", 4, "is no certificate"),
        (str(tmp_path), "https://registry.example.com/app:v1", 4, "cannot be read"),
        (certificate, "registry.example.com/app:v1", 4, "expected the image as https://HOST/NAME:TAG"),
        (certificate, "https://registry.example.com/app", 4, "expected the image as https://HOST/NAME:TAG"),
        (str(text), "https://registry.example.com/app:v1", 4, "is no certificate"),
        (str(tmp_path / "none"), "https://registry.example.com/app:v1", 4, "cannot be read"),
        (certificate, "http://127.0.0.1:1/app:v1", 1, "the image app v1 cannot be read"),
    ):
        assert run(["attach", path, image]) == code
        assert said in capsys.readouterr().err
