"""Cancelling an upload."""

from __future__ import annotations

from conformance.client.registry import Repository
from conformance.scenarios.shared.upload_steps import with_chunk
from conformance.target.capabilities import Capabilities
from conformance.target.content import digest_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, verifies


@verifies("PUSH-CANCEL-204", "PUSH-CANCEL-SESSION-GONE", "PUSH-CANCEL-NO-BLOB", "PUSH-CANCEL-UNKNOWN-404")
def test_delete_of_an_upload(repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities) -> None:
    """A DELETE of an upload is answered 204; the upload is gone and leaves no blob."""
    upload = with_chunk(setup, repo)
    answer = repo.cancel_upload(upload.location)
    judge.require_status("PUSH-CANCEL-204", answer, 204, when="to the DELETE of an active upload")
    got = repo.get_blob(digest_of(upload.content))
    judge.absent("PUSH-CANCEL-NO-BLOB", got, "no blob of a cancelled upload", answer, stored=upload.content)
    gone = "PUSH-CANCEL-SESSION-GONE"
    if capabilities.has("upload-status"):
        judge.status(gone, repo.get_upload(upload.location), 404, when="to the GET of a cancelled upload")
    patch = upload.patch(setup.make.bytes(upload.size(9)))
    judge.status(gone, patch, 404, when="to a chunk for a cancelled upload")
    put = repo.put_upload(upload.location, digest_of(upload.content))
    judge.status(gone, put, 404, when="to the close of a cancelled upload")
    again = repo.cancel_upload(upload.location)
    judge.status("PUSH-CANCEL-UNKNOWN-404", again, 404, when="to the DELETE of an upload that was cancelled before")
