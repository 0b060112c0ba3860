"""The processes that share the scenarios of a run: forked when all is loaded and collected, so that each is cheap.

How many there are is chosen by the distance of the target: those that wait for answers need no processor.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, NoReturn, Protocol

import pytest

from conformance.target.board import Board, Name

#: Processes at most, and milliseconds of a round trip for each of them.
MOST, PER_PROCESS_MS = 16, 3.0
#: What a process tells the one that forked it: a scenario begins, its reports, or that there is none left in its queue.
_BEGINS, _REPORTS, _DONE = "begins", "reports", "done"
#: The same of what was found out about the target: it asks, or tells.
_ASKS, _TELLS = "asks", "tells"
#: Seconds after which the progress of a run is looked at, whether anything was told or not.
TICK = 1.0
#: Bytes of the number of a scenario in a queue.
_NUMBER = 4
#: Options of pytest with which scenarios run in one process, in their order.
_ALONE = ("usepdb", "trace", "setupshow", "setuponly", "setupplan", "maxfail", "stepwise", "collectonly")


def size(config: pytest.Config, round_trip_ms: float) -> int:
    """Return how many processes a run takes: one where pytest-xdist or an option of pytest has a say in it."""
    option = config.option
    asked = getattr(option, "numprocesses", None) is not None or getattr(option, "dist", "no") != "no"
    alone = any(getattr(option, name, None) for name in _ALONE) or getattr(option, "capture", "") == "no"
    # Forks are of no use on Windows, and no longer safe on macOS.
    if asked or alone or not sys.platform.startswith("linux"):
        return 1
    return min(MOST, max(len(os.sched_getaffinity(0)), round(round_trip_ms / PER_PROCESS_MS)))


class Queue:
    """Numbers of scenarios, from which each process takes the next; a pipe is read by one process at a time."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._reading, writing = os.pipe()
        os.set_blocking(writing, False)
        # A pipe takes far more numbers than there are scenarios.
        os.write(writing, b"".join(number.to_bytes(_NUMBER, "big") for number in numbers))
        os.close(writing)

    def next(self) -> int | None:
        """Return the next number, ``None`` where there is none left."""
        found = os.read(self._reading, _NUMBER)
        return int.from_bytes(found, "big") if found else None

    def behind(self, numbers: Sequence[int]) -> Queue:
        """Return a queue of other numbers, which take longer, and of all that are left behind them; this one ends."""
        left = [*iter(self.next, None)]
        self.close()
        return Queue([*numbers, *left])

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._reading)


class Work(Protocol):
    """What a crew runs, and how: each method says where it is called."""

    @property
    def later(self) -> Sequence[int]:
        """The numbers of the scenarios that need what `prepare` loads, in their order."""

    def prepare(self) -> None:
        """Load what the scenarios in ``later`` need; in the forking process."""

    def begin(self, board: Board) -> None:
        """Make a forked process ready; there."""

    def give(self) -> list[bytes]:
        """Return what a scenario leaves that is no part of its reports; in its process."""

    def take(self, given: list[bytes]) -> None:
        """Take what another process gave; in the forking process."""

    def lost(self, item: pytest.Item) -> pytest.TestReport:
        """Return the report of a scenario whose process was lost."""


class _Far(Board):
    """The board of a forked process: what is not known here is asked for."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def ask(self, name: Name) -> Any:
        """Ask here, and else the forking process, which answers when no other process is looking into the same."""
        if (found := super().ask(name)) is not None:
            return found
        self._connection.send((_ASKS, 0, name, None))
        return self._connection.recv()

    def tell(self, name: Name, found: object) -> None:
        """Tell the forking process too."""
        super().tell(name, found)
        self._connection.send((_TELLS, 0, name, found))


@dataclass(slots=True)
class _Member:
    """A process, the way to it, the queue that it takes scenarios from, and the one that it is at."""

    pid: int
    connection: Connection
    queue: Queue
    at: int | None = None
    done: bool = False


class Crew:
    """Runs scenarios in processes of its own; everything that they find comes back to this one."""

    def __init__(self, session: pytest.Session, work: Work) -> None:
        self._session = session
        self._config = session.config
        self._work = work
        later = frozenset(work.later)
        self._queue = Queue([number for number in range(len(session.items)) if number not in later])
        self._drained = False
        self._board = Board()
        #: Who looks into something, and who waits to hear of it.
        self._looking: dict[Name, _Member] = {}
        self._asking: dict[Name, list[_Member]] = {}
        self._members: list[_Member] = []

    def run(self, size: int) -> None:
        """Run all scenarios in so many processes; some begin while what the rest needs is loaded."""
        try:
            if self._work.later:
                for _ in range(size // 2):
                    self._fork()
                self._work.prepare()
                self._queue = self._queue.behind(self._work.later)
            while self._members or not self._drained:
                while len(self._members) < size and not self._drained:
                    self._fork()
                for ready in wait([member.connection for member in self._members], TICK):
                    self._hear(next(m for m in self._members if m.connection is ready))
                self._stop_if_asked()
                self._tick()
        finally:
            self._end()
            self._queue.close()

    def _tick(self) -> None:
        """Let who shows the progress of the run know that time goes by."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if (tick := getattr(reporter, "tick", None)) is not None:
            tick()

    def _stop_if_asked(self) -> None:
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)
        if self._session.shouldstop:
            raise self._session.Interrupted(self._session.shouldstop)

    def _send(self, member: _Member, found: object) -> None:
        with suppress(OSError):  # its end is heard of as well
            member.connection.send(found)

    def _fork(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        ours, theirs = Pipe()
        with warnings.catch_warnings():
            # Threads of this process hold nothing that the new one waits for.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if not pid:
            ours.close()
            self._serve(theirs)
        theirs.close()
        self._members.append(_Member(pid, ours, self._queue))

    def _hear(self, member: _Member) -> None:
        """Take what a process tells, or its end."""
        try:
            told = member.connection.recv()  # pickled by our own process
        except (EOFError, OSError):
            self._gone(member)
        else:
            self._take(member, *told)

    def _take(self, member: _Member, kind: str, number: Any, content: Any, given: Any) -> None:
        if kind == _DONE:
            member.done = True
            self._drained = self._drained or member.queue is self._queue
        elif kind == _ASKS:
            self._asked(member, content)
        elif kind == _TELLS:
            self._board.tell(content, given)
            self._answer(content)
        elif kind == _BEGINS:
            member.at = number
            item = self._session.items[number]
            self._config.hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        else:
            for data in content:
                report = self._config.hook.pytest_report_from_serializable(config=self._config, data=data)
                self._config.hook.pytest_runtest_logreport(report=report)
            self._work.take(given)
            self._finished(member, number)

    def _asked(self, member: _Member, name: Name) -> None:
        """Tell a process what is known; have it look into the rest itself, or wait for the one that does."""
        found = self._board.ask(name)
        if found is None and name in self._looking:
            self._asking.setdefault(name, []).append(member)
            return
        if found is None:
            self._looking[name] = member
        self._send(member, found)

    def _answer(self, name: Name) -> None:
        """Go on with those who wait to hear of something."""
        self._looking.pop(name, None)
        for waiting in self._asking.pop(name, ()):
            self._asked(waiting, name)

    def _finished(self, member: _Member, number: int) -> None:
        item = self._session.items[number]
        member.at = None
        for name in [name for name, looking in self._looking.items() if looking is member]:
            self._answer(name)
        self._config.hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def _gone(self, member: _Member) -> None:
        """A process has ended; in the middle of a scenario that is our own error."""
        self._members.remove(member)
        member.connection.close()
        os.waitpid(member.pid, 0)
        if member.at is None and not member.done:
            raise RuntimeError("a process that was to run scenarios ended")
        if member.at is not None:
            number = member.at
            self._config.hook.pytest_runtest_logreport(report=self._work.lost(self._session.items[number]))
            self._finished(member, number)

    def _end(self) -> None:
        """End the processes that are left: nothing more is wanted of them."""
        for member in self._members:
            with suppress(OSError):
                os.kill(member.pid, signal.SIGKILL)
            with suppress(EOFError, OSError):
                # Scenarios that had ended before.
                while member.connection.poll():
                    self._take(member, *member.connection.recv())
            member.connection.close()
            with suppress(OSError):
                os.waitpid(member.pid, 0)
        self._members.clear()

    # -- in a process of its own

    def _serve(self, connection: Connection) -> NoReturn:
        """Run scenarios until there are none; never return to what the forking process was doing."""
        try:
            for ignored in (signal.SIGINT, signal.SIGTERM):
                # A terminal tells all processes; it is for the forking one to end this one.
                signal.signal(ignored, signal.SIG_IGN)
            for member in self._members:
                member.connection.close()
            reports: list[object] = []
            self._redirect(reports)
            self._work.begin(_Far(connection))
            while (number := self._queue.next()) is not None:
                self._run(number, connection, reports)
            connection.send((_DONE, None, None, None))
        finally:
            # Whatever happened: the end of the pipe tells of it, and nothing is cleaned up that belongs to another.
            os._exit(0)

    def _run(self, number: int, connection: Connection, reports: list[object]) -> None:
        connection.send((_BEGINS, number, None, None))
        item = self._session.items[number]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        connection.send((_REPORTS, number, reports, self._work.give()))
        reports.clear()

    def _redirect(self, reports: list[object]) -> None:
        """Have the reports of scenarios go into a list, and to nobody in this process who shows or counts them."""
        manager = self._config.pluginmanager
        for implementation in self._config.hook.pytest_runtest_logreport.get_hookimpls():
            name = manager.get_name(implementation.plugin) or ""
            if implementation.plugin is not self._session and not name.startswith("allure"):
                manager.unregister(implementation.plugin)
        manager.register(_Sender(self._config, reports))
        capture = manager.getplugin("capturemanager")
        if capture is not None:
            # The files of the forking process would be shared.
            capture.read_global_capture()
            capture.stop_global_capturing()
            capture.start_global_capturing()


class _Sender:
    """Keeps the reports of one scenario as plain data."""

    def __init__(self, config: pytest.Config, reports: list[object]) -> None:
        self._config = config
        self._reports = reports

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a report."""
        hook = self._config.hook
        self._reports.append(hook.pytest_report_to_serializable(config=self._config, report=report))
