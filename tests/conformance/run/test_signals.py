"""An interrupt comes at any instruction of the run."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import cast

import pytest

from conformance.run.signals import INTERRUPTS, ending_as_interrupted


class _WithoutLine:
    """A frame at an instruction that Python gives no line, as the clean-up of an exception's name has."""

    f_lineno = None


def test_an_instruction_without_a_line_is_passed_before_the_interrupt() -> None:
    with ending_as_interrupted():
        INTERRUPTS(signal.SIGTERM, cast(FrameType, _WithoutLine()))
        with pytest.raises(KeyboardInterrupt) as caught:
            time.sleep(10)
    # The line that pytest shows of each frame.
    assert all(entry.lineno >= 0 for entry in caught.traceback)
