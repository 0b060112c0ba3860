"""Faults that others wrote: an ASGI middleware in a file of their own."""

from __future__ import annotations

import runpy
from collections.abc import Collection
from pathlib import Path
from typing import Any

from reference import faults
from reference.modifications import Fault
from spec.catalogue import load


class OutsideError(Exception):
    """Why a file gives no fault, in one sentence."""


def fault_from(path: Path, configurations: Collection[str] = ()) -> Fault:
    """Read a file with ``BREAKS``, ids of requirements, and ``fault``, an ASGI middleware.

    It may also have ``ALSO``, what else may break, and ``CONFIGURATION``, a set-up of the
    reference; its docstring says what the fault does, its name is that of the file.

    Raises:
        OutsideError: the file cannot be read, or does not have them.
    """
    try:
        members = runpy.run_path(str(path))
    except OSError as error:
        raise OutsideError(f"{path}: cannot be read ({error.strerror})") from None
    except Exception as error:
        raise OutsideError(f"{path}: does not run ({type(error).__name__}: {error})") from None
    layer = members.get("fault")
    if not callable(layer):
        raise OutsideError(f"{path}: has no function fault(application)")
    configuration = members.get("CONFIGURATION", "memory")
    if configurations and configuration not in configurations:
        raise OutsideError(f"{path}: CONFIGURATION is none of {', '.join(configurations)}")
    title = (members.get("__doc__") or "").strip().split("\n")[0]
    breaks, also = _ids(path, members, "BREAKS"), _ids(path, members, "ALSO")
    if not breaks:
        raise OutsideError(f"{path}: BREAKS names no requirement")
    return Fault(name=path.stem, title=title, breaks=breaks, also=also, configuration=configuration, layer=layer)


def register(path: Path, configurations: Collection[str] = ()) -> Fault:
    """Read a fault and put it among those of the reference, in this process.

    Raises:
        OutsideError: as of `fault_from`, or one of that name is there already.
    """
    found = fault_from(path, configurations)
    if found.name in faults.ALL:
        raise OutsideError(f"{path}: there is a fault {found.name} already")
    faults.ALL[found.name] = found
    return found


def _ids(path: Path, members: dict[str, Any], name: str) -> tuple[str, ...]:
    value = members.get(name, ())
    ids = (value,) if isinstance(value, str) else tuple(value)
    known = load()
    for id_ in ids:
        if id_ not in known:
            raise OutsideError(f"{path}: {name} names the unknown requirement {id_}")
    return ids
