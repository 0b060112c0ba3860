"""The catalogue of requirements, with the profiles, sources and capabilities that it speaks of."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from spec.marks import Marked, Problem, SpecError, read_yaml
from spec.model import Capability, Citation, Level, Profile, Requirement, Source, Withdrawn

ROOT = Path(__file__).parent
#: The categories in the order in which reports show them; each has a file
#: ``requirements/<category>.yaml``.
CATEGORIES = ("base", "pull", "push", "discovery", "management", "auth", "notifications")
#: The ids of requirements begin with the prefix of their category.
PREFIXES = MappingProxyType(
    dict(zip(CATEGORIES, ("BASE", "PULL", "PUSH", "DISC", "MGMT", "AUTH", "NOTIF"), strict=True))
)


def resembling(name: str, known: Iterable[str]) -> list[str]:
    """Give up to three names that resemble one, closest first."""
    return difflib.get_close_matches(name, [*known], n=3, cutoff=0.6)


class UnknownIdError(LookupError):
    """No requirement has this id; the message is one sentence that names the closest ones."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        """Find the ids that resemble the name."""
        close = resembling(name.upper(), known)
        hint = f"; did you mean {', '.join(close)}?" if close else "."
        super().__init__(f"There is no requirement {name!r} in the catalogue{hint}")


@dataclass(frozen=True)
class Catalogue:
    """Everything that ``spec/`` holds as data, in the order of its files."""

    profiles: Mapping[str, Profile]
    sources: Mapping[str, Source]
    capabilities: Mapping[str, Capability]
    requirements: Mapping[str, Requirement]
    files: tuple[Marked, ...] = field(default=(), repr=False, compare=False)
    withdrawn: Mapping[str, Withdrawn] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Requirement]:
        """Go through the requirements, category by category."""
        return iter(self.requirements.values())

    def __len__(self) -> int:
        """Count the requirements."""
        return len(self.requirements)

    def __contains__(self, name: object) -> bool:
        """Tell whether a requirement has this id."""
        return name in self.requirements

    def requirement(self, name: str) -> Requirement:
        """Give the requirement with an id.

        Raises:
            UnknownIdError: there is none.
        """
        try:
            return self.requirements[name]
        except KeyError:
            raise UnknownIdError(name, tuple(self.requirements)) from None

    @cached_property
    def by_category(self) -> Mapping[str, tuple[Requirement, ...]]:
        """The requirements of each category; every category is a key."""
        return {name: tuple(r for r in self if r.category == name) for name in CATEGORIES}

    def category(self, name: str) -> tuple[Requirement, ...]:
        """Give the requirements of one category (none for an unknown one)."""
        return self.by_category.get(name, ())

    def of_profile(self, profile: str) -> tuple[Requirement, ...]:
        """Give the requirements that a profile has a level for."""
        return tuple(r for r in self if profile in r.levels)

    @cached_property
    def _closures(self) -> dict[str, tuple[str, ...]]:
        return {}

    def presumes(self, name: str) -> tuple[str, ...]:
        """List all that a requirement presumes, directly or indirectly, nearest first."""
        if name not in self._closures:
            found: dict[str, None] = {}
            queue = list(self.requirement(name).presumes)
            while queue:
                presumed = queue.pop(0)
                if presumed not in found and presumed in self.requirements and presumed != name:
                    found[presumed] = None
                    queue.extend(self.requirements[presumed].presumes)
            self._closures[name] = tuple(found)
        return self._closures[name]

    @cached_property
    def _presumed_by(self) -> dict[str, tuple[str, ...]]:
        reverse: dict[str, list[str]] = {}
        for requirement in self:
            for presumed in requirement.presumes:
                reverse.setdefault(presumed, []).append(requirement.id)
        return {name: tuple(ids) for name, ids in reverse.items()}

    def presumed_by(self, name: str) -> tuple[str, ...]:
        """List the requirements that presume this one directly."""
        return self._presumed_by.get(name, ())


@lru_cache(maxsize=4)
def load(root: Path = ROOT) -> Catalogue:
    """Load the catalogue, once for each folder.

    Raises:
        SpecError: a file is missing or no YAML, an entry is malformed or its id is taken.
    """
    catalogue, problems = read(root)
    if problems:
        raise SpecError(problems)
    return catalogue


def read(root: Path = ROOT) -> tuple[Catalogue, list[Problem]]:
    """Read as much of the catalogue as is well formed, and list what is not.

    References between entries are not followed here; ``spec.check`` does that.
    """
    problems: list[Problem] = []
    files: list[Marked] = []
    profiles: dict[str, Profile] = {}
    sources: dict[str, Source] = {}
    capabilities: dict[str, Capability] = {}
    requirements: dict[str, Requirement] = {}
    withdrawn: dict[str, Withdrawn] = {}
    for name, make, into in (
        ("profiles.yaml", _profile, profiles),
        ("sources.yaml", _source, sources),
        ("capabilities.yaml", _capability, capabilities),
        ("withdrawn.yaml", _withdrawn, withdrawn),
    ):
        _read_entries(root, name, make, into=into, files=files, problems=problems)
    folder = root / "requirements"
    known = [f"{category}.yaml" for category in CATEGORIES if (folder / f"{category}.yaml").exists()]
    others = sorted(path.name for path in folder.glob("*.yaml") if path.name not in known)
    for name in [*known, *others]:
        _read_entries(root, f"requirements/{name}", _requirement, into=requirements, files=files, problems=problems)
    return Catalogue(profiles, sources, capabilities, requirements, tuple(files), withdrawn), problems


def _read_entries(
    root: Path, name: str, make: Any, *, into: dict[str, Any], files: list[Marked], problems: list[Problem]
) -> None:
    try:
        document = read_yaml(root / name, f"{root.name}/{name}")
    except SpecError as error:
        problems.extend(error.problems)
        return
    files.append(document)
    if not isinstance(document.value, list):
        problems.append(document.problem("is not a list of entries"))
        return
    for position, entry in enumerate(document.value):
        line = document.line(position)
        try:
            made = make(entry, document.file, line)
        except KeyError as error:
            problems.append(Problem(document.file, line, f"malformed entry: member {error} is missing"))
        except (TypeError, ValueError, AttributeError) as error:
            problems.append(Problem(document.file, line, f"malformed entry: {error}"))
        else:
            if made.id in into:
                problems.append(Problem(document.file, line, f"duplicate id {made.id}"))
            else:
                into[made.id] = made


def _profile(entry: dict[str, Any], _file: str, _line: int) -> Profile:
    return Profile(entry["id"], entry["title"], tuple(entry["sources"]))


def _source(entry: dict[str, Any], _file: str, _line: int) -> Source:
    return Source(entry["id"], entry["title"], entry["url"], entry["version"])


def _capability(entry: dict[str, Any], _file: str, _line: int) -> Capability:
    return Capability(entry["id"], entry["title"], entry["probe"])


def _withdrawn(entry: dict[str, Any], _file: str, _line: int) -> Withdrawn:
    return Withdrawn(entry["id"], entry["reason"])


def _requirement(entry: dict[str, Any], file: str, line: int) -> Requirement:
    return Requirement(
        id=entry["id"],
        category=file.rpartition("/")[2].removesuffix(".yaml"),
        statement=entry["statement"],
        levels={profile: Level(level) for profile, level in entry["level"].items() if level is not None},
        sources=tuple(Citation(source["document"], source["section"]) for source in entry["sources"]),
        operations=tuple(entry["operations"]),
        needs=tuple(entry.get("needs", ())),
        presumes=tuple(entry.get("presumes", ())),
        statuses=_statuses(entry),
        presumed_beyond=_beyond(entry),
        decide=entry.get("decide", ""),
        caution=entry.get("caution", ""),
        implied=entry.get("implied", False),
        ambiguity=entry.get("ambiguity", ""),
        untestable=entry.get("untestable", ""),
        planned=str(entry.get("planned", "")),
        unprovable=entry.get("unprovable", ""),
        file=file,
        line=line,
    )


def _statuses(entry: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    told = entry.get("statuses", {})
    operations = entry["operations"]
    if isinstance(told, list):
        if len(operations) > 1:
            raise ValueError("statuses: there are several operations, so name that of each")
        told = {operations[0]: told}
    strangers = [name for name in told if name not in operations]
    if strangers:
        raise ValueError(f"statuses: {', '.join(strangers)} is none of its operations")
    return {name: tuple(statuses) for name, statuses in told.items()}


def _beyond(entry: dict[str, Any]) -> dict[str, str]:
    told = entry.get("presumed_beyond", {})
    return dict.fromkeys(told.get("profiles", ()), told.get("why", ""))
