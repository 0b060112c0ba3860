"""The Allure form of a report: a test result is a requirement, judged by the chosen profile."""

from __future__ import annotations

import datetime
import hashlib
import json
import uuid
from collections.abc import Iterator
from typing import Any

from reports import view
from reports.model import Body, Exchange, Finding, Report, RequirementResult
from reports.text import markdown, safe_url, shorten, visible
from spec.model import Level, Verdict

_STATUS = {Verdict.FAIL: "failed", Verdict.ERROR: "broken", Verdict.PASS: "passed", Verdict.WARNING: "passed"}
_SEVERITY = {Level.MUST: "critical", Level.SHOULD: "normal", Level.MAY: "minor"}
_TEXT = 2000
#: Of one body no more is shown; report.json and the page have what was kept.
_BODY = 8000


def render(report: Report) -> dict[str, str]:
    """Return the files of a folder of Allure results by name, of a report that was checked."""
    profile = report["run"]["profile"]
    found = {finding["requirement"]: finding for finding in report["findings"]}
    files = {"categories.json": _json(_categories()), "environment.properties": _environment(report)}
    for entry in report["requirements"]:
        if profile in entry["verdicts"]:
            files |= _result(report, entry, found.get(entry["id"]))
    return files | _shortfall(report)


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=True) + "\n"


def _categories() -> list[dict[str, Any]]:
    """Return a category for each verdict; the message of a result begins with its verdict."""
    return [
        {
            "name": f"{view.label(verdict)}: {view.MEANING[verdict]}",
            "matchedStatuses": [_STATUS.get(verdict, "skipped")],
            "messageRegex": f"{view.label(verdict)}: [\\s\\S]*",
        }
        for verdict in view.ORDER
        if verdict != Verdict.PASS
    ]


def _environment(report: Report) -> str:
    run, suite = report["run"], report["suite"]
    told = {
        "product": view.product(report),
        "target": report["target"]["url"],
        "profile": run["profile"],
        "verdict": view.label(report["profiles"][run["profile"]]["verdict"]),
        "scope": view.scope(report, run["profile"]),
        "note": view.warning(report),
        "suite": f"{suite['name']} {suite['version']} {suite['commit'] or ''}",
        "seed": str(run["seed"]),
        "exit.code": str(run["exit_code"]),
    }
    # A file of Java properties: Latin-1, and a backslash begins an escape.
    lines = (f"{name} = {visible(text)}".replace("\\", "\\\\") for name, text in told.items() if text.strip())
    return "".join(line.encode("ascii", "backslashreplace").decode() + "\n" for line in lines)


def _result(report: Report, entry: RequirementResult, finding: Finding | None) -> dict[str, str]:
    profile = report["run"]["profile"]
    verdict = Verdict(entry["verdicts"][profile])
    head = _head(report, entry["statement"], entry["category"], entry["id"])
    name = str(head["uuid"])
    attachments = list(_attachments(name, finding)) if finding and verdict != Verdict.PASS else []
    result = head | {
        "description": _description(entry, finding),
        "status": _STATUS.get(verdict, "skipped"),
        "statusDetails": _details(verdict, view.reason(entry, profile, finding), finding),
        "labels": list(_labels(entry, profile, verdict)),
        "links": [
            {"type": "link", "name": visible(f"{source['title']}, {source['section']}"), "url": url}
            for source in entry["sources"]
            if (url := safe_url(source["url"]))
        ],
        "attachments": [attachment for attachment, _ in attachments],
    }
    files = {f"{name}-result.json": _json(result)}
    return files | {attachment["source"]: text for attachment, text in attachments}


def _shortfall(report: Report) -> dict[str, str]:
    """Return a result more where the run did not end with 0 although no requirement failed."""
    profile, why = report["run"]["profile"], view.shortfall(report)
    if not why:
        return {}
    verdict = view.label(report["profiles"][profile]["verdict"])
    result = _head(report, f"The verdict by {profile} is reached", "run", profile) | {
        "status": "failed",
        "statusDetails": {"message": visible(f"{verdict}: {why}")},
        "labels": [{"name": "parentSuite", "value": profile}, {"name": "suite", "value": "run"}],
    }
    return {f"{result['uuid']}-result.json": _json(result)}


def _head(report: Report, title: str, group: str, key: str) -> dict[str, Any]:
    """Return what each result begins with: its names, and a time."""
    begin = int(datetime.datetime.fromisoformat(report["run"]["started"]).timestamp() * 1000)
    run = f"{report['target']['url']} {report['run']['started']}"
    return {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run} {group} {key}")),
        "name": visible(title),
        "fullName": f"{group}.{key}",
        "historyId": _digest(f"{report['run']['profile']} {key}"),
        "testCaseId": _digest(key),
        "stage": "finished",
        "start": begin,
        "stop": begin,
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _details(verdict: Verdict, reason: str, finding: Finding | None) -> dict[str, str]:
    if verdict == Verdict.PASS:
        return {}
    told = {"message": visible(shorten(f"{view.label(verdict)}: {reason}", _TEXT))}
    return told | ({"trace": visible(finding["curl"], block=True)} if finding and finding["curl"] else {})


def _description(entry: RequirementResult, finding: Finding | None) -> str:
    """Return plain text: Allure reads it as Markdown, in which a line of its own needs a blank one before it."""
    levels = ", ".join(f"{one} {level}" for one, level in entry["levels"].items())
    parts = [f"{entry['id']}. In each profile: {levels}."]
    if finding:
        parts += [f"Expected: {finding['expected']}", f"What came: {finding['actual']}"]
        parts += [finding["note"]] if finding["note"] else []
    parts += [f"Scenario: {scenario}" for scenario in entry["scenarios"]]
    return "\n\n".join(markdown(shorten(part, _TEXT)) for part in parts)


def _labels(entry: RequirementResult, profile: str, verdict: Verdict) -> Iterator[dict[str, str]]:
    level = Level(entry["levels"][profile])
    named = {
        "parentSuite": profile,
        "suite": entry["category"],
        "epic": profile,
        "feature": entry["category"],
        "story": entry["id"],
        "severity": _SEVERITY[level],
        "level": level.value,
        "verdict": view.label(verdict),
        "requirement": entry["id"],
        "framework": "registry-conformance",
    }
    yield from ({"name": name, "value": value} for name, value in named.items())
    yield from ({"name": "tag", "value": value} for value in (entry["id"], level.value, view.label(verdict)))


def _attachments(name: str, finding: Finding) -> Iterator[tuple[dict[str, str], str]]:
    for number, exchange in enumerate(finding["exchanges"], 1):
        answer = str(exchange["response"]["status"]) if exchange["response"] else "no response"
        told = f"{number}. {exchange['request']['method']} {exchange['operation']}: {answer}"
        source = f"{name}-{number}-attachment.txt"
        yield {"name": visible(told), "source": source, "type": "text/plain"}, _wire(exchange)


def _wire(exchange: Exchange) -> str:
    request, response = exchange["request"], exchange["response"]
    parts = [f"{request['method']} {request['url']}", *(f"{k}: {v}" for k, v in request["headers"]), ""]
    parts += [*_body(request["body"]), ""]
    if response:
        parts += [f"{response['status']} {response['reason']}", *(f"{k}: {v}" for k, v in response["headers"]), ""]
        parts += _body(response["body"])
    parts += [exchange["error"]] if exchange["error"] else []
    return visible("\n".join(parts), block=True) + "\n"


def _body(body: Body | None) -> list[str]:
    if body is None:
        return []
    if body["text"] is not None:
        return [shorten(body["text"], _BODY)]
    return [f"({body['size']} bytes, {body['digest']})"]
