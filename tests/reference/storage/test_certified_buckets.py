"""The suite finds nothing in a registry on a bucket, in several on one bucket, and as much as in one in memory."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.reference.storage.conftest import BUCKETS, EMULATORS
from tests.support import buckets
from tests.support.servers import free_port, reference, run_process, wait_for
from tests.support.suite import run_suite

#: What a request may take of memory, for whatever is pushed.
MOST = 80_000
PIECE = bytes(range(256)) * 4096


def _decided(url: str, *options: str) -> int:
    run = run_suite(url, *options)
    assert run.broken == []
    return len(run.decided)


def _bucket(request: pytest.FixtureRequest, kind: str) -> dict[str, object]:
    emulator: buckets.Emulator = request.getfixturevalue(EMULATORS[kind])
    return {kind: emulator.make(f"bucket-{next(buckets.NAMES)}"), "redirect": {"disable": True}}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BUCKETS)
def test_the_suite_finds_nothing_in_a_bucket(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    with reference(tmp_path, config={"version": "0.1", "storage": _bucket(request, kind)}) as server:
        assert _decided(server.url) > 350


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["filesystem", "s3"])
def test_the_suite_finds_nothing_in_several_processes(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    storage = _bucket(request, kind) if kind in BUCKETS else {kind: {"rootdirectory": str(tmp_path / "root")}}
    config = {"version": "0.1", "storage": storage, "http": {"workers": 3}}
    with reference(tmp_path, config=config) as server:
        assert _decided(server.url) > 350


@pytest.mark.slow
def test_the_suite_finds_nothing_where_each_request_comes_to_another_registry(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    config = buckets.configuration(tmp_path / "config.yml", _bucket(request, "s3"))
    port = free_port()
    command = [sys.executable, "-m", "tests.reference.storage.alternating", str(config), str(port)]
    with run_process(command, tmp_path / "log") as (process, log):
        url = f"http://127.0.0.1:{port}"
        wait_for(process, log, lambda: buckets.answers(f"{url}/v2/"))
        assert _decided(url) > 350


@pytest.mark.slow
@pytest.mark.alone
def test_a_large_blob_takes_little_memory(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    number = 150
    digest = f"sha256:{hashlib.sha256(PIECE * number).hexdigest()}"

    def pieces() -> Iterator[bytes]:
        for _ in range(number // 2):
            yield PIECE

    with reference(tmp_path, config={"version": "0.1", "storage": _bucket(request, "s3")}) as server:
        status = Path(f"/proc/{server.pid}/status")
        before = _peak(status)
        location = requests.post(f"{server.url}/v2/a/blobs/uploads/", timeout=10).headers["Location"]
        for _ in range(2):
            assert requests.patch(f"{server.url}{location}", pieces(), timeout=60).status_code == 202
        assert requests.put(f"{server.url}{location}?digest={digest}", timeout=60).status_code == 201
        assert requests.get(f"{server.url}/v2/a/blobs/{digest}", timeout=60).content == PIECE * number
        assert _peak(status) - before < MOST


def _peak(status: Path) -> int:
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
    assert found
    return int(found[1])
