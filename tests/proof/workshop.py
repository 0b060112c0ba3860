"""What a thread of the proof works with, and the pool of such threads."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.mutation.serving import Changing
from tests.support.collected import Collected
from tests.support.forked.launching import Launcher


@dataclass(slots=True)
class Result:
    """The result of one case: whether it is good, a word, and details."""

    kind: str
    name: str
    good: bool
    word: str
    broken: list[str] = field(default_factory=list)
    #: By scenario and requirement, what was expected where it was found broken.
    convictions: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    findings: int = 0
    #: The variants beside a fault, the fault that noticed a weaker check, and so on.
    beside: list[str] = field(default_factory=list)
    #: Why it is good although nobody saw it.
    reason: str = ""
    seconds: float = 0.0
    text: str = ""

    @property
    def unseen(self) -> bool:
        """Whether nobody could see it, or it is legal; an open one is neither."""
        return bool(self.reason) and not self.reason.startswith("open: ")

    def as_json(self) -> dict[str, Any]:
        """The result as data, without what changes from run to run and what is empty."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in {"seconds", "text"}}
        return {name: value for name, value in told.items() if value or name == "good"}


class Workshop:
    """The processes that fork, each started when it is first wanted."""

    def __init__(self, faults_from: tuple[str, ...] = ()) -> None:
        self._stack = contextlib.ExitStack()
        self._faults_from = faults_from

    @cached_property
    def suite(self) -> Collected:
        """Runs of the suite."""
        return self._stack.enter_context(contextlib.closing(Collected()))

    @cached_property
    def launcher(self) -> Launcher:
        """Registries with faults and variants."""
        launcher = self._stack.enter_context(contextlib.closing(Launcher()))
        launcher.more = {"faults_from": list(self._faults_from)}
        return launcher

    @cached_property
    def changing(self) -> Changing:
        """Registries with one change in their code."""
        return self._stack.enter_context(contextlib.closing(Changing()))

    def close(self) -> None:
        """End the processes."""
        self._stack.close()


Task = Callable[[Workshop], Result]


def run(tasks: Iterable[Task], jobs: int, make: Callable[[], Workshop], done: Callable[[Result], None]) -> list[Result]:
    """Run tasks on threads with a workshop each; ``done`` gets each result at once.

    Raises:
        BaseException: the first that a task raised, which is our own error; the rest is left.
    """
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    results: list[Result] = []
    errors: list[BaseException] = []
    lock = threading.Lock()

    def work() -> None:
        with contextlib.closing(make()) as workshop:
            while not errors:
                try:
                    result = waiting.get_nowait()(workshop)
                except queue.Empty:
                    return
                except BaseException as error:  # raised again in the thread that waits
                    errors.append(error)
                    return
                with lock:
                    results.append(result)
                    done(result)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
