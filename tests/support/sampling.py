"""Which of many long tests a short run takes: a few, the same each time."""

from __future__ import annotations

import random
import zlib
from collections.abc import Collection
from typing import Any

import pytest

from tests.support.chance import SAMPLE


def sampled(names: Collection[str], size: int, always: Collection[str] = ()) -> list[Any]:
    """Give every name; those outside the sample are slow tests, which only the long run takes.

    PROOF_SAMPLE, any text, chooses another sample (`tests.support.chance`).
    """
    chooser = random.Random(SAMPLE)
    chosen = {*always, *chooser.sample(sorted(set(names) - set(always)), size)}
    return [pytest.param(name, marks=[] if name in chosen else [pytest.mark.slow]) for name in names]


def number_of(seed: str, kind: str, name: str) -> str:
    """Return the seed of one run of the suite, a number that differs from case to case."""
    return str(zlib.crc32(f"{seed} {kind} {name}".encode()))
