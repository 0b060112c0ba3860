"""Meet the target, have Locust drive the users, clean up, and write the report."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import reports
from conformance.load import options, outcome, plan
from conformance.load.options import Options
from conformance.load.plan import Plan
from conformance.run import report_document, signals
from conformance.target import cleanup, preflight, probes
from conformance.target.session import Session, check_writable
from reports.text import visible
from spec.catalogue import load

_ROOT = Path(__file__).resolve().parents[2]
_INTERRUPTED, _USAGE = 2, 4
#: Seconds that Locust may take beside those of its load, and after an interrupt.
_MORE, _END = 120.0, 20.0
#: Seconds that a user may take to end its deed, and that Locust's page stays: a worker listens when all have ended.
_STOP, _STAYS = 3, 4
_PAUSE = 0.05
_LOG, _PAGE = "locust.log", "locust.html"
#: Lines of its log that show why Locust failed.
_TAIL = 3


def run(arguments: Sequence[str]) -> int:
    """Run a load and return its exit code, which is that of a run."""
    try:
        asked = options.read(arguments)
        check_writable(asked.settings)
        _check_port(asked.page)
    except pytest.UsageError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return _USAGE
    try:
        with signals.ending_as_interrupted():
            return _run(asked)
    except pytest.UsageError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return _USAGE
    except KeyboardInterrupt:
        print(signals.TOO_EARLY, file=sys.stderr)
        return _INTERRUPTED


def _run(asked: Options) -> int:
    session, folder = Session(asked.settings), asked.settings.report
    with contextlib.ExitStack() as stack:
        stack.callback(session.close)
        clean = stack.enter_context(_cleaning(session))
        preflight.check(session)
        probes.probe(session)
        session.note("preflight")
        spool = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".load-", dir=folder))).resolve()
        made = Plan(
            settings=asked.settings,
            capabilities=session.capabilities,
            mix=asked.mix,
            steps=asked.steps,
            requests=asked.requests,
            processes=max(1, asked.workers),
            spool="" if asked.master else str(spool),
        )
        started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
        interrupted, problem = _locust(asked, made)
        facts = report_document.Run(
            asked.settings, session.capabilities, started, time.monotonic() - clock, complete=False
        )
        signals.INTERRUPTS.ending = True
        if problem:
            raise pytest.UsageError(problem)
        if asked.master:
            left = clean()
            print(f"The report of this load is on {asked.master}.{f' Left on the target: {left}' if left else ''}")
            return _INTERRUPTED if interrupted else 0
        report = outcome.report(load(), made, plan.gather(spool), facts, _INTERRUPTED if interrupted else 0)
        # Before the clean-up, lest a load that is killed meanwhile has no report.
        reports.write(report, folder)
        if left := clean():
            report["run"]["left"] = left
            reports.write(report, folder)
    print("\n".join(visible(line) for line in outcome.text(report).splitlines()))
    if left:
        print(visible(f"Left on the target: {left}"))
    code = int(report["run"]["exit_code"])
    print(f"Report: {(folder / 'report.json').resolve()}  (exit code {code})")
    return code


@contextlib.contextmanager
def _cleaning(session: Session) -> Iterator[Callable[[], str]]:
    """Remove what the load made, when asked to or at the end, whatever becomes of it; tell what stayed."""
    done: list[str] = []

    def clean() -> str:
        if not done:
            signals.INTERRUPTS.ending = True
            done.append(str(cleanup.run(session, lambda: signals.INTERRUPTS.hurry)))
        return done[0]

    try:
        yield clean
    finally:
        clean()


def _locust(asked: Options, made: Plan) -> tuple[bool, str]:
    """Run Locust; return whether it was interrupted, and what went wrong if anything did."""
    log = asked.settings.report / _LOG
    # Locust takes options from variables of its own; what a load does is said by ours.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    environment |= {plan.VARIABLE: made.given(), "PYTHONPATH": _path()}
    if asked.page and not asked.master:
        print(f"Locust's page: http://127.0.0.1:{asked.page}/ (until the load is over)", flush=True)
    command = [sys.executable, "-m", "locust", *_words(asked)]
    if setpriv := shutil.which("setpriv"):
        # Gone even where this process is killed.
        command = [setpriv, "--pdeathsig", "TERM", "--", *command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
        interrupted = False
        try:
            process.wait(made.steps.seconds + _MORE)
        except KeyboardInterrupt:
            interrupted = True
        except subprocess.TimeoutExpired:
            return False, f"Locust did not end in time; {log} says more"
        finally:
            _end(process)
    if process.returncode and not interrupted:
        tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_TAIL:]
        return False, f"Locust ended with {process.returncode}; {log} says why: {' '.join(tail)}"
    return interrupted, ""


def _words(asked: Options) -> list[str]:
    words = ["--locustfile", str(Path(__file__).with_name("locustfile.py")), "--host", asked.settings.url]
    words += ["--loglevel", "INFO", "--stop-timeout", str(_STOP), "--exit-code-on-error", "0", "--only-summary"]
    if asked.master:
        return [*words, "--worker", "--master-host", asked.master, "--processes", str(max(1, asked.workers))]
    words += ["--html", str(asked.settings.report / _PAGE)]
    if asked.expect:
        words += ["--master", "--expect-workers", str(asked.expect), "--expect-workers-max-wait", str(int(_MORE / 2))]
    elif asked.workers:
        # A port of its own: two loads on one machine must not get each other's workers.
        words += ["--processes", str(asked.workers), "--master-bind-host", "127.0.0.1"]
        words += [word for port in [str(_free_port())] for word in ("--master-bind-port", port, "--master-port", port)]
    if not asked.page:
        return [*words, "--headless"]
    # The page can start and stop loads, so it is for this machine alone.
    return [*words, "--autostart", "--autoquit", str(_STAYS), "--web-host", "127.0.0.1", "--web-port", str(asked.page)]


def _path() -> str:
    return os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End Locust and all its workers, which write their books down at SIGTERM; none of them outlives the load.

    A worker whose master is gone would wait for the next one.
    """
    for number, patience in ((signal.SIGTERM, _END), (signal.SIGKILL, _END)):
        if not _tell(process.pid, number):
            break
        end = time.monotonic() + patience
        while time.monotonic() < end and _tell(process.pid, 0):
            process.poll()
            time.sleep(_PAUSE)
    process.wait()


def _tell(group: int, number: int) -> bool:
    """Send a signal to a group of processes; return whether there is one."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _check_port(port: int) -> None:
    if port:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise pytest.UsageError(
                    f"--page-port: {port} cannot be listened on ({error.strerror}); name another, or --no-page"
                ) from None
