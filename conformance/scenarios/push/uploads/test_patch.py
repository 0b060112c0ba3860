"""Uploading a blob in chunks."""

from __future__ import annotations

import re

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, upload_location
from conformance.scenarios.shared.upload_steps import (
    LARGE_CHUNK,
    UUID,
    Upload,
    closed,
    in_pieces,
    judge_uuid,
    opened,
    range_end,
    with_chunk,
)
from conformance.target.content import digest_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, told, verifies

#: Bytes of a chunk that fills a buffer of the usual size to the end.
BUFFER = 4096


@verifies(
    "PUSH-PATCH-STATUS-202",
    "PUSH-PATCH-LOCATION-PRESENT",
    "PUSH-PATCH-BODY-EMPTY",
    "PUSH-PATCH-UPLOAD-UUID-HEADER",
    UUID,
    "PUSH-PATCH-RANGE-PRESENT",
    "PUSH-PATCH-RANGE-SYNTAX",
    "PUSH-PATCH-RANGE-VALUE",
)
def test_patch_with_chunks_in_order(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Each chunk is answered 202 with the next Location and the Range received so far."""
    upload = opened(repo)
    data = b""
    for size in (1, 37, 20, 20):
        # Above an announced minimum: the minimum itself is asked for elsewhere.
        length = size if upload.minimum == 1 else upload.minimum + size
        # The last chunk has the bytes of the one before, which it follows all the same.
        data = data if length == len(data) else setup.make.bytes(length)
        answer = upload.patch(data)
        if answer.refused and not upload.content and _takes_large_chunk(repo, setup):
            raise Undecided("small chunks are refused and large ones taken: see PUSH-CHUNK-MIN-LENGTH-ANNOUNCED")
        judge.require_status("PUSH-PATCH-STATUS-202", answer, 202)
        upload.content += data
        _judge_headers(judge, answer, upload)
        judge(
            "PUSH-PATCH-BODY-EMPTY",
            not answer.body,
            "a 202 without body",
            answer,
            actual=f"the body has {len(answer.body)} bytes",
        )
        if not judge.header("PUSH-PATCH-LOCATION-PRESENT", answer, "Location"):
            judge.stop("PUSH-PATCH-LOCATION-PRESENT")
        upload.location = setup.location(answer, "PUSH-PATCH-LOCATION-PRESENT")


def _judge_headers(judge: Judge, answer: Response, upload: Upload) -> None:
    judge_uuid(judge, "PUSH-PATCH-UPLOAD-UUID-HEADER", upload, answer)
    if not judge.header("PUSH-PATCH-RANGE-PRESENT", answer, "Range"):
        for requirement in ("PUSH-PATCH-RANGE-SYNTAX", "PUSH-PATCH-RANGE-VALUE"):
            judge.inconclusive(requirement, "blocked by PUSH-PATCH-RANGE-PRESENT")
        return
    judge.header(
        "PUSH-PATCH-RANGE-VALUE",
        answer,
        "Range",
        lambda _: range_end(answer) == upload.end,
        f"Range: 0-{upload.end} after {len(upload.content)} bytes",
    )
    if range_end(answer) is None:
        judge.inconclusive("PUSH-PATCH-RANGE-SYNTAX", "blocked by PUSH-PATCH-RANGE-VALUE")
    else:
        judge.header(
            "PUSH-PATCH-RANGE-SYNTAX",
            answer,
            "Range",
            lambda value: bool(re.fullmatch("0-[0-9]+", value.strip())),
            "a Range of the form 0-<end>, without a unit",
        )


@verifies("PUSH-PATCH-RANGE-SYNTAX", "PUSH-BLOB-EMPTY-ACCEPTED")
def test_chunk_of_no_bytes(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """An upload that got a chunk of no bytes has a range that means something, and ends without a server error."""
    location = setup.upload(repo)
    chunk = repo.patch_upload(location, b"")
    if chunk.status != 202:
        raise Unsupported(f"a chunk of no bytes is not accepted (status {chunk.status})")
    held = "Range" not in chunk.headers or range_end(chunk) is not None
    expected = "a Range of the form 0-<end> where no byte came"
    judge("PUSH-PATCH-RANGE-SYNTAX", held, expected, chunk, actual=told(chunk, "Range"))
    answer = repo.put_upload(upload_location(chunk) or location, digest_of(b""))
    expected = "status 201 or a 4xx to the end of an upload that got a chunk of no bytes"
    judge("PUSH-BLOB-EMPTY-ACCEPTED", answer.status == 201 or answer.refused, expected, chunk, answer)


def _takes_large_chunk(repo: Repository, setup: SetUp) -> bool:
    upload = opened(repo)
    return upload.minimum == 1 and upload.patch(setup.make.bytes(LARGE_CHUNK)).status == 202


@verifies("PUSH-PUT-NO-BODY-CLOSES", "PUSH-PATCH-CHUNKS-CONCATENATED")
def test_put_without_body_after_chunks(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A PUT without body closes an upload whose chunks then make up the blob."""
    upload = with_chunk(setup, repo)
    data = setup.make.bytes(upload.size(BUFFER))
    answer = upload.patch(data)
    if answer.status != 202:
        raise Undecided(
            f"blocked by PUSH-PATCH-STATUS-202: a second chunk was answered with status {answer.status}", answer
        )
    upload.location, upload.content = setup.location(answer, "PUSH-PATCH-LOCATION-PRESENT"), upload.content + data
    put = closed(upload)
    expected = f"the {len(upload.content)} bytes of the chunks in their order"
    if "DIGEST_INVALID" in (put.error_codes or ()):
        # The PUT is understood: what came of the chunks has another digest.
        judge("PUSH-PATCH-CHUNKS-CONCATENATED", False, expected, put)
        judge.inconclusive("PUSH-PUT-NO-BODY-CLOSES", "blocked by PUSH-PATCH-CHUNKS-CONCATENATED")
        return
    judge.require_status("PUSH-PUT-NO-BODY-CLOSES", put, 201, when="to a PUT without body after all chunks")
    judge.gives(
        "PUSH-PATCH-CHUNKS-CONCATENATED",
        setup.read_blob(repo, digest_of(upload.content)),
        upload.content,
        expected,
        put,
    )


@verifies("PUSH-PUT-FINAL-CHUNK-CLOSES")
def test_put_with_the_last_chunk(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """The closing PUT may carry the last chunk."""
    upload = with_chunk(setup, repo)
    data = setup.make.bytes(17)
    whole = upload.content + data
    answer = repo.put_upload(upload.location, digest_of(whole), data, upload.content_range(data))
    if judge.status("PUSH-PUT-FINAL-CHUNK-CLOSES", answer, 201, when="to a PUT with the last chunk"):
        judge.gives(
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            setup.read_blob(repo, digest_of(whole)),
            whole,
            "the bytes of both chunks",
            answer,
        )
    upload = with_chunk(setup, repo)
    whole = upload.content + data
    answer = repo.put_upload(upload.location, digest_of(whole), in_pieces(data), upload.content_range(data))
    # The texts show this request with its length: what is refused decides nothing.
    if answer.status == 201:
        expected = "the bytes of both chunks, of which the last came without its length"
        got = setup.read_blob(repo, digest_of(whole))
        judge.gives("PUSH-PUT-FINAL-CHUNK-CLOSES", got, whole, expected, answer)


@verifies("PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED")
def test_put_with_a_wrong_digest_after_chunks(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Chunks that are closed with a wrong digest make no blob."""
    upload = with_chunk(setup, repo)
    claimed = setup.make.digest()
    answer = repo.put_upload(upload.location, claimed)
    requirement = "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED"
    judge.require(requirement, not answer.ok, "no 2xx to a wrong digest after chunks", answer)
    for digest in (claimed, digest_of(upload.content)):
        got = repo.get_blob(digest)
        judge.absent(requirement, got, "no blob after a refused PUT", answer, stored=upload.content)


@verifies("PUSH-PUT-DIGEST-OF-WHOLE")
def test_put_with_the_digest_of_the_last_chunk(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """The closing PUT is verified against the digest of the whole blob, not of its last chunk."""
    requirement = "PUSH-PUT-DIGEST-OF-WHOLE"
    for ranged in (True, False):
        upload = with_chunk(setup, repo)
        data = setup.make.bytes(19)
        content_range = upload.content_range(data) if ranged else None
        answer = repo.put_upload(upload.location, digest_of(data), data, content_range)
        judge.require(requirement, not answer.ok, "no 2xx to the digest of the last chunk alone", answer)
        got = repo.get_blob(digest_of(data))
        judge.absent(requirement, got, "no blob of the last chunk alone", answer, stored=upload.content + data)


@verifies("PUSH-PATCH-STREAM-202", "PUSH-PATCH-STREAM-RANGE-VALUE")
def test_patch_without_content_range(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A PATCH without Content-Range is taken as a stream of data."""
    upload = opened(repo)
    data = setup.make.bytes(upload.size(1000))
    answer = repo.patch_upload(upload.location, data)
    judge.require_status("PUSH-PATCH-STREAM-202", answer, 202, when="to a PATCH without Content-Range")
    for name in ("Location", "Range"):
        judge.header("PUSH-PATCH-STREAM-202", answer, name)
    if "Range" in answer.headers:
        judge.header(
            "PUSH-PATCH-STREAM-RANGE-VALUE",
            answer,
            "Range",
            lambda _: range_end(answer) == len(data) - 1,
            f"Range: 0-{len(data) - 1} after {len(data)} bytes",
        )
    else:
        judge.inconclusive("PUSH-PATCH-STREAM-RANGE-VALUE", "blocked by PUSH-PATCH-STREAM-202")
    upload.moved(answer)
    judge.status("PUSH-PATCH-STREAM-202", closed_with(upload, data), 201, when="to the PUT after a streamed PATCH")


@verifies("PUSH-PATCH-STREAM-CHUNKED")
def test_patch_in_chunked_coding(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A stream whose length is not known before is taken in chunked transfer coding."""
    requirement = "PUSH-PATCH-STREAM-CHUNKED"
    upload = opened(repo)
    data = setup.make.bytes(upload.size(1000))
    answer = repo.patch_upload(upload.location, in_pieces(data))
    if judge.status(requirement, answer, 202, when="to a PATCH without Content-Range in chunked coding"):
        upload.moved(answer)
        judge.status(requirement, closed_with(upload, data), 201, when="to the PUT after it")


def closed_with(upload: Upload, sent: bytes) -> Response:
    """Close an upload to which some bytes were streamed."""
    upload.content = sent
    return closed(upload)


@verifies("PUSH-CHUNK-MIN-LENGTH-ANNOUNCED")
def test_patch_with_one_byte(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A registry that refuses small chunks says so with OCI-Chunk-Min-Length."""
    upload = opened(repo)
    if "OCI-Chunk-Min-Length" in upload.start.headers:
        judge("PUSH-CHUNK-MIN-LENGTH-ANNOUNCED", True, "")
        return
    small = upload.patch(setup.make.bytes(1))
    if not small.refused:
        raise Unsupported("a chunk of one byte is accepted: there is no minimum size")
    if not _takes_large_chunk(repo, setup):
        raise Undecided(f"chunks of any size are refused (status {small.status})", small)
    judge(
        "PUSH-CHUNK-MIN-LENGTH-ANNOUNCED",
        False,
        f"OCI-Chunk-Min-Length, as a chunk of 1 byte is refused and one of {LARGE_CHUNK} is taken",
        upload.start,
        small,
        actual="the answer that opened the upload had none",
    )


@verifies("PUSH-CHUNK-MIN-LENGTH-HONOURED", "PUSH-CHUNK-MIN-LENGTH-LAST-ANY")
def test_patch_with_the_announced_minimum(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A chunk of exactly the announced minimum is taken, and a smaller last one after it."""
    upload = opened(repo)
    if "OCI-Chunk-Min-Length" not in upload.start.headers:
        raise Unsupported("no minimum size of chunks is announced")
    data = setup.make.bytes(upload.minimum)
    answer = upload.patch(data)
    judge.require_status("PUSH-CHUNK-MIN-LENGTH-HONOURED", answer, 202, when="to a chunk of the announced minimum")
    upload.content = data
    upload.moved(answer)
    last = setup.make.bytes(1)
    put = repo.put_upload(upload.location, digest_of(data + last), last, upload.content_range(last))
    judge.status("PUSH-CHUNK-MIN-LENGTH-LAST-ANY", put, 201, when="to a last chunk of one byte")
