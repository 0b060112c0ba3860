"""The schema of a report takes what a run says and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reports import ReportError, check
from reports.loading import schema
from tests.reports import from_catalogue, samples

Report = dict[str, Any]


def test_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("make", [samples.report, samples.large, lambda: samples.hostile(samples.report())])
def test_reports_are_taken(make: Callable[[], Report]) -> None:
    check(make())


def _objects(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of each object with fixed members, the first of each list only."""
    found: list[tuple[str | int, ...]] = []
    if isinstance(value, dict):
        free = path and path[-1] in {
            "capabilities",
            "options",
            "levels",
            "verdicts",
            "profiles",
            "counts",
            "categories",
        }
        found += [] if free else [path]
        for name, member in value.items():
            found += _objects(member, (*path, name))
    elif isinstance(value, list) and value:
        found += _objects(value[0], (*path, 0))
    return found


def _at(report: Report, path: tuple[str | int, ...]) -> Any:
    value: Any = report
    for step in path:
        value = value[step]
    return value


_SAMPLE = samples.report()


@pytest.mark.parametrize("path", _objects(_SAMPLE), ids=lambda path: ".".join(map(str, path)) or "top")
def test_no_member_may_be_added_or_left_out(path: tuple[str | int, ...]) -> None:
    more = copy.deepcopy(_SAMPLE)
    _at(more, path)["surplus"] = 1
    with pytest.raises(ReportError):
        check(more)
    for name in _at(_SAMPLE, path):
        if path[-1:] == ("options",):
            continue
        less = copy.deepcopy(_SAMPLE)
        del _at(less, path)[name]
        with pytest.raises(ReportError):
            check(less)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("format", "2", 'format is "2"; this program reads format 1'),
        ("target.url", "registry.example.com", "target.url"),
        ("target.url", "http://user:pw@registry.example.com", "target.url"),
        ("target.url", "http://registry.example.com/v2", "target.url"),
        ("run.started", "yesterday", "run.started"),
        ("run.exit_code", 6, "run.exit_code"),
        ("run.duration_seconds", -1, "run.duration_seconds"),
        ("run.options.password", "hunter2", "run.options.password"),
        ("run.profile", "oci-9", "none of the profiles"),
        ("requirements.0.id", "base get", "requirements[0].id"),
        ("requirements.0.outcome", "passed", "requirements[0].outcome"),
        ("requirements.0.id", "PULL-BLOB-RANGE", "PULL-BLOB-RANGE stands twice"),
        ("requirements.0.outcome", "broken", "BASE-GET-200 is PASS in docker-v2"),
        ("requirements.0.verdicts.oci-1.1", "FAIL", "BASE-GET-200 is FAIL in oci-1.1"),
        ("profiles.oci-1.1.counts.PASS", 400, "the counts of profile oci-1.1"),
        ("profiles.oci-1.1.categories.pull.counts.PASS", 400, "the counts of pull in profile oci-1.1"),
        ("profiles.oci-1.1.verdict", "PASS", "profile oci-1.1 is called PASS"),
        ("findings", [], "no finding shows it"),
        ("findings.0.requirement", "NO-SUCH", "NO-SUCH, which the report does not have"),
        ("findings.0.requirement", "BASE-GET-200", "whose outcome is held"),
        ("findings.0.exchanges.0.request.headers", [["a"]], "headers"),
        ("findings.0.exchanges.0.response.status", "200", "findings[0].exchanges[0].response"),
        ("findings.0.curl", "curl -H 'Authorization: Basic dXNlcjpwYXNzd29yZA=='", "holds a secret"),
        ("findings.0.curl", "curl http://user:pw@example.org/v2/", "holds a secret"),
        (
            "findings.0.exchanges.0.request.headers",
            [["Authorization", "Bearer eyJhbGc.eyJzdWI.c2lnbmF0dXJl"]],
            "a token",
        ),
    ],
)
def test_what_is_wrong_is_refused_in_words(path: str, value: object, said: str) -> None:
    report = copy.deepcopy(_SAMPLE)
    *way, last = _way(path, report)
    _at(report, tuple(way))[last] = value
    with pytest.raises(ReportError) as caught:
        check(report)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def _way(path: str, report: Report) -> list[str | int]:
    """Split a dotted path; members' names hold dots too."""
    way: list[str | int] = []
    value: Any = report
    while path:
        names = [str(n) for n in (range(len(value)) if isinstance(value, list) else value)]
        name = next((n for n in sorted(names, key=len, reverse=True) if path == n or path.startswith(n + ".")), path)
        way.append(int(name) if isinstance(value, list) else name)
        path = path[len(name) + 1 :]
        value = value[way[-1]] if path else None
    return way


def test_a_known_failure_needs_no_finding() -> None:
    report = copy.deepcopy(_SAMPLE)
    entry = next(e for e in report["requirements"] if e["id"] == "DISCOVERY-TAGS-N")
    entry["verdicts"] = dict.fromkeys(entry["verdicts"], "KNOWN_FAILURE")
    report["findings"] = [f for f in report["findings"] if f["requirement"] != "DISCOVERY-TAGS-N"]
    check(samples.tally(report))


def test_a_body_is_text_or_base64_not_both() -> None:
    report = copy.deepcopy(_SAMPLE)
    report["findings"][0]["exchanges"][1]["response"]["body"]["base64"] = "YQ=="
    with pytest.raises(ReportError):
        check(report)


@pytest.mark.parametrize("data", [None, 1, [], "x", {}, {"format": ["1"]}])
def test_what_is_no_report_is_refused(data: object) -> None:
    with pytest.raises(ReportError):
        check(data)


def test_every_entry_of_the_catalogue_fits_a_report() -> None:
    made = from_catalogue.report()
    assert len(check(made)["requirements"]) > 0
    assert set(made["profiles"]) == set(samples.PROFILES)
