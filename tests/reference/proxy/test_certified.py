"""A cache is certified as what is behind it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reference.conftest import Start
from tests.reference.process.test_command import written
from tests.support.configurations import read_only
from tests.support.suite import run_suite


@pytest.mark.slow
def test_the_suite_finds_the_same_in_a_cache(starter: Start, tmp_path: Path) -> None:
    (tmp_path / "behind").mkdir()
    with read_only(tmp_path / "behind") as target:
        text = (
            f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {tmp_path / 'root'}\n"
            f"proxy:\n  remoteurl: {target.url}\n"
        )
        cache = starter(str(written(tmp_path, text)), "--addr", "127.0.0.1:0")
        runs = [run_suite(url, *target.options, env=target.env) for url in (target.url, cache.url)]
    assert [run.broken for run in runs] == [[], []]
    assert runs[1].decided.keys() >= runs[0].decided.keys()
    assert len(runs[1].decided) > 100
