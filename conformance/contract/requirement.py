"""``x-requirement``: the id that stands on a part of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

KEY = "x-requirement"


def of(node: Any, operation: str) -> str | None:
    """Return the id on a node; a mapping gives one for some operations only."""
    return select(node.get(KEY), operation) if isinstance(node, dict) else None


def select(value: Any, operation: str) -> str | None:
    """Return the id that the value of ``x-requirement`` has for an operation."""
    if isinstance(value, dict):
        value = value.get(operation)
    return value if isinstance(value, str) else None


def first(nodes: Iterable[Any], operation: str) -> str | None:
    """Return the first id on the given nodes."""
    return next((found for node in nodes if (found := of(node, operation))), None)


def within(node: Any) -> bool:
    """Whether an ``x-requirement`` stands anywhere in the node."""
    if isinstance(node, dict):
        return KEY in node or any(within(value) for value in node.values())
    return isinstance(node, list) and any(within(item) for item in node)
