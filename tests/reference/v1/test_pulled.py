"""What docker-registry 0.9 stored is pulled from the reference, with the files that it had."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from reference.dist import SyncClient
from reference.maintenance.fsck import check
from reference.storage.filesystem import FilesystemStorage
from reference.storage.memory import MemoryStorage
from tests.clients.conftest import Run, run
from tests.reference.v1.brought import APP, BASE, IMAGES, OTHER, SECOND, bring, command, configured, examined, files
from tests.reference.v1.writer import PACKED, Writer, tar_of
from tests.support.servers import Server, docker_registry, reference

__all__ = ["run"]


@pytest.fixture(scope="module")
def server(old: Writer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A reference that serves what was imported."""
    folder = tmp_path_factory.mktemp("imported")
    assert command(folder, old) == 0
    assert check(folder / "root", repair=False).found == []
    with reference(folder, config=configured(folder)) as found:
        yield found


def _blob(folder: Path, digest: str) -> bytes:
    return (folder / digest.removeprefix("sha256:")).read_bytes()


@pytest.mark.needs("skopeo")
def test_skopeo_pulls_the_files_that_there_were(server: Server, run: Run, tmp_path: Path) -> None:
    for number, (image, layers, steps) in enumerate(IMAGES):
        folder = tmp_path / str(number)
        source = ("--src-tls-verify=false", f"docker://{server.address}/{image}")
        run("skopeo", "--insecure-policy", "copy", "--quiet", *source, f"dir:{folder}")
        manifest = json.loads((folder / "manifest.json").read_bytes())
        assert manifest["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
        config = examined(manifest, partial(_blob, folder), layers)
        assert len(config["history"]) == steps
        shown = json.loads(run("skopeo", "inspect", "--tls-verify=false", "--config", source[1]))
        assert shown["rootfs"] == config["rootfs"]


def test_the_config_says_what_the_images_said(server: Server, tmp_path: Path) -> None:
    with SyncClient() as client:
        client.copy(f"{server.address}/library/app:v2", f"oci:{tmp_path}:v2")
    index = json.loads((tmp_path / "index.json").read_bytes())
    blob = partial(_blob, tmp_path / "blobs/sha256")
    manifest = json.loads(blob(index["manifests"][0]["digest"]))
    config = examined(manifest, blob, [BASE, APP, SECOND])
    assert config["config"] == {"Env": ["PATH=/bin"], "Cmd": ["/bin/app"], "Labels": {"n": "5"}}
    assert (config["architecture"], config["os"], config["docker_version"]) == ("amd64", "linux", "1.3.0")
    assert config["created"] == "2014-10-06T10:00:00.123456789Z"
    assert not config.keys() & {"id", "parent", "Size"}
    assert config["history"][:2] == [
        {"created": "2014-10-02T10:00:00.123456789Z", "created_by": "/bin/sh -c #(nop) step 1", "empty_layer": True},
        {
            "created": "2014-10-03T10:00:00.123456789Z",
            "created_by": "/bin/sh -c #(nop) step 2",
            "author": "A <a@example.com>",
            "comment": "the base",
        },
    ]


@pytest.mark.needs("docker-registry")
def test_the_original_serves_it_from_a_directory_in_its_layout(old: Writer, tmp_path: Path) -> None:
    at = {"rootdirectory": str(tmp_path / "content"), "layout": "distribution"}
    assert command(tmp_path, old, config={"version": "0.1", "storage": {"filesystem": at}}) == 0
    with docker_registry(tmp_path, filesystem=True) as original, SyncClient() as client:
        for number, (image, layers, _) in enumerate(IMAGES):
            client.copy(f"{original.address}/{image}", f"oci:{tmp_path / str(number)}:it")
            index = json.loads((tmp_path / str(number) / "index.json").read_bytes())
            blob = partial(_blob, tmp_path / str(number) / "blobs/sha256")
            examined(json.loads(blob(index["manifests"][0]["digest"])), blob, layers)


def test_gzip_stays_as_it_is_and_layers_are_stored_once(tmp_path: Path, old: Writer) -> None:
    storage = FilesystemStorage(tmp_path / "root", "never")
    bring(old, storage)
    of_app, of_tools = (set(storage.blobs(name)) for name in ("library/app", "team/tools/deep"))
    packed = PACKED["gzip"](tar_of(APP))
    assert "sha256:" + hashlib.sha256(packed).hexdigest() in of_app
    (shared,) = of_app & of_tools
    (content,) = (tmp_path / "root" / "blobs").glob(f"*/*/{shared[7:]}")
    # One name by its digest, and one in each of the two repositories.
    assert (content.stat().st_nlink, files(content.read_bytes())) == (3, BASE)


def test_an_image_without_what_is_optional(tmp_path: Path) -> None:
    made = Writer(tmp_path / "registry")
    bare = made.image(OTHER, created=None, architecture=None, os="", config=None, container_config=None)
    (made.image_folder(bare) / "_checksum").unlink()
    made.tag("a/b", "v1", bare)
    old_checksum = made.image(SECOND)
    (made.image_folder(old_checksum) / "_checksum").write_text("tarsum+sha256:" + "0" * 64)
    made.tag("a/b", "v2", old_checksum)
    storage = MemoryStorage()
    assert bring(made, storage).warnings == []
    manifest = storage.manifest("a/b", storage.tag("a/b", "v1") or "")
    assert manifest is not None
    config = storage.open_blob("a/b", json.loads(manifest.content)["config"]["digest"])
    assert config is not None
    assert json.loads(config.data) == {
        "architecture": "amd64",
        "docker_version": "1.3.0",
        "history": [{}],
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar_of(OTHER)).hexdigest()]},
    }


def test_memory_is_bounded(tmp_path: Path) -> None:
    made = Writer(tmp_path / "registry")
    tar = tar_of({"large": bytes(range(256)) * (16 << 12)})
    made.tag("a/b", "plain", made.layered(tar))
    made.tag("a/b", "gzip", made.layered(tar, kind="gzip"))
    size = len(tar)
    del tar
    storage = FilesystemStorage(tmp_path / "root", "never")
    tracemalloc.start()
    told = bring(made, storage)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(told.lines) == 2
    assert peak < size / 2
