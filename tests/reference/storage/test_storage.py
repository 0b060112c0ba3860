"""The laws of a storage, which each of them keeps."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from reference.documents import OCI_MANIFEST
from reference.grammar import digest_of
from reference.storage import Manifest, Overtaken, Storage
from tests.reference.storage.conftest import Home
from tests.support.chance import made_up


async def _stored(storage: Storage, name: str, content: bytes, *digests: str) -> None:
    upload = storage.start_upload(name)
    for start in range(0, len(content), 300_000):
        await upload.write(content[start : start + 300_000])
    await upload.flush()
    storage.commit_upload(upload, digests or [digest_of(content)])


async def _added(storage: Storage, name: str, identifier: str, content: bytes) -> None:
    """What a request does that adds something."""
    upload = storage.find_upload(name, identifier)
    assert upload is not None
    upload.refresh()
    await upload.write(content)
    await upload.flush()


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
    subject = "multihash+base58:" + "Q" * 300
    content = json.dumps({"subject": {"digest": subject}}).encode()
    manifest = Manifest(digest_of(content), OCI_MANIFEST, content)
    storage.put_manifest("a/b", manifest, subject)
    storage.set_tag("a/b", "v1", manifest.digest)
    storage.set_tag("a/b", "V1", digest_of(b"other"))
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


def test_what_was_stored_is_listed_at_once_and_what_was_deleted_is_not(storage: Storage) -> None:
    contents = [b"one", b"two", b"three"]
    for content in contents:
        asyncio.run(_stored(storage, "a/b", content))
        assert digest_of(content) in storage.blobs("a/b")
        storage.put_manifest("a/b", Manifest(digest_of(content), "t/t", content), None)
        assert digest_of(content) in storage.manifests("a/b")
        storage.set_tag("a/b", content.decode(), digest_of(content))
        assert content.decode() in storage.tags("a/b")
    assert storage.blobs("a") == storage.manifests("a/b/c") == list(storage.tags("c")) == []
    storage.delete_blob("a/b", digest_of(b"one"))
    storage.delete_manifest("a/b", digest_of(b"two"), None)
    storage.delete_tag("a/b", "three")
    assert sorted(storage.blobs("a/b")) == sorted([digest_of(b"two"), digest_of(b"three")])
    assert sorted(storage.manifests("a/b")) == sorted([digest_of(b"one"), digest_of(b"three")])
    assert sorted(storage.tags("a/b")) == ["one", "two"]
    assert storage.open_blob("a/b", digest_of(b"one")) is None


def test_the_tags_of_a_manifest_follow_each_move(storage: Storage) -> None:
    one, two = (Manifest(digest_of(content), "t/t", content) for content in (b"one", b"two"))
    for manifest in (one, two):
        storage.put_manifest("a", manifest, None)
    for tag in ("v1", "latest"):
        storage.set_tag("a", tag, one.digest)
    storage.set_tag("a", "latest", two.digest)
    assert storage.tags_of("a", one.digest) == ["v1"]
    assert storage.tags_of("a", two.digest) == ["latest"]
    storage.set_tag("a", "latest", one.digest)
    assert sorted(storage.tags_of("a", one.digest)) == ["latest", "v1"]
    assert storage.tags_of("a", two.digest) == []


def test_a_blob_is_not_there_before_its_commit_and_whole_after_it(storage: Storage) -> None:
    content = made_up(900_000)

    async def check() -> None:
        upload = storage.start_upload("a")
        await upload.write(content)
        await upload.flush()
        assert not storage.has_blob("a", digest_of(content))
        assert not storage.exists("a")
        assert storage.open_uploads() == 1
        storage.commit_upload(upload, [digest_of(content)])
        assert await _read(storage, "a", digest_of(content), 0, len(content)) == content
        assert storage.open_uploads() == 0

    asyncio.run(check())


def test_a_session_grows_by_requests_of_any_size(storage: Storage) -> None:
    parts = [b"a", b"", made_up(1_200_000), b"bc", made_up(300_001)]

    async def check() -> None:
        identifier = storage.start_upload("a").identifier
        for number, part in enumerate(parts):
            await _added(storage, "a", identifier, part)
            found = storage.find_upload("a", identifier)
            assert found is not None
            assert found.size == sum(map(len, parts[: number + 1]))
        whole = b"".join(parts)
        upload = storage.find_upload("a", identifier)
        assert upload is not None
        storage.commit_upload(upload, [await upload.digest("sha256")])
        assert await _read(storage, "a", digest_of(whole), 0, len(whole)) == whole

    asyncio.run(check())


def test_the_same_content_is_committed_at_the_same_time(storage: Storage) -> None:
    async def check() -> None:
        await asyncio.gather(*(_stored(storage, name, b"content") for name in ("a", "a", "b", "a")))
        assert storage.blobs("a") == storage.blobs("b") == [digest_of(b"content")]
        assert await _read(storage, "a", digest_of(b"content"), 0, 7) == b"content"

    asyncio.run(check())


def test_another_process_goes_on_with_a_session(home: Home) -> None:
    content = made_up(800_000)
    first = home.open()

    async def begin() -> str:
        upload = first.start_upload("a")
        await _added(first, "a", upload.identifier, content[:500_000])
        return upload.identifier

    identifier = asyncio.run(begin())
    second = home.another()
    assert second.find_upload("b", identifier) is None

    async def end() -> None:
        await _added(second, "a", identifier, content[500_000:])
        upload = second.find_upload("a", identifier)
        assert upload is not None
        assert await upload.digest("sha256") == digest_of(content)
        second.commit_upload(upload, [digest_of(content)])
        assert await _read(second, "a", digest_of(content), 0, len(content)) == content

    asyncio.run(end())
    second.put_manifest("a", Manifest(digest_of(b"{}"), "t/t", b"{}"), None)
    second.set_tag("a", "v1", digest_of(b"{}"))
    third = home.another()
    assert third.tag("a", "v1") == digest_of(b"{}")
    assert list(third.repositories()) == ["a"]
    assert third.find_upload("a", identifier) is None


def test_registries_that_share_a_storage_end_a_session_for_each_other(shared: Home) -> None:
    first, second = shared.open(), shared.another()
    identifier = first.start_upload("a").identifier
    asyncio.run(_added(second, "a", identifier, b"content"))
    here, there = first.find_upload("a", identifier), second.find_upload("a", identifier)
    assert here is not None and there is not None
    here.refresh()
    assert here.size == there.size == 7
    first.discard_upload(here)
    there.refresh()
    assert there.closed


def test_registries_that_share_a_storage_add_once_at_a_place(shared: Home) -> None:
    first, second = shared.open(), shared.another()
    content = made_up(400_000)
    identifier = first.start_upload("a").identifier
    # A client that took the first registry for dead sends the same again, and more of it, to the second.
    asyncio.run(_added(first, "a", identifier, content[:100_000]))
    late = first.find_upload("a", identifier)
    fast = second.find_upload("a", identifier)
    assert late is not None and fast is not None

    async def both() -> None:
        await asyncio.gather(late.write(b"x" * 500_000), fast.write(content[100_000:]))
        await fast.flush()
        with pytest.raises(Overtaken):
            await late.flush()
        for upload in (fast, late):
            upload.refresh()
            assert upload.size == len(content)
            assert await upload.digest("sha256") == digest_of(content)
        second.commit_upload(fast, [digest_of(content)])
        assert await _read(first, "a", digest_of(content), 0, len(content)) == content

    asyncio.run(both())
    late.refresh()
    assert late.closed


def test_registries_that_share_a_storage_commit_one_session_at_the_same_time(shared: Home) -> None:
    first, second = shared.open(), shared.another()
    content = made_up(300_000)
    identifier = first.start_upload("a").identifier
    asyncio.run(_added(first, "a", identifier, content))
    uploads = [(registry, registry.find_upload("a", identifier)) for registry in (first, second)]

    def commit(pair: tuple[Storage, object]) -> bool:
        registry, upload = pair
        try:
            registry.commit_upload(upload, [digest_of(content)])  # type: ignore[arg-type]  # found above
        except FileNotFoundError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert any(pool.map(commit, uploads))
    assert asyncio.run(_read(second, "a", digest_of(content), 0, len(content))) == content
    assert first.open_uploads() == 0
