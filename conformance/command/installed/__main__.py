"""The commands that an installation has: ``registry-conformance``, ``registry`` and ``dist``."""

from __future__ import annotations

import importlib
import sys

from . import place


def main() -> None:
    """Run ``registry-conformance``."""
    sys.path.insert(0, str(place()))
    from conformance.command.main import run  # noqa: PLC0415  # only now it can be found

    sys.exit(run())


def registry() -> None:
    """Run ``registry``, the reference."""
    sys.path.insert(0, str(place()))
    # The suite never imports the reference; this is the command of an installation that has both.
    sys.exit(importlib.import_module("reference.__main__").main())


def dist() -> None:
    """Run ``dist``, the client for registries."""
    sys.path.insert(0, str(place()))
    # As above: the suite never imports it.
    sys.exit(importlib.import_module("reference.dist.__main__").run())


if __name__ == "__main__":
    main()
