"""The layout of the original: what it does not say by itself, and what a power cut or the original left in it."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from reference.app import Registry
from reference.documents import OCI_INDEX, OCI_MANIFEST
from reference.grammar import digest_of
from reference.storage import Manifest, StorageError
from reference.storage.distribution import pairs
from reference.storage.distribution.pairs import Pairs
from reference.storage.distribution.storage import DistributionStorage
from reference.storage.filesystem import FilesystemStorage
from tests.reference.probe import CONFIG, LAYER, Client, digest, image

TOP = "docker/registry/v2"
WIDE = digest_of(CONFIG, "sha512")


@pytest.fixture
def storage(tmp_path: Path) -> DistributionStorage:
    return DistributionStorage(tmp_path, "never")


def link(root: Path, name: str, kind: str, known: str) -> Path:
    return root / TOP / "repositories" / name / kind / known.replace(":", "/") / "link"


def data(root: Path, known: str) -> Path:
    algorithm, _, encoded = known.partition(":")
    return root / TOP / "blobs" / algorithm / encoded[:2] / encoded / "data"


async def pushed(storage: DistributionStorage, name: str, content: bytes, *digests: str) -> None:
    upload = storage.start_upload(name)
    await upload.write(content)
    await upload.flush()
    storage.commit_upload(upload, digests or [digest_of(content)])


def put(storage: DistributionStorage, content: bytes, media_type: str = OCI_MANIFEST) -> Manifest:
    manifest = Manifest(digest_of(content), media_type, content)
    storage.put_manifest("a", manifest, None)
    return manifest


def test_roots_of_different_layouts_are_told_apart(tmp_path: Path) -> None:
    DistributionStorage(tmp_path / "theirs").close()
    FilesystemStorage(tmp_path / "ours").close()
    with pytest.raises(StorageError, match="the original registry wrote it; that is layout: distribution"):
        FilesystemStorage(tmp_path / "theirs")
    with pytest.raises(StorageError, match="content of another layout, and no docker/registry/v2"):
        DistributionStorage(tmp_path / "ours")
    with pytest.raises(StorageError, match="content of another layout"):
        DistributionStorage(tmp_path / "theirs" / TOP)


def test_a_link_that_a_power_cut_emptied_is_none_and_heals(storage: DistributionStorage, tmp_path: Path) -> None:
    asyncio.run(pushed(storage, "a", CONFIG))
    manifest = put(storage, image())
    storage.set_tag("a", "v1", manifest.digest)
    current = tmp_path / TOP / "repositories/a/_manifests/tags/v1/current/link"
    for path in (
        link(tmp_path, "a", "_layers", digest_of(CONFIG)),
        link(tmp_path, "a", "_manifests/revisions", manifest.digest),
        current,
    ):
        path.write_text("")
    storage.close()
    storage = DistributionStorage(tmp_path, "never")
    assert not storage.has_blob("a", digest_of(CONFIG))
    assert storage.blobs("a") == storage.manifests("a") == list(storage.tags("a")) == []
    assert storage.manifest("a", manifest.digest) is None
    assert storage.tag("a", "v1") is None
    asyncio.run(pushed(storage, "a", CONFIG))
    assert put(storage, image()) == storage.manifest("a", manifest.digest)
    storage.set_tag("a", "v1", manifest.digest)
    assert storage.has_blob("a", digest_of(CONFIG))
    assert storage.tag("a", "v1") == current.read_text() == manifest.digest
    assert list(storage.tags("a")) == ["v1"]


def test_content_that_the_original_collected_is_gone_until_it_is_pushed(
    storage: DistributionStorage, tmp_path: Path
) -> None:
    asyncio.run(pushed(storage, "a", CONFIG))
    data(tmp_path, digest_of(CONFIG)).unlink()
    assert storage.open_blob("a", digest_of(CONFIG)) is None
    assert not storage.has_blob("a", digest_of(CONFIG))
    assert not storage.mount_blob("a", "b", digest_of(CONFIG))
    assert not storage.delete_blob("a", digest_of(CONFIG))
    assert storage.blobs("a") == []
    asyncio.run(pushed(storage, "b", CONFIG))
    assert storage.has_blob("a", digest_of(CONFIG))


def test_content_stays_until_a_collection(storage: DistributionStorage, tmp_path: Path) -> None:
    asyncio.run(pushed(storage, "a", CONFIG, digest_of(CONFIG), WIDE))
    assert storage.mount_blob("a", "b", WIDE)
    for known in (digest_of(CONFIG), WIDE):
        assert storage.delete_blob("a", known)
        assert data(tmp_path, known).read_bytes() == CONFIG
    assert asyncio.run(storage.reclaim(dry_run=True)) == [digest_of(CONFIG)]
    assert asyncio.run(storage.reclaim()) == [digest_of(CONFIG)]
    assert not data(tmp_path, digest_of(CONFIG)).parent.exists()
    assert storage.has_blob("b", WIDE)


def test_what_is_held_again_in_the_meantime_stays(
    storage: DistributionStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = [CONFIG, LAYER, image(), b"nobody"]
    for content in contents:
        asyncio.run(pushed(storage, "a", content))
        assert storage.delete_blob("a", digest_of(content))

    async def check() -> None:
        reclaiming = asyncio.create_task(storage.reclaim())
        found = storage._unheld()
        monkeypatch.setattr(storage, "_unheld", lambda: found)
        await asyncio.sleep(0)
        await pushed(storage, "b", CONFIG)
        await pushed(storage, "b", LAYER)
        assert storage.mount_blob("b", "c", digest_of(LAYER))
        put(storage, image())
        assert await reclaiming == [digest_of(b"nobody")]

    asyncio.run(check())
    assert [data(tmp_path, digest_of(content)).is_file() for content in contents] == [True, True, True, False]


@pytest.mark.parametrize(
    ("content", "media_type", "has_file"),
    [
        (image(), OCI_MANIFEST, False),
        (b'{"schemaVersion": 2, "config": {}, "layers": []}', OCI_MANIFEST, False),
        (b'{"schemaVersion": 2, "manifests": []}', OCI_INDEX, False),
        (b'{"schemaVersion": 2, "manifests": []}', "application/vnd.example+json", True),
        (b'{"config": {}, "mediaType": 7}', "application/x+json", True),
        (b"{}", "application/x+json", True),
    ],
)
def test_a_type_has_a_file_where_the_manifest_does_not_tell_it(
    storage: DistributionStorage, tmp_path: Path, content: bytes, media_type: str, has_file: bool
) -> None:
    beside = link(tmp_path, "a", "_manifests/revisions", digest_of(content)).with_name("type")
    put(storage, content, "application/other+json")
    assert beside.read_text() == "application/other+json"
    manifest = put(storage, content, media_type)
    assert storage.manifest("a", manifest.digest) == manifest
    assert beside.exists() is has_file
    storage.delete_manifest("a", manifest.digest, None)
    assert not beside.exists()


def test_what_the_original_takes_for_a_manifest_is_no_trouble(storage: DistributionStorage) -> None:
    """Schema 1 without its signatures, which the original makes anew for each answer; a subject that is none."""
    old = b'{"schemaVersion": 1, "name": "a", "tag": "old", "fsLayers": [], "history": []}'
    storage.put_manifest(
        "a", Manifest(digest_of(old), "application/vnd.docker.distribution.manifest.v1+json", old), None
    )
    subjects: list[Any] = ["text", {"digest": 7}, {"size": 1}, []]
    odd = [image(subject=subject) for subject in subjects]
    about = image(
        subject={"digest": digest(old), "mediaType": OCI_MANIFEST, "size": 1}, config={"digest": digest(CONFIG)}
    )
    escaped = about.replace(b'"subject"', b'"\\u0073ubject"')
    for content in (*odd, about, escaped):
        put(storage, content)
    client = Client(Registry(storage))

    async def check() -> None:
        answer = await client.call("GET", f"/v2/a/manifests/{digest_of(old)}")
        assert answer.get("content-type") == "application/vnd.docker.distribution.manifest.v1+json"
        answer = await client.call("GET", f"/v2/a/referrers/{digest_of(old)}")
        found = [each["digest"] for each in json.loads(answer.body)["manifests"]]
        assert found == sorted(map(digest_of, (about, escaped)))
        for content in odd:
            assert (await client.call("DELETE", f"/v2/a/manifests/{digest_of(content)}")).status == 202

    asyncio.run(check())


def test_sessions_of_the_original_end_by_their_last_write(storage: DistributionStorage, tmp_path: Path) -> None:
    """The folder has states of a hash as well, and nothing else where a process died after its commit."""
    folder = tmp_path / TOP / "repositories/a/b/_uploads"
    names = [f"3b1d1a6e-4d0a-4f5e-9f0a-0123456789a{number}" for number in range(3)]
    for name in names:
        (folder / name / "hashstates/sha256").mkdir(parents=True)
        (folder / name / "hashstates/sha256/0").write_text("state")
        (folder / name / "startedat").write_text("2020-01-01T00:00:00Z")
    for name in names[:2]:
        (folder / name / "data").write_text("begun")
        os.utime(folder / name / "data", (0, 0))
    for name in names:
        os.utime(folder / name, (0, 0))
    (folder / names[1] / "data").touch()
    begun = storage.find_upload("a/b", names[0])
    assert begun is not None
    assert (begun.size, storage.open_uploads()) == (5, 2)
    assert storage.purge_uploads(time.time() - 60, dry_run=True) == 1
    assert storage.purge_uploads(time.time() - 60) == 1
    assert begun.closed
    assert [path.name for path in folder.iterdir()] == [names[1]]
    assert not storage.exists("a/b")


def test_what_leads_to_a_digest_is_read_once_and_follows_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def changing(name: str) -> list[tuple[str, str]]:
        read.append(name)
        known.note(name, "d", "new", is_there=True)
        known.note(name, "d", "old", is_there=False)
        return [("d", "old"), ("d", "kept")]

    known = Pairs(changing)
    assert sorted(known.to("a", "d")) == ["kept", "new"]
    known.note("a", "d", "new", is_there=False)
    known.note("a", "e", "new", is_there=True)
    asyncio.run(known.load("a"))
    assert (known.to("a", "d"), known.to("a", "e"), known.to("a", "f")) == (["kept"], ["new"], [])
    assert read == ["a"]
    monkeypatch.setattr(pairs, "_MOST_PAIRS", 3)
    assert sorted(known.to("b", "d")) == ["kept", "new"]
    known.to("a", "d")
    assert read == ["a", "b", "a"]


def test_no_name_leads_to_what_is_not_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of content, links and types, each is synced before it gets its name, and then the folder of the name."""
    storage = DistributionStorage(tmp_path)
    client = Client(Registry(storage))
    files: set[int] = set()
    synced: set[Path] = set()
    replaced: list[str] = []
    fsync, replace = os.fsync, os.replace

    def syncing(file: int) -> None:
        files.add(os.fstat(file).st_ino)
        synced.add(Path(os.readlink(f"/proc/self/fd/{file}")))  # noqa: PTH115 - no path at hand
        fsync(file)

    def replacing(source: Path, target: Path) -> None:
        for path in [source, *source.rglob("*")]:
            if path.is_file() and path.stat().st_ino not in files:
                replaced.append(str(target))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "replace", replacing)

    async def check() -> None:
        for content in (CONFIG, LAYER):
            assert (await client.blob("a", content)).status == 201
        assert (await client.call("POST", f"/v2/b/blobs/uploads/?mount={digest(CONFIG)}&from=a")).status == 201
        odd = b'{"odd": true}'
        assert (await client.manifest("a", "odd", odd, "application/x+json")).status == 201
        for content in (image(), image(annotations={"a": "b"})):
            assert (await client.manifest("a", "v1", content)).status == 201

    asyncio.run(check())
    assert replaced == []

    top = tmp_path / TOP / "repositories"
    wanted = {path.parent for path in top.rglob("link")} | {top, top / "a", top / "b", top / "a/_manifests/tags"}
    assert wanted <= synced
    assert list((tmp_path / "scratch").iterdir()) == []

    async def once_more() -> None:
        # The original may have written this content without a wait for the disk.
        assert (await client.blob("c", CONFIG)).status == 201
        assert (await client.call("POST", f"/v2/d/blobs/uploads/?mount={digest(LAYER)}&from=a")).status == 201
        assert (await client.manifest("a", "again", image())).status == 201

    synced.clear()
    asyncio.run(once_more())
    assert {data(tmp_path, digest(content)) for content in (CONFIG, LAYER, image())} <= synced


def test_the_source_of_a_mount_is_no_path(storage: DistributionStorage, tmp_path: Path) -> None:
    asyncio.run(pushed(storage, "a", CONFIG))
    client = Client(Registry(storage))

    async def check() -> None:
        for source in ("a", "b/../a", str(tmp_path / TOP / "repositories/a"), "a%00", "A"):
            answer = await client.call("POST", f"/v2/b/blobs/uploads/?mount={digest(CONFIG)}&from={source}")
            assert answer.status == (201 if source == "a" else 202), source

    asyncio.run(check())
