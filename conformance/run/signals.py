"""A run that is told to end leaves a report all the same."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: What an interrupt before the first scenario leaves.
TOO_EARLY = "Interrupted before anything was judged: there is no report."
#: Seconds in which several signals are one: a terminal and a supervisor may both tell a process.
_ONE = 0.3
#: Seconds until a signal is sent again that came where a traceback has no line.
_AGAIN = 0.005


class Interrupts:
    """What Control-C and SIGTERM do: the first ends the run, the next its clean-up, one more everything at once."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what came."""
        self._last = 0.0
        #: The run is ending: what is under way, the report above all, must not be broken off.
        self.ending = False
        #: What is left to do may be left undone.
        self.hurry = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal.

        Raises:
            KeyboardInterrupt: while the run goes on; pytest makes an orderly end of it.
        """
        if _without_line(frame):
            # Python gives some of its instructions no line; pytest cannot show an interrupt that came there, nor one
            # that came while this was found out.
            threading.Timer(_AGAIN, os.kill, (os.getpid(), number)).start()
            return
        now = time.monotonic()
        if self._last and now - self._last < _ONE:
            return
        self._last = now
        if not self.ending:
            raise KeyboardInterrupt
        if self.hurry:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.hurry = True


def _without_line(frame: FrameType | None) -> bool:
    """Tell whether one of the calls that a signal came in is where no line is."""
    while frame is not None:
        if frame.f_lineno is None:
            return True
        frame = frame.f_back
    return False


INTERRUPTS = Interrupts()


@contextmanager
def ending_as_interrupted() -> Iterator[None]:
    """Take SIGTERM for an interrupt from the keyboard, and let neither break off the end of a run."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    INTERRUPTS.reset()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        # What a shell starts in the background ignores interrupts.
        if handler is not signal.SIG_IGN:
            signal.signal(number, INTERRUPTS)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
