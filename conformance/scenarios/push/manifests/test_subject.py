"""Pushing manifests with a subject."""

from __future__ import annotations

from conformance.client.registry import OCI_INDEX, OCI_MANIFEST, Repository
from conformance.target.capabilities import Capabilities
from conformance.target.content import Descriptor, Manifest, index
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, verifies

ABSENT = "PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED"
INDEX_ABSENT = "PUSH-MANIFEST-SUBJECT-INDEX-ABSENT-ACCEPTED"
ONLY = "PUSH-MANIFEST-OCI-SUBJECT-ONLY-IF-REFERRERS"


def absent_subject(setup: SetUp) -> Descriptor:
    """Return the descriptor of a manifest that nobody has pushed."""
    return {"mediaType": OCI_MANIFEST, "digest": setup.make.digest(), "size": 500}


@verifies(
    "PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED",
    "PUSH-MANIFEST-OCI-SUBJECT-PRESENT",
    "PUSH-MANIFEST-OCI-SUBJECT-VALUE",
    "PUSH-MANIFEST-OCI-SUBJECT-ONLY-IF-REFERRERS",
)
def test_put_manifest_with_an_absent_subject(
    repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities
) -> None:
    """A manifest with an absent subject is accepted, and OCI-Subject acknowledges the subject."""
    subject = absent_subject(setup)
    manifest = setup.unpushed_image([setup.blob(repo, setup.make.config())], subject=subject)
    answer = repo.put_manifest(setup.make.tag(), manifest.body)
    judge.require_status(ABSENT, answer, 201, when="to a manifest whose subject is not there")
    seen = answer.header("OCI-Subject")
    if capabilities.has("referrers"):
        again = repo.put_manifest(setup.make.tag(), manifest.body)
        for pushed in (answer, again) if again.status == 201 else (answer,):
            judge.header("PUSH-MANIFEST-OCI-SUBJECT-PRESENT", pushed, "OCI-Subject")
    if seen is not None:
        judge.header("PUSH-MANIFEST-OCI-SUBJECT-VALUE", answer, "OCI-Subject", str(subject["digest"]))
    else:
        judge.unsupported("PUSH-MANIFEST-OCI-SUBJECT-VALUE", "the answer has no OCI-Subject")
    if seen is None:
        judge.unsupported(ONLY, "the answer has no OCI-Subject")
        return
    listed = repo.referrers(str(subject["digest"]))
    judge(
        ONLY,
        listed.status != 404,
        "no OCI-Subject from a registry whose referrers are answered 404",
        answer,
        listed,
        actual=f"OCI-Subject: {seen}",
    )


@verifies(
    "PUSH-MANIFEST-SUBJECT-INDEX-ABSENT-ACCEPTED", "PUSH-MANIFEST-OCI-SUBJECT-INDEX", "PUSH-MANIFEST-OCI-SUBJECT-VALUE"
)
def test_put_index_with_an_absent_subject(
    repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities
) -> None:
    """An index whose subject is not there is taken, and its subject seen as well."""
    child = setup.image(repo, None)
    subject = absent_subject(setup)
    manifest = Manifest.of(index([child.descriptor()], subject=subject), OCI_INDEX)
    answer = repo.put_manifest(manifest.digest, manifest.body, OCI_INDEX)
    judge.require_status(INDEX_ABSENT, answer, 201, when="to an index whose subject is not there")
    if capabilities.has("referrers"):
        judge.header("PUSH-MANIFEST-OCI-SUBJECT-INDEX", answer, "OCI-Subject")
    if "OCI-Subject" in answer.headers:
        judge.header("PUSH-MANIFEST-OCI-SUBJECT-VALUE", answer, "OCI-Subject", str(subject["digest"]))
    else:
        judge.unsupported("PUSH-MANIFEST-OCI-SUBJECT-VALUE", "the answer has no OCI-Subject")
