"""Whatever step a process dies at: what the next one finds is whole, and it starts."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from reference.grammar import digest_of, is_supported
from reference.storage import Manifest, Storage, StorageError
from reference.storage.distribution.storage import DistributionStorage
from reference.storage.filesystem import FilesystemStorage
from tests.support.chance import made_up
from tests.support.killed import Killed, failing_after

CONTENT = made_up(5000)
DIGEST = digest_of(CONTENT)
MANIFEST = Manifest(digest_of(b"{}"), "application/x+json", b"{}")
#: More steps than anything here takes.
MANY = 100
TOP = "docker/registry/v2"


@dataclass(frozen=True)
class Layout:
    """A storage in a directory, and where in that things are."""

    storage: type[FilesystemStorage | DistributionStorage]
    content: str
    sessions: str
    scratch: str
    #: Only a power cut tells modes of sync apart, and there are many steps.
    mode: str = "always"

    def contents(self, root: Path) -> list[Path]:
        return [path for path in root.glob(self.content) if path.is_file()]

    def check_whole(self, root: Path) -> None:
        for path in self.contents(root):
            algorithm, _, encoded = path.relative_to(root).as_posix().partition("blobs/")[2].split("/")[:3]
            assert digest_of(path.read_bytes(), algorithm) == f"{algorithm}:{encoded}"
        for link in root.rglob("link"):
            assert is_supported(link.read_text())
        for tag in root.glob(f"{TOP}/repositories/*/_manifests/tags/*"):
            # The original lists each folder.
            assert (tag / "current" / "link").is_file()

    def open_sessions(self, root: Path) -> list[str]:
        return sorted({path.name[:36] for path in root.glob(self.sessions) if path.name.count("-") >= 4})

    def left(self, root: Path) -> list[Path]:
        return [*root.glob(self.sessions), *(root / self.scratch).iterdir()]


LAYOUTS = {
    "links": Layout(FilesystemStorage, "blobs/*/*/*", "uploads/*", "uploads"),
    "distribution": Layout(
        DistributionStorage, f"{TOP}/blobs/*/*/*/data", f"{TOP}/repositories/*/_uploads/*", "scratch", "never"
    ),
}


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> Layout:
    return LAYOUTS[request.param]


async def pushed(storage: Storage, name: str, *digests: str) -> None:
    upload = storage.start_upload(name)
    await upload.write(CONTENT)
    await upload.flush()
    await storage.settle(upload, digests or [DIGEST])
    storage.commit_upload(upload, digests or [DIGEST])


def push(storage: Storage) -> None:
    asyncio.run(pushed(storage, "a"))


def push_by_two_digests(storage: Storage) -> None:
    asyncio.run(pushed(storage, "a", DIGEST, digest_of(CONTENT, "sha512")))


def push_again(storage: Storage) -> None:
    asyncio.run(pushed(storage, "a"))
    asyncio.run(pushed(storage, "a"))


def move_about(storage: Storage) -> None:
    asyncio.run(pushed(storage, "a"))
    storage.mount_blob("a", "b", DIGEST)
    storage.delete_blob("a", DIGEST)
    storage.delete_blob("b", DIGEST)


def tag(storage: Storage) -> None:
    storage.put_manifest("a", MANIFEST, DIGEST)
    storage.set_tag("a", "v1", MANIFEST.digest)
    storage.set_tag("a", "v1", DIGEST)
    storage.delete_tag("a", "v1")
    storage.delete_manifest("a", MANIFEST.digest, DIGEST)


@pytest.mark.parametrize("work", [push, push_by_two_digests, push_again, move_about, tag])
def test_a_death_at_any_step_leaves_what_is_whole(
    tmp_path: Path, layout: Layout, work: Callable[[Storage], None]
) -> None:
    for steps in range(MANY):
        root = tmp_path / str(steps)
        storage = layout.storage(root, layout.mode)
        try:
            with failing_after(steps):
                work(storage)
            break
        except Killed:
            storage.close()
        layout.check_whole(root)
        storage = layout.storage(root, layout.mode)
        for identifier in layout.open_sessions(root):
            upload = storage.find_upload("a", identifier)
            if upload is not None:
                asyncio.run(upload.write(b"more"))
                asyncio.run(upload.flush())
        layout.check_whole(root)
        # A right push elsewhere, and what it stores.
        asyncio.run(pushed(storage, "other"))
        held = storage.open_blob("other", DIGEST)
        assert held is not None
        assert held.size == len(CONTENT)
        held.close()
        layout.check_whole(root)
        storage.purge_uploads(time.time() + 3600)
        assert layout.left(root) == []
        storage.close()
    else:
        pytest.fail(f"{work.__name__} takes more than {MANY} steps")
    assert steps > 5


def test_content_that_went_bad_is_mended_by_the_next_push(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path)
    asyncio.run(pushed(storage, "a"))
    (stored,) = (path for path in (tmp_path / "blobs").rglob("*") if path.is_file())
    stored.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    asyncio.run(pushed(storage, "b"))
    for name, good in (("b", True), ("a", False)):
        held = tmp_path / "repositories" / name / "_blobs" / "sha256" / DIGEST.partition(":")[2]
        assert (held.read_bytes() == CONTENT) is good
    asyncio.run(pushed(storage, "a"))
    assert (tmp_path / "repositories/a/_blobs/sha256" / DIGEST.partition(":")[2]).read_bytes() == CONTENT


def test_an_old_lone_file_is_no_obstacle_to_a_start(tmp_path: Path) -> None:
    """What a death between two files of a session left, in the form that sessions had."""
    FilesystemStorage(tmp_path).close()
    left = [tmp_path / "uploads" / name for name in ("3b1d1a6e-4d0a-4f5e-9f0a-0123456789ab", "x.repository", "y.part")]
    for path in left:
        path.touch()
        os.utime(path, (0, 0))
    storage = FilesystemStorage(tmp_path)
    storage.purge_uploads(time.time() - 60)
    assert not any(path.exists() for path in left)


def test_more_links_than_the_file_system_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here it has four for a file; ext4 has 65,000."""
    link = os.link

    def limited(source: str | Path, target: str | Path) -> None:
        if os.stat(source).st_nlink >= 4:  # noqa: PTH116 - as os.link has it
            raise OSError(errno.EMLINK, os.strerror(errno.EMLINK))
        link(source, target)

    monkeypatch.setattr(os, "link", limited)
    storage = FilesystemStorage(tmp_path)
    names = [f"r{number}" for number in range(10)]
    asyncio.run(pushed(storage, names[0]))
    for name in names[1:5]:
        assert storage.mount_blob(names[0], name, DIGEST)
    for name in names[5:]:
        asyncio.run(pushed(storage, name))
    for name in names:
        held = storage.open_blob(name, DIGEST)
        assert held is not None
        held.close()
    LAYOUTS["links"].check_whole(tmp_path)
    for name in names:
        assert storage.delete_blob(name, DIGEST)
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != tmp_path] == []


def test_a_second_process_on_a_root_is_refused(tmp_path: Path, layout: Layout) -> None:
    storage = layout.storage(tmp_path)
    with pytest.raises(StorageError, match="another process"):
        layout.storage(tmp_path)
    storage.close()
    layout.storage(tmp_path).close()


def test_data_that_another_process_wrote_counts(tmp_path: Path) -> None:
    """The size and the hash of a session are those of its file, whoever wrote it."""

    async def check() -> None:
        storage = FilesystemStorage(tmp_path)
        upload = storage.start_upload("a")
        await upload.write(b"one ")
        await upload.flush()
        with upload.path.open("ab") as file:
            file.write(b"two ")
        upload.refresh()
        assert upload.size == 8
        await upload.write(b"three")
        await upload.flush()
        assert await upload.digest("sha256") == digest_of(b"one two three")

    asyncio.run(check())
