"""The command: what it tells, what it leaves alone, and what it refuses."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from reference.__main__ import main
from reference.maintenance.fsck import check
from reference.storage.filesystem import FilesystemStorage
from reference.storage.memory import MemoryStorage, MemoryUpload
from reference.v1 import layers
from reference.v1.importing import Importer
from reference.v1.layout import Image, Source
from tests.reference.v1.brought import OTHER, SECOND, bring, command, configured, snapshot
from tests.reference.v1.writer import Writer


def test_a_second_run_changes_nothing(tmp_path: Path, old: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(old.root)
    assert command(tmp_path, old, "--dry-run") == 0
    rehearsed = capsys.readouterr()
    assert not (tmp_path / "root").exists()
    assert command(tmp_path, old) == 0
    done = capsys.readouterr()
    assert rehearsed.out == done.out.replace("no tag leads to\n", "no tag leads to (nothing was written)\n")
    assert (len(done.out.splitlines()), done.err) == (6, "")
    first = snapshot(tmp_path / "root")
    for options in ([], ["--overwrite"], ["--dry-run"]):
        assert command(tmp_path, old, *options) == 0
        assert "0 tags imported, 5 unchanged, 0 problems" in capsys.readouterr().out
        assert {name: at for name, at in snapshot(tmp_path / "root").items() if not name.endswith("uploads")} == {
            name: at for name, at in first.items() if not name.endswith("uploads")
        }
    assert snapshot(old.root) == before


def test_an_import_that_was_broken_off_goes_on(
    tmp_path: Path, old: Writer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(FilesystemStorage, "set_tag", full)
        assert command(tmp_path, old) == 4
    said = "registry: storage.filesystem.rootdirectory: No space left on device\n"
    assert capsys.readouterr().err == said
    assert command(tmp_path, old) == 0
    assert "5 tags imported" in capsys.readouterr().out
    assert check(tmp_path / "root", repair=False).found == []


@pytest.mark.parametrize("turns", [3, 8, 15, 20])
def test_it_can_be_cancelled_within_a_layer(tmp_path: Path, turns: int) -> None:
    made = Writer(tmp_path / "registry")
    made.tag("a/b", "v1", made.image({"large": bytes(range(256)) * (40 << 10)}))
    storage = MemoryStorage()
    told: list[str] = []

    async def cancelled() -> None:
        importer = Importer(Source(made.root), storage, tell=told.append, warn=told.append)
        task = asyncio.create_task(importer.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(cancelled())
    assert (told, storage.open_uploads(), storage.exists("a/b")) == ([], 0, False)


def test_layers_are_read_and_stored_once(old: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    read, storage = layers.read, MemoryStorage()
    start, images, uploads = storage.start_upload, list[str](), list[str]()

    def reading(image: Image) -> Coroutine[Any, Any, layers.Layer]:
        images.append(image.identifier)
        return read(image)

    def started(name: str) -> MemoryUpload:
        uploads.append(name)
        return start(name)

    monkeypatch.setattr(layers, "read", reading)
    monkeypatch.setattr(storage, "start_upload", started)
    bring(old, storage, short_names=True)
    assert len(images) == len(set(images)) == 6
    # Layers and configs; what is in another repository already is not stored again.
    stored = {"library/app": 3 + 2, "team/nothing": 1 + 1, "team/tools/deep": 1 + 1}
    assert Counter(uploads) == stored


def test_a_folder_that_cannot_be_read_does_not_stop_the_others(old: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = Path.iterdir

    def refused(path: Path) -> Iterator[Path]:
        if path.name == "app":
            raise PermissionError(errno.EACCES, "Permission denied")
        return listing(path)

    monkeypatch.setattr(Path, "iterdir", refused)
    told = bring(old, MemoryStorage())
    assert told.warnings == [f"library/app: {old.root / 'repositories/library/app'}: Permission denied"]
    assert told.tags == ["team/nothing:v1", "team/tools/deep:_x"]


def test_names_that_version_2_does_not_allow_are_left_out(own: Writer) -> None:
    image = own.image(OTHER)
    own.tag("Team/App", "v1", image)
    own.tag("team/..", "v1", image)
    own.tag("library/app", "not so", image)
    own.tag("library/app", "v1_json", image)
    own.image(SECOND)
    storage = MemoryStorage()
    told = bring(own, storage)
    assert told.warnings == [
        "'Team/App' is no name of a repository in version 2",
        "library/app: 'not so' is no tag in version 2",
        "'team/..' is no name of a repository in version 2",
    ]
    assert told.count == "6 tags imported, 0 unchanged, 3 problems; 1 images that no tag leads to"
    assert list(storage.tags("library/app")) == ["latest", "v1", "v1_json", "v2"]


def test_short_names_are_there_as_well(old: Writer) -> None:
    storage = MemoryStorage()
    told = bring(old, storage, short_names=True)
    assert told.tags[3:6] == ["app:latest", "app:v1", "app:v2"]
    assert list(storage.repositories()) == ["app", "library/app", "team/nothing", "team/tools/deep"]
    assert set(storage.blobs("app")) == set(storage.blobs("library/app"))


def test_a_tag_that_leads_elsewhere_stays_unless_asked(own: Writer) -> None:
    storage = MemoryStorage()
    bring(own, storage)
    before = storage.tag("library/app", "v2")
    own.tag("library/app", "v2", own.image(OTHER))
    told = bring(own, storage)
    assert told.warnings == [f"library/app:v2: it is {before} here, and stays so without --overwrite"]
    assert storage.tag("library/app", "v2") == before
    assert bring(own, storage, overwrite=True).tags == ["library/app:v2"]
    assert storage.tag("library/app", "v2") != before


PROXY = {"proxy": {"remoteurl": "https://r.example"}}
INSIDE, ABOVE = ({"storage": {"filesystem": {"rootdirectory": root}}} for root in ("FOLDER/registry/new", "FOLDER"))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"storage": {"inmemory": {}}}, "storage.inmemory: what is imported would be gone with the command"),
        (PROXY, "proxy: a cache holds nothing but what its upstream has"),
        (INSIDE, "share a folder"),
        (ABOVE, "share a folder"),
    ],
)
def test_a_configuration_that_is_of_no_use(
    own: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: dict[str, Any], says: str
) -> None:
    config = json.loads(json.dumps(configured(tmp_path) | more).replace("FOLDER", str(tmp_path)))
    assert command(tmp_path, own, config=config) == 4
    said = capsys.readouterr().err
    assert (said.startswith(f"registry: {tmp_path / 'config.yml'}: "), said.endswith(f"{says}\n")) == (True, True), said


def test_a_folder_that_is_of_no_use(old: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.yml"
    config.write_text(json.dumps(configured(tmp_path)))
    (tmp_path / "images").mkdir()
    for folder, why in ((tmp_path / "none", "no such directory"), (tmp_path, "it has no folder repositories")):
        config.write_text(json.dumps(configured(tmp_path.parent / "elsewhere")))
        assert main(["import-v1", str(folder), str(config)]) == 4
        assert capsys.readouterr().err.endswith(f"{why}\n")
    running = FilesystemStorage(tmp_path / "root")
    assert command(tmp_path, old) == 4
    assert "another process uses it; stop it for the import" in capsys.readouterr().err
    running.close()


def test_lines_that_nobody_reads_break_it_off_quietly(old: Writer, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text(json.dumps(configured(tmp_path)))
    words = [sys.executable, "-m", "reference", "import-v1", str(old.root), str(config)]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (130, "")
