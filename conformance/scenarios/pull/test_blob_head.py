"""HEAD of blobs."""

from __future__ import annotations

from conformance.client.bare_connection import content_after_head
from conformance.client.registry import Repository
from conformance.scenarios.shared.partial_content import judge_digest
from conformance.scenarios.shared.pull_answers import DIGEST, differences, digest_headers
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, verifies


@verifies(
    "PULL-BLOB-HEAD-200",
    "PULL-BLOB-HEAD-CONTENT-LENGTH",
    "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
    "PULL-BLOB-HEAD-DCD",
    "PULL-BLOB-HEAD-DCD-TRUE",
    "PULL-BLOB-HEAD-GET-AGREE",
)
def test_head_of_a_blob(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """HEAD tells that a blob is there, how long it is, and its digest."""
    blob = setup.blob(repo)
    head = repo.head_blob(blob.digest)
    judge.require_status("PULL-BLOB-HEAD-200", head, 200)
    judge.header("PULL-BLOB-HEAD-CONTENT-LENGTH", head, "Content-Length")
    if "Content-Length" in head.headers:
        size = str(len(blob.content))
        judge.header("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE", head, "Content-Length", size)
    else:
        judge.unsupported("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE", "there is no Content-Length")
    named = digest_headers(head)
    judge("PULL-BLOB-HEAD-DCD", named, f"a {DIGEST} header", head)
    judge_digest(judge, "PULL-BLOB-HEAD-DCD-TRUE", head, named, blob.content)
    get = setup.pulled_blob(repo, blob.digest)
    different = differences(head, get, (DIGEST, "Content-Length"))
    judge(
        "PULL-BLOB-HEAD-GET-AGREE",
        not different,
        "the same digest and length as on the GET",
        head,
        get,
        actual=different,
    )
    again = repo.head_blob(blob.digest)
    judge.status("PULL-BLOB-HEAD-GET-AGREE", again, 200, when="again after the GET")


@verifies("PULL-BLOB-HEAD-NO-BODY")
def test_head_has_no_body(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Nothing follows the header section of the answer to HEAD."""
    blob = setup.blob(repo)
    answer = setup.headed_blob(repo, blob.digest)
    path = f"/v2/{repo.name}/blobs/{blob.digest}"
    wire = content_after_head(repo.registry.client, path, repo.name)
    if not wire.status:
        raise Undecided("a bare connection got no answer")
    judge(
        "PULL-BLOB-HEAD-NO-BODY",
        not wire.content,
        "no content after the headers of a HEAD",
        answer,
        actual=f"{len(wire.content)} bytes followed",
    )
