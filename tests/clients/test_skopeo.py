"""skopeo: copies there and back, byte for byte."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.clients.conftest import Run
from tests.clients.images import Layout, blobs, reachable
from tests.support.servers import Server, reference

pytestmark = pytest.mark.needs("skopeo")
_COPY = ("skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false", "--src-tls-verify=false")
_V2S2 = "application/vnd.docker.distribution.manifest.v2+json"


def _raw(run: Run, image: str) -> bytes:
    return run("skopeo", "inspect", "--tls-verify=false", "--raw", image).encode()


def test_image_there_and_back(server: Server, repository: str, run: Run, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "made")
    manifest = layout.image(layers=5)
    source = layout.tag(manifest, "v1")
    image = f"docker://{server.address}/{repository}:v1"

    run(*_COPY, "--preserve-digests", source, image)
    run(*_COPY, "--preserve-digests", image, f"oci:{tmp_path / 'back'}:v1")

    assert blobs(tmp_path / "back") == reachable(layout.folder, manifest["digest"])
    assert _raw(run, image) == blobs(layout.folder)[manifest["digest"]]


def test_empty_and_large_layers(server: Server, repository: str, run: Run, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "made", seed=1)
    manifest = layout.image(layers=2, size=8 << 20)
    source = layout.tag(manifest, "large")
    image = f"docker://{server.address}/{repository}:large"

    run(*_COPY, "--preserve-digests", source, image)
    run(*_COPY, "--preserve-digests", f"{image}", f"oci:{tmp_path / 'back'}:large")

    assert blobs(tmp_path / "back") == reachable(layout.folder, manifest["digest"])


def test_every_architecture_of_an_index(server: Server, repository: str, run: Run, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "made", seed=2)
    index = layout.index(("amd64", "arm64", "s390x"))
    source = layout.tag(index, "multi")
    image = f"docker://{server.address}/{repository}:multi"

    run(*_COPY, "--all", "--preserve-digests", source, image)
    run(*_COPY, "--all", "--preserve-digests", image, f"oci:{tmp_path / 'back'}:multi")

    assert blobs(tmp_path / "back") == reachable(layout.folder, index["digest"])
    assert _raw(run, image) == blobs(layout.folder)[index["digest"]]


def test_one_architecture_of_an_index(server: Server, repository: str, run: Run, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "made", seed=3)
    index = layout.index(("amd64", "arm64"))
    image = f"docker://{server.address}/{repository}:multi"
    run(*_COPY, "--all", "--preserve-digests", layout.tag(index, "multi"), image)

    run("skopeo", "--override-arch", "arm64", *_COPY[1:], "--preserve-digests", image, f"oci:{tmp_path / 'one'}:arm64")

    chosen = json.loads(blobs(layout.folder)[index["digest"]])["manifests"][1]["digest"]
    assert blobs(tmp_path / "one") == reachable(layout.folder, chosen)


def test_docker_schema_2(server: Server, repository: str, run: Run, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "made", seed=4)
    source = layout.tag(layout.image(), "v2s2")
    image = f"docker://{server.address}/{repository}:v2s2"

    run(*_COPY, "--format", "v2s2", source, image)
    run(*_COPY, "--preserve-digests", image, f"dir:{tmp_path / 'back'}")

    raw = _raw(run, image)
    manifest = json.loads(raw)
    assert manifest["mediaType"] == _V2S2
    assert (tmp_path / "back" / "manifest.json").read_bytes() == raw
    made = blobs(layout.folder)
    for layer in manifest["layers"]:
        pulled = (tmp_path / "back" / layer["digest"].removeprefix("sha256:")).read_bytes()
        assert pulled == made[layer["digest"]]


def test_inspect_by_tag_and_by_digest(server: Server, repository: str, run: Run, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "made", seed=5)
    manifest = layout.image()
    image = f"docker://{server.address}/{repository}"
    run(*_COPY, "--preserve-digests", layout.tag(manifest, "v1"), f"{image}:v1")

    seen = json.loads(run("skopeo", "inspect", "--tls-verify=false", f"{image}:v1"))

    assert seen["Digest"] == manifest["digest"]
    assert seen["Layers"] == [
        layer["digest"] for layer in json.loads(blobs(layout.folder)[manifest["digest"]])["layers"]
    ]
    assert _raw(run, f"{image}@{manifest['digest']}") == blobs(layout.folder)[manifest["digest"]]


def test_tags_are_listed(server: Server, repository: str, run: Run, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "made", seed=6)
    manifest = layout.image(layers=1)
    image = f"docker://{server.address}/{repository}"
    tags = [f"v{number}" for number in range(5)]
    for tag in tags:
        run(*_COPY, layout.tag(manifest, tag), f"{image}:{tag}")

    listed = json.loads(run("skopeo", "list-tags", "--tls-verify=false", image))["Tags"]

    assert sorted(listed) == tags


def test_copy_to_another_repository(server: Server, repository: str, run: Run, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "made", seed=7)
    manifest = layout.image()
    first, second = (f"docker://{server.address}/{repository}/{name}:v1" for name in ("first", "second"))
    run(*_COPY, "--preserve-digests", layout.tag(manifest, "v1"), first)

    run(*_COPY, "--preserve-digests", first, second)
    run(*_COPY, "--preserve-digests", second, f"oci:{tmp_path / 'back'}:v1")

    assert blobs(tmp_path / "back") == reachable(layout.folder, manifest["digest"])


def test_deleted_image_is_gone(server: Server, repository: str, run: Run, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "made", seed=8)
    image = f"docker://{server.address}/{repository}:gone"
    run(*_COPY, layout.tag(layout.image(), "gone"), image)

    run("skopeo", "delete", "--tls-verify=false", image)

    run("skopeo", "inspect", "--tls-verify=false", image, fails=True)


def test_login_is_asked_for(run: Run, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "made", seed=9)
    manifest = layout.image()
    source = layout.tag(manifest, "v1")
    with reference(tmp_path, users={"alice": "wonder land"}) as guarded:
        image = f"docker://{guarded.address}/private/image:v1"
        run(*_COPY, source, image, fails=True)
        run(*_COPY, "--dest-creds", "alice:wrong", source, image, fails=True)
        run(*_COPY, "--preserve-digests", "--dest-creds", "alice:wonder land", source, image)
        raw = run("skopeo", "inspect", "--tls-verify=false", "--creds", "alice:wonder land", "--raw", image)
    assert "sha256:" + hashlib.sha256(raw.encode()).hexdigest() == manifest["digest"]
