"""Stubs of a new requirement: catalogue entry, scenario and fault, all or none."""

from __future__ import annotations

from spec.new.command import add_arguments, run

__all__ = ["add_arguments", "run"]
