"""A full disk, and a folder that is gone or read-only: a whole report, or one sentence."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

import reports
from tests.interruptions.started import started, wait_for
from tests.support.configurations import filesystem
from tests.support.sampling import sampled
from tests.support.scripted.server import Tiny, forward, serve
from tests.support.servers import Server, left, reference

#: Runs a command with a small disk of its own at a folder, and lists afterwards what is on it; "$1"
#: is the folder, "$2" its size, "$3" a file that, once it is there, puts a disk in its place that
#: can only be read.
_ON_A_DISK = """
mkdir -p "$1" && mount -t tmpfs -o "size=$2" tmpfs "$1" || exit 77
folder=$1; trigger=$3; shift 3
( while [ ! -e "$trigger" ]; do sleep 0.1; done; mount -t tmpfs -o ro tmpfs "$folder" ) &
watcher=$!
"$@"
code=$?
kill $watcher 2>/dev/null
ls -A "$folder" | tr '\\n' ' '; echo "is on the disk"
exit $code
"""


def _disk(folder: Path, size: str, trigger: Path) -> list[str]:
    """The words in front of a command that give it a disk of its own."""
    for namespaces in (["--mount"], ["--map-root-user", "--mount"]):
        words = ["unshare", *namespaces, "sh", "-c"]
        mounted = subprocess.run([*words, f"mount -t tmpfs tmpfs {folder}"], check=False, capture_output=True)
        if mounted.returncode == 0:
            return [*words, _ON_A_DISK, "sh", str(folder / "report"), size, str(trigger)]
    pytest.skip("no small disk can be mounted here")


@pytest.mark.needs("unshare")
@pytest.mark.parametrize("size", sampled({"8k", "200k"}, 1))
def test_a_full_disk(size: str, tmp_path: Path) -> None:
    """A run goes on without its journal, and removes what it made."""
    disk = _disk(tmp_path, size, tmp_path / "never")
    with filesystem(tmp_path) as target:
        with started(tmp_path, f"--registry-url={target.url}", "--category=management", before=disk) as run:
            assert run.ended() == 4, run.said
        assert not left(tmp_path)
    assert run.said.count("--report: ") == 1
    assert "cannot be written (No space left on device)" in run.said
    assert "There is no report.  (exit code 4)" in run.said
    assert "\nis on the disk" in run.said


@pytest.mark.slow
@pytest.mark.needs("unshare")
def test_a_disk_that_can_no_longer_be_written(tmp_path: Path) -> None:
    trigger = tmp_path / "trigger"
    disk = _disk(tmp_path, "20m", trigger)
    with filesystem(tmp_path) as target, _counting(target.server) as front:
        with started(tmp_path, f"--registry-url={front.url}", "--category=management", before=disk) as run:
            wait_for(lambda: len(front.asked) > 100, run)
            trigger.touch()
            assert run.ended() == 4, run.said
        assert not left(tmp_path)
    assert "cannot be written (Read-only file system)" in run.said
    assert "There is no report.  (exit code 4)" in run.said


def test_a_folder_that_is_removed(tmp_path: Path) -> None:
    """It is made again, and what was written down is remembered."""
    with filesystem(tmp_path) as target, _counting(target.server) as front:
        with started(tmp_path, f"--registry-url={front.url}", "--category=management", "-n", "2") as run:
            wait_for(lambda: len(front.asked) > 200, run)
            shutil.rmtree(run.report)
            assert run.ended() == 0, run.said
        assert not left(tmp_path)
    assert not reports.load(run.report / "report.json")["findings"]


@pytest.mark.slow
def test_a_folder_that_becomes_a_file(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    with (
        reference(tmp_path / "server") as server,
        _counting(server) as front,
        started(tmp_path, f"--registry-url={front.url}", "--category=management") as run,
    ):
        wait_for(lambda: len(front.asked) > 200, run)
        shutil.rmtree(run.report)
        run.report.write_text("in the way")
        assert run.ended() == 4, run.said
    assert "--report: " in run.said
    assert "cannot be written (File exists)" in run.said
    assert run.report.read_text() == "in the way"


def _counting(server: Server) -> AbstractContextManager[Tiny]:
    """Serve a registry so that the requests can be counted."""
    return serve(lambda asked: forward(asked, server.url))
