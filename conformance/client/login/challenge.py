"""Parse WWW-Authenticate: challenges with their parameters (RFC 9110, 11.6.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # a word of the grammar
_SCHEME = re.compile(rf"\s*,?\s*({_TOKEN})(?=\s|,|$)(?!\s*=)")
_NAME = rf'\s*,?\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'
_PARAMETER = re.compile(rf"{_NAME}({_TOKEN})(?=[\s,]|$))")
#: Some registries forget the quotes around the URL of a realm.
_LENIENT = re.compile(rf'{_NAME}([^\s,"]+))')
_TOKEN68 = re.compile(r"\s+([A-Za-z0-9._~+/-]+=*)\s*(?=,|$)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: scheme and parameter names in lower case, values unquoted."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)
    #: The values of each parameter that comes several times.
    repeated: dict[str, list[str]] = field(default_factory=dict)

    def every(self, name: str) -> list[str]:
        """Return all values of a parameter."""
        return self.repeated.get(name) or ([self.parameters[name]] if name in self.parameters else [])


def parse_challenges(values: list[str], *, lenient: bool = False) -> list[Challenge] | None:
    """Return the challenges of all WWW-Authenticate fields, or ``None`` where one is malformed.

    With ``lenient`` a parameter's value may lack the quotes that its characters ask for.
    """
    found: list[Challenge] = []
    for value in values:
        challenges = _parse(value, _LENIENT if lenient else _PARAMETER)
        if challenges is None:
            return None
        found.extend(challenges)
    return found


def _parse(text: str, grammar: re.Pattern[str]) -> list[Challenge] | None:
    found: list[Challenge] = []
    position = 0
    text = text.strip()
    while position < len(text):
        scheme = _SCHEME.match(text, position)
        if scheme is None:
            return None
        position = scheme.end()
        parameters: dict[str, str] = {}
        repeated: dict[str, list[str]] = {}
        if token68 := _TOKEN68.match(text, position):
            found.append(Challenge(scheme.group(1).lower(), {"": token68.group(1)}))
            position = token68.end()
            continue
        while parameter := grammar.match(text, position):
            quoted, plain = parameter.group(2), parameter.group(3)
            name, value = parameter.group(1).lower(), plain
            if quoted is not None:
                value = re.sub(r"\\(.)", r"\1", quoted)
            if name in parameters:
                repeated.setdefault(name, [parameters[name]]).append(value)
            parameters[name] = value
            position = parameter.end()
        found.append(Challenge(scheme.group(1).lower(), parameters, repeated))
        while position < len(text) and text[position] in ", \t":
            position += 1
    return found or None
