"""Reports as files: read, and checked against the schema and against themselves."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from reports.model import FORMAT, Report
from reports.secrets import leaked_secret
from reports.text import shorten, visible
from spec.model import Level, Outcome, Verdict, weigh


class ReportError(ValueError):
    """A report that cannot be used; the message is one sentence for the user."""


def load(path: Path) -> Report:
    """Read a report from a file, which may be compressed by gzip.

    Raises:
        ReportError: the file cannot be read, or is no report, or contradicts itself.
    """
    try:
        data = json.loads(_unpacked(path.read_bytes()).decode("utf-8"), object_pairs_hook=_members)
    except OSError as error:
        raise ReportError(f"{visible(str(path))} cannot be read: {error.strerror or type(error).__name__}.") from None
    except UnicodeDecodeError:
        raise ReportError(f"{visible(str(path))} is not a report: it is not UTF-8 text.") from None
    except RecursionError:
        raise ReportError(f"{visible(str(path))} is not a report: its JSON is nested too deeply.") from None
    except ValueError as error:
        raise ReportError(f"{visible(str(path))} is not a report: no valid JSON ({visible(str(error))}).") from None
    try:
        return check(data)
    except ReportError as error:
        raise ReportError(f"{visible(str(path))} is not a valid report: {error}") from None


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        raise ValueError("it is compressed, and damaged") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = next(name for name, n in Counter(name for name, _ in pairs).items() if n > 1)
        raise ValueError(f'member "{shorten(twice, 60)}" stands twice in one object')
    return members


def check(data: object) -> Report:
    """Return the data as a report.

    Raises:
        ReportError: the data break the schema, or the report contradicts itself or holds a secret.
    """
    if isinstance(data, dict) and "format" in data and data["format"] != FORMAT:
        raise ReportError(f"format is {_short(data['format'])}; this program reads format {FORMAT}.")
    try:
        error = _breach(data)
    except RecursionError:
        raise ReportError("it is nested too deeply.") from None
    if error is not None:
        raise ReportError(_sentence(error))
    report = cast("Report", data)
    problem = next(_contradictions(report), None)
    if problem is not None:
        raise ReportError(visible(problem))
    return report


def _short(value: object) -> str:
    try:
        return visible(shorten(json.dumps(value), 80))
    except (TypeError, ValueError, RecursionError):
        return f"a {type(value).__name__}"


def _sentence(error: ValidationError) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    message = error.message
    if len(message) > 200:
        message = f"{_short(error.instance)} does not satisfy {error.validator!r}"
    return visible(f"at {place.lstrip('.') or 'the top'}: {message}.")


def _contradictions(report: Report) -> Iterator[str]:
    yield from _odd_requirements(report)
    yield from _odd_counts(report)
    yield from _odd_findings(report)
    secret = leaked_secret(report)
    if secret:
        yield f"it holds a secret ({secret}), so it must not be published."


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of a report."""
    text = resources.files("spec").joinpath("schemas", "report.schema.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


@cache
def _fast_validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema())


def _breach(data: object) -> ValidationError | None:
    """Return what breaks the schema most plainly: one validator is fast, the other words it well."""
    try:
        if _fast_validator().is_valid(data):
            return None
    except (ValueError, TypeError):
        pass  # a lone surrogate: the other one decides
    return cast("ValidationError | None", best_match(Draft202012Validator(schema()).iter_errors(data)))


def _odd_requirements(report: Report) -> Iterator[str]:
    if report["run"]["profile"] not in report["profiles"]:
        yield f"run.profile {report['run']['profile']} is none of the profiles."
    seen: set[str] = set()
    for entry in report["requirements"]:
        name = entry["id"]
        if name in seen:
            yield f"requirement {name} stands twice."
        seen.add(name)
        if set(entry["levels"]) != set(entry["verdicts"]):
            yield f"the verdicts of {name} are not for the profiles that its levels name."
        if entry["withheld"] and entry["outcome"] != Outcome.NOT_TESTED:
            yield f"requirement {name} is {entry['outcome']}, and yet something was withheld from it."
        for profile, verdict in entry["verdicts"].items():
            if profile not in report["profiles"]:
                yield f"requirement {name} names profile {profile}, of which the report has no result."
            due = weigh(Outcome(entry["outcome"]), Level(entry["levels"][profile]))
            excused = verdict == Verdict.KNOWN_FAILURE and due in {Verdict.FAIL, Verdict.WARNING}
            if verdict != due and not excused:
                yield f"{name} is {verdict} in {profile}, where its outcome and level make it {due}."


def _odd_counts(report: Report) -> Iterator[str]:
    for profile, result in report["profiles"].items():
        total: Counter[str] = Counter()
        by_category: dict[str, Counter[str]] = {}
        withheld: Counter[str] = Counter()
        for entry in report["requirements"]:
            if profile in entry["verdicts"]:
                total[entry["verdicts"][profile]] += 1
                withheld[entry["withheld"]] += 1
                by_category.setdefault(entry["category"], Counter())[entry["verdicts"][profile]] += 1
        if +Counter(result["counts"]) != total:
            yield f"the counts of profile {profile} are not those of its requirements."
        del withheld[""]
        if Counter(result["scope"]["withheld"]) != withheld:
            yield f"the scope of profile {profile} does not count what was withheld from its requirements."
        if set(result["scope"]["claimed"]) - set(result["categories"]):
            yield f"the scope of profile {profile} names a category that it does not have."
        for category in by_category.keys() | result["categories"].keys():
            tally = result["categories"].get(category)
            if +Counter(tally["counts"] if tally else {}) != by_category.get(category, Counter()):
                yield f"the counts of {category} in profile {profile} are not those of its requirements."
        if result["verdict"] == Verdict.PASS and (total[Verdict.FAIL] or total[Verdict.ERROR]):
            yield f"profile {profile} is called PASS although requirements of it failed."


def _odd_findings(report: Report) -> Iterator[str]:
    entries = {entry["id"]: entry for entry in report["requirements"]}
    found = Counter(finding["requirement"] for finding in report["findings"])
    for name, times in found.items():
        if name not in entries:
            yield f"a finding names requirement {name}, which the report does not have."
        elif entries[name]["outcome"] != Outcome.BROKEN:
            yield f"a finding names requirement {name}, whose outcome is {entries[name]['outcome']}."
        if times > 1:
            yield f"requirement {name} has {times} findings."
    for entry in report["requirements"]:
        if entry["id"] not in found and {Verdict.FAIL, Verdict.WARNING} & set(entry["verdicts"].values()):
            yield f"requirement {entry['id']} is broken, but no finding shows it."
