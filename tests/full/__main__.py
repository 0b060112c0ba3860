"""Serve a registry that is full: ``python -m tests.full --addr 127.0.0.1:5000``, with options of the reference."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from reference.__main__ import main
from reference.launch import registry
from reference.settings import Config
from reference.storage import Storage
from tests.full.filling import Amount, fill, fill_original


def _serve(amount: Amount, rest: list[str]) -> int:
    """Serve the reference, whose storage is filled before it listens."""
    make = registry.make_storage

    def filled(config: Config) -> Storage:
        storage = make(config)
        fill(storage, amount)
        return storage

    registry.make_storage = filled
    return main(["serve", "--memory", *rest])


def run(arguments: list[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.full", description=__doc__)
    for kind, count in dataclasses.asdict(Amount()).items():
        parser.add_argument(f"--{kind}", type=int, default=count)
    parser.add_argument(
        "--original", type=Path, metavar="DIR", help="fill a folder of docker-registry, and serve nothing"
    )
    given, rest = parser.parse_known_args(arguments)
    amount = Amount(given.repositories, given.tags, given.referrers)
    if given.original is not None:
        fill_original(given.original, amount)
        return 0
    return _serve(amount, rest)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
