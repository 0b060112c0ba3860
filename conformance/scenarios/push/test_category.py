"""The category as a whole."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.scenarios.shared.upload_steps import opened
from conformance.target.capabilities import Capabilities
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Unsupported, verifies


@verifies("PUSH-CATEGORY-SUPPORTED")
def test_push_is_offered(judge: Judge, capabilities: Capabilities) -> None:
    """A registry should offer pushing."""
    if not capabilities.has("push"):
        raise Unsupported("the target offers no pushes")
    judge("PUSH-CATEGORY-SUPPORTED", True, "")


def _absent(answer: Response) -> bool:
    return answer.status in {404, 405, 501} or "UNSUPPORTED" in (answer.error_codes or ())


@verifies("PUSH-CATEGORY-COMPLETE")
def test_all_of_push_is_offered(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A registry that takes pushes takes them in chunks as well."""
    upload = opened(repo)
    answer = upload.patch(setup.make.bytes(upload.size(10)))
    expected = "an answer to the PATCH of an upload that shows that chunks are known"
    judge("PUSH-CATEGORY-COMPLETE", not _absent(answer), expected, answer)
