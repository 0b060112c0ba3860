"""Settings from the environment, as the original takes them: REGISTRY_HTTP_ADDR replaces http.addr, and so on."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping

import yaml

_PREFIX = "REGISTRY_"


class _Named(io.StringIO):
    """Text whose origin complaints name."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def override(top: yaml.Node, environment: Mapping[str, str], sections: Iterable[str]) -> list[str]:
    """Put the values of variables into a configuration; the names of those that are in none of its sections.

    Values are YAML. A number in a name stands for a place in a list.

    Raises:
        yaml.YAMLError: a value is none.
        ValueError: a variable leads to no place; the message names it.
    """
    known, unknown = set(sections), []
    for name in sorted(environment):
        path = name.removeprefix(_PREFIX).lower().split("_")
        if not name.startswith(_PREFIX):
            continue
        if path[0] not in known:
            unknown.append(name)
            continue
        node = yaml.compose(_Named(name, environment[name]), Loader=yaml.SafeLoader)
        _put(top, path, node or yaml.ScalarNode("tag:yaml.org,2002:null", ""), name)
    return unknown


def _put(node: yaml.Node, path: list[str], value: yaml.Node, name: str) -> None:
    key, rest = path[0], path[1:]
    if isinstance(node, yaml.SequenceNode):
        if not key.isdecimal() or int(key) >= len(node.value):
            raise ValueError(f"{name}: the list has no {key}")
        if rest:
            _put(node.value[int(key)], rest, value, name)
        else:
            node.value[int(key)] = value
        return
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f"{name}: the configuration has a single value there")
    found = next((entry for entry in node.value if str(entry[0].value).lower() == key), None)
    if found is None or not rest:
        node.value = [entry for entry in node.value if entry is not found]
        mark = value.start_mark
        label = yaml.ScalarNode("tag:yaml.org,2002:str", found[0].value if found else key, mark, mark)
        inner = value if not rest else yaml.MappingNode("tag:yaml.org,2002:map", [], mark, mark)
        node.value.append((label, inner))
        found = node.value[-1]
    if rest:
        _put(_mapping(node, found), rest, value, name)


def _mapping(node: yaml.MappingNode, entry: tuple[yaml.Node, yaml.Node]) -> yaml.Node:
    """What an entry leads to; an empty one becomes a mapping, and one word its only member, as storage has it."""
    label, inner = entry
    if not isinstance(inner, yaml.ScalarNode):
        return inner
    made = yaml.MappingNode("tag:yaml.org,2002:map", [], inner.start_mark, inner.end_mark)
    node.value[node.value.index(entry)] = (label, made)
    return made
