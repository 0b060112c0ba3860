"""A YAML file read by its nodes and by a table of keys, so that every complaint can name the line."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import yaml

from reference.configuration.table import Idle, Key, Kind, Only, Refused, Table

_NULL, _MAP = "tag:yaml.org,2002:null", "tag:yaml.org,2002:map"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}
_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^:\s\[\]]*):(\d{1,5})")
_PORTS = 65535


class ConfigError(Exception):
    """A configuration that cannot be used; the message names file and line."""


class Section:
    """A mapping of the file, whose keys are those of a table.

    What the table refuses or does not know is refused at once. ``remarks`` gets a line for each key that changes
    nothing.
    """

    def __init__(
        self, file: str, table: Table, node: yaml.Node, path: str = "", remarks: list[str] | None = None
    ) -> None:
        # A value of the environment says so instead of the file.
        self.file = getattr(node.start_mark, "name", None) or file
        self.table, self.path, self.node = table, path, node
        self.remarks: list[str] = [] if remarks is None else remarks
        self._nodes: dict[str, yaml.Node] = {}
        self._places: dict[str, tuple[str, int]] = {}
        if isinstance(node, yaml.ScalarNode) and node.tag == _NULL:
            return
        if not isinstance(node, yaml.MappingNode):
            self.fail(f"{path or 'the configuration'} must be a mapping")
        for key, value in node.value:
            name = str(key.value)
            self._places[name] = (key.start_mark.name, key.start_mark.line + 1)
            if name in self._nodes:
                self.fail_at(name, f"{self.name(name)} is given twice")
            self._nodes[name] = value
            self._accept(name)

    def _accept(self, key: str) -> None:
        """Refuse what is not done, and take what changes nothing."""
        name, member = self.name(key), self.table.find(key)
        if member is None:
            self.fail_at(key, f"{name} is unknown; known are {', '.join(self.table.known())}")
        if isinstance(member, Refused):
            self.fail_at(key, f"{name} is not supported by the reference: {member.why}")
        if isinstance(member, Only) and self._word(key).lower() not in (member.value.lower(), *member.also):
            self.fail_at(key, f"{name} can only be {member.value}: {member.why}")
        if isinstance(member, Idle):
            value = self._word(key)
            if member.kind is Kind.NUMBER:
                self._number(key, value)
            elif member.kind is Kind.FLAG:
                self._flag(key, value)
            if value:
                self.remarks.append(f"{name} changes nothing here{member.why and ': '}{member.why}")

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def name(self, key: str) -> str:
        """The dotted name of a key."""
        return f"{self.path}.{key}" if self.path else key

    def fail(self, message: str) -> NoReturn:
        """Refuse the file, at the beginning of this mapping."""
        raise ConfigError(f"{self.file}:{self.node.start_mark.line + 1}: {message}")

    def fail_at(self, key: str, message: str) -> NoReturn:
        """Refuse the file, at a key."""
        file, line = self._places.get(key, (self.file, self.node.start_mark.line + 1))
        raise ConfigError(f"{file}:{line}: {message}")

    def key(self, key: str, *kinds: Kind) -> Key:
        """What the table says of a key.

        Raises:
            TypeError: the table has it as something else than the reader.
        """
        found = self.table.find(key)
        if not isinstance(found, Key) or found.kind not in kinds:
            raise TypeError(f"the table has no {self.name(key)} that is {' or '.join(kind.value for kind in kinds)}")
        return found

    def table_of(self, key: str) -> Table:
        """What the table says of a section.

        Raises:
            TypeError: the table does not have it as a section.
        """
        found = self.table.find(key)
        if not isinstance(found, Table):
            raise TypeError(f"the table has no section {self.name(key)}")
        return found

    def section(self, key: str) -> Section | None:
        """A section below this one; an empty one is without keys."""
        table, node = self.table_of(key), self._nodes.get(key)
        if table.word and isinstance(node, yaml.ScalarNode) and node.value:
            empty = yaml.ScalarNode(_NULL, "", node.start_mark, node.end_mark)
            node = yaml.MappingNode(_MAP, [(node, empty)], node.start_mark, node.end_mark)
        if node is None:
            if table.required:
                self.fail(f"{self.name(key)} is missing")
            return None
        return Section(self.file, table, node, self.name(key), self.remarks)

    def sections(self, key: str) -> list[Section]:
        """The sections of a list."""
        table, node = self.table_of(key), self._nodes.get(key)
        if node is None or node.tag == _NULL:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.fail_at(key, f"{self.name(key)} must be a list")
        named = ((f"{self.name(key)}[{number}]", entry) for number, entry in enumerate(node.value))
        return [Section(self.file, table, entry, name, self.remarks) for name, entry in named]

    def words(self, key: str) -> list[str]:
        """A list of words."""
        return [word for word, _ in self.places(key)]

    def places(self, key: str) -> list[tuple[str, Callable[[str], NoReturn]]]:
        """The words of a list, each with a function that refuses the file at its line."""
        said, node = self.key(key, Kind.WORDS), self._nodes.get(key)
        if node is None or node.tag == _NULL:
            return []
        if not isinstance(node, yaml.SequenceNode) or not all(isinstance(v, yaml.ScalarNode) for v in node.value):
            self.fail_at(key, f"{self.name(key)} must be a list of words")
        for entry in node.value:
            if said.choices and entry.value not in said.choices:
                self._refuse(entry, f"{self.name(key)}: there is no {entry.value!r}")
        return [(str(entry.value), partial(self._refuse, entry)) for entry in node.value]

    def _refuse(self, node: yaml.Node, message: str) -> NoReturn:
        raise ConfigError(f"{node.start_mark.name or self.file}:{node.start_mark.line + 1}: {message}")

    def texts(self, key: str) -> tuple[str, ...]:
        """The words of a list; one word is a list of one."""
        self.key(key, Kind.TEXTS)
        return self._texts(key, self._nodes.get(key))

    def _texts(self, key: str, node: yaml.Node | None) -> tuple[str, ...]:
        if node is None or node.tag == _NULL:
            return ()
        entries = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(entry, yaml.ScalarNode) and entry.value for entry in entries):
            self.fail_at(key, f"{self.name(key)} must be a list of words")
        return tuple(str(entry.value) for entry in entries)

    def lists(self, key: str) -> dict[str, list[str]]:
        """Words or lists of words, by name."""
        self.key(key, Kind.LISTS)
        section = self._free(key, Kind.TEXTS)
        return {name: list(section.texts(name)) for name in section._nodes}

    def fields(self, key: str) -> dict[str, str]:
        """Words, by name."""
        self.key(key, Kind.FIELDS)
        section = self._free(key, Kind.TEXT)
        return {name: section.text(name) for name in section._nodes}

    def _free(self, key: str, kind: Kind) -> Section:
        """A mapping whose keys are what they are."""
        node = self._nodes.get(key) or yaml.ScalarNode(_NULL, "", self.node.start_mark)
        names = [str(name.value) for name, _ in node.value] if isinstance(node, yaml.MappingNode) else []
        return Section(self.file, Table("", dict.fromkeys(names, Key("", kind))), node, self.name(key))

    def all(self, key: str) -> dict[str, Any]:
        """Whatever a mapping holds, as YAML has it."""
        self.key(key, Kind.ANY)
        section = self._free(key, Kind.ANY)
        return {name: _plain(node) for name, node in section._nodes.items()}

    def text(self, key: str) -> str:
        """A word."""
        return self._word(key, self.key(key, Kind.TEXT))

    def _word(self, key: str, said: Key | None = None) -> str:
        node, name = self._nodes.get(key), self.name(key)
        if node is None:
            if said is not None and said.required:
                self.fail(f"{name} is missing")
            return "" if said is None or said.default is None else str(said.default)
        if not isinstance(node, yaml.ScalarNode):
            self.fail_at(key, f"{name} must be a single value")
        value = str(node.value)
        if said is None:
            return value
        if said.required and not value:
            self.fail_at(key, f"{name} is empty")
        if value in said.never:
            self.fail_at(key, f"{name} cannot be {value}: {said.never[value]}")
        if said.choices and value not in said.choices:
            self.fail_at(key, f"{name} must be one of {', '.join(said.choices)}, not {value!r}")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        return self._flag(key, self._word(key, self.key(key, Kind.FLAG)))

    def _flag(self, key: str, value: str) -> bool:
        if value.lower() not in _BOOLEANS:
            self.fail_at(key, f"{self.name(key)} must be true or false, not {value!r}")
        return _BOOLEANS[value.lower()]

    def number(self, key: str) -> int:
        """A non-negative integer within the limits of the table."""
        said = self.key(key, Kind.NUMBER)
        number = self._number(key, self._word(key, said))
        if number < said.least or (said.most is not None and number > said.most):
            limits = f"{said.least} or more" if said.most is None else f"{said.least} to {said.most}"
            self.fail_at(key, f"{self.name(key)} must be {limits}, not {number}")
        return number

    def _number(self, key: str, value: str) -> int:
        if not value.isascii() or not value.isdecimal():
            self.fail_at(key, f"{self.name(key)} must be a number, not {value!r}")
        return int(value)

    def duration(self, key: str) -> float:
        """A duration as 1h30m or 500ms, in seconds."""
        said = self.key(key, Kind.DURATION)
        value = self._word(key, said) or str(said.default)
        parts = _DURATION.findall(value)
        if "".join(number + unit for number, unit in parts) != value:
            self.fail_at(key, f"{self.name(key)} must be a duration such as 500ms or 1h30m, not {value!r}")
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
        if said.least and not seconds:
            self.fail_at(key, f"{self.name(key)} must be more than nothing")
        return seconds

    def address(self, key: str) -> str:
        """HOST:PORT, where the host may be empty."""
        said = self.key(key, Kind.ADDRESS)
        value = self._word(key, said)
        match = _ADDRESS.fullmatch(value)
        if value != (said.default or "") and (match is None or int(match[1]) > _PORTS):
            self.fail_at(key, f"{self.name(key)} must be HOST:PORT, not {value!r}")
        return value

    def url(self, key: str) -> str:
        """A URL; the empty word where there may be none."""
        value = self._word(key, self.key(key, Kind.URL))
        if value and not value.startswith(("http://", "https://")):
            self.fail_at(key, f"{self.name(key)} must be a URL with http or https")
        return value

    def file_at(self, key: str) -> Path | None:
        """A file that is there; None where none is named and none is needed."""
        value = self._word(key, self.key(key, Kind.FILE))
        if value and not Path(value).is_file():
            self.fail_at(key, f"{self.name(key)}: {value} is no file")
        return Path(value) if value else None


def _plain(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def load(path: Path, table: Table, change: Callable[[yaml.Node], object] | None = None) -> Section:
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
    return Section(str(path), table, node)
