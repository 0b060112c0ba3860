"""Who may have what: accounts, rules, and the scopes that are asked for."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_TYPE = re.compile(r"[a-z0-9]+(?:\([a-z0-9]+\))?")


def matches(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern, in which a star stands for any characters, slashes included."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), name, re.DOTALL) is not None


@dataclass(frozen=True, slots=True)
class Scope:
    """A resource and actions on it."""

    kind: str
    name: str
    actions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}:{','.join(self.actions)}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Actions that are allowed on the resources of a type whose name fits; a star allows every action."""

    kind: str
    name: str
    actions: frozenset[str]

    def allows(self, scope: Scope, action: str) -> bool:
        """Whether an action of a scope is allowed."""
        return (
            self.kind == scope.kind
            and matches(self.name, scope.name)
            and ("*" in self.actions or action in self.actions)
        )


@dataclass(frozen=True, slots=True)
class Account:
    """Whoever asks for tokens; without a name nobody in particular."""

    name: str = ""
    password: str = field(default="", repr=False)
    rules: tuple[Rule, ...] = ()

    def fits(self, password: str) -> bool:
        """Whether this is the password."""
        return hmac.compare_digest(self.password.encode(), password.encode())

    def granted(self, asked: Iterable[Scope]) -> list[Scope]:
        """The part of the scopes that this account may have; a resource stays where nothing is left of its actions."""
        return [
            Scope(scope.kind, scope.name, tuple(action for action in scope.actions if self.may(scope, action)))
            for scope in asked
        ]

    def may(self, scope: Scope, action: str) -> bool:
        """Whether some rule allows an action."""
        return any(rule.allows(scope, action) for rule in self.rules)


def parse_scopes(values: Iterable[str]) -> list[Scope]:
    """The scopes of several parameters, each of which may hold several separated by blanks; what is none is left out.

    The name may itself have a colon, before the number of a port.
    """
    found = []
    for text in " ".join(values).split(" "):
        kind, first, rest = text.partition(":")
        name, second, actions = rest.rpartition(":")
        if first and second and name and _TYPE.fullmatch(kind):
            found.append(Scope(kind, name, tuple(dict.fromkeys(a for a in actions.split(",") if a))))
    return found
