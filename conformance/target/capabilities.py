"""Which optional parts the target has, and why something could not be tried."""

from __future__ import annotations

from dataclasses import dataclass, field

from spec.model import Withheld

#: Why something could not be tried, by what the owner withheld.
UNKNOWN = {
    Withheld.WRITING: "the target is read-only",
    Withheld.CONTENT: "--existing names no fitting content",
    Withheld.REPOSITORIES: "the owner fixed the repositories",
    Withheld.ACCOUNTS: "the owner gave no account for it",
    Withheld.LISTENER: "no listener for notifications was given",
}


@dataclass(slots=True)
class Capabilities:
    """Which optional parts the target has: what the probes saw, and what its owner declares.

    ``unknown`` has the parts that could not be probed, each with what the owner did not give,
    ``accepted`` the kinds of requests (`ordinary.kind_of`) that were taken meanwhile.
    """

    probed: dict[str, bool] = field(default_factory=dict)
    declared: dict[str, bool] = field(default_factory=dict)
    unknown: dict[str, Withheld] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)

    def has(self, name: str) -> bool:
        """Return whether a part is there, by the owner, then the probe; unknown is absent."""
        return self.declared.get(name, self.probed.get(name, name not in self.unknown))

    def shown(self, name: str) -> bool | None:
        """Return whether a part is there, ``None`` where it is not known."""
        return None if name in self.unknown and name not in self.declared else self.has(name)
