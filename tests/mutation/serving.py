"""A process that forks registries with a changed place, or with counted lines."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import CodeType, ModuleType
from typing import Any

from tests.mutation.mutants import mutated
from tests.support.forked.launching import Launcher, answer
from tests.support.weakening import source_of


class Changing(Launcher):
    """A launcher of registries with one change."""

    def __init__(self) -> None:
        super().__init__("tests.mutation.serving")

    def change(self, module: str, number: int) -> None:
        """Make this change to what is started from now on; ``number`` as of `mutants`."""
        self.more = {"module": module, "number": number}


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from its changed tree."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(name, str(source_of(name)))
        self._number = number

    def get_code(self, fullname: str) -> CodeType:
        """Compile the changed tree, never what was compiled before."""
        return compile(mutated(fullname, self._number), self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Finds the one module that is changed."""

    def __init__(self, name: str, number: int) -> None:
        self._name = name
        self._number = number

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the specification of the changed module."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(
            fullname,
            source_of(fullname),
            loader=_Loader(fullname, self._number),
            submodule_search_locations=[str(source_of(fullname).parent)]
            if source_of(fullname).name == "__init__.py"
            else None,
        )


def _prepare(request: dict[str, Any]) -> None:
    if "lines" in request:
        from tests.mutation import lines  # noqa: PLC0415  # coverage is seldom needed

        lines.count(f"{request['lines']}.{request['args'][0]}")
    elif "module" in request:
        sys.meta_path.insert(0, _Finder(request["module"], request["number"]))


def _load() -> None:
    """Load what the reference needs, and nothing of the reference itself."""


if __name__ == "__main__":
    _load()
    answer(_prepare)
