"""HEAD of manifests that are there."""

from __future__ import annotations

from conformance.client.exchange import Response
from conformance.client.registry import Repository
from conformance.client.wire import content_after_head
from conformance.given import Given
from conformance.judge import Judge, Undecided, told, verifies
from conformance.pull.facts import DIGEST, differences
from conformance.settings import Settings


@verifies(
    "PULL-MANIFEST-HEAD-200",
    "PULL-MANIFEST-HEAD-CONTENT-LENGTH",
    "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
    "PULL-MANIFEST-HEAD-DCD",
    "PULL-MANIFEST-HEAD-CONTENT-TYPE",
    "PULL-MANIFEST-HEAD-GET-AGREE",
)
def test_head_by_tag_and_digest(repo: Repository, given: Given, judge: Judge) -> None:
    """HEAD tells what GET would give: size, digest and type of the manifest."""
    manifest = given.image(repo)
    for reference in (manifest.tag or manifest.digest, manifest.digest):
        get = given.pulled_manifest(repo, reference, manifest.media_type)
        head = repo.head_manifest(reference, manifest.media_type)
        judge.require_status("PULL-MANIFEST-HEAD-200", head, 200)
        judge.header("PULL-MANIFEST-HEAD-CONTENT-LENGTH", head, "Content-Length")
        _length(judge, head, len(manifest.body))
        judge.header("PULL-MANIFEST-HEAD-DCD", head, DIGEST)
        judge(
            "PULL-MANIFEST-HEAD-CONTENT-TYPE",
            head.media_type == get.media_type,
            f"Content-Type: {get.media_type}, as on the GET",
            head,
            get,
            actual=f"{told(head, 'Content-Type')} on HEAD",
        )
        judge(
            "PULL-MANIFEST-HEAD-GET-AGREE",
            not differences(head, get, (DIGEST, "Content-Length")),
            "the same digest and length as on the GET",
            head,
            get,
            actual=differences(head, get, (DIGEST, "Content-Length")),
        )


def _length(judge: Judge, head: Response, size: int) -> None:
    if "Content-Length" not in head.headers:
        judge.unsupported("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE", "there is no Content-Length")
        return
    judge.header("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE", head, "Content-Length", str(size))


@verifies("PULL-MANIFEST-HEAD-NO-BODY")
def test_head_has_no_body(repo: Repository, given: Given, judge: Judge, settings: Settings) -> None:
    """Nothing follows the header section of the answer to HEAD."""
    manifest = given.image(repo)
    reference = manifest.tag or manifest.digest
    answer = given.headed_manifest(repo, reference, manifest.media_type)
    wire = content_after_head(
        repo.registry.client,
        settings,
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
