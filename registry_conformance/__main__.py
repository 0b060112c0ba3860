"""The commands that an installation has: ``registry-conformance`` and ``registry``."""

from __future__ import annotations

import sys

from registry_conformance import place


def main() -> None:
    """Run ``registry-conformance``."""
    sys.path.insert(0, str(place()))
    from conformance.command.main import run  # noqa: PLC0415  # only now it can be found

    sys.exit(run())


def registry() -> None:
    """Run ``registry``, the reference."""
    sys.path.insert(0, str(place()))
    from reference.__main__ import main as serve  # noqa: PLC0415  # as above

    sys.exit(serve())


if __name__ == "__main__":
    main()
