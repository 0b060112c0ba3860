"""The names of scenarios: the same wherever the suite is installed, as seeds and repositories follow from them."""

from __future__ import annotations

import pytest

#: What they begin with.
SCENARIOS = "conformance/scenarios/"


def of_item(item: pytest.Item) -> str:
    """Return the name of a scenario: its node id, as from the folder that holds the suite."""
    return _name(item.path.as_posix(), item.nodeid)


def of_report(report: pytest.TestReport) -> str:
    """Return the name of the scenario that a report is of, which may come from another process."""
    return _name(report.location[0].replace("\\", "/"), report.nodeid)


def _name(path: str, node: str) -> str:
    begin = path.rfind(SCENARIOS)
    return f"{path[begin:]}::{node.partition('::')[2]}" if begin >= 0 else node
