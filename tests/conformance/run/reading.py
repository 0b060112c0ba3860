"""The settings of a command line, an environment and a configuration file, without a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from conformance.run.option_table import EMBEDDED, OPTIONS
from conformance.run.options import settings
from conformance.settings import Settings
from spec.catalogue import load


class SetUp:
    """What pytest has read: the command line as ``--name=value``, and the configuration table."""

    def __init__(self, arguments: tuple[str, ...], table: Mapping[str, Any]) -> None:
        self._values = [argument.partition("=")[::2] for argument in arguments]
        # A run needs a target; no other of its options does.
        self._table = {"registry_url": EMBEDDED, **table}

    def getoption(self, flag: str) -> Any:
        """Return an option as pytest does: None where it was not given."""
        kind = next(option.kind for option in OPTIONS if option.flag == flag)
        found = [value for name, value in self._values if name == flag]
        if not found:
            return None
        return True if kind == "flag" else found if kind in {"list", "lines"} else found[-1]

    def getini(self, name: str) -> Any:
        """Return a setting of the configuration file, or its default."""
        kind = next(option.kind for option in OPTIONS if option.ini == name)
        return self._table.get(name, {"flag": False, "list": [], "lines": []}.get(kind, ""))


def read(*arguments: str, table: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings that a command line and a configuration file give."""
    return settings(cast(pytest.Config, SetUp(arguments, table or {})), load())
