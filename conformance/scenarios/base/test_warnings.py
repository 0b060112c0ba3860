"""Warning headers."""

from __future__ import annotations

import re

from conformance.client.registry import Registry, Repository
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Unsupported, verifies

#: Codes that caches on the way add by themselves (RFC 7234, 5.5).
BY_CACHES = frozenset({"110", "111", "112", "113", "214"})
WARNING = re.compile(r'\s*(\d{3}) (\S+) "((?:[^"\\]|\\.)*)"(\s+"[^"]*")?\s*(?:,|$)')


@verifies("BASE-WARNING-FORMAT", "BASE-WARNING-SIZE")
def test_warnings(registry: Registry, repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A warning has the code 299, no agent and no date, and all warnings of an answer are short."""
    manifest = setup.image(repo)
    answers = (
        registry.base(),
        setup.pulled_manifest(repo, manifest.digest, manifest.media_type),
        setup.headed_manifest(repo, manifest.digest, manifest.media_type),
    )
    warned = [answer for answer in answers if "Warning" in answer.headers]
    if not warned:
        raise Unsupported("no answer carried a Warning")
    for answer in warned:
        texts: list[str] = []
        for value in answer.headers.all("Warning"):
            found = [match for match in WARNING.finditer(value) if match[1] not in BY_CACHES]
            texts += [match[3] for match in found]
            fits = all(match[1] == "299" and match[2] == "-" and not match[4] for match in found)
            judge(
                "BASE-WARNING-FORMAT",
                fits and WARNING.match(value),
                'a warning of the form 299 - "text"',
                answer,
                actual=f"Warning: {value}",
            )
        size = sum(len(text.encode()) for text in texts)
        judge("BASE-WARNING-SIZE", size <= 4096, "at most 4096 bytes of warnings", answer, actual=f"{size} bytes")
