"""``python -m conformance.load``: see `command`."""

import sys

from conformance.load.command import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
