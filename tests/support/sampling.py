"""Which of many long tests a short run takes: a few, others each day."""

from __future__ import annotations

import datetime
import os
import random
from collections.abc import Collection
from typing import Any

import pytest


def sampled(names: Collection[str], size: int, always: Collection[str] = ()) -> list[Any]:
    """Give every name; those outside the day's sample are slow tests, which only the long run takes.

    PROOF_SAMPLE, any text, chooses the sample in place of the date, so that a sample can be repeated.
    """
    day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    chooser = random.Random(os.environ.get("PROOF_SAMPLE", day))
    chosen = {*always, *chooser.sample(sorted(set(names) - set(always)), size)}
    return [pytest.param(name, marks=[] if name in chosen else [pytest.mark.slow]) for name in names]
