"""A YAML file read by its nodes, so that every complaint can name the line."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import yaml

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}
_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^:\s\[\]]*):(\d{1,5})")
_PORTS = 65535


class ConfigError(Exception):
    """A configuration that cannot be used; the message names file and line."""


class Section:
    """A mapping of the file: its members are taken one by one, and none may be left over."""

    def __init__(self, file: str, path: str, node: yaml.Node) -> None:
        # A value of the environment says so instead of the file.
        self.file = getattr(node.start_mark, "name", None) or file
        self.path, self.node = path, node
        self._left: dict[str, yaml.Node] = {}
        self._places: dict[str, tuple[str, int]] = {}
        if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null":
            return
        if not isinstance(node, yaml.MappingNode):
            self.fail(f"{path or 'the configuration'} must be a mapping")
        for key, value in node.value:
            name = str(key.value)
            self._places[name] = (key.start_mark.name, key.start_mark.line + 1)
            if name in self._left:
                self.fail_at(name, f"{self.name(name)} is given twice")
            self._left[name] = value

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def keys(self) -> list[str]:
        """The members that are left."""
        return list(self._left)

    def name(self, key: str) -> str:
        """The dotted name of a member."""
        return f"{self.path}.{key}" if self.path else key

    def fail(self, message: str) -> NoReturn:
        """Refuse the file, at the beginning of this mapping."""
        raise ConfigError(f"{self.file}:{self.node.start_mark.line + 1}: {message}")

    def fail_at(self, key: str, message: str) -> NoReturn:
        """Refuse the file, at a member."""
        file, line = self._places.get(key, (self.file, self.node.start_mark.line + 1))
        raise ConfigError(f"{file}:{line}: {message}")

    def section(self, key: str, required: bool = False, word: bool = False) -> Section | None:
        """A mapping below this one; an empty one is a mapping without members, and where allowed a word one with it."""
        node = self._left.pop(key, None)
        if word and isinstance(node, yaml.ScalarNode) and node.value:
            empty = yaml.ScalarNode("tag:yaml.org,2002:null", "", node.start_mark, node.end_mark)
            node = yaml.MappingNode("tag:yaml.org,2002:map", [(node, empty)], node.start_mark, node.end_mark)
        if node is None:
            if required:
                self.fail(f"{self.name(key)} is missing")
            return None
        return Section(self.file, self.name(key), node)

    def sections(self, key: str) -> list[Section]:
        """The mappings of a list."""
        node = self._left.pop(key, None)
        if node is None or node.tag == "tag:yaml.org,2002:null":
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.fail_at(key, f"{self.name(key)} must be a list")
        return [Section(self.file, f"{self.name(key)}[{number}]", entry) for number, entry in enumerate(node.value)]

    def words(self, key: str) -> list[str]:
        """A list of words."""
        node = self._left.pop(key, None)
        if node is None or node.tag == "tag:yaml.org,2002:null":
            return []
        if not isinstance(node, yaml.SequenceNode) or not all(isinstance(v, yaml.ScalarNode) for v in node.value):
            self.fail_at(key, f"{self.name(key)} must be a list of words")
        return [str(entry.value) for entry in node.value]

    def places(self, key: str) -> list[tuple[str, Callable[[str], NoReturn]]]:
        """The words of a list, each with a function that refuses the file at its line."""
        node = self._left.get(key)
        words = self.words(key)
        if not isinstance(node, yaml.SequenceNode):
            return []
        return [(word, partial(self._refuse, entry)) for word, entry in zip(words, node.value, strict=True)]

    def _refuse(self, node: yaml.Node, message: str) -> NoReturn:
        raise ConfigError(f"{node.start_mark.name or self.file}:{node.start_mark.line + 1}: {message}")

    def text(self, key: str, default: str = "", required: bool = False) -> str:
        """A word."""
        node = self._left.pop(key, None)
        if node is None:
            if required:
                self.fail(f"{self.name(key)} is missing")
            return default
        if not isinstance(node, yaml.ScalarNode):
            self.fail_at(key, f"{self.name(key)} must be a single value")
        if required and not node.value:
            self.fail_at(key, f"{self.name(key)} is empty")
        return str(node.value)

    def texts(self, key: str) -> tuple[str, ...]:
        """The words of a list; one word is a list of one."""
        node = self._left.pop(key, None)
        if node is None or node.tag == "tag:yaml.org,2002:null":
            return ()
        entries = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(entry, yaml.ScalarNode) and entry.value for entry in entries):
            self.fail_at(key, f"{self.name(key)} must be a list of words")
        return tuple(str(entry.value) for entry in entries)

    def lists(self, key: str) -> dict[str, list[str]]:
        """Words or lists of words, by name."""
        section = self.section(key)
        if section is None:
            return {}
        return {name: list(section.texts(name)) for name in section.keys()}  # noqa: SIM118 - a section is no mapping

    def all(self) -> dict[str, Any]:
        """Whatever is left, as YAML has it."""
        values = {name: _plain(node) for name, node in self._left.items()}
        self._left.clear()
        return values

    def choice(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        """One of several words."""
        value = self.text(key, default)
        if value not in allowed:
            self.fail_at(key, f"{self.name(key)} must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.text(key, str(default)).lower()
        if value not in _BOOLEANS:
            self.fail_at(key, f"{self.name(key)} must be true or false, not {value!r}")
        return _BOOLEANS[value]

    def number(self, key: str, default: int) -> int:
        """A non-negative integer."""
        value = self.text(key, str(default))
        if not value.isascii() or not value.isdecimal():
            self.fail_at(key, f"{self.name(key)} must be a number, not {value!r}")
        return int(value)

    def duration(self, key: str, default: float) -> float:
        """A duration as 1h30m or 500ms, in seconds."""
        value = self.text(key)
        if not value:
            return default
        parts = _DURATION.findall(value)
        if "".join(number + unit for number, unit in parts) != value:
            self.fail_at(key, f"{self.name(key)} must be a duration such as 500ms or 1h30m, not {value!r}")
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)

    def address(self, key: str, default: str) -> str:
        """HOST:PORT, where the host may be empty."""
        value = self.text(key, default)
        match = _ADDRESS.fullmatch(value)
        if value != default and (match is None or int(match[1]) > _PORTS):
            self.fail_at(key, f"{self.name(key)} must be HOST:PORT, not {value!r}")
        return value

    def only(self, key: str, value: str, reason: str) -> None:
        """Refuse a member, unless it asks for what is done anyway."""
        if key in self and self.text(key).lower() != value:
            self.fail_at(key, f"{self.name(key)} can only be {value}: {reason}")

    def never(self, key: str, value: str, reason: str) -> None:
        """Refuse one value of a member, which is left where it is."""
        node = self._left.get(key)
        if isinstance(node, yaml.ScalarNode) and node.value == value:
            self.fail_at(key, f"{self.name(key)} cannot be {value}: {reason}")

    def refuse(self, reasons: Mapping[str, str]) -> None:
        """Refuse members by name, and say why."""
        for key, reason in reasons.items():
            if key in self:
                self.fail_at(key, f"{self.name(key)} is not supported by the reference: {reason}")

    def finish(self) -> None:
        """Refuse what was not taken."""
        for key in self._left:
            self.fail_at(key, f"{self.name(key)} is unknown")


def _plain(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def load(path: Path, change: Callable[[yaml.Node], object] | None = None) -> Section:
    """The top of a file; ``change`` may put other values into it."""
    try:
        stream = io.StringIO(path.read_text())
        stream.name = str(path)
        node = yaml.compose(stream, Loader=yaml.SafeLoader)
        if node is not None and change is not None:
            change(node)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a text file") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{mark.name}:{mark.line + 1}" if mark else f"{path}:1"
        raise ConfigError(f"{where}: not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML") from error
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if node is None:
        raise ConfigError(f"{path}: the file is empty")
    return Section(str(path), "", node)
