"""Fixed values in place of chance: tests are the same each day, unless others are asked for."""

from __future__ import annotations

import os
import random
import zlib

#: What chooses samples. PROOF_SAMPLE, any text, chooses others; `make nightly` gives the date
#: there, and says so.
SAMPLE = os.environ.get("PROOF_SAMPLE") or "fixed"
#: The seed of each run of the suite that a test starts without one.
SEED = str(zlib.crc32(SAMPLE.encode()))


def made_up(size: int, what: object = "") -> bytes:
    """Make bytes that no compression shortens: the same for the same size and ``what``."""
    return random.Random(f"{SAMPLE} {what}").randbytes(size)
