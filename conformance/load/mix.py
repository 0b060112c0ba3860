"""What users do under load, and how often: a YAML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

#: The file that is read where no other is named.
DEFAULT = Path(__file__).with_name("mix.yaml")
DEEDS = ("pull", "push", "list", "mount", "delete")
_LONGEST = 64 * 1024
#: Members that are whole numbers, each with its range.
_RANGES = {"layers": (1, 50), "bytes": (1, 64 * 1024 * 1024), "repositories": (1, 1000), "kept": (1, 10_000)}
_WEIGHT_MAX = 1_000_000
_PAUSE_MAX = 3600.0


class MixError(ValueError):
    """A file that is no mix: file, line, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Weights of deeds, the form of an image, and how users share repositories; ``pause`` in seconds."""

    deeds: Mapping[str, int] = field(default_factory=dict)
    layers: int = 2
    bytes: int = 65536
    repositories: int = 4
    kept: int = 10
    pause: tuple[float, float] = (0.0, 0.0)

    def plain(self) -> dict[str, Any]:
        """Return the mix as a report has it."""
        return {
            "deeds": dict(self.deeds),
            "image": {"layers": self.layers, "bytes": self.bytes},
            "repositories": self.repositories,
            "kept": self.kept,
            "pause": list(self.pause),
        }


def read(path: Path) -> Mix:
    """Read a mix.

    Raises:
        MixError: the file cannot be read, or is none; the message names file and line.
    """
    try:
        if path.stat().st_size > _LONGEST:
            raise MixError(f"{path} is too long for a mix")
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise MixError(f"{path} cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise MixError(f"{path}{f':{mark.line + 1}' if mark else ''}: is not valid YAML") from None
    if not isinstance(root, yaml.MappingNode):
        raise MixError(f"{path}:1: expected members such as deeds and image")
    found: dict[str, Any] = {}
    for where, name, node in _members(path, root):
        if name == "deeds":
            found[name] = {deed: _number(at, deed, n, 0, _WEIGHT_MAX) for at, deed, n in _named(path, node, DEEDS)}
        elif name == "image":
            found |= {part: _number(at, part, n, *_RANGES[part]) for at, part, n in _named(path, node, _IMAGE)}
        elif name == "pause":
            found[name] = _pause(where, node)
        elif name in _RANGES and name not in _IMAGE:
            found[name] = _number(where, name, node, *_RANGES[name])
        else:
            raise MixError(f"{where}: there is no member {name!r}; there are deeds, image, repositories, kept, pause")
    if not any(found.get("deeds", {}).values()):
        raise MixError(f"{path}:1: deeds has to name one of {', '.join(DEEDS)} with a number above 0")
    return Mix(**found)


_IMAGE = ("layers", "bytes")


def _members(path: Path, node: yaml.MappingNode) -> Iterator[tuple[str, str, yaml.Node]]:
    """Give place, name and value of each member; none stands twice."""
    seen: set[str] = set()
    for key, value in node.value:
        where, name = f"{path}:{key.start_mark.line + 1}", str(key.value)
        if name in seen:
            raise MixError(f"{where}: {name} stands twice")
        seen.add(name)
        yield where, name, value


def _named(path: Path, node: yaml.Node, names: tuple[str, ...]) -> Iterator[tuple[str, str, yaml.Node]]:
    """Give the members of a mapping that may have some names only."""
    if not isinstance(node, yaml.MappingNode):
        raise MixError(f"{path}:{node.start_mark.line + 1}: expected members named {', '.join(names)}")
    for where, name, value in _members(path, node):
        if name not in names:
            raise MixError(f"{where}: there is no {name!r}; there are {', '.join(names)}")
        yield where, name, value


def _number(where: str, name: str, node: yaml.Node, least: int, most: int) -> int:
    text = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
    value = int(text) if text.isascii() and text.isdigit() and len(text) < len(str(_WEIGHT_MAX)) + 3 else -1
    if not least <= value <= most:
        raise MixError(f"{where}: {name} is a number from {least} to {most}")
    return value


def _pause(where: str, node: yaml.Node) -> tuple[float, float]:
    try:
        low, high = (float(entry.value) for entry in node.value) if isinstance(node, yaml.SequenceNode) else (1.0, 0.0)
    except (TypeError, ValueError):
        low, high = 1.0, 0.0
    if not 0 <= low <= high <= _PAUSE_MAX:
        raise MixError(f"{where}: pause is [LEAST, MOST] in seconds, from 0 to {_PAUSE_MAX:g}")
    return low, high
