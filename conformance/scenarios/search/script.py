"""Show the exchanges of an example as a script of curl lines that anyone can run."""

from __future__ import annotations

from conformance.client.script import line, lines
from conformance.scenarios.search.trial import Breach
from conformance.settings import Settings


def script(breach: Breach, settings: Settings) -> str:
    """Return a script for bash: the steps as comments, a request a line, locations of uploads in variables."""
    head = [
        f"# {breach.requirement}: expected {line(breach.expected)}, but {line(breach.actual)}",
        f"# found with --effort {settings.effort} --seed {settings.seed}",
    ]
    notes = [(step.before, step.text) for step in breach.steps]
    return "\n".join([*head, *lines(settings.url, breach.exchanges, settings.trust, notes)])
