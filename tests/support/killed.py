"""A process that dies at a chosen step: after it, nothing in the file system changes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

#: The events of the interpreter that tell of a change in the file system; an open file is one where
#: it is written.
_CHANGES = frozenset(
    {"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate", "os.utime", "open"}
)


class Killed(BaseException):
    """What the code sees of its end: nothing catches it."""


@dataclass
class _Clock:
    left: int = -1
    error: type[BaseException] = Killed
    lasting: bool = True
    steps: int = 0


_clock = _Clock()
_installed = False


def _step(event: str, arguments: tuple[object, ...]) -> None:
    if _clock.left < 0 or event not in _CHANGES:
        return
    if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & 3):
        return
    _clock.steps += 1
    if _clock.steps > _clock.left and (_clock.lasting or _clock.steps == _clock.left + 1):
        raise _clock.error(f"at step {_clock.left + 1}")


@contextmanager
def failing_after(steps: int, error: type[BaseException] = Killed, *, lasting: bool = True) -> Iterator[_Clock]:
    """Allow a number of changes of the file system; the last is lost if it is not synced.

    The clock that it gives tells how many changes were tried.
    """
    global _installed  # noqa: PLW0603 - a hook of the interpreter cannot be taken away again
    if not _installed:
        sys.addaudithook(_step)
        _installed = True
    _clock.left, _clock.error, _clock.lasting, _clock.steps = steps, error, lasting, 0
    try:
        yield _clock
    finally:
        _clock.left = -1
