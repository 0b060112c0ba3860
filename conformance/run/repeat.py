"""The command that runs the suite again as it was run, without what is secret."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from conformance.run.option_table import EMBEDDED, OPTIONS

#: Names and passwords are for the environment of whoever runs it again.
_ACCOUNTS = (
    "username",
    "password",
    "auth-pull-only-username",
    "auth-pull-only-password",
    "auth-other-username",
    "auth-other-password",
    "auth-expired-token",
)
#: Where a run leaves its report concerns nobody else; the address is given without a login.
_LEFT_OUT = ("registry-url", "seed", "report", "record")


def command(given: dict[str, tuple[str, ...]], url: str, seed: int) -> str:
    """Return a line for a shell.

    Args:
        given: by the name of each option that was given, its values; a switch has none.
        url: the address of the target without credentials; empty for the embedded reference.
        seed: the seed of the run, given or drawn.
    """
    words = [".venv/bin/python", "-m", "pytest", "conformance", "--registry-url", url or EMBEDDED, "--seed", str(seed)]
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
