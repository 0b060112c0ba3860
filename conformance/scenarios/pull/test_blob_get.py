"""GET of blobs."""

from __future__ import annotations

import gzip
from urllib.parse import quote, urlsplit

from conformance.client.digests import is_digest_of, well_formed
from conformance.client.registry import Repository, upload_location
from conformance.scenarios.shared.pull_answers import DIGEST, digest_headers, judge_decoded, judge_type
from conformance.target.content import digest_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, status_of, told, verifies
from conformance.verdict.presence import served

#: How gzip data begins.
GZIP = b"\x1f\x8b"
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@verifies(
    "PULL-BLOB-GET-200",
    "PULL-BLOB-GET-CONTENT-LENGTH",
    "PULL-BLOB-GET-DCD",
    "PULL-BLOB-GET-DCD-TRUE",
    "BASE-DIGEST-HEADER-GRAMMAR",
    "PULL-BLOB-GET-CONTENT-TYPE",
    "PULL-CACHE-BLOB-VALIDATOR",
)
def test_get_of_a_blob(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A blob is pulled by its digest, and its headers tell of it truly."""
    blob = setup.blob(repo)
    answer = setup.read_blob(repo, blob.digest)
    judge.require_status("PULL-BLOB-GET-200", answer, 200)
    judge.header("PULL-BLOB-GET-CONTENT-LENGTH", answer, "Content-Length", str(len(answer.body)))
    judge_type(judge, "PULL-BLOB-GET-CONTENT-TYPE", answer, "application/octet-stream")
    judge(
        "PULL-CACHE-BLOB-VALIDATOR",
        answer.headers.names() & {"etag", "last-modified", "cache-control"},
        "an ETag, Last-Modified or Cache-Control header",
        answer,
        actual=f"{status_of(answer)} had no ETag, no Last-Modified and no Cache-Control",
    )
    values = digest_headers(answer)
    judge("PULL-BLOB-GET-DCD", values, f"a {DIGEST} header", answer)
    if not values:
        judge.unsupported("PULL-BLOB-GET-DCD-TRUE", f"there is no {DIGEST} header")
        judge.unsupported("BASE-DIGEST-HEADER-GRAMMAR", f"there is no {DIGEST} header")
    for value in values:
        came = f"{DIGEST}: {value}"
        judge("BASE-DIGEST-HEADER-GRAMMAR", well_formed(value), "a well-formed digest", answer, actual=came)
        true = is_digest_of(value, answer.body)
        if true is None:
            judge.unsupported("PULL-BLOB-GET-DCD-TRUE", f"the algorithm of {value} is not known here")
        else:
            judge("PULL-BLOB-GET-DCD-TRUE", true, f"a {DIGEST} that is true of the body", answer, actual=came)


@verifies("PULL-BLOB-GET-BODY-EXACT")
def test_get_of_binary_content(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """The bytes of a blob come back as they were pushed."""
    content = setup.make.bytes(1000) + b"\x00\r\n\xff\xfe\r\n\x00"
    blob = setup.blob(repo) if setup.read_only else setup.blob(repo, content)
    answer = setup.pulled_blob(repo, blob.digest)
    judge(
        "PULL-BLOB-GET-BODY-EXACT",
        answer.body == blob.content,
        f"the {len(blob.content)} bytes that were pushed, digest {blob.digest}",
        answer,
        actual=f"{len(answer.body)} bytes with the digest {answer.content_digest()}",
    )


@verifies("PULL-BLOB-GET-NO-FALSE-CODING")
def test_get_of_a_compressed_layer(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A blob that is gzip data is sent as it is, not as the coding of something else."""
    if setup.read_only:
        blob = setup.existing.blob(repo.name, "gzip", lambda found: found.content.startswith(GZIP))
    else:
        blob = setup.blob(repo, gzip.compress(setup.make.bytes(100) * 4, mtime=0))
    for coding in ("", "gzip", "zstd, gzip;q=0.8", "deflate"):
        headers = (("Accept-Encoding", coding),) if coding else ()
        answer = repo.get_blob(blob.digest, headers=headers)
        if answer.status != 200:
            raise Undecided(f"the blob came with status {answer.status}")
        judge_decoded(judge, "PULL-BLOB-GET-NO-FALSE-CODING", answer, blob.content)


@verifies("PULL-BLOB-GET-UNKNOWN-404", "PULL-BLOB-HEAD-UNKNOWN-404", "PULL-BLOB-GET-UNKNOWN-CODE")
def test_get_of_an_unknown_blob(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A blob that the repository does not hold is answered 404."""
    setup.image(repo)
    digest = setup.make.digest()
    answer = repo.get_blob(digest)
    if judge.status("PULL-BLOB-GET-UNKNOWN-404", answer, 404):
        judge.code("PULL-BLOB-GET-UNKNOWN-CODE", answer, "BLOB_UNKNOWN", "NAME_UNKNOWN")
        # A registry may have nothing everywhere.
        empty = repo.get_blob(digest_of(b""))
        expected = "status 404 to the empty blob, which was not pushed, or that blob"
        judge("PULL-BLOB-GET-UNKNOWN-404", empty.status == answer.status or served(empty, b""), expected, empty)
    else:
        judge.inconclusive("PULL-BLOB-GET-UNKNOWN-CODE", "blocked by PULL-BLOB-GET-UNKNOWN-404")
    judge.status("PULL-BLOB-HEAD-UNKNOWN-404", repo.head_blob(digest), 404)


@verifies("PULL-BLOB-GET-BAD-DIGEST-400")
def test_get_of_a_blob_by_a_malformed_digest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A malformed digest is a bad request."""
    setup.image(repo)
    answer = repo.get_blob("sha256:" + "z" * 64)
    fitting = answer.error_codes is None or "DIGEST_INVALID" in answer.error_codes
    judge("PULL-BLOB-GET-BAD-DIGEST-400", answer.status == 400 and fitting, "status 400 with DIGEST_INVALID", answer)


@verifies("PULL-REDIRECT-STATUS", "PULL-REDIRECT-DCD")
def test_redirected_pull(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Where a pull is redirected, the answer says where to."""
    blob = setup.blob(repo)
    answer = repo.get_blob(blob.digest, follow=False)
    if answer.status not in REDIRECTS:
        raise Unsupported("the pull of a blob is not redirected")
    judge.header(
        "PULL-REDIRECT-STATUS",
        answer,
        "Location",
        lambda _: upload_location(answer) is not None,
        "a Location that resolves to a URL",
    )
    if answer.status != 307:
        judge.unsupported("PULL-REDIRECT-DCD", "the redirect is no 307")
        return
    judge.header(
        "PULL-REDIRECT-DCD",
        answer,
        DIGEST,
        lambda value: is_digest_of(value, blob.content) is not False,
        f"{DIGEST}: {blob.digest}",
    )


@verifies("PULL-REDIRECT-NO-AUTHORIZATION")
def test_pull_from_another_host(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A redirect to another host works without the credentials of the registry."""
    # Some send small blobs themselves.
    blob = setup.blob(repo, None if setup.read_only else setup.make.bytes(1024 * 1024))
    answer = repo.get_blob(blob.digest, follow=False)
    target = upload_location(answer) if answer.status in REDIRECTS else None
    if target is None:
        raise Unsupported("the pull of a blob is not redirected")
    if urlsplit(target).hostname == urlsplit(answer.url).hostname:
        raise Unsupported("the pull of a blob is redirected within the host")
    got = repo.registry.request("GET", target, authenticate=False)
    requirement = "PULL-REDIRECT-NO-AUTHORIZATION"
    expected = "the blob from the other host, without Authorization"
    if got.status in {401, 403}:
        judge(requirement, False, expected, answer, got)
    elif got.status != 200:
        raise Undecided(f"the other host answered with status {got.status}")
    else:
        judge.gives(requirement, got, blob.content, expected, answer)


@verifies("PULL-PROXY-NS", "PULL-PROXY-NS-TRUE")
def test_pull_with_the_name_of_the_source(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A pull that names the registry's own host as its source gives the same content."""
    blob = setup.blob(repo)
    host = urlsplit(repo.registry.url).netloc
    answer = repo.registry.request(
        "GET",
        f"/v2/{repo.name}/blobs/{blob.digest}?ns={quote(host, safe='')}",
        operation="blob.get",
        parameters={"name": repo.name, "digest": blob.digest},
    )
    scope = answer.header("OCI-Namespace")
    expected = "status 200 to a pull that names the registry's own host as ns"
    judge.require("PULL-PROXY-NS", answer.ok, expected, answer)
    judge(
        "PULL-PROXY-NS-TRUE",
        served(answer, blob.content) and scope in {None, host},
        f"the blob, and no OCI-Namespace but {host}",
        answer,
        actual=f"{told(answer, 'OCI-Namespace')}, a body of digest {answer.content_digest()}",
    )
