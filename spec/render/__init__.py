"""The specification as pages to read: plain HTML with one style sheet, made from the same data that the suite uses."""

from __future__ import annotations

from spec.render.site import Site, stale, write

__all__ = ["Site", "stale", "write"]
