"""The faults of the reference, by name, apart from the code that answers rightly.

A module below this package that has FAULTS is part of it; its folder and name are those of the
scenarios.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from reference.modifications import Fault


def _modules() -> Iterator[tuple[str, tuple[Fault, ...]]]:
    for found in pkgutil.walk_packages(__path__, f"{__name__}."):
        faults: tuple[Fault, ...] = getattr(importlib.import_module(found.name), "FAULTS", ())
        if faults:
            yield found.name.removeprefix(f"{__name__}."), faults


#: By the name of a module below this package, its faults.
BY_MODULE: dict[str, tuple[Fault, ...]] = dict(_modules())
ALL: dict[str, Fault] = {fault.name: fault for faults in BY_MODULE.values() for fault in faults}


def listing() -> list[dict[str, object]]:
    """Every fault as data."""
    return [entry.as_json() for entry in ALL.values()]
