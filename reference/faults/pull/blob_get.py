"""Faults of GET of blobs."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.pull.shared import (
    at_first,
    begins_with,
    changed_if,
    is_part,
    one_in,
    spoil_part,
    unsized,
    wrong_digest,
)
from reference.faults.shared import hang_up, no_content, other_digest, where_answer, with_status
from reference.grammar import is_digest
from reference.messages import Handler, Request, Response
from reference.modifications import (
    Apply,
    Fault,
    answers,
    around,
    drop_header,
    on,
    override,
    set_header,
    set_status,
)
from reference.modifications.shared import digests_by

_OTHER = 203  # Non-Authoritative Information: a success, and not the one that is meant
_BLOBS = ("blob.get", "blob.head")
#: In the query of a URL of the store. A real one would be a signature.
_SIGNED = "store-signature"
_GZIP = b"\x1f\x8b"


def _error_as_content(request: Request, response: Response) -> None:
    if b"BLOB_UNKNOWN" in response.body:
        response.status, response.body = 200, b"<html>not found</html>"
        response.headers.set("Content-Type", "text/html")
        response.headers.set("Docker-Content-Digest", request.reference)


def _unknown_as(status: int, head: bool = False) -> Apply:
    """Another status where a blob is unknown to an existing repository."""

    def change(_request: Request, response: Response) -> None:
        if not response.body or b"BLOB_UNKNOWN" in response.body:
            response.status = status

    return answers("blob.head" if head else "blob.get", status=404, change=change)


def _unknown_code(_request: Request, response: Response) -> None:
    response.body = response.body.replace(b'"BLOB_UNKNOWN"', b'"MANIFEST_UNKNOWN"')


def _refuse_as_name(digest: str) -> None:

    if not is_digest(digest):
        raise errors.name_invalid(digest)


def _other_digest(_content: bytes) -> str:
    return "sha384:" + "5" * 96


def _named(request: Request, _response: Response) -> bool:
    return request.query.get("ns") is not None


def _always_partial(_request: Request, response: Response) -> None:
    """What a cache of slices answers: a part that is the whole."""
    size = response.length
    if size:
        response.status = 206
        response.headers.set("Content-Range", f"bytes 0-{size - 1}/{size}")


def _namespace(request: Request, response: Response) -> None:
    if request.query.get("ns") is not None:
        response.headers.set("OCI-Namespace", "registry.example")


@around("blob.get", "blob.head")
async def _login_wanted(_registry: Registry, request: Request, handler: Handler) -> Response:
    """The other host asks for the login of the registry, which no client sends there."""
    if request.query.get(_SIGNED) is not None and not request.headers.get("authorization"):
        raise errors.unauthorized('Basic realm="store"')
    return await handler(request)


def _blob_digest_404(_request: Request, response: Response) -> None:
    """A malformed digest is unknown as well; its code stays."""
    if b"DIGEST_INVALID" in response.body:
        response.status = 404


def _ns_refused(request: Request, _response: Response) -> Response | None:
    return Response(400) if request.query.get("ns") is not None else None


FAULTS = (
    Fault(
        name="blob-get-without-length",
        title="GET of a blob has no Content-Length.",
        breaks=("PULL-BLOB-GET-CONTENT-LENGTH",),
        apply=on("blob.get", status=200, change=unsized),
    ),
    Fault(
        name="blob-digest-header-wrong",
        title="Docker-Content-Digest of a blob is another digest.",
        breaks=("PULL-BLOB-GET-DCD-TRUE",),
        apply=on("blob.get", "blob.head", change=wrong_digest),
    ),
    Fault(
        name="blob-without-digest-header",
        title="A pulled blob has no Docker-Content-Digest.",
        breaks=("PULL-BLOB-GET-DCD",),
        # HEAD lacks it as well, which is a statement of its own.
        also=("PULL-BLOB-HEAD-DCD",),
        apply=on("blob.get", "blob.head", change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="blob-unknown-200",
        title="An unknown blob gets 200 with a page that says so.",
        breaks=("PULL-BLOB-GET-UNKNOWN-404",),
        apply=answers("blob.get", status=404, change=_error_as_content),
    ),
    Fault(
        name="blob-unknown-500",
        title="An unknown blob gets 500.",
        breaks=("PULL-BLOB-GET-UNKNOWN-404",),
        apply=_unknown_as(500),
    ),
    Fault(
        name="blob-head-unknown-200",
        title="HEAD of an unknown blob returns 200.",
        breaks=("PULL-BLOB-HEAD-UNKNOWN-404",),
        apply=_unknown_as(200, head=True),
    ),
    Fault(
        name="blob-unknown-code",
        title="An unknown blob has the code MANIFEST_UNKNOWN.",
        breaks=("PULL-BLOB-GET-UNKNOWN-CODE",),
        # The same answer is given to a DELETE only where that code is changed as well, which it is
        # not.
        apply=answers("blob.get", status=404, change=_unknown_code),
    ),
    Fault(
        name="blob-bad-digest-code",
        title="A malformed digest in a blob's path has the code NAME_INVALID.",
        breaks=("PULL-BLOB-GET-BAD-DIGEST-400",),
        apply=lambda registry: override(registry.blobs, check_digest=_refuse_as_name),
    ),
    Fault(
        name="digest-header-of-other-content",
        title="Docker-Content-Digest is a sha384 digest of other content.",
        breaks=("PULL-BLOB-GET-DCD-TRUE",),
        also=(
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-PUT-DIGEST-HEADER-VALUE",
            "PUSH-MOUNT-DIGEST-HEADER-TRUE",
            "PUSH-MANIFEST-DIGEST-HEADER-VALUE",
            "PUSH-MANIFEST-DIGEST-HEADER-TRUE",
        ),
        apply=digests_by(_other_digest),
    ),
    Fault(
        name="empty-blob-204",
        title="The pull of the empty blob returns 204.",
        breaks=("PULL-BLOB-GET-200",),
        also=("PULL-BLOB-GET-EMPTY",),
        apply=on("blob.get", status=200, change=changed_if(lambda _q, r: not r.length, with_status(204))),
    ),
    Fault(
        name="range-203",
        title="A range is served with the status 203.",
        breaks=("PULL-BLOB-GET-200",),
        also=("PULL-BLOB-RANGE-206", "PULL-BLOB-RANGE-OPEN", "PULL-BLOB-RANGE-SUFFIX", "PULL-BLOB-RANGE-CLIPPED"),
        apply=on("blob.get", change=changed_if(is_part, with_status(_OTHER))),
    ),
    Fault(
        name="ns-parameter-203",
        title="A pull with the parameter ns returns 203.",
        breaks=("PULL-BLOB-GET-200",),
        also=("PULL-PROXY-NS",),
        apply=on("blob.get", status=200, change=changed_if(_named, with_status(_OTHER))),
    ),
    Fault(
        name="ns-parameter-spoilt",
        title="A pull with the parameter ns gives another last byte.",
        breaks=("PULL-PROXY-NS-TRUE", "PULL-BLOB-GET-BODY-EXACT"),
        apply=on(
            "blob.get",
            status=200,
            change=changed_if(_named, spoil_part),
        ),
    ),
    Fault(
        name="blob-always-partial",
        title="A whole blob gets 206.",
        breaks=("PULL-BLOB-GET-200",),
        apply=on("blob.get", status=200, change=_always_partial),
    ),
    Fault(
        name="blob-labelled-text",
        title="A blob is labelled text/plain.",
        breaks=("PULL-BLOB-GET-CONTENT-TYPE",),
        apply=on(*_BLOBS, status=200, change=set_header("Content-Type", "text/plain")),
    ),
    Fault(
        name="redirect-without-location",
        title="The pull of a blob is redirected without saying where to.",
        breaks=("PULL-REDIRECT-STATUS",),
        # A client that cannot follow does not get the blob.
        also=("PULL-BLOB-GET-200",),
        variants=("blob-redirected",),
        apply=answers(*_BLOBS, status=307, change=drop_header("Location")),
    ),
    Fault(
        name="redirect-without-digest",
        title="The redirect of a blob has no Docker-Content-Digest.",
        breaks=("PULL-REDIRECT-DCD",),
        # It stands nowhere else, as the store that is redirected to knows of no such header.
        also=("PULL-BLOB-GET-DCD",),
        variants=("blob-redirected",),
        apply=answers(*_BLOBS, status=307, change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="blob-without-validators",
        title="A blob has neither ETag nor Cache-Control.",
        breaks=("PULL-CACHE-BLOB-VALIDATOR",),
        apply=on(*_BLOBS, change=drop_header("ETag", "Cache-Control")),
    ),
    Fault(
        name="namespace-of-another-host",
        title="A pull with ns names another host in OCI-Namespace.",
        breaks=("PULL-PROXY-NS-TRUE",),
        apply=answers("blob.get", "manifest.get", status=200, change=_namespace),
    ),
    Fault(
        name="redirect-wants-login",
        title="Large blobs are redirected to another host, which asks for the login of the registry.",
        breaks=("PULL-REDIRECT-NO-AUTHORIZATION",),
        also=("PULL-BLOB-GET-200",),
        configuration="htpasswd",
        variants=("large-blobs-on-another-host",),
        apply=_login_wanted,
    ),
    Fault(
        name="blob-bad-digest-404",
        title="A malformed digest in a blob's path gets 404 with the code DIGEST_INVALID.",
        breaks=("PULL-BLOB-GET-BAD-DIGEST-400",),
        apply=answers("blob.get", status=400, change=_blob_digest_404),
    ),
    Fault(
        name="blob-get-closes-at-first",
        title="The connection is closed at the first GET of each blob.",
        breaks=("PULL-BLOB-GET-200",),
        apply=at_first("blob.get", change=lambda request, _: hang_up(request)),
    ),
    Fault(
        name="blob-digest-missing-one-in-fifty",
        title="One pull of a blob in fifty has no Docker-Content-Digest.",
        breaks=("PULL-BLOB-GET-DCD",),
        also=("PULL-CONSIST-REPEATABLE",),
        seldom=True,
        apply=one_in(50, drop_header("Docker-Content-Digest"), "blob.get"),
    ),
    Fault(
        name="blob-get-answered-201",
        title="The pull of a blob returns 201.",
        breaks=("PULL-BLOB-GET-200",),
        apply=on("blob.get", status=200, change=set_status(201)),
    ),
    Fault(
        name="blob-get-answered-203",
        title="The pull of a blob returns 203.",
        breaks=("PULL-BLOB-GET-200",),
        apply=on("blob.get", status=200, change=set_status(203)),
    ),
    Fault(
        name="blob-get-answered-204",
        title="The pull of a blob returns 204.",
        breaks=("PULL-BLOB-GET-200",),
        apply=on("blob.get", status=200, change=no_content),
    ),
    Fault(
        name="blob-get-always-203",
        title="The pull of a blob returns 203, also where it is refused.",
        breaks=("PULL-BLOB-GET-200",),
        apply=answers("blob.get", change=set_status(203)),
    ),
    Fault(
        name="ns-parameter-refused",
        title="A pull with the parameter ns returns 400.",
        breaks=("PULL-PROXY-NS",),
        apply=on("blob.get", change=_ns_refused),
    ),
    Fault(
        name="digest-wrong-for-gzip-blobs",
        title="Docker-Content-Digest of a blob that is gzip data is that of something else.",
        breaks=("PULL-BLOB-GET-DCD-TRUE",),
        seldom=True,
        apply=on("blob.get", status=200, change=where_answer(begins_with(_GZIP), other_digest)),
    ),
    Fault(
        name="digest-wrong-for-parts",
        title="Docker-Content-Digest of a part of a blob is that of something else.",
        breaks=("PULL-BLOB-GET-DCD-TRUE",),
        seldom=True,
        apply=on("blob.get", status=206, change=other_digest),
    ),
    Fault(
        name="digest-wrong-for-unchanged-blobs",
        title="Docker-Content-Digest of the 304 to a pull is that of something else.",
        breaks=("PULL-BLOB-GET-DCD-TRUE",),
        seldom=True,
        apply=on("blob.get", status=304, change=other_digest),
    ),
)
