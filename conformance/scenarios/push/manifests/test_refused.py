"""Manifests that are refused, or may be."""

from __future__ import annotations

from typing import Any

from conformance.client.digests import malformed
from conformance.client.http.exchange import Response
from conformance.client.registry import OCI_INDEX, OCI_MANIFEST, Repository
from conformance.contract.wording import quoted
from conformance.scenarios.shared.manifest_variants import padded, unpushed, variant
from conformance.settings import Settings
from conformance.target.content import ANY_MANIFEST, Blob, Manifest, digest_of, index
from conformance.target.session import Repositories
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, NotTested, Undecided, Unsupported, codes_of, listing, told, verifies
from spec.model import Withheld

CREATED = 201
CODE = "PUSH-MANIFEST-MISSING-BLOB-CODE"
#: How many layers are missing: a registry may count them off.
MANY = 25
#: 1.1 names the one in its sentence and points to the other in its table; Docker and 1.0 name the
#: other.
MISSING = ("MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN")
MISMATCH = "PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED"
BY_NOTHING = "PUSH-MANIFEST-BAD-REFERENCE-NOT-STORED"


@verifies("PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED", "PUSH-MANIFEST-DIGEST-MISMATCH-400-CODE")
def test_put_manifest_by_a_wrong_digest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest pushed by a digest that is not its own is refused with DIGEST_INVALID."""
    manifest, wrong = unpushed(repo, setup), setup.make.digest()
    answer = repo.put_manifest(wrong, manifest.body)
    judge.require(MISMATCH, not answer.ok, "no 2xx to a manifest under a digest that is not its own", answer)
    judge.code("PUSH-MANIFEST-DIGEST-MISMATCH-400-CODE", answer, "DIGEST_INVALID", "MANIFEST_INVALID")
    got = repo.get_manifest(wrong, ANY_MANIFEST)
    judge.absent(MISMATCH, got, "no manifest under the wrong digest", answer, stored=manifest.body)


@verifies("PUSH-MANIFEST-MALFORMED-REJECTED", "PUSH-MANIFEST-REFUSED-NOT-STORED")
def test_put_manifest_that_is_no_json(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A body that is no JSON is refused with MANIFEST_INVALID, and the tag stays where it was."""
    manifest = setup.image(repo)
    broken = Manifest.of(manifest.body[:-2], OCI_MANIFEST)
    tag = str(manifest.tag)
    # Under a tag of its own first: a registry whose tags cannot be moved refuses the other one for
    # that reason.
    answer = repo.put_manifest(setup.make.tag(), broken.body)
    if not judge.refused("PUSH-MANIFEST-MALFORMED-REJECTED", answer, "of a manifest that is no JSON"):
        judge.unsupported("PUSH-MANIFEST-REFUSED-NOT-STORED", "the target does not refuse a manifest that is no JSON")
        return
    codes = answer.error_codes
    judge(
        "PUSH-MANIFEST-MALFORMED-REJECTED",
        codes is None or "MANIFEST_INVALID" in codes,
        "the error code MANIFEST_INVALID",
        answer,
        actual=codes_of(answer),
    )
    answer = repo.put_manifest(tag, broken.body)
    kept, absent = setup.read_manifest(repo, tag), repo.get_manifest(broken.digest, ANY_MANIFEST)
    requirement = "PUSH-MANIFEST-REFUSED-NOT-STORED"
    judge.gives(requirement, kept, manifest.body, "the tag where it was", answer)
    judge.absent(requirement, absent, "no manifest under the digest of a refused one", answer)


@verifies(
    "PUSH-MANIFEST-MISSING-BLOB-CODE",
    "PUSH-MANIFEST-MISSING-BLOB-400",
    "PUSH-MANIFEST-MISSING-BLOB-DETAIL",
    "PUSH-MANIFEST-REFUSED-NOT-STORED",
)
def test_put_manifest_with_missing_layers(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest refused for missing blobs names them with the code for it."""
    missing = [setup.make.blob() for _ in range(MANY)]
    manifest = setup.unpushed_image([setup.blob(repo, setup.make.config()), *missing])
    answer = repo.put_manifest(setup.make.tag(), manifest.body)
    if answer.status == 201:
        raise Unsupported("the target takes manifests whose blobs are missing")
    stored = repo.get_manifest(manifest.digest, ANY_MANIFEST)
    judge.absent("PUSH-MANIFEST-REFUSED-NOT-STORED", stored, "no manifest that was refused", answer)
    judge.status("PUSH-MANIFEST-MISSING-BLOB-400", answer, 400, when="to a manifest whose layers are missing")
    _judge_missing(judge, CODE, answer)
    if answer.error_codes is None:
        judge.unsupported("PUSH-MANIFEST-MISSING-BLOB-DETAIL", "the error answer has no JSON body")
        return
    named, details = _detailed(answer)
    judge(
        "PUSH-MANIFEST-MISSING-BLOB-DETAIL",
        {blob.digest for blob in missing} <= named,
        "an error for each missing blob, whose detail is an object with the digest as its member digest,",
        answer,
        actual=f"the details were {details}",
    )


def _judge_missing(judge: Judge, requirement: str, answer: Response) -> None:
    """Judge the answer to a manifest with missing references: 201, or a refusal with its code."""
    if answer.status == 201:
        judge(requirement, True, "")
    elif judge.refused(requirement, answer, "or 201, to a manifest with missing references"):
        judge.code(requirement, answer, *MISSING)


def _detailed(answer: Response) -> tuple[set[str], str]:
    """Return the digests in the details of errors, and all details in words."""
    errors: list[Any] = answer.json["errors"]
    details = [error.get("detail") for error in errors if isinstance(error, dict)]
    named = {str(detail["digest"]) for detail in details if isinstance(detail, dict) and "digest" in detail}
    return named, listing(quoted(detail) for detail in details)


@verifies("PUSH-MANIFEST-INDEX-MISSING-CHILD")
def test_put_index_with_a_missing_child(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """An index whose child was never pushed is taken, or refused with the code for it."""
    child = setup.unpushed_image([setup.blob(repo, setup.make.config())])
    there = setup.image(repo, None)
    sparse = Manifest.of(index([there.descriptor(), child.descriptor()]), OCI_INDEX)
    answer = repo.put_manifest(setup.make.tag(), sparse.body, OCI_INDEX)
    _judge_missing(judge, "PUSH-MANIFEST-INDEX-MISSING-CHILD", answer)


@verifies("PUSH-MANIFEST-BLOB-IN-OTHER-REPO")
def test_put_manifest_with_blobs_elsewhere(
    repo: Repository, other_repo: Repository, setup: SetUp, judge: Judge
) -> None:
    """A manifest whose blobs are in another repository is accepted, or refused with its code."""
    if repo.name == other_repo.name:
        raise Undecided("two repositories are needed")
    manifest = unpushed(repo, setup)
    setup.blob(other_repo)
    _judge_missing(judge, "PUSH-MANIFEST-BLOB-IN-OTHER-REPO", other_repo.put_manifest(setup.make.tag(), manifest.body))


@verifies("PUSH-MANIFEST-TAG-INVALID-REJECTED", MISMATCH, BY_NOTHING)
def test_put_manifest_under_no_reference(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest pushed to a reference that is no tag and no digest is refused and not stored."""
    manifest = setup.unpushed_image([setup.blob(repo, setup.make.config())])
    # By sha512 also where the target refuses that for blobs.
    digests = ("sha256:short", digest_of(setup.make.bytes(), "sha512"), *malformed(manifest.digest)[-3:])
    for reference in (".dot", "x" * 129, *digests):
        answer = repo.put_manifest(reference, manifest.body)
        if answer.ok and reference in digests:
            judge(MISMATCH, False, f"no 2xx to a manifest under {reference}", answer)
        else:
            judge.refused("PUSH-MANIFEST-TAG-INVALID-REJECTED", answer, when=f"to the reference {reference}")
        if reference in digests:
            got = repo.get_manifest(reference, ANY_MANIFEST)
            judge(MISMATCH, not got.ok, f"no manifest under {reference}", answer, got)
    stored = repo.get_manifest(manifest.digest, ANY_MANIFEST)
    judge(BY_NOTHING, not stored.ok, "no manifest under its digest after pushes that were not accepted", answer, stored)


@verifies(
    "PUSH-MANIFEST-TYPE-UNKNOWN", "PUSH-MANIFEST-TYPE-CONTRADICTS-MEDIATYPE", "PUSH-MANIFEST-TYPE-PARAMETERS-IGNORED"
)
def test_put_manifest_under_other_types(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """An unknown or contradicting type is accepted or refused (4xx); parameters are ignored."""
    manifest = setup.unpushed_image([setup.blob(repo, setup.make.config())])
    unknown = variant(manifest, mediaType="application/vnd.example.manifest.v1+json")
    answer = repo.put_manifest(setup.make.tag(), unknown.body, "application/vnd.example.manifest.v1+json")
    expected = "201 or a refusal (4xx)"
    judge("PUSH-MANIFEST-TYPE-UNKNOWN", answer.status == 201 or answer.refused, expected, answer)
    answer = repo.put_manifest(setup.make.tag(), variant(manifest, mediaType=OCI_INDEX).body, OCI_MANIFEST)
    judge("PUSH-MANIFEST-TYPE-CONTRADICTS-MEDIATYPE", answer.status == 201 or answer.refused, expected, answer)
    tag = setup.make.tag()
    requirement = "PUSH-MANIFEST-TYPE-PARAMETERS-IGNORED"
    answer = repo.put_manifest(tag, manifest.body, f"{OCI_MANIFEST}; charset=utf-8")
    if judge.status(requirement, answer, 201, when="to a Content-Type with a parameter"):
        got = setup.read_manifest(repo, tag, OCI_MANIFEST)
        judge(
            requirement,
            got.status == 200 and got.header("Content-Type") == OCI_MANIFEST,
            f"status 200 and Content-Type {OCI_MANIFEST} from the pull",
            answer,
            got,
            actual=told(got, "Content-Type"),
        )


@verifies("PUSH-MANIFEST-OVERSIZE-413", "PUSH-MANIFEST-STATUS-201")
def test_put_manifest_over_the_limit(
    repo: Repository, setup: SetUp, judge: Judge, settings: Settings, repository: Repositories
) -> None:
    """A manifest above the target's limit is answered 413, and counts for nothing."""
    manifest = setup.unpushed_image([setup.blob(repo, setup.make.config())])
    for size in (5_000_000, 16 << 20, 32 << 20)[: 3 if settings.effort == "thorough" else 1]:
        answer = repo.put_manifest(setup.make.tag(), padded(manifest, size).body)
        if answer.failure:
            raise Undecided("the connection ended while the manifest was sent")  # the one way to stop a sender
        if answer.status != 201:
            judge.status("PUSH-MANIFEST-OVERSIZE-413", answer, 413, when=f"to a manifest of {size} bytes")
            _judge_after(repo, repository, setup, judge, manifest)
            return
    raise Unsupported(f"no limit was seen up to {size} bytes")


def _judge_after(repo: Repository, repository: Repositories, setup: SetUp, judge: Judge, manifest: Manifest) -> None:
    """Judge that a small manifest is taken after a large one was refused.

    A repository may be full. One that takes as much where nothing was refused is not.
    """
    requirement = "PUSH-MANIFEST-STATUS-201"
    answer = repo.put_manifest(setup.make.tag(), manifest.body)
    if answer.refused:
        there = repository("beside", fresh=True)
        for blob in manifest.blobs:
            setup.blob(there, blob)
        control = there.put_manifest(setup.make.tag(), manifest.body)
        if control.status != CREATED:
            judge.unsupported(requirement, "the target refuses small manifests")
            return
    expected = "status 201 to a small manifest, as in a repository where no larger one was refused"
    judge(requirement, answer.status == CREATED, expected, answer)


@verifies("PUSH-MANIFEST-STREAMED-WHOLE")
def test_put_manifest_of_unknown_length(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest in chunked coding is stored whole or refused, however long it is."""
    manifest = setup.unpushed_image([setup.blob(repo, setup.make.config())])
    for size in (5_000_000, 9_000_000):
        tag, padding = setup.make.tag(), b" " * (size - len(manifest.body))
        answer = repo.put_manifest(tag, manifest.body + padding, streamed=True)
        if answer.status != 201:
            continue
        got = repo.get_manifest(tag, OCI_MANIFEST, stream=True, max_body=2 * size)
        held = got.status == 200 and got.digest == digest_of(manifest.body + padding)
        actual = f"{got.size} bytes of digest {got.digest} came" if got.status == 200 else None
        judge("PUSH-MANIFEST-STREAMED-WHOLE", held, f"the {size} bytes that were sent", answer, got, actual=actual)
    if not judge.judgements:
        raise Unsupported("manifests of 5,000,000 bytes are refused in chunked coding")


@verifies("PUSH-READONLY-405")
def test_push_to_a_registry_that_takes_none(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A registry that takes no pushes answers them with 405."""
    if settings.read_only:
        raise NotTested("the options allow no pushes", Withheld.WRITING)
    if repo.start_upload(tried=True).status not in {405, 501}:
        raise Unsupported("the target takes pushes")
    blob = Blob.of(b"{}")
    manifest = setup.unpushed_image([blob])
    for answer in (
        repo.upload_single(blob.digest, blob.content, tried=True),
        repo.put_manifest(setup.make.tag(), manifest.body, tried=True),
    ):
        if answer.status in {401, 403}:
            raise Undecided(f"access control answered first (status {answer.status})")
        judge("PUSH-READONLY-405", answer.status == 405, "status 405 to a push", answer)
