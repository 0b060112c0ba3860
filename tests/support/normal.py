"""A report without what two equal runs may differ in: times, the run's name, ports, names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

#: Times, and how many requests were made: what was overtaken in a race of several clients is asked
#: for again or not.
_OF_CHANCE = frozenset({"started", "duration_seconds", "contract_checks_ms_total", "contract_ms_per_exchange"})
_OF_CHANCE |= {"started_ms", "elapsed_ms", "count"}
#: Headers whose values are the moment's, and a server's own numbers.
_OF_THE_MOMENT = frozenset({"date", "last-modified", "docker-upload-uuid", "x-request-id", "location"})
_RUN = re.compile(r"(?<=/)[0-9a-f]{6}(?=-[a-z])")
_PORT = re.compile(r"(?<=127\.0\.0\.1:)[0-9]+")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=/uploads/)[\w-]{16,}")
_STATE = re.compile(r"(?<=_state=)[^&'\"\s]+")
#: How an order of scenarios is told, and the commit of the suite, which may be changed between two
#: runs.
_ORDER = frozenset({"shuffle", "commit"})


def normal(value: Any) -> Any:
    """Return a value of a report with each of these replaced by a word."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str) and "digest" in value:  # a body that is shown: its text is compared
            value = {**value, "digest": "(of the text)"}
        return {
            name: "(chance)" if name in _OF_CHANCE and not isinstance(item, dict) else normal(item)
            for name, item in value.items()
            if name not in _ORDER
        }
    if isinstance(value, list):
        if len(value) == 2 and isinstance(value[0], str) and value[0].lower() in _OF_THE_MOMENT:  # a header
            return [value[0], "(made up)"]
        return [normal(item) for item in value]
    if isinstance(value, str):
        value = _STATE.sub("(state)", _UUID.sub("(uuid)", _PORT.sub("(port)", _RUN.sub("(run)", value))))
    return value


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Give a line for each place in which two values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*one, *other}):
            yield from differences(one.get(name), other.get(name), f"{path}/{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{path}/{number}")
    elif one != other:
        yield f"{path}: {str(one)[:200]!r} and {str(other)[:200]!r}"
