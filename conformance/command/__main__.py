"""``python -m conformance.command`` is ``registry-conformance`` in a checkout."""

from __future__ import annotations

import sys

from conformance.command.main import run

if __name__ == "__main__":
    sys.exit(run())
