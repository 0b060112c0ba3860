"""Storages of others, which an installed package names by an entry point.

A package has in its pyproject.toml::

    [project.entry-points."registry_conformance.storage"]
    tape = "our_package:open_tape"

and ``storage.tape`` is then a section of the configuration. ``open_tape`` gets what the section says, as YAML has it,
and gives a ``Storage``. It raises StorageError or ValueError, with a message, for what it cannot use.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from reference.storage import Storage, StorageError

GROUP = "registry_conformance.storage"


def names() -> list[str]:
    """The drivers that are installed."""
    return [entry.name for entry in entry_points(group=GROUP)]


def open_storage(name: str, parameters: Mapping[str, Any]) -> Storage:
    """The storage of a driver.

    Raises:
        StorageError: there is no such driver, or it cannot be loaded, or it refuses the parameters.
    """
    found = list(entry_points(group=GROUP, name=name))
    if len(found) != 1:
        raise StorageError(f"{len(found) or 'no'} installed packages have it")
    try:
        storage = found[0].load()(parameters)
    except (ImportError, AttributeError) as error:
        raise StorageError(f"{found[0].value} cannot be loaded: {error}") from error
    except (ValueError, OSError) as error:
        raise StorageError(str(error)) from error
    if not isinstance(storage, Storage):
        raise StorageError(f"{found[0].value} gives {type(storage).__name__}, which is no Storage")
    return storage
