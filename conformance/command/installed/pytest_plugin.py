"""A plugin for pytest that other projects name: ``-p registry_conformance.pytest_plugin``.

It is that of ``reference.pytest_plugin``, which says more.
"""

from __future__ import annotations

from . import load_reference

load_reference()
#: pytest reads it where it loads a plugin, and loads these too.
pytest_plugins = ["reference.pytest_plugin"]
