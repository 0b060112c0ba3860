"""Stubs of a new requirement: its catalogue entry, a scenario and a fault, written together or not at all."""

from __future__ import annotations

from spec.new.command import add_arguments, run

__all__ = ["add_arguments", "run"]
