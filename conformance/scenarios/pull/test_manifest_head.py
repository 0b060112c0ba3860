"""HEAD of manifests that are there."""

from __future__ import annotations

from conformance.client.bare_connection import content_after_head
from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.scenarios.shared.partial_content import judge_digest
from conformance.scenarios.shared.pull_answers import DIGEST, differences
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, told, verifies


@verifies(
    "PULL-MANIFEST-HEAD-200",
    "PULL-MANIFEST-HEAD-CONTENT-LENGTH",
    "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
    "PULL-MANIFEST-HEAD-DCD",
    "PULL-MANIFEST-HEAD-DCD-TRUE",
    "PULL-MANIFEST-HEAD-CONTENT-TYPE",
    "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
    "PULL-MANIFEST-HEAD-GET-AGREE",
)
def test_head_by_tag_and_digest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """HEAD tells what GET would give: size, digest and type of the manifest."""
    manifest = setup.image(repo)
    for reference in (manifest.tag or manifest.digest, manifest.digest):
        get = setup.pulled_manifest(repo, reference, manifest.media_type)
        head = repo.head_manifest(reference, manifest.media_type)
        judge.require_status("PULL-MANIFEST-HEAD-200", head, 200)
        judge.header("PULL-MANIFEST-HEAD-CONTENT-LENGTH", head, "Content-Length")
        _length(judge, head, len(manifest.body))
        judge.header("PULL-MANIFEST-HEAD-DCD", head, DIGEST)
        judge_digest(judge, "PULL-MANIFEST-HEAD-DCD-TRUE", head, head.headers.all(DIGEST), manifest.body)
        judge.header("PULL-MANIFEST-HEAD-CONTENT-TYPE", head, "Content-Type")
        _type(judge, head, get)
        _agree(judge, head, get)
    any_type = (repo.get_manifest(manifest.digest, "*/*"), repo.head_manifest(manifest.digest, "*/*"))
    if any_type[0].status == 200:  # OK
        judge.status("PULL-MANIFEST-HEAD-GET-AGREE", any_type[1], 200, when="to HEAD with Accept: */*, as to GET")


def _agree(judge: Judge, head: Response, get: Response) -> None:
    different = differences(head, get, (DIGEST, "Content-Length"))
    expected = "the same digest and length as on the GET"
    judge("PULL-MANIFEST-HEAD-GET-AGREE", not different, expected, head, get, actual=different)


def _type(judge: Judge, head: Response, get: Response) -> None:
    requirement = "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE"
    if not head.media_type or not get.media_type:
        judge.unsupported(requirement, "one of both answers has no Content-Type")
        return
    expected = f"Content-Type: {get.media_type} on HEAD, as on the GET"
    judge(requirement, head.media_type == get.media_type, expected, head, get, actual=told(head, "Content-Type"))


def _length(judge: Judge, head: Response, size: int) -> None:
    if "Content-Length" not in head.headers:
        judge.unsupported("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE", "there is no Content-Length")
        return
    judge.header("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE", head, "Content-Length", str(size))


@verifies("PULL-MANIFEST-HEAD-NO-BODY")
def test_head_has_no_body(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Nothing follows the header section of the answer to HEAD."""
    manifest = setup.image(repo)
    reference = manifest.tag or manifest.digest
    answer = setup.headed_manifest(repo, reference, manifest.media_type)
    wire = content_after_head(
        repo.registry.client,
        f"/v2/{repo.name}/manifests/{manifest.digest}",
        repo.name,
        (("Accept", manifest.media_type),),
    )
    if not wire.status:
        raise Undecided("a bare connection got no answer")
    judge(
        "PULL-MANIFEST-HEAD-NO-BODY",
        not wire.content,
        "no content after the headers of a HEAD",
        answer,
        actual=f"{len(wire.content)} bytes followed",
    )
