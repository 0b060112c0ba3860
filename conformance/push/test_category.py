"""The category as a whole."""

from __future__ import annotations

from conformance.client.exchange import Response
from conformance.client.registry import Repository
from conformance.given import Given
from conformance.judge import Judge, Unsupported, verifies
from conformance.push.steps import opened
from conformance.session import Capabilities


@verifies("PUSH-CATEGORY-SUPPORTED")
def test_push_is_offered(judge: Judge, capabilities: Capabilities) -> None:
    """A registry should offer pushing."""
    if not capabilities.has("push"):
        raise Unsupported("the target offers no pushes")
    judge("PUSH-CATEGORY-SUPPORTED", True, "")


def _absent(answer: Response) -> bool:
    return answer.status in {404, 405, 501} or "UNSUPPORTED" in (answer.error_codes or ())


@verifies("PUSH-CATEGORY-COMPLETE")
def test_all_of_push_is_offered(repo: Repository, other_repo: Repository, given: Given, judge: Judge) -> None:
    """A registry that takes pushes takes chunks and mount requests as well."""
    blob = given.blob(repo)
    upload = opened(repo)
    patch = upload.patch(given.make.bytes(upload.size(10)))
    mount = other_repo.mount(blob.digest, repo.name)
    for name, answer in (("PATCH of an upload", patch), ("POST of a mount", mount)):
        judge("PUSH-CATEGORY-COMPLETE", not _absent(answer), f"an answer to the {name} that shows it is there", answer)
