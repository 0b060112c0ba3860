"""The laws that hold under every condition, and the conditions, as data (``conditions.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from spec.marks import Marked, read_yaml

ROOT = Path(__file__).parent
FILE = "conditions.yaml"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a dimension: ``phrase`` completes "GET of a blob ...", ``needs`` are capabilities.

    ``effort`` is the least effort that tries it (any where it is empty); a ``dear`` value occurs in
    few rows. ``costs`` is about how many requests it takes beside those of the plain value;
    ``among`` has values of other dimensions, as ``dimension=value``, each group of which a dear
    value comes together with. ``hides`` has dimensions of which a row with this value shows nothing.
    """

    id: str
    phrase: str
    plain: bool = False
    needs: tuple[str, ...] = ()
    effort: str = ""
    dear: bool = False
    costs: int = 0
    among: tuple[tuple[str, ...], ...] = ()
    hides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dimension:
    """A circumstance that must make no difference, with the values that are tried.

    A ``look`` is what is asked for at last: it comes together with each circumstance, and with no
    other look.
    """

    id: str
    title: str
    values: tuple[Value, ...]
    look: bool = False

    @property
    def plain(self) -> Value:
        """The ordinary value, which a finding falls back to."""
        return next(value for value in self.values if value.plain)

    def value(self, name: str) -> Value:
        """Return the value of an id."""
        return next(value for value in self.values if value.id == name)


@dataclass(frozen=True, slots=True)
class Law:
    """A statement that holds under each condition, with its subject and its requirements."""

    id: str
    subject: str
    statement: str
    requirements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What laws speak of (blobs, manifests, lists), and the dimensions of its rows."""

    id: str
    title: str
    dimensions: tuple[Dimension, ...]


@dataclass(frozen=True, slots=True)
class Conditions:
    """All laws and conditions, in the order of the file."""

    dimensions: Mapping[str, Dimension]
    subjects: Mapping[str, Subject]
    laws: Mapping[str, Law]

    def of(self, requirement: str) -> tuple[Law, ...]:
        """Return the laws that a requirement is booked by."""
        return tuple(law for law in self.laws.values() if requirement in law.requirements)

    def requirements(self, subject: str) -> tuple[str, ...]:
        """Return the requirements of all laws of a subject, each once."""
        return tuple(
            dict.fromkeys(id_ for law in self.laws.values() if law.subject == subject for id_ in law.requirements)
        )


@lru_cache(maxsize=4)
def load(root: Path = ROOT) -> Conditions:
    """Read the laws and conditions of a specification.

    Raises:
        SpecError: the file cannot be read.
    """
    return of_document(read_yaml(root / FILE, FILE))


def of_document(document: Marked) -> Conditions:
    """Make laws and conditions of a document that has their form (``conditions.schema.json``)."""
    data: dict[str, Any] = document.value
    dimensions = {entry["id"]: _dimension(entry) for entry in data["dimensions"]}
    subjects = {
        entry["id"]: Subject(entry["id"], entry["title"], tuple(dimensions[name] for name in entry["dimensions"]))
        for entry in data["subjects"]
    }
    laws = {
        entry["id"]: Law(entry["id"], entry["subject"], entry["statement"], tuple(entry["requirements"]))
        for entry in data["laws"]
    }
    return Conditions(dimensions, subjects, laws)


def _dimension(entry: dict[str, Any]) -> Dimension:
    values = (
        Value(
            id=value["id"],
            phrase=value["phrase"],
            plain=value.get("plain", False),
            needs=tuple(value.get("needs", ())),
            effort=value.get("effort", ""),
            dear=value.get("dear", False),
            costs=value.get("costs", 0),
            among=tuple(map(tuple, value.get("among", ()))),
            hides=tuple(value.get("hides", ())),
        )
        for value in entry["values"]
    )
    return Dimension(entry["id"], entry["title"], tuple(values), entry.get("look", False))
