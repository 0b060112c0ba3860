"""Referrers that several clients push at the same time."""

from __future__ import annotations

from functools import partial

from conformance.client.registry import Repository
from conformance.scenarios.shared.artifacts import listed
from conformance.scenarios.shared.concurrent_clients import at_once, clients, judge_available
from conformance.scenarios.shared.manifest_variants import variant
from conformance.settings import Settings
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, listing, verifies

AVAILABLE = "BASE-CONCURRENT-NO-500"
COMPLETE = "DISC-REFERRERS-CONCURRENT-COMPLETE"


@verifies(COMPLETE, AVAILABLE)
def test_many_referrers_of_one_subject(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """Many referrers of one subject that are pushed at the same time are all listed."""
    subject = setup.image(repo)
    manifests = [
        variant(subject, subject=subject.descriptor(), annotations={"org.example.number": str(number)})
        for number in range(clients(settings))
    ]
    puts = at_once(*(partial(repo.put_manifest, manifest.digest, manifest.body) for manifest in manifests))
    judge_available(judge, AVAILABLE, *puts)
    created = [manifest for manifest, put in zip(manifests, puts, strict=True) if put.status == 201]
    if len(created) < 2:
        raise Undecided("fewer than two referrers were accepted at the same time", *puts)
    found = listed(repo, subject.digest, settings, *created)
    missing = [manifest.digest for manifest in created if manifest.digest not in found]
    expected = f"all {len(created)} referrers that were pushed at the same time"
    judge(COMPLETE, not missing, expected, *puts[:1], actual=f"the list lacks {listing(missing)}")
