"""What an installation has of the suite's own at the top of site-packages: the way to all the rest.

The wheel has this folder as ``registry_conformance``. The packages of the suite have names that anybody may use:
``spec``, ``reports``, ``reference``, ``conformance``. They are in the folder ``registry_conformance/lib`` there, which
only the commands of this package put on the path.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent
#: In a checkout this is ``conformance/command/installed``.
_CHECKOUT = 3


def place() -> Path:
    """Return the folder that holds the packages of the suite: in the wheel ``lib``, else the checkout."""
    installed = _HERE / "lib"
    return installed if installed.is_dir() else _HERE.parents[_CHECKOUT - 1]
