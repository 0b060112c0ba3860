"""One run of the suite against a hostile target, and the complaints about it."""

from __future__ import annotations

import ast
import os
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.hostile.audit import LOG
from tests.hostile.case import ACCOUNT, REFUSALS, VERDICTS, Hostile
from tests.hostile.cases import BY_NAME, CASES
from tests.hostile.outputs import flaws
from tests.hostile.posts import pester
from tests.hostile.proxy import TOKEN_PATH, Proxy, proxy
from tests.support.notified import Hook
from tests.support.scripted.server import certificate
from tests.support.servers import reference
from tests.support.suite import SuiteRun, run_suite
from tests.support.tokens import token_server

__all__ = ["CASES", "complaints", "trial"]

#: Seconds of --timeout and --max-time.
TIMEOUT = 1
MAX_TIME = 12
#: Beyond the time of --max-time: the start, one last request, the clean-up, the report.
GRACE = 15
#: MiB of one process of a run.
MEMORY = 300
#: The programs that a run may start: the workers of pytest-xdist, the one that tells the commit of
#: the suite, and those by which Python's own library and pytest-xdist look at the machine.
_PROGRAMS = frozenset({"git", "ldconfig", "uname", "python", Path(sys.executable).name})
_LOOPBACK = ("127.0.0.1:", "localhost:", "::1:")
#: A machine with so many times as much to do as it can gets no more time for it.
_CROWDED = 3.0
#: Runs that were refused before the target turned hostile, for want of time, are tried again so
#: often.
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """A run that has ended: its target, what a stranger received, and its --max-time."""

    case: Hostile
    run: SuiteRun
    folder: Path
    target: Proxy
    stolen: list[bytes]
    max_time: float

    @property
    def turned(self) -> bool:
        """Whether the target was hostile at all."""
        conduct, target = self.case.conduct, self.target
        return bool(target.by_hand) or bool(conduct.greets and target.connections > conduct.after)

    @property
    def text(self) -> str:
        """What the run printed."""
        return self.run.stdout + self.run.stderr


def complaints(case_name: str, folder: Path) -> list[str]:
    """Run the suite against a target and return the complaints, a sentence each.

    Args:
        case_name: the name of one of CASES.
        folder: an empty folder of the caller's, where the outputs of the run stay.
    """
    return judged(trial(case_name, folder))


def trial(case_name: str, folder: Path) -> Trial:
    """Run the suite against a target."""
    case = BY_NAME[case_name]
    for attempt in range(_ATTEMPTS):
        inner = folder / str(attempt)
        inner.mkdir()
        done = _once(case, inner)
        if done.run.exit_code not in REFUSALS or done.turned or not case.conduct.after:
            break
    return done


def _once(case: Hostile, folder: Path) -> Trial:
    hook = Hook()
    with ExitStack() as stack:
        tls = certificate(folder) if case.tls else None
        stranger, stolen = stack.enter_context(_stranger())
        target = stack.enter_context(proxy(case.conduct, _context(tls)))
        target.stranger, target.hook = stranger, hook.port
        config: dict[str, Any] = {"version": "0.1", "storage": {"inmemory": {}}}
        config |= hook.section() if case.listens else {}
        if case.gated:
            service = stack.enter_context(token_server(folder, ACCOUNT))
            config["auth"] = {"token": {**service.auth["token"], "realm": target.url + TOKEN_PATH}}
            target.tokens = urlsplit(service.url).netloc
        target.behind = stack.enter_context(reference(folder, config=config))
        if case.pesters:
            threading.Thread(target=pester, args=(target, case.pesters), daemon=True).start()
        told = (*(("--ca-bundle", str(tls[0])) if tls else ()), *(hook.options if case.listens else ()))
        max_time = round(MAX_TIME * _crowd())
        return Trial(case, _run(case, target, folder, max_time, told), folder, target, stolen, max_time)


def _crowd() -> float:
    """Return how many times as much there is to do as the machine can, at least 1."""
    return min(max(os.getloadavg()[0] / (os.cpu_count() or 1), 1.0), _CROWDED)


def judged(done: Trial) -> list[str]:
    """Return all that can be said against a run."""
    return [*_ending(done), *_bounds(done), *_leavings(done), *_accusations(done), *flaws(done.folder, done.text)]


def _run(case: Hostile, target: Proxy, folder: Path, max_time: int, told: tuple[str, ...]) -> SuiteRun:
    for name in ("tmp", "home", "outputs"):
        (folder / name).mkdir()
    options = ["--timeout", str(TIMEOUT), "--max-time", str(max_time), *told, *case.told]
    options += ["-p", "tests.hostile.audit", "--junitxml", str(folder / "outputs" / "junit.xml")]
    options += ["--alluredir", str(folder / "outputs" / "allure")] if case.shown else []
    env = {**case.env, "TMPDIR": str(folder / "tmp"), "HOME": str(folder / "home"), LOG: str(folder / "audit.log")}
    # What is compiled is no output of the run.
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    return run_suite(target.url, *options, env=env, report=folder / "report", limit=max_time + 2 * GRACE * _CROWDED)


def _ending(done: Trial) -> Iterator[str]:
    """A verdict with a whole report, or one clear sentence."""
    run, case = done.run, done.case
    if not done.turned and not case.pesters:
        yield "The target never turned hostile."
    if run.exit_code not in case.endings:
        yield f"It ended with {run.exit_code} and not with one of {sorted(case.endings)}: {done.text[-2000:]}"
    if "Traceback" in done.text or "Error:" in run.stderr:
        yield f"It ended with a traceback: {done.text[-3000:]}"
    if run.exit_code in VERDICTS:
        if run.report is None:
            yield "There was a verdict and no report."
        elif errors := [name for name, outcome in run.outcomes.items() if outcome == "error"]:
            yield f"The suite itself failed at {', '.join(errors[:5])}: {done.text[-3000:]}"
    elif run.exit_code == 4:
        told = [line for line in run.stderr.splitlines() if line.strip()]
        if len(told) != 1 or "--" not in told[0]:
            yield f"The refusal was no one clear sentence that names an option: {done.text[-1000:]!r}"


def _bounds(done: Trial) -> Iterator[str]:
    """Time and memory."""
    most = done.max_time + GRACE * _crowd()
    if done.run.seconds > most:
        yield f"It took {done.run.seconds:.1f} seconds, more than {most:.0f}."
    if done.run.peak_memory > MEMORY:
        yield f"It took {done.run.peak_memory:.0f} MiB, more than {MEMORY}."


def _leavings(done: Trial) -> Iterator[str]:
    """Unexpected files, programs, processes, connections, and leaked credentials."""
    folder = done.folder
    allowed = [str(folder / name) for name in ("report", "tmp", "outputs")]
    lines = (folder / "audit.log").read_text("ascii").splitlines() if (folder / "audit.log").exists() else []
    if not lines:
        yield "Nothing is known of the files that it made."
    for line in sorted(set(map(ast.literal_eval, lines))):
        kind, _, what = line.partition(" ")
        if kind == "file" and what != os.devnull and not what.startswith(tuple(allowed)) and not what.isdigit():
            yield f"It wrote the file {what}."
        if kind == "program" and Path(what).name not in _PROGRAMS:
            yield f"It started the program {what}."
        if kind == "address" and not what.startswith(_LOOPBACK):
            yield f"It connected to {what}."
    for name in ("tmp", "home"):
        # pytest-xdist has folders for its workers where pytest has its own.
        left = [path.name for path in (folder / name).iterdir() if not path.name.startswith("pytest-of-")]
        if left:
            yield f"It left {', '.join(left)} in the folder {name}."
    if left := _processes(folder):
        yield f"It left the processes {', '.join(left)}."
    # By the protocol a token service is wherever the challenge says, and learns the password.
    service = f"GET {TOKEN_PATH}?".encode()
    if given := [head for head in done.stolen if b"authorization:" in head.lower() and not head.startswith(service)]:
        yield f"It sent credentials to another host: {given[0]!r}"


def _accusations(done: Trial) -> Iterator[str]:
    """Only what the target did by hand may be found broken, and nothing where it is innocent."""
    run = done.run
    if run.report is None:
        return
    if done.case.innocent and run.broken:
        yield f"It accused an innocent target of {', '.join(run.broken)}: {run.explain(run.broken[0])}"
    if done.case.innocent and run.report["profiles"][run.report["run"]["profile"]]["verdict"] == "PASS":
        yield "It passed a target that gave no answers."
    for finding in run.report["findings"]:
        if not any(_by_hand(done.target, exchange) for exchange in finding["exchanges"]):
            yield f"It accused the target without cause: {run.explain(finding['requirement'])}"


def _by_hand(target: Proxy, exchange: dict[str, Any]) -> bool:
    """Whether the hostile part answered an exchange, or named its place."""
    request = exchange["request"]
    if exchange["error"] or exchange["operation"] == "notification.post" or not request["url"].startswith(target.url):
        return True
    parts = urlsplit(request["url"])
    if exchange["operation"].startswith("upload.") and "/blobs/uploads/" not in parts.path:
        return True  # no Location of the reference leads there
    asked = parts.path + (f"?{parts.query}" if parts.query else "")
    return (request["method"], asked) in target.by_hand or any(parts.path in place for place in target.named)


@contextmanager
def _stranger() -> Iterator[tuple[int, list[bytes]]]:
    """Run another host's server; give its port, and the heads of what it is sent."""
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        connection.settimeout(1)
                        heads.append(connection.recv(65536))
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], heads


def _context(files: tuple[Path, Path] | None) -> ssl.SSLContext | None:
    if files is None:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*files)
    return made


def _processes(folder: Path) -> list[str]:
    """Remaining processes of a run: those with its temporary folder in the environment."""
    mark = f"TMPDIR={folder / 'tmp'}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
    return found
