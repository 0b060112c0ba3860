"""Completing an upload with the whole blob in one PUT."""

from __future__ import annotations

import gzip
import hashlib

from conformance.client import digests
from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, with_query
from conformance.scenarios.shared.upload_steps import leads_to
from conformance.target.content import Blob, digest_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, told, verifies


@verifies(
    "PUSH-PUT-MONOLITHIC-201",
    "PUSH-PUT-LOCATION-PRESENT",
    "PUSH-PUT-DIGEST-HEADER-PRESENT",
    "PUSH-PUT-DIGEST-HEADER-VALUE",
    "PUSH-PUT-BODY-EMPTY",
    "PUSH-PUT-LOCATION-PULLABLE",
    "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
)
def test_put_of_a_whole_blob(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A PUT of the whole blob with its digest is answered 201 and the blob can be pulled."""
    blob = setup.make.blob(1024)
    answer = repo.put_upload(setup.upload(repo), blob.digest, blob.content)
    judge.require_status("PUSH-PUT-MONOLITHIC-201", answer, 201)
    _judge_digest_header(judge, answer, blob)
    judge(
        "PUSH-PUT-BODY-EMPTY",
        not answer.body,
        "a 201 without body",
        answer,
        actual=f"the body has {len(answer.body)} bytes",
    )
    if judge.header("PUSH-PUT-LOCATION-PRESENT", answer, "Location"):
        leads_to(judge, "PUSH-PUT-LOCATION-PULLABLE", answer, blob, repo=repo)
    else:
        judge.inconclusive("PUSH-PUT-LOCATION-PULLABLE", "blocked by PUSH-PUT-LOCATION-PRESENT")
    head = setup.headed_blob(repo, blob.digest)
    length = head.header("Content-Length")
    judge(
        "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
        length in {None, str(len(blob.content))},
        f"Content-Length {len(blob.content)} from HEAD of the blob",
        head,
        actual=told(head, "Content-Length"),
    )
    expected = "the uploaded bytes under the digest"
    judge.gives("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", setup.read_blob(repo, blob.digest), blob.content, expected, answer)


@verifies("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST")
def test_put_of_what_another_repository_has(
    repo: Repository, other_repo: Repository, setup: SetUp, judge: Judge
) -> None:
    """A blob that was accepted can be pulled, also where another repository got the same bytes meanwhile."""
    location = setup.upload(other_repo)
    blob = setup.blob(repo)
    setup.pulled_blob(repo, blob.digest)
    answer = other_repo.put_upload(location, blob.digest, blob.content)
    if answer.status != 201:
        again = other_repo.put_upload(setup.upload(other_repo), blob.digest, blob.content)
        expected = "status 201 to an upload whose bytes another repository got meanwhile, as to one that begins later"
        judge.beside("PUSH-SESSION-PARALLEL-ISOLATED", again.status != 201, expected, answer, again)
        raise Undecided(f"blocked by PUSH-PUT-MONOLITHIC-201: the second upload gave status {answer.status}", answer)
    expected = "the uploaded bytes in the second repository"
    got = setup.read_blob(other_repo, blob.digest)
    judge.gives("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", got, blob.content, expected, answer)


def _judge_digest_header(judge: Judge, answer: Response, blob: Blob) -> None:
    value = answer.header("Docker-Content-Digest")
    judge.header("PUSH-PUT-DIGEST-HEADER-PRESENT", answer, "Docker-Content-Digest")
    if value is None:
        judge.unsupported("PUSH-PUT-DIGEST-HEADER-VALUE", "the 201 has no Docker-Content-Digest")
        return
    fits = digests.fits(value, blob.content)
    if fits is None:
        judge.unsupported("PUSH-PUT-DIGEST-HEADER-VALUE", f"the algorithm of {value} is not known here")
    else:
        judge.header(
            "PUSH-PUT-DIGEST-HEADER-VALUE",
            answer,
            "Docker-Content-Digest",
            lambda _: bool(fits),
            f"a digest of the uploaded bytes, such as {blob.digest},",
        )


@verifies("PUSH-BLOB-BINARY-EXACT")
def test_put_of_all_byte_values(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Bytes of any kind come back unchanged."""
    text = b"line\r\nline\n\x00\xff\xfe\xc3\x28"
    blob = Blob.of(setup.make.bytes(16) + bytes(range(256)) + gzip.compress(text, mtime=0) + text)
    setup.blob(repo, blob)
    judge.gives(
        "PUSH-BLOB-BINARY-EXACT",
        setup.read_blob(repo, blob.digest),
        blob.content,
        "exactly the bytes that were uploaded",
    )


@verifies(
    "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
    "PUSH-PUT-DIGEST-MISMATCH-400",
    "PUSH-PUT-DIGEST-MISMATCH-CODE",
    "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
)
def test_put_with_the_digest_of_other_bytes(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A PUT with a digest of other bytes is refused with 400 DIGEST_INVALID and makes no blob."""
    sent, claimed = setup.make.blob(), setup.make.blob()
    answer = repo.put_upload(setup.upload(repo), claimed.digest, sent.content)
    judge.require("PUSH-PUT-DIGEST-MISMATCH-REJECTED", not answer.ok, "no 2xx to a wrong digest", answer)
    judge.status("PUSH-PUT-DIGEST-MISMATCH-400", answer, 400)
    judge.code("PUSH-PUT-DIGEST-MISMATCH-CODE", answer, "DIGEST_INVALID", "BLOB_UPLOAD_INVALID")
    for name, blob in (("claimed digest", claimed), ("digest of the bytes sent", sent)):
        got = repo.get_blob(blob.digest)
        expected = f"no blob under the {name} after a refused PUT"
        judge.absent("PUSH-PUT-DIGEST-MISMATCH-NO-BLOB", got, expected, answer, stored=sent.content)


@verifies("PUSH-PUT-DIGEST-MISSING-REJECTED", "PUSH-PUT-DIGEST-MISSING-400")
def test_put_without_digest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A PUT without the digest parameter does not complete the upload."""
    blob = setup.make.blob()
    answer = repo.put_upload(setup.upload(repo), None, blob.content)
    judge.require("PUSH-PUT-DIGEST-MISSING-REJECTED", not answer.ok, "no 2xx to a PUT without digest", answer)
    judge.status("PUSH-PUT-DIGEST-MISSING-400", answer, 400)
    got = repo.get_blob(blob.digest)
    judge.absent("PUSH-PUT-DIGEST-MISSING-REJECTED", got, "no blob after a PUT without digest", answer)


@verifies("PUSH-PUT-DIGEST-MALFORMED-400", "PUSH-PUT-DIGEST-MISMATCH-REJECTED", "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB")
def test_put_with_a_malformed_digest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A PUT with a malformed digest, or one of a wrong length, gets 400 and makes no blob."""
    blob = setup.make.blob()
    for digest in digests.malformed(blob.digest):
        answer = repo.put_upload(setup.upload(repo), digest, blob.content)
        if answer.ok:
            judge("PUSH-PUT-DIGEST-MISMATCH-REJECTED", False, f"no 2xx to digest={digest}", answer)
            judge.stop("PUSH-PUT-DIGEST-MISMATCH-REJECTED")
        judge.status("PUSH-PUT-DIGEST-MALFORMED-400", answer, 400, when=f"to digest={digest}")
    judge("PUSH-PUT-DIGEST-MISMATCH-REJECTED", True, "")
    got = repo.get_blob(blob.digest)
    expected = "no blob under the digest of the bytes sent after refused PUTs"
    judge.absent("PUSH-PUT-DIGEST-MISMATCH-NO-BLOB", got, expected)


@verifies("PUSH-PUT-DIGEST-ALGORITHM-UNKNOWN-REJECTED", "PUSH-PUT-DIGEST-ALGORITHM-UNKNOWN-400")
def test_put_with_an_unknown_algorithm(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A digest of an unknown algorithm completes no upload, and is answered 400."""
    blob = setup.make.blob()
    digest = blob.digest.replace("sha256", "test256")
    answer = repo.put_upload(setup.upload(repo), digest, blob.content)
    judge.require("PUSH-PUT-DIGEST-ALGORITHM-UNKNOWN-REJECTED", not answer.ok, f"no 2xx to digest={digest}", answer)
    judge.status("PUSH-PUT-DIGEST-ALGORITHM-UNKNOWN-400", answer, 400)
    # Some know this one. It is that of other bytes.
    digest = f"sha384:{hashlib.sha384(setup.make.bytes()).hexdigest()}"
    answer = repo.put_upload(setup.upload(repo), digest, blob.content)
    expected = f"no 2xx to digest={digest}, which is not that of the blob"
    judge("PUSH-PUT-DIGEST-ALGORITHM-UNKNOWN-REJECTED", not answer.ok, expected, answer)


@verifies("PUSH-PUT-DIGEST-UPPERCASE")
def test_put_with_an_upper_case_digest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A sha256 digest in upper-case hex is not taken for a valid one."""
    blob = setup.make.blob()
    digest = "sha256:" + blob.digest.removeprefix("sha256:").upper()
    answer = repo.put_upload(setup.upload(repo), digest, blob.content)
    judge("PUSH-PUT-DIGEST-UPPERCASE", not answer.ok, "no 2xx to a digest in upper-case hex", answer)


@verifies("PUSH-PUT-DIGEST-MULTIPLE")
def test_put_with_two_right_digests(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Two right digests of the same bytes are accepted, or refused; by a wrong one beside a right one nothing comes."""
    blob = setup.make.blob()
    location = with_query(setup.upload(repo), "digest=" + digest_of(blob.content, "sha512").replace(":", "%3A"))
    answer = repo.put_upload(location, blob.digest, blob.content)
    judge(
        "PUSH-PUT-DIGEST-MULTIPLE",
        answer.status == 201 or answer.refused,
        "201, or a refusal (4xx), to a PUT with a sha256 and a sha512 digest",
        answer,
    )
    # Which of several a registry verifies is its own (docker-api, Completed Upload); what a digest leads to is not.
    for wrong_first in (False, True):
        blob, wrong = setup.make.blob(), setup.make.digest()
        first, last = (wrong, blob.digest) if wrong_first else (blob.digest, wrong)
        location = with_query(setup.upload(repo), "digest=" + first.replace(":", "%3A"))
        answer = repo.put_upload(location, last, blob.content)
        # Where a wrong one alone is taken, too, other scenarios say so.
        if answer.ok and not repo.put_upload(setup.upload(repo), setup.make.digest(), blob.content).ok:
            got = repo.get_blob(wrong)
            expected = "no other bytes under a wrong digest that was named beside the right one"
            judge.beside("PULL-BLOB-GET-BODY-EXACT", not got.ok, expected, answer, got)


@verifies("PUSH-BLOB-EMPTY-ACCEPTED")
def test_put_of_an_empty_blob(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A blob of zero bytes can be pushed."""
    answer = repo.put_upload(setup.upload(repo), digest_of(b""), b"")
    judge.status("PUSH-BLOB-EMPTY-ACCEPTED", answer, 201, when="to an upload of no bytes")
