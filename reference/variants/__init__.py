"""The variants of the reference, by name: legal oddities, apart from the usual answers.

A module below this package that has VARIANTS is part of it; its folder and name are those of the
scenarios.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from reference.modifications import Variant


def _modules() -> Iterator[tuple[str, tuple[Variant, ...]]]:
    for found in pkgutil.walk_packages(__path__, f"{__name__}."):
        variants: tuple[Variant, ...] = getattr(importlib.import_module(found.name), "VARIANTS", ())
        if variants:
            yield found.name.removeprefix(f"{__name__}."), variants


#: By the name of a module below this package, its variants.
BY_MODULE: dict[str, tuple[Variant, ...]] = dict(_modules())
ALL: dict[str, Variant] = {variant.name: variant for variants in BY_MODULE.values() for variant in variants}


def listing() -> list[dict[str, object]]:
    """Every variant as data."""
    return [entry.as_json() for entry in ALL.values()]
