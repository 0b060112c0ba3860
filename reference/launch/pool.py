"""Processes that are forked, watched, replaced when they die, and told to end.

Each of them has one end of a pair of sockets. It says there that it is ready, or why it cannot be. It ends when the
other end is closed: when it is told to, or when the process that watches is gone, however that came to its end.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from reference.launch import LaunchError

log = logging.getLogger("reference")
#: More deaths than so many within so many seconds are not the processes' bad luck.
_DEATHS, _WITHIN = 5, 60.0
_READY = b"+"
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


class Control:
    """A process's end of its pair."""

    def __init__(self, end: socket.socket) -> None:
        #: Can be read when the process is to end.
        self.end = end

    def ready(self) -> None:
        """Say that it answers."""
        self._say(_READY)

    def refuse(self, reason: str) -> None:
        """Say why it cannot."""
        self._say(reason.encode())

    def _say(self, words: bytes) -> None:
        with suppress(OSError):
            self.end.sendall(words)


@dataclass(frozen=True, slots=True)
class Task:
    """What a process is called, what it does until it is told to end, and how many seconds it has to do so."""

    name: str
    run: Callable[[Control], None]
    grace: float


@dataclass(frozen=True, slots=True)
class _Child:
    task: Task
    pid: int
    end: socket.socket

    def heard(self) -> str | None:
        """Wait for what it says: nothing where it is ready, None where it died, or else its reason."""
        with suppress(OSError):
            said = self.end.recv(1 << 16)
            return None if not said else said.decode().removeprefix(_READY.decode())
        return None


class Pool:
    """All processes; ``buried`` is called with the number of each that died."""

    def __init__(self, buried: Callable[[int], None]) -> None:
        self._buried = buried
        self._children: dict[int, _Child] = {}
        self._deaths: deque[float] = deque()
        self._asked = 0
        self._wake, self._woken = socket.socketpair()
        for end in (self._wake, self._woken):
            end.setblocking(False)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, self._signalled)

    def _signalled(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD and not self._asked:
            self._asked = number
            log.info("stopping on %s", signal.Signals(number).name)

    def start(self, tasks: Iterable[Task]) -> None:
        """Start a process for each task, and wait until all answer.

        Raises:
            LaunchError: one cannot.
        """
        started = [self._fork(task) for task in tasks]
        for child in started:
            if (reason := child.heard()) != "":
                raise LaunchError(reason or f"the {child.task.name} did not start")

    def _fork(self, task: Task) -> _Child:
        mine, theirs = socket.socketpair()
        sys.stdout.flush()
        try:
            pid = os.fork()
        except OSError as error:
            raise LaunchError(f"http.workers: the {task.name} cannot be started: {error.strerror}") from error
        if pid:
            theirs.close()
            child = self._children[pid] = _Child(task, pid, mine)
            return child
        mine.close()
        os._exit(self._be(task, Control(theirs)))

    def _be(self, task: Task, control: Control) -> int:
        """What the new process does; its status."""
        try:
            # The ends of others would keep those from seeing that this side is gone.
            for end in (self._wake, self._woken, *(child.end for child in self._children.values())):
                end.close()
            signal.set_wakeup_fd(-1)
            # A terminal and a service manager send theirs to all processes, which have to end in an order.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            task.run(control)
        except LaunchError as error:
            control.refuse(str(error))
            return 1
        except BaseException:
            log.exception("the %s failed", task.name)
            return 1
        return 0

    def watch(self) -> None:
        """Replace what dies, until a signal.

        Raises:
            LaunchError: too much dies.
        """
        while not self._is_asked():
            self._wait(None)
            for child, how in self._dead():
                if self._is_asked():
                    break
                log.error("the %s (process %d) %s; another one takes its place", child.task.name, child.pid, how)
                self._count(child, how)
                self._fork(child.task)

    def _is_asked(self) -> bool:
        return self._asked != 0

    def _count(self, child: _Child, how: str) -> None:
        now = time.monotonic()
        self._deaths.append(now)
        while self._deaths[0] < now - _WITHIN:
            self._deaths.popleft()
        if len(self._deaths) > _DEATHS:
            raise LaunchError(
                f"http.workers: {len(self._deaths)} processes died within {_WITHIN:.0f} seconds;"
                f" the last one, the {child.task.name}, {how}"
            )

    def _wait(self, seconds: float | None) -> None:
        select.select([self._wake], [], [], seconds)
        with suppress(BlockingIOError):
            self._wake.recv(1 << 12)

    def _dead(self) -> Sequence[tuple[_Child, str]]:
        """Those that died since the last look, and how."""
        found = []
        for pid, child in list(self._children.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if not done:
                continue
            del self._children[pid]
            code = os.waitstatus_to_exitcode(status)
            how = f"was killed by {_name(-code)}" if code < 0 else f"ended with status {code}"
            child.end.setblocking(False)
            if code > 0 and (reason := child.heard()):
                how = f"{how}: {reason}"
            child.end.close()
            self._buried(pid)
            found.append((child, how))
        return found

    def stop(self, tasks: Sequence[Task]) -> None:
        """Have the processes of some tasks end, by force where they take too long."""
        mine = [child for child in self._children.values() if child.task in tasks]
        for child in mine:
            with suppress(OSError):
                child.end.shutdown(socket.SHUT_WR)
        end = time.monotonic() + max((task.grace for task in tasks), default=0)
        while any(child.pid in self._children for child in mine):
            left = end - time.monotonic()
            if left <= 0:
                break
            self._wait(min(left, 0.2))
            self._dead()
        for child in mine:
            if child.pid in self._children:
                log.error("the %s (process %d) does not end; it is killed", child.task.name, child.pid)
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(self._children.pop(child.pid).pid, 0)
                child.end.close()

    def close(self) -> None:
        """Leave the signals alone again."""
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        self._wake.close()
        self._woken.close()


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
