"""The site's extension without the pages that it writes: a small site builds in a second."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from docs.site import register


def setup(app: Sphinx) -> dict[str, Any]:
    """Register roles, directives and links."""
    register(app)
    return {"parallel_read_safe": True}
