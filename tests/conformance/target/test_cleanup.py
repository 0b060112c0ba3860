"""After a run nothing of it is left, whatever became of it, and all that others had is there."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from conformance.client.client import WriteForbidden
from conformance.client.guard import Guard
from conformance.client.journal import Journal
from conformance.target.cleanup import in_order
from tests.support import content
from tests.support.configurations import configured, filesystem
from tests.support.forking import Forker, environment
from tests.support.servers import ROOT, Server, docker_registry, left


def test_a_whole_run_leaves_nothing(suite: Forker, tmp_path: Path) -> None:
    with filesystem(tmp_path) as target:
        run = suite.run(target.url, report=tmp_path / "report")
        assert run.exit_code == 0, run.stdout + run.stderr
        assert not left(tmp_path)
    assert sorted(p.name for p in (tmp_path / "report").iterdir()) == ["report.html", "report.json", "summary.md"]
    assert "Left on the target" not in run.stdout


def test_what_workers_made_is_removed_too(suite: Forker, tmp_path: Path) -> None:
    with filesystem(tmp_path) as target:
        run = suite.run(target.url, "--category", "management", "--category", "pull", "-n", "2")
        assert run.exit_code == 0, run.stdout + run.stderr
        assert not left(tmp_path)


def test_keep_leaves_all(suite: Forker, tmp_path: Path) -> None:
    with filesystem(tmp_path) as target:
        suite.run(target.url, "--category", "pull", "--keep")
        assert left(tmp_path)["repositories"] > 50


def test_what_the_target_does_not_delete_is_told(suite: Forker, tmp_path: Path) -> None:
    with configured("delete-off", tmp_path) as target:
        run = suite.run(target.url, "--category", "base")
    assert "Left on the target" in run.stdout
    assert "manifests stay, as the target deletes none" in run.stdout


@pytest.mark.parametrize("more", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, more: list[str]) -> None:
    with filesystem(tmp_path) as target:
        command = [sys.executable, "-m", "pytest", "conformance", "-p", "no:cacheprovider", *more]
        command += ["--registry-url", target.url, "--report", str(tmp_path / "report")]
        # What a shell starts in the background ignores interrupts, and so would all that it starts.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        signal.signal(signal.SIGINT, before)
        end = time.monotonic() + 30
        while left(tmp_path)["repositories"] < 100 and time.monotonic() < end and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 2, out.decode()
        rest = left(tmp_path)
        # Where an upload is that was just being started, nobody knows.
        assert set(rest) <= {"uploads"}, (rest, out.decode())
        assert rest["uploads"] <= 2 * 8
    assert not [p.name for p in (tmp_path / "report").iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize(("name", "more"), [("fixed", ["-n", "2"]), ("fixed", ["-n", "0"]), ("fixed-single", [])])
def test_what_others_have_in_fixed_repositories_stays(
    name: str, more: list[str], suite: Forker, tmp_path: Path
) -> None:
    """What one process has seen to be others' is not removed by another one, which has not."""
    with configured(name, tmp_path) as target:
        repositories = [word for word in target.options if not word.startswith("--")]
        before = {repository: content.snapshot(target.url, repository) for repository in repositories}
        run = suite.run(target.url, *target.options, *more)
        after = {repository: content.snapshot(target.url, repository) for repository in repositories}
    assert run.exit_code == 0, run.stdout + run.stderr
    assert after == before


def test_docker_registry_keeps_no_tag_and_no_manifest(suite: Forker, tmp_path: Path) -> None:
    with docker_registry(tmp_path) as server:
        suite.run(server.url, "--category", "push", "--category", "discovery")
        names = _repositories(server)
        assert len(names) > 20
        for name in names:
            answer = requests.get(f"{server.url}/v2/{name}/tags/list", timeout=10)
            for tag in answer.json().get("tags") or []:
                # A tag whose manifest is gone: this registry cannot delete it.
                assert requests.get(f"{server.url}/v2/{name}/manifests/{tag}", timeout=10).status_code == 404, name


def _repositories(server: Server) -> list[str]:
    return [str(name) for name in requests.get(f"{server.url}/v2/_catalog?n=1000", timeout=10).json()["repositories"]]


def test_a_journal_tells_what_is_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.manifest("a", "sha256:1", b'{"manifests": [{"digest": "sha256:2"}], "subject": {"digest": "sha256:3"}}')
    journal.tag("a", "latest", "sha256:1")
    for digest in ("sha256:4", "sha256:5"):
        journal.blob("a", digest)
    journal.refused("a", "sha256:5")
    journal.blob("a", "sha256:4")
    journal.refused("a", "sha256:4")
    journal.opened("a", "http://r/1")
    journal.moved("http://r/1", "http://r/2")
    journal.opened("a", "http://r/3")
    journal.closed("http://r/3")
    with (tmp_path / "journal").open("ab") as file:
        file.write(b'["blob", "a", "cut of')
    made = journal.read()
    assert made.manifests == {("a", "sha256:1"): ("sha256:2", "sha256:3")}
    assert made.tags == {("a", "latest"): "sha256:1"}
    assert list(made.blobs) == [("a", "sha256:4")]
    assert made.uploads == {("a", "http://r/1"): "http://r/2"}
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0
    journal.remove()
    assert not [*tmp_path.iterdir()]


def test_a_journal_outlives_its_folder(tmp_path: Path) -> None:
    """Processes share the journal; it remembers failed writes, and no credentials."""
    folder = tmp_path / "report"
    folder.mkdir()
    mine, theirs = (Journal(folder / "journal", lambda text: text.replace("c4nary", "(removed)")) for _ in range(2))
    mine.open()
    theirs.open()
    mine.opened("a", "http://r/1?c4nary")
    assert "c4nary" not in (folder / "journal").read_text()
    shutil.rmtree(folder)
    theirs.blob("a", "sha256:1")
    made = mine.read()
    assert made.blobs == {("a", "sha256:1"): None}
    assert list(made.uploads.values()) == ["http://r/1?c4nary"]
    late = Journal(folder / "journal")
    late.blob("a", "sha256:2")
    assert late.read().blobs == {("a", "sha256:2"): None}
    mine.remove()


def test_referrers_and_indexes_go_first() -> None:
    manifests: dict[tuple[str, str], tuple[str, ...]] = {
        ("a", "image"): (),
        ("a", "referrer"): ("image",),
        ("a", "index"): ("image", "elsewhere"),
        ("a", "outer"): ("index",),
        ("b", "image"): (),
    }
    groups = [sorted(group) for group in in_order(manifests)]
    assert groups == [[("a", "outer"), ("a", "referrer"), ("b", "image")], [("a", "index")], [("a", "image")]]
    assert sum(map(len, in_order({("a", "x"): ("y",), ("a", "y"): ("x",)}))) == 2


def test_a_guard_lets_nothing_through_that_is_not_ours() -> None:
    guard = Guard()
    guard.check("PUT", "any", "latest")
    guard.fixed = frozenset({"a"})
    digest = "sha256:" + "0" * 64
    looks = iter((True, True, False))
    for reference in ("latest", digest, "own", "latest"):
        guard.look("a", reference, lambda: next(looks))
    assert next(looks, None) is None
    guard.check("PUT", "a", "own")
    guard.check("PUT", "a", digest)
    guard.check("DELETE", "b", "own")
    for method, name, reference in (
        ("PUT", "a", "latest"),
        ("DELETE", "a", digest),
        ("POST", "b", ""),
        ("PATCH", "b", ""),
    ):
        with pytest.raises(WriteForbidden):
            guard.check(method, name, reference)
