"""What an installation has of the suite's own at the top of site-packages: the way to all the rest.

The wheel has this folder as ``registry_conformance``. The packages of the suite have names that anybody may use:
``spec``, ``reports``, ``reference``, ``conformance``. They are in the folder ``registry_conformance/lib`` there, which
only the commands of this package put on the path.

``registry_conformance.Registry`` and the others of ``__all__`` are those of the package ``reference``, which is loaded
when one is first used.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

_HERE = Path(__file__).resolve().parent
#: In a checkout this is ``conformance/command/installed``.
_CHECKOUT = 3
_REFERENCE = "reference"

__all__ = ["EmbeddingError", "Registry", "RunningRegistry", "legal_variants", "load_reference", "place"]

if TYPE_CHECKING:
    # By the way that type checkers find in an installation; in a checkout there is none.
    from .lib.reference.embedding.names import (  # type: ignore[import-not-found]  # as above
        EmbeddingError,
        legal_variants,
    )
    from .lib.reference.embedding.registry import (  # type: ignore[import-not-found]  # as above
        Registry,
        RunningRegistry,
    )
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(load_reference(), name)


def place() -> Path:
    """Return the folder that holds the packages of the suite: in the wheel ``lib``, else the checkout."""
    installed = _HERE / "lib"
    return installed if installed.is_dir() else _HERE.parents[_CHECKOUT - 1]


def load_reference() -> ModuleType:
    """Return the package ``reference``, which can be imported by that name from now on, and no other package of ours.

    Raises:
        ImportError: something else has that name.
    """
    root = place() / _REFERENCE
    known = sys.modules.get(_REFERENCE)
    found = known.__spec__ if known else importlib.util.find_spec(_REFERENCE)
    if found is not None and str(root) not in (found.submodule_search_locations or ()):
        where = found.origin or ", ".join(found.submodule_search_locations or ["this program"])
        raise ImportError(f"{where} has the name {_REFERENCE!r}, so that the registry cannot be loaded beside it")
    if known is not None:
        return known
    spec = importlib.util.spec_from_file_location(
        _REFERENCE, root / "__init__.py", submodule_search_locations=[str(root)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{root}: the registry is not there")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_REFERENCE] = module
    spec.loader.exec_module(module)
    return module
