"""The command that runs the suite again as it was run, without what is secret."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from conformance.run.option_table import EMBEDDED, OPTIONS, SECRETS

#: Names and passwords are for the environment of whoever runs it again.
_ACCOUNTS = frozenset(option.name for option in OPTIONS if option.name.endswith("username")) | frozenset(
    name for name in SECRETS if not name.endswith("header")
)
_HERE = Path(__file__).resolve().parents[2]
#: Where a run leaves its report concerns nobody else; the address is given without a login.
_LEFT_OUT = ("registry-url", "seed", "report", "record", "config", "known-failures-write")
#: A checkout has an environment of its own; an installation has a command.
_BEGINNING = (
    (".venv/bin/python", "-m", "pytest", "conformance", "--registry-url")
    if (_HERE / "pyproject.toml").is_file()
    else ("registry-conformance", "certify")
)


def command(given: dict[str, tuple[str, ...]], url: str, seed: int) -> str:
    """Return a line for a shell.

    Args:
        given: by the name of each option that was given, its values; a switch has none.
        url: the address of the target without credentials; empty for the embedded reference.
        seed: the seed of the run, given or drawn.
    """
    words = [*_BEGINNING, url or EMBEDDED, "--seed", str(seed)]
    secret = [f"{option.variable}=..." for option in OPTIONS if option.name in _ACCOUNTS and option.name in given]
    for option in OPTIONS:
        if option.name in given and option.name not in {*_ACCOUNTS, *_LEFT_OUT}:
            words += _words(option.flag, option.kind, given[option.name])
    return " ".join([*secret, *map(shlex.quote, words)])


def _words(flag: str, kind: str, values: Iterable[str]) -> list[str]:
    if kind == "flag":
        return [flag]
    if kind == "lines":
        # A header may hold a secret: its name is enough.
        values = [f"{value.partition(':')[0]}: ..." for value in values]
    return [word for value in values for word in (flag, value)]
