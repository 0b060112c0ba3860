"""Registries without their start: a process that has loaded the reference forks.

Within `launched_by`, `tests.support.servers` starts the reference and its token service in this
way.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NoReturn

from tests.support.forked.child import Child

_PAUSE = 0.01
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


class Forked:
    """A forked registry, with the part of `subprocess.Popen` that start and stop need."""

    def __init__(self, pid: int, args: list[str]) -> None:
        self.pid = pid
        self.args = args
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return ``None`` while it runs; the process that forked it takes its exit status."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            self.returncode = 0
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended.

        Raises:
            TimeoutExpired: it has not after so many seconds.
        """
        end = time.monotonic() + (timeout if timeout is not None else 60)
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(self.args, timeout or 60)
            time.sleep(_PAUSE)
        return 0


class Launcher(Child):
    """The process that forks."""

    def __init__(self, module: str = "tests.support.forked.launching") -> None:
        super().__init__(module)
        #: Handed over with each start.
        self.more: dict[str, Any] = {}

    def start(self, args: list[str], log: Path) -> Forked:
        """Start ``python -m reference`` with some arguments, its output in a file."""
        return Forked(self.ask({"args": args, "log": str(log), **self.more}), ["reference", *args])


CURRENT: ContextVar[Launcher | None] = ContextVar("launcher", default=None)


@contextmanager
def launched_by(launcher: Launcher) -> Iterator[None]:
    """Let a launcher start the reference in this thread."""
    before = CURRENT.set(launcher)
    try:
        yield
    finally:
        CURRENT.reset(before)


def answer(prepare: Callable[[dict[str, Any]], None]) -> None:
    """Read requests from standard input until it ends; fork for each, and answer with its id.

    ``prepare`` is called in the forked process before the reference runs.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for the exit status
    gc.collect()
    # Collections in the children pass over what they share with this process.
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            _become(request, prepare)
        print(child, flush=True)


def _become(request: dict[str, Any], prepare: Callable[[dict[str, Any]], None]) -> NoReturn:
    code = 70
    try:
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        output = os.open(request["log"], flags, 0o600)
        for number, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
            os.dup2(source, number)
        for name in [name for name in os.environ if name.startswith("REGISTRY_")]:
            del os.environ[name]
        prepare(request)
        from reference.__main__ import main  # noqa: PLC0415  # in the child: it may be changed before it is loaded

        code = main(request["args"])
    except BaseException:  # noqa: BLE001, RUF100  # a forked process must not go on as its parent
        traceback.print_exc()
    finally:
        os._exit(code)


def _load() -> None:
    """Load the reference with all its parts, as any configuration may ask for."""


def _prepare(request: dict[str, Any]) -> None:
    if paths := request.get("faults_from"):
        from tests.support.outside import register  # noqa: PLC0415  # only where there are some

        for path in paths:
            register(Path(path))


if __name__ == "__main__":
    _load()
    answer(_prepare)
