"""The discovery of extensions."""

from __future__ import annotations

import re
from typing import Any

from conformance.client.http.exchange import Response
from conformance.client.registry import Registry
from conformance.target.lists import OK, member_of
from conformance.target.session import Repositories
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, listing, verifies

SHAPE = "DISC-EXT-DISCOVER-SHAPE"
NAMES = "DISC-EXT-NAME-FORM"
UNIQUE = "DISC-EXT-NAME-UNIQUE"
ENDPOINTS = "DISC-EXT-ENDPOINTS"
#: The text forgets to say that the part behind the first word may be absent or repeated.
_NAME = re.compile(r"_[a-z0-9]+(?:[._-][a-z0-9]+)*")


@verifies(SHAPE, NAMES, UNIQUE, ENDPOINTS)
def test_discovery_of_extensions(registry: Registry, repository: Repositories, setup: SetUp, judge: Judge) -> None:
    """Where extensions can be discovered, each is described by a name, a URL and its endpoints."""
    repo = repository()
    setup.image(repo)
    for path in ("/v2/_oci/ext/discover", f"/v2/{repo.name}/_oci/ext/discover"):
        answer = registry.request("GET", path, operation="ext.discover", parameters={"name": repo.name})
        if answer.status >= 500 and answer.status != 501:  # Not Implemented
            judge(SHAPE, False, "status 200 and a list of extensions, or a refusal", answer)
            continue
        if answer.status != OK or answer.media_type != "application/json":
            for requirement in (SHAPE, NAMES, UNIQUE, ENDPOINTS):
                judge.unsupported(requirement, f"no extensions are offered there (status {answer.status})")
            continue
        found = answer.json.get("extensions") if isinstance(answer.json, dict) else None
        held = isinstance(found, list) and all(_described(entry) for entry in found)
        expected = "an array of extensions, each with name and url"
        if judge(SHAPE, held, expected, answer, actual=member_of(answer, "extensions")):
            _judge_entries(judge, answer, found or [])


def _described(entry: object) -> bool:
    return isinstance(entry, dict) and all(isinstance(entry.get(name), str) and entry[name] for name in ("name", "url"))


def _judge_entries(judge: Judge, answer: Response, entries: list[dict[str, Any]]) -> None:
    if not entries:
        for requirement in (NAMES, UNIQUE, ENDPOINTS):
            judge.unsupported(requirement, "the list of extensions is empty")
        return
    names = [str(entry["name"]) for entry in entries]
    odd = [name for name in names if not _NAME.fullmatch(name)]
    judge(NAMES, not odd, "names of an underscore and words in lower case", answer, actual=f"there was {listing(odd)}")
    twice = sorted({name for name in names if names.count(name) > 1})
    judge(UNIQUE, not twice, "each name once", answer, actual=f"several entries are named {listing(twice)}")
    without = [str(entry["name"]) for entry in entries if not _has_endpoints(entry)]
    actual = f"{listing(without)} had none"
    judge(ENDPOINTS, not without, "an array of strings as the endpoints of each extension", answer, actual=actual)


def _has_endpoints(entry: dict[str, Any]) -> bool:
    found = entry.get("endpoints")
    return isinstance(found, list) and all(isinstance(endpoint, str) for endpoint in found)
