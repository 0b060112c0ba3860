"""A registry without faults for the command."""

from __future__ import annotations

from tests.conformance.conftest import open_registry

__all__ = ["open_registry"]
