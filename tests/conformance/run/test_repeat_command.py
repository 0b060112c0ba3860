"""The command that repeats a run has all its options, and nothing that is secret."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from conformance.run.option_table import OPTIONS, Option
from tests.conformance.run.reading import read
from tests.conformance.run.test_option_places import _VALUES as VALUES
from tests.conformance.run.test_option_places import _WITH as WITH
from tests.conformance.run.test_option_places import folder, plain
from tests.support.forking import Forker
from tests.support.scripted.server import Answer, Asked, forward, serve
from tests.support.servers import Server

__all__ = ["folder"]


@pytest.fixture(autouse=True)
def _no_options_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_each_option_is_in_it(option: Option, folder: Path) -> None:
    name, flag, kind = option.name, option.flag, option.kind
    value = VALUES[name].format(folder=folder)
    given = read(flag if kind == "flag" else f"{flag}={value}", *WITH.get(name, ()), "--seed=7")
    words = shlex.split(given.command)
    assert "c4nary" not in given.command and "Bearer" not in given.command
    variables = [word for word in words if word.startswith("REGISTRY_")]
    rest = words[words.index("conformance") + 1 :]
    if "username" in name or "password" in name or "token" in name:
        assert any(word.endswith("=...") for word in variables)
        return
    again = [
        f"{word}={rest[at + 1]}" if not _is_switch(word) else word for at, word in enumerate(rest) if word[:2] == "--"
    ]
    if name not in {"report", "record", "header", "notifications-header", "config", "known-failures-write"}:
        assert plain(read(*again)) | {"command": ""} == plain(given) | {"command": ""}


def _is_switch(word: str) -> bool:
    return next(option.kind for option in OPTIONS if option.flag == word) == "flag"


def test_without_a_seed_the_one_that_was_drawn() -> None:
    given = read("--registry-url=http://ann:c4nary@r.example:5000")
    assert given.command.endswith(f"conformance --registry-url http://r.example:5000 --seed {given.seed}")


def test_what_was_left_is_in_the_report(suite: Forker, open_registry: Server, tmp_path: Path) -> None:
    """A target that deletes nothing at the end keeps what the run made, and the report says so."""

    def keep(asked: Asked) -> Answer:
        return Answer(405) if asked.method == "DELETE" else forward(asked, open_registry.url)

    with serve(keep) as server:
        run = suite.run(server.url, "--requirement=PULL-BLOB-GET-200", report=tmp_path)
    assert run.report is not None
    assert "stay, as the target deletes none" in run.report["run"]["left"]
    assert run.report["run"]["left"] in (tmp_path / "report.html").read_text(encoding="utf-8")
    kept = suite.run(open_registry.url, "--requirement=PULL-BLOB-GET-200", "--keep")
    assert kept.report is not None
    assert "--keep" in kept.report["run"]["left"] and "--keep" in kept.report["run"]["command"]
    clean = suite.run(open_registry.url, "--requirement=PULL-BLOB-GET-200")
    assert clean.report is not None
    assert "left" not in clean.report["run"]
