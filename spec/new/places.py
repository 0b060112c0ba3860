"""The module that a new scenario or fault goes to: the one that has most of what is like it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from spec.catalogue import Catalogue
from spec.new.wanted import NewError, Wanted, common

#: The lines that a module has at most.
LONGEST = 400


def choose(
    marks: Iterable[tuple[str, tuple[str, ...]]], wanted: Wanted, known: Catalogue, fits: Callable[[str], bool]
) -> str | None:
    """Choose a module by what its scenarios or faults are about; None where none fits.

    Modules in a folder named after the category come first; then those with the ids that are most
    like the new one and about its operations, and those that have many of these and few others.

    Args:
        marks: modules, each with ids that one of its scenarios or faults is about.
        wanted: the new requirement.
        known: the catalogue.
        fits: whether something can be put into a module.
    """
    scores: dict[str, list[tuple[int, bool]]] = {}
    for file, ids in marks:
        for name in ids:
            if name in known:
                same = bool({*known.requirement(name).operations} & {*wanted.operations})
                scores.setdefault(file, []).append((common(wanted.id, name), same))

    def rank(file: str) -> tuple[bool, tuple[int, bool], float, str]:
        found = scores[file]
        best = max(found)
        # Much of what is alike, and little else.
        return wanted.category in PurePosixPath(file).parts, best, found.count(best) ** 2 / len(found), file

    about = [file for file, found in scores.items() if any(score[0] or score[1] for score in found)]
    return next((file for file in sorted(about, key=rank, reverse=True) if fits(file)), None)


def named(path: Path, repository: Path, folder: str, option: str) -> str:
    """Give the module that an option names; it may be new, but its package must exist.

    Raises:
        NewError: it is no Python file in the folder, or its folder is no package.
    """
    whole = (repository / path).resolve()
    inside = repository.resolve() / folder
    if not whole.is_relative_to(inside) or whole.suffix != ".py":
        raise NewError(f"{option} {path} is no Python file in {folder}/")
    if not whole.exists() and not (whole.parent / "__init__.py").is_file():
        raise NewError(f"{option} {path}: {whole.parent.relative_to(repository.resolve())} is no package")
    return whole.relative_to(repository.resolve()).as_posix()
