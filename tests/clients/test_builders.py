"""umoci and buildah: images that they made, through a registry and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients.conftest import Run
from tests.clients.images import blobs
from tests.support.servers import Server

_COPY = ("skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false", "--src-tls-verify=false")


@pytest.mark.needs("umoci", "skopeo")
def test_image_of_umoci(server: Server, repository: str, run: Run, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"file-{number}").write_text(f"content {number}\n" * 1000)
    run("umoci", "init", "--layout", "made")
    run("umoci", "new", "--image", "made:v1")
    for number in range(3):
        run("umoci", "insert", "--rootless", "--image", "made:v1", f"file-{number}", f"/data/file-{number}")
    run("umoci", "gc", "--layout", "made")
    image = f"docker://{server.address}/{repository}:v1"

    run(*_COPY, "--preserve-digests", "oci:made:v1", image)
    run(*_COPY, "--preserve-digests", image, "oci:back:v1")
    run("umoci", "unpack", "--rootless", "--image", "back:v1", "bundle")

    assert blobs(tmp_path / "back") == blobs(tmp_path / "made")
    for number in range(3):
        unpacked = tmp_path / "bundle" / "rootfs" / "data" / f"file-{number}"
        assert unpacked.read_text() == (tmp_path / f"file-{number}").read_text()


@pytest.mark.needs("buildah", "skopeo")
def test_image_of_buildah(server: Server, repository: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "hello").write_text("hello\n" * 1000)
    storage = ("--root", str(tmp_path / "root"), "--runroot", str(tmp_path / "run"), "--storage-driver", "vfs")
    buildah = ("buildah", *storage)
    trust = ("--signature-policy", str(tmp_path / "home" / "policy.json"), "--tls-verify=false")
    image = f"docker://{server.address}/{repository}:v1"
    container = run(*buildah, "from", "scratch").strip()
    run(*buildah, "copy", container, "hello", "/hello")
    run(*buildah, "config", "--label", "made-by=test", container)
    run(*buildah, "commit", "--quiet", *trust, container, "made")

    run(*buildah, "push", "--quiet", *trust, "--digestfile", "digest", "made", image)
    run(*buildah, "rmi", "--all", "--force")
    run(*buildah, "pull", "--quiet", *trust, image)

    digest = (tmp_path / "digest").read_text().strip()
    inspected = json.loads(run(*buildah, "inspect", "--type", "image", image.removeprefix("docker://")))
    assert inspected["FromImageDigest"] == digest
    assert inspected["OCIv1"]["config"]["Labels"]["made-by"] == "test"
    run(*_COPY, "--preserve-digests", image, "oci:back:v1")
    assert digest in blobs(tmp_path / "back")
