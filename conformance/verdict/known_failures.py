"""The file of ``--known-failures``: what is known to fail, why, and until when."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.settings import KnownFailure
from spec.catalogue import Catalogue, UnknownIdError


def read(path: str, catalogue: Catalogue) -> tuple[KnownFailure, ...]:
    """Return the entries of a file; none where there is no file.

    Raises:
        UsageError: the file cannot be read, or an entry is not what it should be; file and line are named.
    """
    if not path:
        return ()
    try:
        node = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise pytest.UsageError(f"--known-failures: {path} cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark else ""
        raise pytest.UsageError(f"--known-failures: {path}{where}: is not valid YAML") from None
    if node is None:
        return ()
    if not isinstance(node, yaml.SequenceNode):
        raise pytest.UsageError(f"--known-failures: {path}:1: expected a list of entries with id and why")
    entries = tuple(_entry(path, entry, catalogue) for entry in node.value)
    seen: set[str] = set()
    for entry, place in zip(entries, node.value, strict=True):
        if entry.id in seen:
            raise pytest.UsageError(f"--known-failures: {path}:{place.start_mark.line + 1}: {entry.id} is named twice")
        seen.add(entry.id)
    return entries


def _entry(path: str, node: yaml.Node, catalogue: Catalogue) -> KnownFailure:
    where = f"--known-failures: {path}:{node.start_mark.line + 1}"
    members: dict[str, Any] = {}
    if isinstance(node, yaml.MappingNode):
        members = {str(key.value): value.value for key, value in node.value}
        if len(members) < len(node.value):
            raise pytest.UsageError(f"{where}: a member stands twice")
    if unknown := set(members) - {"id", "why", "until"}:
        raise pytest.UsageError(f"{where}: unknown member {sorted(unknown)[0]!r}; expected id, why and until")
    if not members or not all(isinstance(members.get(key), str) and members[key] for key in ("id", "why")):
        raise pytest.UsageError(f"{where}: an entry needs the members id and why, both text")
    until = str(members.get("until", ""))
    if until:
        try:
            date = datetime.date.fromisoformat(until)
        except ValueError:
            raise pytest.UsageError(f"{where}: until is not a date such as 2027-01-31") from None
        if date < datetime.datetime.now(tz=datetime.UTC).date():
            raise pytest.UsageError(f"{where}: the entry of {members['id']} ended on {until}")
    return KnownFailure(requirement(where, members["id"], catalogue), members["why"], until)


def requirement(option: str, text: str, catalogue: Catalogue) -> str:
    """Return the id of a requirement that an option names.

    Raises:
        UsageError: there is none of that id.
    """
    try:
        return catalogue.requirement(text).id
    except UnknownIdError as error:
        sentence = str(error)
        raise pytest.UsageError(f"{option}: {sentence[:1].lower()}{sentence[1:].rstrip('.')}") from None
