"""What was acknowledged with 201 is there after kill -9, and after a power cut; nothing else that is there is torn."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reference.app import Registry
from reference.configuration.reading import ConfigError, read
from reference.grammar import digest_of
from reference.maintenance import fsck, originals
from reference.storage.filesystem import FilesystemStorage
from reference.storage.layout import LAYOUTS
from tests.reference.conftest import Start
from tests.reference.durable import lost, torn, writing
from tests.reference.probe import CONFIG, LAYER, Client, image
from tests.support.obeys import obeys

SEED = "durable"


def configured(folder: Path, root: Path, mode: str, layout: str = "links") -> str:
    path = folder / "config.yml"
    path.write_text(
        f"version: 0.1\nlog:\n  accesslog:\n    disabled: true\nstorage:\n"
        f"  filesystem:\n    rootdirectory: {root}\n    sync: {mode}\n    layout: {layout}\n"
    )
    return str(path)


def found(root: Path, layout: str, *, repair: bool = False) -> list[str]:
    findings = (originals if layout == "distribution" else fsck).check(root, repair=repair)
    return [str(finding) for finding in findings.found]


def killed_rounds(
    starter: Start, folder: Path, mode: str, rounds: int, seconds: float, *, layout: str = "links"
) -> int:
    """Kill a registry under load and start it again, and so on; how much it had acknowledged."""
    root, acknowledged = folder / "root", 0
    config = configured(folder, root, mode, layout)
    for number in range(rounds):
        process = starter(config, "--addr", "127.0.0.1:0")
        with writing(process.url, 3, f"{SEED} {number}") as writers:
            time.sleep(seconds * (0.2 + number / rounds))
            process.stop(signal.SIGKILL)
        process = starter(config, "--addr", "127.0.0.1:0")
        for writer in writers:
            assert lost(process.url, writer.told) == []
            acknowledged += len(writer.told)
        assert torn(root) == []
        process.stop()
        # What the death left half done is mended; nothing is bad, nothing lacks a part.
        mended = found(root, layout, repair=True)
        assert not [line for line in mended if "quarantine" in line or "lacks" in line]
        assert found(root, layout) == []
    return acknowledged


@pytest.mark.parametrize("mode", ["always", "never"])
def test_what_was_acknowledged_survives_a_kill(starter: Start, tmp_path: Path, mode: str) -> None:
    assert killed_rounds(starter, tmp_path, mode, rounds=3, seconds=1.0) > 20


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_was_acknowledged_survives_many_kills(starter: Start, tmp_path: Path, layout: str) -> None:
    assert killed_rounds(starter, tmp_path, "always", rounds=60, seconds=0.6, layout=layout) > 500


@contextmanager
def mounted(picture: Path, place: Path) -> Iterator[None]:
    """A file as a disk of its own."""
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-o", "loop", str(picture), str(place)], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("no disk of its own can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def cut_off(
    starter: Start, folder: Path, mode: str, number: int, layout: str = "links"
) -> tuple[int, list[str], list[str]]:
    """Cut the power of a disk under load: how much was acknowledged, what of it is lost, and what is torn.

    The disk is a file; what the kernel has not written to it when the registry is stopped is lost with a copy of it.
    """
    disk, after = folder / f"disk{number}", folder / f"after{number}"
    with disk.open("wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(disk)], check=True)
    with mounted(disk, folder / "before"):
        process = starter(configured(folder, folder / "before" / "root", mode, layout), "--addr", "127.0.0.1:0")
        with writing(process.url, 3, f"{SEED} {number}") as writers:
            time.sleep(2)
            process.process.send_signal(signal.SIGSTOP)
            shutil.copyfile(disk, after)
            process.process.send_signal(signal.SIGKILL)
            process.process.wait(10)
    with mounted(after, folder / "place"):
        root = folder / "place" / "root"
        process = starter(configured(folder, root, mode, layout), "--addr", "127.0.0.1:0")
        missing = [each for writer in writers for each in lost(process.url, writer.told)]
        broken = torn(root)
        process.stop()
    for path in (disk, after):
        path.unlink()
    return sum(len(writer.told) for writer in writers), missing, broken


@obeys("storage.filesystem.sync")
@pytest.mark.needs("mkfs.ext4")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")
@pytest.mark.parametrize("layout", ["links", pytest.param("distribution", marks=pytest.mark.slow)])
def test_what_was_acknowledged_survives_a_power_cut(starter: Start, tmp_path: Path, layout: str) -> None:
    count, missing, broken = cut_off(starter, tmp_path, "always", 0, layout)
    assert count > 10
    assert missing == []
    assert broken == []


@obeys("storage.filesystem.sync")
@pytest.mark.needs("mkfs.ext4")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")
def test_a_power_cut_takes_what_was_not_synced(starter: Start, tmp_path: Path) -> None:
    """Else the test above would show nothing."""
    count, missing, _ = cut_off(starter, tmp_path, "never", 0)
    assert count > 10
    assert missing


class _Disk:
    """Notes what is synced, and when an answer is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced: list[str] = []
        self.delay = 0.0
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self.fsync)

    def fsync(self, file: int) -> None:
        time.sleep(self.delay)
        self.synced.append(os.readlink(f"/proc/self/fd/{file}"))  # noqa: PTH115 - no path at hand
        self._fsync(file)


def test_requests_that_wait_share_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = _Disk(monkeypatch)
    storage = FilesystemStorage(tmp_path)
    client = Client(Registry(storage))

    async def check() -> None:
        await client.blob("a", CONFIG)
        assert tmp_path / "repositories/a/_blobs/sha256" in map(Path, disk.synced)
        disk.synced.clear()
        disk.delay = 0.05
        mounts = [client.call("POST", f"/v2/b{n}/blobs/uploads/?mount={digest_of(CONFIG)}&from=a") for n in range(20)]
        began = time.monotonic()
        assert {answer.status for answer in await asyncio.gather(*mounts)} == {201}
        names = tmp_path / "repositories"
        assert len([path for path in disk.synced if Path(path) == names]) <= 2
        assert time.monotonic() - began < 20 * 5 * 0.05

    asyncio.run(check())


@pytest.mark.parametrize(("mode", "synced"), [("always", True), ("interval", False), ("never", False)])
def test_an_answer_waits_for_the_disk_where_it_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, synced: bool
) -> None:
    storage = FilesystemStorage(tmp_path, mode)
    disk = _Disk(monkeypatch)
    client = Client(Registry(storage))

    async def check() -> None:
        for content in (CONFIG, LAYER):
            assert (await client.blob("a", content)).status == 201
        assert (await client.manifest("a", "v1", image())).status == 201
        folders = {Path(path).relative_to(tmp_path).as_posix() for path in disk.synced}
        wanted = {
            "repositories/a/_blobs/sha256",
            "repositories/a/_manifests/sha256",
            "repositories/a/_tags",
            "repositories",
        }
        assert wanted <= folders if synced else not disk.synced
        storage.flush()
        assert bool(disk.synced) is (mode != "never")
        disk.synced.clear()
        storage.flush()
        assert not disk.synced

    asyncio.run(check())


def test_a_disk_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(Registry(FilesystemStorage(tmp_path)))

    def failing(_file: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    assert asyncio.run(client.blob("a", CONFIG)).status == 500
    monkeypatch.undo()
    assert asyncio.run(client.blob("a", CONFIG)).status == 201


def test_a_tag_that_a_power_cut_emptied_is_no_tag(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path)
    storage.set_tag("a", "v1", digest_of(CONFIG))
    (tmp_path / "repositories/a/_tags/v1").write_text("")
    assert asyncio.run(Client(Registry(storage)).call("GET", "/v2/a/manifests/v1")).status == 404


def test_a_mode_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sync must be one of always, interval, never, not 'often'"):
        read(Path(configured(tmp_path, tmp_path, "often")), {})
