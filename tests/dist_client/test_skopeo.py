"""skopeo and dist give the same bytes, and read what the other wrote."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from reference.dist import SyncClient
from tests.clients.conftest import Run, run
from tests.clients.images import blobs
from tests.dist_client.conftest import Made
from tests.support.servers import Server

__all__ = ["run"]
pytestmark = pytest.mark.needs("skopeo")
_COPY = ("skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false", "--src-tls-verify=false")


def test_pulls_are_the_same(client: SyncClient, plain: Server, run: Run, made: Made, tmp_path: Path) -> None:
    for name in ("v1", "multi"):
        image = f"{plain.address}/dist/pulls:{name}"
        client.copy(made.at(name), image, every=True)
        client.copy(image, f"oci:{tmp_path / 'ours'}:{name}", every=True)
        run(*_COPY, "--all", "--preserve-digests", f"docker://{image}", f"oci:{tmp_path / 'theirs'}:{name}")
    assert blobs(tmp_path / "ours") == blobs(tmp_path / "theirs")
    ours, theirs = (json.loads((tmp_path / side / "index.json").read_bytes()) for side in ("ours", "theirs"))
    assert ours["manifests"] == theirs["manifests"]


def test_pushes_are_the_same(client: SyncClient, plain: Server, run: Run, made: Made, tmp_path: Path) -> None:
    ours, theirs = f"{plain.address}/dist/ours", f"{plain.address}/dist/theirs"
    for name in ("v1", "multi"):
        client.copy(made.at(name), f"{ours}:{name}", every=True)
        run(*_COPY, "--all", "--preserve-digests", made.at(name), f"docker://{theirs}:{name}")
        assert client.fetch(f"{ours}:{name}") == client.fetch(f"{theirs}:{name}")
        run(*_COPY, "--all", "--preserve-digests", f"docker://{ours}:{name}", f"oci:{tmp_path / 'back'}:{name}")
    assert blobs(tmp_path / "back") == blobs(made.layout.folder)


def test_archives_are_read_by_both(client: SyncClient, plain: Server, run: Run, made: Made, tmp_path: Path) -> None:
    for kind in ("oci-archive", "docker-archive"):
        name = "app:v1" if kind == "docker-archive" else "v1"
        ours, theirs = tmp_path / f"ours-{kind}.tar", tmp_path / f"theirs-{kind}.tar"
        client.copy(made.at("v1"), f"{kind}:{ours}:{name}")
        run(*_COPY, made.at("v1"), f"{kind}:{theirs}:{name}")
        run(*_COPY, f"{kind}:{ours}:{name}", f"dir:{tmp_path / kind}")
        client.copy(f"{kind}:{theirs}:{name}", f"{plain.address}/dist/{kind}:theirs")
        client.copy(f"{kind}:{ours}:{name}", f"{plain.address}/dist/{kind}:ours")
        by_both = [client.fetch(f"{plain.address}/dist/{kind}:{side}") for side in ("ours", "theirs")]
        assert by_both[0] == by_both[1]
    one, other = (_archive(tmp_path / f"{side}-docker-archive.tar") for side in ("ours", "theirs"))
    (mine,), (its,) = json.loads(one["manifest.json"]), json.loads(other["manifest.json"])
    assert one[mine["Config"]] == other[its["Config"]]
    assert [one[layer] for layer in mine["Layers"]] == [other[layer] for layer in its["Layers"]]


def _archive(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {member.name: file.read() for member in tar if (file := tar.extractfile(member))}
