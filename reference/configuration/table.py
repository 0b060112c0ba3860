"""How tables say what a configuration may hold; the reader, the schema for editors and the documentation go by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Kind(Enum):
    """What the value of a key is."""

    TEXT = "a word"
    FLAG = "true or false"
    NUMBER = "a number"
    DURATION = "a duration, such as 500ms or 1h30m"
    ADDRESS = "HOST:PORT"
    URL = "a URL with http or https"
    FILE = "a file"
    WORDS = "a list of words"
    TEXTS = "a word or a list of words"
    LISTS = "words or lists of words by name"
    FIELDS = "words by name"
    ANY = "whatever its driver takes"


@dataclass(frozen=True, slots=True)
class Key:
    """A key that is obeyed.

    ``never`` has values of the original that are refused, with the reason. Numbers are between ``least`` and ``most``,
    both included; of a duration ``least`` says that it is not nothing. ``own``: the original does not have it.
    """

    says: str
    kind: Kind = Kind.TEXT
    default: str | int | bool | None = None
    choices: tuple[str, ...] = ()
    never: Mapping[str, str] = field(default_factory=dict)
    required: bool = False
    least: int = 0
    most: int | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class Idle:
    """A key that is taken, and of which the log says that it changes nothing."""

    why: str = ""
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Only:
    """A key that may only ask for what is done anyway."""

    value: str
    why: str
    #: Words that mean the same.
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A key of the original that is refused."""

    why: str


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping of keys, or with ``many`` a list of such mappings.

    With ``word`` a single word stands for a mapping with that key alone. ``others`` names keys that installed packages
    take. ``rules`` are members of its JSON Schema, for what one key says of another.
    """

    says: str
    members: Mapping[str, Member]
    many: bool = False
    word: bool = False
    required: bool = False
    own: bool = False
    others: Callable[[], Iterable[str]] = tuple
    rules: Mapping[str, Any] = field(default_factory=dict)

    def find(self, key: str) -> Member | None:
        """What a key is; None for a key that is unknown."""
        found = self.members.get(key)
        if found is None and key in self.others():
            return Key("the parameters of a storage that an installed package has", Kind.ANY, own=True)
        return found

    def known(self) -> list[str]:
        """The keys that are not refused."""
        return [*(key for key, member in self.members.items() if not isinstance(member, Refused)), *self.others()]


Member = Key | Idle | Only | Refused | Table


def walk(table: Table, path: str = "") -> Iterator[tuple[str, Member]]:
    """Each key at any depth, by its dotted name; the name of a list ends with ``[]``."""
    for key, member in table.members.items():
        name = f"{path}{key}"
        if isinstance(member, Table):
            name = f"{name}[]" if member.many else name
            yield name, member
            yield from walk(member, f"{name}.")
        else:
            yield name, member
