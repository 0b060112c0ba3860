"""What several processes cannot do together is refused by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reference import __main__ as command
from reference.configuration.file import ConfigError
from reference.configuration.reading import read
from tests.reference.probe import DISK

MANY = "http:\n  workers: 2\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("storage: inmemory\n" + MANY, "4: http.workers: 2 cannot be with storage.inmemory: each worker would have"),
        (
            "storage: filesystem\nproxy:\n  remoteurl: http://a\n" + MANY,
            "6: http.workers: 2 cannot be with proxy: a worker does not know what is on its way to another one",
        ),
        (
            "storage:\n  filesystem:\n  maintenance:\n    garbagecollect:\n      enabled: true\n" + MANY,
            "8: http.workers: 2 cannot be with storage.maintenance.garbagecollect.enabled: what clients ask for stays",
        ),
        (
            "storage:\n  filesystem:\n    layout: distribution\n" + MANY,
            "6: http.workers: 2 cannot be with storage.filesystem.layout: distribution: a worker has in memory",
        ),
        ("storage: filesystem\nhttp:\n  workers: 0\n", "4: http.workers must be 1 to 64"),
    ],
)
def test_what_needs_one_process_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "config.yml"
    path.write_text(f"version: 0.1\n{text}")
    with pytest.raises(ConfigError) as caught:
        read(path, {})
    assert str(caught.value).startswith(f"{path}:{says}")


def test_a_temporary_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    path, long = tmp_path / "config.yml", tmp_path / ("x" * 100)
    long.mkdir()
    endpoint = "notifications:\n  endpoints:\n    - {name: a, url: 'http://127.0.0.1:1/'}\n"
    path.write_text(DISK.format(root=tmp_path / "root") + MANY + endpoint)
    command = [sys.executable, "-m", "reference", "serve", str(path), "--addr", "127.0.0.1:0"]
    given = {**os.environ, "TMPDIR": str(long)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, env=given)
    assert done.returncode == 4
    assert "http.workers: the directory for temporary files (TMPDIR): " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--memory", "--workers", "2"], "registry: --workers: 2 cannot be with storage.inmemory: each worker"),
        (
            ["CONFIG", "--workers", "2", "--fault", "ranges-for-everybody"],
            "--workers: 2 cannot be with --fault",
        ),
        (["CONFIG", "--workers", "0"], "argument --workers: '0' is no number between 1 and 64"),
    ],
)
def test_a_wrong_option_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    path = tmp_path / "config.yml"
    path.write_text(DISK.format(root=tmp_path / "root"))
    assert command.main(["serve", *[str(path) if word == "CONFIG" else word for word in arguments]]) == 4
    assert says in capsys.readouterr().err
