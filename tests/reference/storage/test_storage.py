"""Both storages keep the same promises."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from reference.grammar import digest_of
from reference.storage import Manifest, Storage
from reference.storage.filesystem import FilesystemStorage
from reference.storage.memory import MemoryStorage
from tests.support.chance import made_up


@pytest.fixture(params=["memory", "filesystem"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return MemoryStorage() if request.param == "memory" else FilesystemStorage(tmp_path / "root")


async def _stored(storage: Storage, name: str, content: bytes, *digests: str) -> None:
    upload = storage.start_upload(name)
    for start in range(0, len(content), 300_000):
        await upload.write(content[start : start + 300_000])
    await upload.flush()
    storage.commit_upload(upload, digests or [digest_of(content)])


async def _read(storage: Storage, name: str, digest: str, start: int, length: int) -> bytes:
    content = storage.open_blob(name, digest)
    assert content is not None
    try:
        return b"".join([chunk async for chunk in content.chunks(start, length)])
    finally:
        content.close()


def test_a_blob_is_read_whole_and_in_part(storage: Storage) -> None:
    content = made_up(3_500_000)

    async def check() -> None:
        await _stored(storage, "a", content)
        assert await _read(storage, "a", digest_of(content), 0, len(content)) == content
        assert await _read(storage, "a", digest_of(content), 1_000_001, 1_500_000) == content[1_000_001:2_500_001]
        assert await _read(storage, "a", digest_of(content), 3_499_999, 10) == content[-1:]

    asyncio.run(check())


@pytest.mark.parametrize("size", [0, 1, 300_000, 2_000_000])
def test_the_digest_of_an_upload_is_that_of_its_data(storage: Storage, size: int) -> None:
    content = made_up(size)

    async def check() -> None:
        upload = storage.start_upload("a")
        await upload.write(content)
        await upload.flush()
        assert upload.size == size
        for algorithm in ("sha256", "sha512", "sha256"):
            assert await upload.digest(algorithm) == digest_of(content, algorithm)

    asyncio.run(check())


def test_an_upload_can_be_rolled_back(storage: Storage) -> None:
    async def check() -> None:
        upload = storage.start_upload("a")
        await upload.write(b"kept")
        await upload.flush()
        mark = upload.mark()
        await upload.write(b"x" * 2_500_000)
        await upload.rollback(mark)
        await upload.write(b" and more")
        await upload.flush()
        assert upload.size == 13
        assert await upload.digest("sha256") == digest_of(b"kept and more")
        storage.commit_upload(upload, [digest_of(b"kept and more")])
        assert await _read(storage, "a", digest_of(b"kept and more"), 0, 13) == b"kept and more"

    asyncio.run(check())


def test_sessions_belong_to_a_repository_and_end(storage: Storage) -> None:
    upload = storage.start_upload("a")
    assert storage.find_upload("a", upload.identifier) is upload
    assert storage.find_upload("b", upload.identifier) is None
    assert storage.find_upload("a", "../escape") is None
    assert not storage.exists("a")
    storage.discard_upload(upload)
    assert storage.find_upload("a", upload.identifier) is None
    assert upload.closed


def test_old_sessions_are_purged(storage: Storage) -> None:
    upload = storage.start_upload("a")
    assert storage.purge_uploads(time.time() - 60) == 0
    assert storage.purge_uploads(time.time() + 60) == 1
    assert storage.find_upload("a", upload.identifier) is None


def test_blobs_are_held_by_repositories(storage: Storage) -> None:
    content, digests = b"content", [digest_of(b"content"), digest_of(b"content", "sha512")]
    asyncio.run(_stored(storage, "a", content, *digests))
    assert all(storage.has_blob("a", digest) for digest in digests)
    assert not storage.has_blob("b", digests[0])
    assert storage.mount_blob("a", "b", digests[0])
    assert storage.mount_blob("a", "b", digests[0])
    assert not storage.mount_blob("a", "b", digest_of(b"absent"))
    assert storage.delete_blob("a", digests[0])
    assert not storage.delete_blob("a", digests[0])
    assert asyncio.run(_read(storage, "b", digests[0], 0, 7)) == content
    assert sorted(storage.repositories()) == ["a", "b"]


def test_manifests_tags_and_referrers(storage: Storage) -> None:
    content, subject = b'{"a": 1}', "multihash+base58:" + "Q" * 300
    manifest = Manifest(digest_of(content), "application/x+json", content)
    storage.put_manifest("a/b", manifest, subject)
    storage.set_tag("a/b", "v1", manifest.digest)
    storage.set_tag("a/b", "V1", "sha256:other")
    assert storage.manifest("a/b", manifest.digest) == manifest
    assert storage.manifest("a", manifest.digest) is None
    assert storage.repositories() == ["a/b"]
    assert not storage.exists("a")
    assert sorted(storage.tags("a/b")) == ["V1", "v1"]
    assert storage.tag("a/b", "v1") == manifest.digest
    assert storage.tag("a/b", "v2") is None
    assert storage.referrers("a/b", subject) == [manifest.digest]
    assert storage.referrers("a", subject) == []
    storage.delete_tag("a/b", "V1")
    storage.delete_manifest("a/b", manifest.digest, subject)
    assert storage.tags("a/b") == ["v1"]
    assert storage.manifest("a/b", manifest.digest) is None
    assert storage.referrers("a/b", subject) == []
    assert storage.exists("a/b")
