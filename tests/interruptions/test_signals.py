"""Control-C and SIGTERM at every moment: a true report or none, exit code 2, a clean target."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import reports
from tests.interruptions.started import PATIENCE, Started, started, wait_for
from tests.support.configurations import filesystem
from tests.support.sampling import sampled
from tests.support.scripted.server import Answer, Asked, Tiny, forward, serve
from tests.support.servers import left

_INT, _TERM = signal.SIGINT, signal.SIGTERM
_SIGNALS = {"control-c": _INT, "sigterm": _TERM}
_EITHER = pytest.mark.parametrize("name", sampled(_SIGNALS, 1))
#: Signal, whether all of the group gets it, and how many workers there are.
_MIDDLES = {
    f"{name}-to-{'the-group' if group else 'one'}-with-{workers}-workers": (number, group, workers)
    for name, number in _SIGNALS.items()
    for group in (False, True)
    for workers in (0, 2)
}
#: Workers, and the seconds between the two signals.
_TWICE = {
    f"{'impatient' if pause else 'at-once'}-with-{workers}-workers": (workers, pause)
    for workers in (0, 2)
    for pause in (0.0, 0.6)
}


@contextmanager
def slow(folder: Path, pause: Callable[[Asked], float]) -> Iterator[Tiny]:
    """Serve a registry with storage in a folder, and delay each answer for some seconds."""
    with filesystem(folder) as target:

        def answer(asked: Asked) -> Answer:
            time.sleep(pause(asked))
            return forward(asked, target.url)

        with serve(answer) as tiny:
            yield tiny


def _nothing_stays(folder: Path) -> None:
    """Where an upload is that was just being started, nobody knows; all else is gone."""
    rest = left(folder)
    assert set(rest) <= {"uploads"}, rest
    assert rest["uploads"] <= 3 * 8


@_EITHER
def test_while_probing(name: str, tmp_path: Path) -> None:
    with slow(tmp_path, lambda asked: 0.2) as target, started(tmp_path, f"--registry-url={target.url}") as run:
        wait_for(lambda: any("/manifests/" in asked.path for asked in target.asked), run)
        run.signal(_SIGNALS[name])
        assert run.ended() == 2, run.said
    assert "Interrupted before anything was judged" in run.said
    assert not [*run.report.iterdir()]
    _nothing_stays(tmp_path)


@pytest.mark.parametrize("name", sampled(_MIDDLES, 2))
def test_in_the_middle(name: str, tmp_path: Path) -> None:
    number, group, workers = _MIDDLES[name]
    more = ("-n", str(workers)) if workers else ()
    with (
        slow(tmp_path, lambda asked: 0.01) as target,
        started(tmp_path, f"--registry-url={target.url}", *more) as run,
    ):
        wait_for(lambda: len(target.asked) > 300, run)
        run.signal(number, group)
        assert run.ended() == 2, run.said
    report = run.truth()
    assert any(entry["outcome"] == "not tested" for entry in report["requirements"])
    assert any(entry["outcome"] == "held" for entry in report["requirements"])
    _nothing_stays(tmp_path)


@_EITHER
def test_during_a_slow_request(name: str, tmp_path: Path) -> None:
    """Nobody waits for the answer."""
    begun: list[float] = []

    def pause(asked: Asked) -> float:
        if begun or len(target.asked) < 200 or asked.method != "GET":
            return 0.0
        begun.append(time.monotonic())
        return 60.0

    with (
        slow(tmp_path, pause) as target,
        started(tmp_path, f"--registry-url={target.url}", "--timeout=100", "-k", "not concurrent") as run,
    ):
        wait_for(lambda: begun, run)
        time.sleep(0.2)
        run.signal(_SIGNALS[name])
        assert run.ended() == 2, run.said
        assert time.monotonic() < begun[0] + 60
    run.truth()


@_EITHER
def test_during_the_clean_up(name: str, tmp_path: Path) -> None:
    """Everything was judged: the verdicts stand, and what stays is told."""

    def pause(asked: Asked) -> float:
        return 0.5 if asked.method == "DELETE" and (run.report / "report.json").exists() else 0.0

    with (
        slow(tmp_path, pause) as target,
        started(tmp_path, f"--registry-url={target.url}", "--category=management") as run,
    ):
        wait_for((run.report / "report.json").exists, run)
        before = len(target.asked)
        wait_for(lambda: len(target.asked) > before + 4, run)
        run.signal(_SIGNALS[name])
        assert run.ended() == 2, run.said
    assert "stay, as the clean-up was interrupted" in " ".join(run.said.split())
    assert "The clean-up was interrupted.  (exit code 2)" in run.said
    report = reports.load(run.report / "report.json")
    assert report["run"]["exit_code"] == 2
    assert {profile["verdict"] for profile in report["profiles"].values()} == {"NOT_TESTED"}  # a part of the suite


@pytest.mark.parametrize("name", sampled(_TWICE, 1))
def test_twice(name: str, tmp_path: Path) -> None:
    """Two signals at once are one; a later one ends the clean-up, and never the report."""
    workers, pause = _TWICE[name]
    more = ("-n", str(workers)) if workers else ()
    with (
        slow(tmp_path, lambda asked: 0.3 if asked.method == "DELETE" else 0.0) as target,
        started(tmp_path, f"--registry-url={target.url}", *more) as run,
    ):
        wait_for(lambda: len(target.asked) > 200, run)
        run.signal(_INT, group=True)
        time.sleep(pause)
        run.signal(_INT if pause else _TERM, group=True)
        assert run.ended() == 2, run.said
    run.truth()


@pytest.mark.slow
def test_again_and_again(tmp_path: Path) -> None:
    """Who insists ends everything at once, and meets no half of a report."""
    with (
        slow(tmp_path, lambda asked: 20.0 if asked.method == "DELETE" and "/blobs/" in asked.path else 0.0) as target,
        started(tmp_path, f"--registry-url={target.url}", "--timeout=60", "--category=pull") as run,
    ):
        wait_for(lambda: len(target.asked) > 200, run)
        for _ in range(200):
            run.signal(_INT)
            time.sleep(0.6)
            if run.process.poll() is not None:
                break
        assert run.process.wait(PATIENCE) in {2, -_INT}, run.said
    assert "Traceback" not in run.said
    names = {path.name for path in run.report.iterdir() if not path.name.startswith(".")}
    assert len(names) in {0, 3}


@_EITHER
def test_with_the_embedded_reference(name: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with started(tmp_path, "--registry-url=embedded", f"--log-file={log}", "--log-file-level=DEBUG") as run:
        wait_for(lambda: log.is_file() and log.read_text(encoding="utf-8").count("HTTP/1.1") > 60, run)
        children = _children(run)
        assert children
        run.signal(_SIGNALS[name], group=True)
        assert run.ended() == 2, run.said
        wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in children), run)
    run.truth()


def _children(run: Started) -> list[str]:
    task = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children")
    return task.read_text(encoding="utf-8").split()
