"""Reports for the tests: a realistic one, a large one, and one whose every text is hostile."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from spec.model import Level, Outcome, Verdict, weigh

PROFILES = ("docker-v2", "oci-1.0", "oci-1.1", "oci-1.2-dev")
CHOSEN = "oci-1.1"
CATEGORIES = ("base", "pull", "push", "discovery", "management")

_DOCUMENTS = {
    "docker-v2": ("docker-api", "Docker Registry HTTP API V2", "https://example.org/docker/api"),
    "oci-1.0": ("oci-1.0.1", "OCI Distribution Specification 1.0.1", "https://example.org/oci/1.0.1"),
    "oci-1.1": ("oci-1.1.1", "OCI Distribution Specification 1.1.1", "https://example.org/oci/1.1.1"),
}

#: id, category, level in each profile, outcome; then the statement and, where there is one, the
#: reason
_ENTRIES = """
BASE-GET-200 | base | MUST MUST MUST MUST | held
    GET of the base answers 200 where no login is needed.
BASE-VERSION-HEADER | base | SHOULD - - - | held
    The base names the version of the API in a header.
PULL-MANIFEST-GET-200 | pull | MUST MUST MUST MUST | held
    GET of a manifest that exists answers 200 with its bytes.
PULL-MANIFEST-GET-CONTENT-TYPE | pull | MUST MUST MUST MUST | broken
    A manifest comes with the media type under which it was pushed.
PULL-ACCEPT-EXACT | pull | MUST SHOULD SHOULD SHOULD | inconclusive
    A manifest whose media type the client accepts is given in just that type.
    blocked by PULL-MANIFEST-GET-CONTENT-TYPE
PULL-MANIFEST-HEAD-DIGEST | pull | MUST SHOULD SHOULD MUST | broken
    HEAD of a manifest names its digest.
PULL-BLOB-GET-200 | pull | MUST MUST MUST MUST | held
    GET of a blob that exists answers 200 with its bytes.
PULL-BLOB-RANGE | pull | MAY SHOULD SHOULD SHOULD | unsupported
    A range of a blob is answered with 206 and those bytes.
    ranges are not offered
PUSH-UPLOAD-START-202 | push | MUST MUST MUST MUST | held
    Starting an upload answers 202.
PUSH-UPLOAD-START-LOCATION | push | MUST MUST MUST MUST | held
    The answer to the start of an upload says where it goes on.
PUSH-MANIFEST-SUBJECT | push | - - MUST MUST | not tested
    A manifest that names a subject is accepted before its subject is there.
    planned for a later version of the suite
PUSH-MOUNT-201 | push | MAY SHOULD SHOULD SHOULD | held
    A blob that can be mounted from another repository is answered with 201.
DISCOVERY-TAGS-200 | discovery | MUST MUST MUST MUST | held
    The list of tags answers 200 with the name and the tags of the repository.
DISCOVERY-TAGS-N | discovery | MUST MUST MUST MUST | broken
    With n, no more than n tags are listed.
DISCOVERY-TAGS-ORDER | discovery | - MUST MUST MUST | broken
    Tags are listed in lexical order.
DISCOVERY-REFERRERS | discovery | - - MUST MUST | not tested
    The referrers of a digest are listed as an image index.
    planned for a later version of the suite
MANAGEMENT-DELETE-MANIFEST-202 | management | MUST SHOULD SHOULD SHOULD | held
    DELETE of a manifest by its digest answers 202.
MANAGEMENT-DELETE-GONE | management | MUST MUST MUST MUST | error
    What was deleted is not found any more.
    KeyError in the scenario: 'Location'
"""


def body(text: str) -> dict[str, Any]:
    """Return a body as a report records it."""
    data = text.encode("utf-8", "surrogatepass")
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    return {"size": len(data), "digest": digest, "text": text, "base64": None, "truncated": False}


def exchange(method: str, path: str, status: int, reason: str, text: str = "") -> dict[str, Any]:
    """Return an exchange as a report records it."""
    return {
        "operation": "tags.list" if "tags" in path else "manifest.get",
        "started_ms": 120.5,
        "elapsed_ms": 1.8,
        "request": {
            "method": method,
            "url": f"http://127.0.0.1:5000{path}",
            "headers": [["Accept", "application/json"], ["User-Agent", "registry-conformance/0.1.0"]],
            "body": None,
        },
        "response": {
            "status": status,
            "reason": reason,
            "headers": [["Content-Type", "application/json"], ["Docker-Distribution-Api-Version", "registry/2.0"]],
            "body": body(text) if text else None,
        },
        "error": None,
    }


def _levels(text: str) -> dict[str, str]:
    return {profile: level for profile, level in zip(PROFILES, text.split(), strict=True) if level != "-"}


def _entries() -> Iterator[tuple[list[str], str, str]]:
    for entry in re.split(r"\n(?=[A-Z])", _ENTRIES.strip()):
        head, statement, *reason = entry.split("\n")
        yield head.split(" | "), statement.strip(), "".join(reason).strip()


def requirement(
    name: str, category: str, levels: dict[str, str], outcome: str, *, statement: str, reason: str
) -> dict[str, Any]:
    """Return a requirement with its verdicts weighed."""
    cited = [_DOCUMENTS[profile] for profile in levels if profile in _DOCUMENTS]
    return {
        "id": name,
        "statement": statement,
        "category": category,
        "levels": levels,
        "sources": [{"document": d, "section": "Some section", "title": t, "url": u} for d, t, u in cited],
        "outcome": outcome,
        "verdicts": {profile: str(weigh(Outcome(outcome), Level(level))) for profile, level in levels.items()},
        "scenarios": [f"conformance/{category}/test_it.py::test_{name.lower().replace('-', '_')}"],
        "reason": reason,
        "withheld": "",
    }


def finding(name: str) -> dict[str, Any]:
    """Return a finding of a requirement."""
    url = "http://127.0.0.1:5000/v2/conformance/a1/tags/list?n=2"
    return {
        "requirement": name,
        "scenario": f"conformance/test_it.py::test_{name.lower().replace('-', '_')}",
        "expected": "2 tags, the first two in order: a, b",
        "actual": "5 tags: a, b, c, d, e",
        "exchanges": [
            exchange("PUT", "/v2/conformance/a1/manifests/a", 201, "Created"),
            exchange(
                "GET",
                "/v2/conformance/a1/tags/list?n=2",
                200,
                "OK",
                '{"name": "conformance/a1", "tags": ["a", "b", "c", "d", "e"]}\n',
            ),
        ],
        "curl": f"curl --silent --show-error --include \\\n  --header 'Accept: application/json' \\\n  '{url}'",
        "also_affected": [],
        "note": "",
    }


def tally(report: dict[str, Any]) -> dict[str, Any]:
    """Set the counts and verdicts of the profiles by the requirements and return the report."""
    report["profiles"] = {profile: _profile(report["requirements"], profile) for profile in PROFILES}
    return report


def _profile(entries: list[dict[str, Any]], profile: str) -> dict[str, Any]:
    groups: dict[str, list[str]] = {}
    for entry in entries:
        if profile in entry["verdicts"]:
            groups.setdefault(entry["category"], []).append(entry["verdicts"][profile])
    whole = [verdict for verdicts in groups.values() for verdict in verdicts]
    categories = {name: {"verdict": _worst(v), "counts": dict(Counter(v))} for name, v in groups.items()}
    withheld = Counter(entry["withheld"] for entry in entries if entry["withheld"] and profile in entry["verdicts"])
    scope = {"claimed": list(groups), "withheld": dict(withheld)}
    return {"verdict": _worst(whole), "scope": scope, "counts": dict(Counter(whole)), "categories": categories}


def _worst(verdicts: list[str]) -> str:
    for verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.NOT_TESTED):
        if verdict in verdicts and (verdict is not Verdict.NOT_TESTED or Verdict.PASS not in verdicts):
            return str(verdict)
    return str(Verdict.PASS)


def report(entries: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return a report of a made-up registry, one finding for each broken requirement."""
    if entries is None:
        entries = [
            requirement(name, category, _levels(levels), outcome, statement=statement, reason=reason)
            for (name, category, levels, outcome), statement, reason in _entries()
        ]
    findings = [finding(entry["id"]) for entry in entries if entry["outcome"] == "broken"]
    for one in findings:
        one["also_affected"] = [e["id"] for e in entries if e["reason"] == f"blocked by {one['requirement']}"]
    return tally(
        {
            "format": "1",
            "suite": {"name": "registry-conformance", "version": "0.1.0", "commit": "6afa085"},
            "target": {
                "url": "http://127.0.0.1:5000",
                "product": "docker-registry",
                "version": "2.8.2",
                "capabilities": {
                    "delete-manifest": {"present": True, "declared": True},
                    "referrers": {"present": False, "declared": False},
                },
            },
            "run": {
                "started": "2026-11-23T19:20:00Z",
                "duration_seconds": 8.43,
                "seed": 20261123,
                "options": {
                    "profile": CHOSEN,
                    "registry-url": "http://127.0.0.1:5000",
                    "password": True,
                    "repository": [],
                },
                "profile": CHOSEN,
                "exchanges": {"count": 1432, "contract_checks_ms_total": 411.0, "contract_ms_per_exchange": 0.287},
                "complete": True,
                "exit_code": 1,
            },
            "profiles": {},
            "requirements": entries,
            "findings": findings,
        }
    )


def large(count: int = 500) -> dict[str, Any]:
    """Return a report with that many requirements, each tenth of them broken."""
    outcomes = ("held", "held", "held", "held", "unsupported", "held", "held", "not tested", "held", "broken")
    entries = []
    known = list(_entries())
    for n in range(count):
        (name, category, levels, _), statement, _ = known[n % len(known)]
        outcome = outcomes[n % len(outcomes)]
        reason = "" if outcome in {"held", "broken"} else "this is why it was not decided"
        entries.append(
            requirement(f"{name}-{n}", category, _levels(levels), outcome, statement=statement, reason=reason)
        )
    return report(entries)


#: Markup, scripts, terminal escapes, NUL, bidi override, lone surrogate, zero-width and line
#: separators.
HOSTILE = (
    "<script>window.pwned=1</script><img src=http://127.0.0.1:9/x onerror=window.pwned=1>"
    "\"'><svg/onload=window.pwned=1></textarea></pre></title></style>{{7*7}}{% raw %}"
    "\x1b[31mred\x1b]0;title\x07\x00\r\n\t\u202eevil\u2066\u200b\u2028\ud800\ufeff\x9b `code` |cell| @user #1 "
    "[a](javascript:alert(1)) <!-- --> ]]> &amp; www.example.org"
)


def hostile(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report whose free texts are all hostile; ids and verdicts stay."""
    made = copy.deepcopy(report)
    made["suite"].update(name=HOSTILE, version=HOSTILE)
    made["target"].update(product=HOSTILE, version=HOSTILE, url="http://a<script>window.pwned=1<img\"'onload=x\u202e")
    made["run"].update(seed=HOSTILE, options={HOSTILE: HOSTILE, "list": [HOSTILE], "map": {HOSTILE: HOSTILE}})
    for entry in made["requirements"]:
        entry.update(statement=HOSTILE, scenarios=[HOSTILE], reason=HOSTILE)
        entry["sources"] = [
            {"document": HOSTILE, "section": HOSTILE, "title": HOSTILE, "url": url}
            for url in (
                HOSTILE,
                "javascript:window.pwned=1",
                "data:text/html,<script>1</script>",
                "https://e\"'><b>.org/",
            )
        ]
    for one in made["findings"]:
        one.update(scenario=HOSTILE, expected=HOSTILE, actual=HOSTILE, curl=HOSTILE, note=HOSTILE)
        one["exchanges"] = [_hostile_exchange(HOSTILE), _hostile_exchange(HOSTILE * 20), _no_text()]
    return made


def _hostile_exchange(text: str) -> dict[str, Any]:
    made = exchange(text, "/", 200, text, text)
    made.update(operation=text, error=text)
    made["request"].update(url="http://[" + text, headers=[[text, text]], body=body(text))
    made["response"].update(headers=[[text, text]])
    return made


def _no_text() -> dict[str, Any]:
    made = exchange("GET", "/v2/a/blobs/x", 200, "OK")
    data = b"\x00\xff<script>window.pwned=1</script>"
    made["response"]["body"] = {**body(""), "size": len(data), "text": None, "base64": base64.b64encode(data).decode()}
    made["request"]["body"] = {**body(""), "size": 70_000, "text": None, "truncated": True}
    return made
