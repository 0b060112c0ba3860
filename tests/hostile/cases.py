"""The hostile targets, all of them."""

from __future__ import annotations

from tests.hostile.case import Hostile
from tests.hostile.targets import bodies, connections, documents, heads, hooks, logins, places, poison

CASES: tuple[Hostile, ...] = (
    *bodies.CASES,
    *heads.CASES,
    *connections.CASES,
    *places.CASES,
    *documents.CASES,
    *logins.CASES,
    *hooks.CASES,
    *poison.CASES,
)
BY_NAME = {case.name: case for case in CASES}
