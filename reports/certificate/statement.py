"""The statement of a certificate: in-toto v1, with a predicate of the type test-result v0.1."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, cast

from reports.certificate.rules import RULES
from reports.digests import of_bytes, of_judged
from reports.model import Report
from spec.model import Verdict

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
#: Names of the two documents, among the subjects.
REPORT, PAGE = "report.json", "report.html"


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of a statement of ours."""
    text = resources.files("reports.certificate").joinpath("statement.schema.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def statement(
    report: Report,
    profile: str,
    digests: Mapping[str, str],
    issued: datetime.date,
    expires: datetime.date,
) -> dict[str, Any]:
    """Return the statement of a report by a profile.

    Args:
        report: a report that the rules find nothing against.
        profile: one of its profiles.
        digests: SHA-256 by name: of report.json, of the page, and of what was tested, where it is known.
        issued: the day of the certificate.
        expires: the last day of it.
    """
    result, suite = report["profiles"][profile], report["suite"]
    by_verdict: dict[str, list[str]] = {verdict: [] for verdict in Verdict}
    for entry in report["requirements"]:
        if profile in entry["verdicts"]:
            by_verdict[entry["verdicts"][profile]].append(entry["id"])
    warned = [*by_verdict[Verdict.WARNING], *by_verdict[Verdict.KNOWN_FAILURE]]
    certified = {
        "rules": RULES,
        "product": {"name": report["target"]["product"], "version": report["target"]["version"]},
        "profile": profile,
        "verdict": result["verdict"],
        "scope": result["scope"],
        "counts": result["counts"],
        "knownFailures": by_verdict[Verdict.KNOWN_FAILURE],
        "declared": sorted(name for name, one in report["target"]["capabilities"].items() if one["declared"]),
        "run": report["run"]["started"],
        "seed": report["run"]["seed"],
        "issued": issued.isoformat(),
        "expires": expires.isoformat(),
    }
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in digests.items()],
        "predicateType": PREDICATE,
        "predicate": {
            "result": "WARNED" if warned else "PASSED",
            "configuration": [
                {
                    "name": suite["name"],
                    "digest": {"sha256": of_judged(report)},
                    "annotations": {"version": suite["version"], "commit": suite["commit"]},
                },
                {"name": "certificate", "digest": {"sha256": digests[REPORT]}, "annotations": certified},
            ],
            "passedTests": by_verdict[Verdict.PASS],
            "warnedTests": warned,
            "failedTests": [],
        },
    }


def payload(made: dict[str, Any]) -> bytes:
    """Return the bytes of a statement that are signed."""
    return json.dumps(made, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def summary(made: dict[str, Any]) -> str:
    """Return in one sentence what a statement says."""
    suite, certified = (each["annotations"] for each in made["predicate"]["configuration"])
    product = f"{certified['product']['name']} {certified['product']['version']}"
    left = sum(certified["scope"]["withheld"].values())
    scope = f" for {', '.join(certified['scope']['claimed'])}" + (f", {left} not tested" if left else "")
    warned = len(made["predicate"]["warnedTests"])
    told = f", {warned} warning{'' if warned == 1 else 's'}" if warned else ""
    return (
        f"{product} conforms to {certified['profile']}{scope}{told}, judged on {certified['run'][:10]} by"
        f" {made['predicate']['configuration'][0]['name']} {suite['version']}; good until {certified['expires']}"
    )


def digests(data: bytes, page: bytes | None, artifacts: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of the subjects by their names; ``artifacts`` are those of what was tested."""
    found = {REPORT: of_bytes(data)}
    if page is not None:
        found[PAGE] = of_bytes(page)
    return {**found, **artifacts}
