"""Copies between registries, layouts and archives, byte for byte."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from reference.dist import Client, Descriptor, NotFoundError, SyncClient, UsageError
from tests.clients.images import INDEX, MANIFEST, blobs, reachable
from tests.dist_client.conftest import Made
from tests.support.servers import Server


def test_image_there_and_back(client: SyncClient, server: Server, repository: str, made: Made, tmp_path: Path) -> None:
    image = f"{server.address}/{repository}:v1"
    pushed = client.copy(made.at("v1"), image)
    assert (pushed.descriptor.digest, pushed.blobs, pushed.present) == (made.image["digest"], 6, 0)
    assert client.copy(made.at("v1"), image).present == 6
    client.copy(image, f"oci:{tmp_path / 'back'}:v1")
    assert blobs(tmp_path / "back") == reachable(made.layout.folder, made.image["digest"])
    assert client.resolve(image) == Descriptor(MANIFEST, made.image["digest"], made.image["size"])
    assert client.tags(f"oci:{tmp_path / 'back'}") == ["v1"]


def test_index_whole_and_in_part(
    client: SyncClient, server: Server, repository: str, made: Made, tmp_path: Path
) -> None:
    image = f"{server.address}/{repository}:multi"
    client.copy(made.at("multi"), image, every=True)
    client.copy(image, f"oci:{tmp_path / 'all'}:multi", every=True)
    assert blobs(tmp_path / "all") == reachable(made.layout.folder, made.index["digest"])

    children = json.loads(blobs(made.layout.folder)[made.index["digest"]])["manifests"]
    one = client.copy(image, f"oci:{tmp_path / 'one'}", platforms=["linux/s390x"])
    assert one.descriptor.digest == children[2]["digest"]
    assert blobs(tmp_path / "one") == reachable(made.layout.folder, children[2]["digest"])

    two = client.copy(image, f"{server.address}/{repository}:two", platforms=["arm64", "linux/amd64"])
    fetched = client.fetch(f"{server.address}/{repository}:two")
    assert fetched.descriptor == two.descriptor
    assert [one["digest"] for one in fetched.json()["manifests"]] == [children[1]["digest"], children[0]["digest"]]
    with pytest.raises(NotFoundError, match=r"nothing for linux/riscv64; it has linux/amd64, linux/arm64, linux/s390x"):
        client.copy(image, f"oci:{tmp_path / 'none'}", platforms=["linux/riscv64"])


def test_copies_within_a_registry_mount(client: SyncClient, server: Server, repository: str, made: Made) -> None:
    client.copy(made.at("v1"), f"{server.address}/{repository}:v1")
    copied = client.copy(f"{server.address}/{repository}:v1", f"{server.address}/{repository}/other:v1")
    assert (copied.mounted, copied.blobs) == (6, 0)


def test_archives_of_a_layout(client: SyncClient, plain: Server, repository: str, made: Made, tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    client.copy(made.at("multi"), f"oci-archive:{archive}:multi", every=True)
    client.copy(f"oci-archive:{archive}:multi", f"{plain.address}/{repository}:multi", every=True)
    assert client.resolve(f"{plain.address}/{repository}:multi").digest == made.index["digest"]
    other = tmp_path / "same.tar"
    client.copy(made.at("multi"), f"oci-archive:{other}:multi", every=True)
    assert other.read_bytes() == archive.read_bytes()
    with pytest.raises(UsageError, match="there is a file already"):
        client.copy(made.at("v1"), f"oci-archive:{archive}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.tar", "same.tar"]


def test_archive_of_docker(client: SyncClient, server: Server, repository: str, made: Made, tmp_path: Path) -> None:
    archive = tmp_path / "docker.tar"
    client.copy(made.at("v1"), f"docker-archive:{archive}:team/app:v1")
    content = blobs(made.layout.folder)
    config = content[json.loads(content[made.image["digest"]])["config"]["digest"]]
    with tarfile.open(archive) as tar:
        found = {member.name: file.read() for member in tar if (file := tar.extractfile(member))}
    (entry,) = json.loads(found["manifest.json"])
    assert entry["RepoTags"] == ["team/app:v1"]
    assert found[entry["Config"]] == config
    hashes = [f"sha256:{hashlib.sha256(found[name]).hexdigest()}" for name in entry["Layers"]]
    assert hashes == json.loads(config)["rootfs"]["diff_ids"]

    image = f"{server.address}/{repository}:v1"
    client.copy(f"docker-archive:{archive}:team/app:v1", image)
    assert [layer.digest for layer in client.fetch(image).blobs()[1:]] == hashes
    assert client.verify(image).problems == []
    with pytest.raises(UsageError, match="one platform"):
        client.copy(made.at("multi"), f"docker-archive:{tmp_path / 'more.tar'}", every=True)
    assert [path.name for path in tmp_path.iterdir()] == ["docker.tar"]


def test_blobs_and_manifests_by_hand(client: SyncClient, server: Server, repository: str, tmp_path: Path) -> None:
    place = f"{server.address}/{repository}"
    layer = client.push(b"a layer", place, "text/plain")
    (tmp_path / "config").write_bytes(b"{}")
    config = client.push(tmp_path / "config", place, "application/vnd.oci.empty.v1+json")
    body = json.dumps(
        {"schemaVersion": 2, "mediaType": MANIFEST, "config": config.json(), "layers": [layer.json()]}
    ).encode()
    manifest = client.push_manifest(body, f"{place}:hand")
    assert client.resolve(f"{place}:hand") == manifest
    assert client.fetch_blob(f"{place}:hand", layer) == b"a layer"
    client.fetch_blob(f"{place}:hand", layer, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == b"a layer"
    assert client.mount(layer, place, f"{place}-beside")
    assert client.push(b"", place, "text/plain").size == 0
    assert client.fetch_blob(f"{place}:hand", client.push(b"", place, "text/plain")) == b""


def test_content_by_sha512(client: SyncClient, plain: Server, repository: str, made: Made, tmp_path: Path) -> None:
    content = b"by another digest" * 100_000
    digest = hashlib.sha512(content).hexdigest()
    layout = made.layout
    config = client.push(b"{}", f"{plain.address}/{repository}", "application/vnd.oci.empty.v1+json")
    descriptor = {"mediaType": "text/plain", "digest": f"sha512:{digest}", "size": len(content)}
    body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config.json(), "layers": [descriptor]})
    folder = tmp_path / "layout"
    client.copy(made.at("v1"), f"oci:{folder}:v1")
    (folder / "blobs" / "sha512").mkdir()
    (folder / "blobs" / "sha512" / digest).write_bytes(content)
    (folder / "blobs" / "sha256" / config.digest[7:]).write_bytes(b"{}")
    client.push_manifest(body.encode(), f"oci:{folder}:strong")
    client.copy(f"oci:{folder}:strong", f"{plain.address}/{repository}:strong")
    client.copy(f"{plain.address}/{repository}:strong", f"oci:{tmp_path / 'back'}:strong")
    assert (tmp_path / "back" / "blobs" / "sha512" / digest).read_bytes() == content
    assert layout.folder.exists()


def test_lists(client: SyncClient, server: Server, repository: str, made: Made) -> None:
    for tag in ("a", "b", "c"):
        client.copy(made.at("v1"), f"{server.address}/{repository}:{tag}")
    assert client.tags(f"{server.address}/{repository}") == ["a", "b", "c"]
    assert repository in client.catalog(server.address)
    with pytest.raises(NotFoundError):
        client.tags(f"{server.address}/{repository}/none")


def test_referrers(client: SyncClient, server: Server, made: Made) -> None:
    place = f"{server.address}/dist/referrers"
    client.copy(made.at("v1"), f"{place}:v1")
    assert client.referrers(f"{place}:v1") == []
    empty = client.push(b"{}", place, "application/vnd.oci.empty.v1+json").json()
    subject = {key: made.image[key] for key in ("mediaType", "digest", "size")}
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "text/signature", "subject": subject}
    body = json.dumps(document | {"config": empty, "layers": [empty]}).encode()
    pushed = client.push_manifest(body, f"{place}@sha256:{hashlib.sha256(body).hexdigest()}")
    if server.name == "docker-registry":  # it has no interface for them, so the tag of OCI 1.1 does
        entry = pushed.json() | {"artifactType": "text/signature"}
        index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()
        client.push_manifest(index, f"{place}:{made.image['digest'].replace(':', '-')}")
    assert [one.digest for one in client.referrers(f"{place}:v1", "text/signature")] == [pushed.digest]
    assert client.referrers(f"{place}@{made.image['digest']}", "text/other") == []


def test_deletion(client: SyncClient, server: Server, repository: str, made: Made) -> None:
    client.copy(made.at("v1"), f"{server.address}/{repository}:gone")
    client.delete(f"{server.address}/{repository}@{made.image['digest']}")
    with pytest.raises(NotFoundError):
        client.resolve(f"{server.address}/{repository}:gone")


def test_several_at_once_with_a_loop(plain: Server, made: Made, tmp_path: Path) -> None:
    async def work() -> set[str]:
        async with Client() as client:
            names = [f"{plain.address}/dist/async-{number}:v1" for number in range(3)]
            await asyncio.gather(*(client.copy(made.at("v1"), name) for name in names))
            return {(await client.resolve(name)).digest for name in names}

    assert asyncio.run(work()) == {made.image["digest"]}
