"""What deletion does to referrers, and what a refused deletion does not do."""

from __future__ import annotations

from functools import partial

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.scenarios.shared.artifacts import SBOM, listed, refer
from conformance.scenarios.shared.concurrent_clients import at_once
from conformance.scenarios.shared.deletion_steps import NOT_FOUND, OK, deleted, manifest_gone
from conformance.settings import Settings
from conformance.target.content import ANY_MANIFEST, EMPTY_TYPE
from conformance.target.lists import all_referrers, descriptors_of, settled_tags
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, told, verifies

UNLISTED = "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED"
SUBJECT = "DISC-REFERRERS-SUBJECT-DELETED"
ALLOW = "MGMT-DELETE-405-ALLOW"
NO_EFFECT = "MGMT-DELETE-REFUSED-NO-EFFECT"
COMPLETE = "DISC-REFERRERS-COMPLETE"
BLOBS = "MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT"


@verifies(UNLISTED, COMPLETE)
def test_delete_a_referrer(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A referrer that is deleted is listed no more, others are; then the list is empty, not absent."""
    # Artifacts have it in common, as they need no configuration.
    config = setup.blob(repo, b"{}")
    subject = setup.image(repo)
    empty = {"config_type": EMPTY_TYPE, "artifactType": SBOM}
    referrer, other, third = (refer(repo, setup, subject.descriptor(), setup.make.tag(), **empty) for _ in range(3))
    referrers = (referrer, other, third)
    if not {each.digest for each in referrers} <= listed(repo, subject.digest, settings, *referrers).keys():
        raise Undecided("blocked by DISC-REFERRERS-COMPLETE")
    deleted(repo.delete_manifest(referrer.digest), "MANIFEST", used=True)
    if manifest_gone(settings, repo, referrer.digest).status != NOT_FOUND:
        raise Undecided("blocked by MGMT-MANIFEST-DELETE-GET-404")
    answer = _without(repo, subject.digest, settings, referrer.digest)
    left = _digests(repo, subject.digest, answer)
    judge(UNLISTED, answer.status == OK and referrer.digest not in left, "the list without it", answer)
    judge(COMPLETE, {other.digest, third.digest} <= left, "the other referrers of its type as before", answer)
    got = repo.get_blob(config.digest)
    judge.beside(BLOBS, got.status != NOT_FOUND, "the configuration that another manifest has, too", answer, got)
    at_once(partial(repo.delete_manifest, other.digest), partial(repo.delete_manifest, third.digest))
    if not all(manifest_gone(settings, repo, each.digest).status == NOT_FOUND for each in (other, third)):
        return
    answer = _without(repo, subject.digest, settings, other.digest, third.digest)
    held = answer.status == OK and not _digests(repo, subject.digest, answer)
    judge(UNLISTED, held, "status 200 and no referrers after two were deleted at the same time", answer)


def _without(repo: Repository, subject: str, settings: Settings, *referrers: str) -> Response:
    """Return the referrers of a subject as soon as some are gone, or when time to settle is over."""
    return settings.ask(
        lambda: repo.referrers(subject), lambda answer: not _digests(repo, subject, answer) & {*referrers}
    )


def _digests(repo: Repository, subject: str, answer: Response) -> set[str]:
    """Return the digests of a list of referrers; none where the answer is no list."""
    if answer.status != OK:
        return set()
    entries = descriptors_of(answer) if "Link" not in answer.headers else all_referrers(repo, subject)
    return {str(entry.get("digest")) for entry in entries}


@verifies(SUBJECT)
def test_delete_the_subject_of_a_referrer(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """The referrers of a deleted manifest can be asked for; what is listed is there."""
    subject = setup.another(repo, setup.image(repo), setup.make.tag())
    referrer = refer(repo, setup, subject.descriptor())
    listed(repo, subject.digest, settings, referrer)
    deleted(repo.delete_manifest(subject.digest), "MANIFEST", used=True)
    manifest_gone(settings, repo, subject.digest)
    answer = repo.referrers(subject.digest)
    found = answer.json.get("manifests") if isinstance(answer.json, dict) else None
    judge.require(SUBJECT, answer.status == OK and isinstance(found, list), "status 200 and an image index", answer)
    for entry in descriptors_of(answer):
        pulled = repo.get_manifest(str(entry.get("digest")), ANY_MANIFEST)
        judge(SUBJECT, pulled.status == OK, "that each listed referrer can be pulled", answer, pulled)
    # It may be gone with its subject.
    deletion = repo.delete_manifest(referrer.digest)
    if deletion.ok and manifest_gone(settings, repo, referrer.digest).status == NOT_FOUND:
        answer = _without(repo, subject.digest, settings, referrer.digest)
        held = referrer.digest not in _digests(repo, subject.digest, answer)
        judge.beside(UNLISTED, held, "a list without a referrer that was deleted, too", deletion, answer)


@verifies(ALLOW, NO_EFFECT)
def test_refused_deletions(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """What may not be deleted stays; a method that is not allowed is told from those that are."""
    manifest = setup.image(repo)
    tag, blob = manifest.tag or "", manifest.blobs[0]
    # In this order, so that a deletion that is carried out takes nothing from the ones after it.
    answers = [repo.delete_blob(blob.digest)]
    if answers[-1].refused:
        answers.append(repo.delete_manifest(manifest.digest))
    if answers[-1].refused and len(answers) > 1:
        answers.append(repo.delete_manifest(tag))
    refused = [answer for answer in answers if answer.refused]
    unlisted = [answer for answer in refused if answer.status == 405]
    for answer in unlisted:
        methods = [word.strip().upper() for word in (answer.header("Allow") or "").split(",")]
        held = "Allow" in answer.headers and "DELETE" not in methods
        judge(ALLOW, held, "an Allow header without DELETE", answer, actual=told(answer, "Allow"))
    if not unlisted:
        judge.unsupported(ALLOW, "no deletion is answered 405")
    if not refused:
        raise Unsupported("no deletion is refused")
    pulled = repo.get_blob(blob.digest)
    judge(NO_EFFECT, pulled.status == OK, "the blob whose deletion was refused", refused[0], pulled)
    if len(refused) == 3:
        for reference in (tag, manifest.digest):
            pulled = repo.get_manifest(reference, ANY_MANIFEST)
            judge.gives(NO_EFFECT, pulled, manifest.body, "the manifest whose deletion was refused", *refused)
        listed = settled_tags(repo, settings, {tag})
        judge(NO_EFFECT, tag in listed, "its tag in the list", *refused, *listed.pages)
