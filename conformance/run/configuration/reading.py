"""Read ``registry-conformance.yaml``: options by their names, each error with its line."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from conformance.run.option_table import OPTIONS, SECRETS, Option

#: The file that is read where it is there and no other is named.
NAME = "registry-conformance.yaml"
_OPTION = "--config"
_YES, _NO = ("true", "yes", "on"), ("false", "no", "off")
_LONGEST = 1024 * 1024
#: What the file says of places is meant from its own folder.
_PLACES = ("FILE", "DIR")


def find(given: str) -> Path | None:
    """Return the configuration file: the one that is named, or that of the working directory if it is there."""
    if given:
        return Path(given).expanduser()
    return Path(NAME) if Path(NAME).is_file() else None


def read(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the values of a file by the name of their option; a switch has ``yes`` or ``no``.

    Raises:
        UsageError: the file cannot be read, or has what is no option; file and line are named, values never.
    """
    try:
        if path.stat().st_size > _LONGEST:
            raise pytest.UsageError(f"{_OPTION}: {path} is too long for a configuration file")
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise pytest.UsageError(f"{_OPTION}: {path} cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark else ""
        raise pytest.UsageError(f"{_OPTION}: {path}{where}: is not valid YAML") from None
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise pytest.UsageError(f"{_OPTION}: {path}:1: expected options by their names, such as profile: oci-1.1")
    found: dict[str, tuple[str, ...]] = {}
    for key, value in node.value:
        where = f"{_OPTION}: {path}:{key.start_mark.line + 1}"
        option = _option(where, str(key.value))
        if option.name in found:
            raise pytest.UsageError(f"{where}: {option.name} stands twice")
        found[option.name] = tuple(_placed(path, option, text) for text in _values(where, option, value))
    return found


def _option(where: str, name: str) -> Option:
    option = next((option for option in OPTIONS if option.name == name), None)
    if option is None:
        near = difflib.get_close_matches(name.replace("_", "-"), [option.name for option in OPTIONS], n=1)
        raise pytest.UsageError(f"{where}: there is no option {name!r}{f'; did you mean {near[0]}?' if near else ''}")
    if option.name in SECRETS:
        raise pytest.UsageError(f"{where}: {name} is a secret, and belongs into the environment: {option.variable}")
    if option.name == _OPTION.removeprefix("--"):
        raise pytest.UsageError(f"{where}: a configuration file names no other")
    return option


def _values(where: str, option: Option, node: yaml.Node) -> Iterator[str]:
    repeatable = option.kind in {"list", "lines"}
    entries = node.value if isinstance(node, yaml.SequenceNode) and repeatable else [node]
    if not all(isinstance(entry, yaml.ScalarNode) for entry in entries):
        wanted = "a list of texts" if repeatable else "one value"
        raise pytest.UsageError(f"{where}: {option.name} takes {wanted}")
    for entry in entries:
        text = str(entry.value).strip()
        if option.kind == "flag":
            if text.lower() not in {*_YES, *_NO}:
                raise pytest.UsageError(f"{where}: {option.name} takes true or false")
            yield "yes" if text.lower() in _YES else "no"
            continue
        if not text or entry.tag == "tag:yaml.org,2002:null":
            # An empty target would be another one than was meant.
            raise pytest.UsageError(f"{where}: {option.name} has no value")
        yield text


def _placed(path: Path, option: Option, text: str) -> str:
    if option.metavar not in _PLACES:
        return text
    return os.path.normpath(path.parent / Path(text).expanduser())
