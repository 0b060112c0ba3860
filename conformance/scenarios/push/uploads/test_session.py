"""Upload sessions: unknown, finished, open side by side."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from conformance.client.registry import Repository
from conformance.scenarios.shared.upload_steps import accepted, closed, opened, range_end, with_chunk
from conformance.target.capabilities import Capabilities
from conformance.target.content import digest_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Unsupported, told, verifies


@verifies(
    "PUSH-SESSION-CLOSED-AFTER-201",
    "PUSH-SESSION-UNKNOWN-404",
    "PUSH-SESSION-UNKNOWN-CODE",
    "PUSH-BLOB-KEPT",
    "PUSH-CANCEL-UNKNOWN-404",
)
def test_requests_to_a_finished_upload(
    repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities
) -> None:
    """A finished upload takes no more data, is answered 404 BLOB_UPLOAD_UNKNOWN, and cannot be cancelled."""
    upload = opened(repo)
    put = closed(upload, setup.make.bytes())
    if put.status != 201:
        setup.blob(repo)
        raise Unsupported("the upload could not be finished")
    other = setup.make.bytes()
    answers = [("a PUT of other bytes", repo.put_upload(upload.location, digest_of(other), other))]
    if capabilities.has("chunked"):
        answers.append(("a chunk", repo.patch_upload(upload.location, other, upload.content_range(other))))
    if capabilities.has("upload-status"):
        answers.append(("a GET", repo.get_upload(upload.location)))
    # A client that saw no answer to its closing PUT may cancel what is done.
    cancelled = [repo.cancel_upload(upload.location)] if capabilities.has("upload-cancel") else []
    expected = "the blob as it was before more was sent to its finished upload, and before that was cancelled"
    kept = setup.read_blob(repo, digest_of(upload.content))
    sent = [answer for _, answer in answers] + cancelled
    held = judge.gives("PUSH-BLOB-KEPT", kept, upload.content, expected, *sent)
    for answer in cancelled:
        if held:
            judge.status("PUSH-CANCEL-UNKNOWN-404", answer, 404, when="to the DELETE of a finished upload")
        else:
            judge.inconclusive("PUSH-CANCEL-UNKNOWN-404", "blocked by PUSH-BLOB-KEPT")
    for name, answer in answers:
        judge("PUSH-SESSION-CLOSED-AFTER-201", not answer.ok, f"no 2xx to {name} for a finished upload", answer)
        judge.status("PUSH-SESSION-UNKNOWN-404", answer, 404, when=f"to {name} for a finished upload")
        if answer.status == 404:
            judge.code("PUSH-SESSION-UNKNOWN-CODE", answer, "BLOB_UPLOAD_UNKNOWN")
    if not any(answer.status == 404 for _, answer in answers):
        judge.inconclusive("PUSH-SESSION-UNKNOWN-CODE", "blocked by PUSH-SESSION-UNKNOWN-404")


@verifies("PUSH-SESSION-NO-BLOB-BEFORE-CLOSE")
def test_blob_is_not_there_before_the_close(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Bytes that were sent in chunks are no blob before the upload is closed."""
    upload = with_chunk(setup, repo)
    digest = digest_of(upload.content)
    for answer in (repo.head_blob(digest), repo.get_blob(digest)):
        judge.absent(
            "PUSH-SESSION-NO-BLOB-BEFORE-CLOSE", answer, "no blob before the closing PUT", stored=upload.content
        )


@verifies("PUSH-SESSION-PARALLEL-ISOLATED")
def test_two_uploads_in_turns(repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities) -> None:
    """Two uploads with alternating chunks give two blobs, also while a third is cancelled."""
    uploads = [opened(repo), opened(repo)]
    requirement = "PUSH-SESSION-PARALLEL-ISOLATED"
    for size in (30, 14):
        # Of different lengths, so that the Range of the one is not that of the other.
        for number, upload in enumerate(uploads):
            answer = accepted(upload, setup.make.bytes(upload.size(size) + number))
            end = range_end(answer)
            judge(
                requirement,
                end in {None, upload.end},
                f"a Range that counts the {len(upload.content)} bytes of this upload alone",
                answer,
                actual=told(answer, "Range"),
            )
    if capabilities.has("upload-cancel"):
        answer = repo.cancel_upload(opened(repo).location)
        expected = "status 204 to the DELETE of an upload that has no data yet"
        judge.beside("PUSH-CANCEL-204", answer.status == 204, expected, answer)
    for upload in uploads:
        put = closed(upload)
        if judge.status(requirement, put, 201, when="to the close of each of two uploads"):
            judge.gives(
                requirement,
                setup.read_blob(repo, digest_of(upload.content)),
                upload.content,
                "the bytes of this upload alone",
                put,
            )


@verifies("PUSH-BLOB-PARALLEL-SAME-DIGEST")
def test_two_uploads_of_the_same_bytes(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Two uploads of the same content, open at the same time, both complete."""
    content = setup.make.bytes()
    uploads = [opened(repo), opened(repo)]
    requirement = "PUSH-BLOB-PARALLEL-SAME-DIGEST"
    puts = [closed(upload, content) for upload in uploads]
    for put in puts:
        judge.status(requirement, put, 201, when="to each of two uploads of the same bytes")
    if all(put.status == 201 for put in puts):
        judge.gives(requirement, setup.read_blob(repo, digest_of(content)), content, "the bytes of both uploads", *puts)


@verifies("PUSH-SESSION-BELONGS-TO-REPO")
def test_upload_under_another_repository(
    repo: Repository, *, other_repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities
) -> None:
    """An upload cannot be completed or cancelled under the path of another repository."""
    location = setup.upload(repo)
    parts = urlsplit(location)
    prefix = f"/v2/{repo.name}/blobs/uploads/"
    if not parts.path.startswith(prefix) or repo.name == other_repo.name:
        raise Unsupported("the upload's URL does not have the path of its repository")
    setup.blob(other_repo)
    path = f"/v2/{other_repo.name}/blobs/uploads/" + parts.path.removeprefix(prefix)
    there = urlunsplit(parts._replace(path=path))
    answers = [other_repo.cancel_upload(there)] if capabilities.has("upload-cancel") else []
    blob = setup.make.blob()
    answers.append(other_repo.put_upload(there, blob.digest, blob.content))
    expected = f"no 2xx to an upload of {repo.name} under {other_repo.name}"
    for answer in answers:
        judge("PUSH-SESSION-BELONGS-TO-REPO", not answer.ok, expected, answer)
