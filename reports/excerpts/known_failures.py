"""The list that ``--known-failures`` reads, of what a report has as broken by its chosen profile."""

from __future__ import annotations

import json
from collections.abc import Iterator

from reports import view
from reports.model import Report
from reports.text import shorten, visible

_OURS = "known to the owner: "
_LONGEST = 200


def render(report: Report) -> str:
    """Return the list as YAML: an entry for each finding that the profile weighs; a reason of the owner's stays."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    run = report["run"]
    yield f"# What {view.product(report)!a} breaks of {run['profile']}, by the run of {run['started']}."
    yield "# Say why in your own words, and give each entry a date from which it is an error again: until: 2027-03-31"
    entries = view.weighed(report)
    if not entries:
        yield "[]"
    for item in entries:
        finding = item.finding
        why = finding["note"].removeprefix(_OURS) if finding["note"].startswith(_OURS) else ""
        why = why or f"expected {finding['expected']}, but {finding['actual']}"
        yield ""
        yield f"# {visible(item.requirement['statement'])}"
        yield f"- id: {item.requirement['id']}"
        # JSON's form of a text is YAML's too.
        yield f"  why: {json.dumps(shorten(visible(why), _LONGEST))}"
