"""Faults of HEAD of blobs."""

from __future__ import annotations

from reference.app import Registry
from reference.faults.pull.shared import begins_with, by_sha512, longer_than_sent, stale_digest, unsized
from reference.faults.shared import leaks, no_content, other_digest, where_answer
from reference.messages import Request, Response
from reference.modifications import Fault, answers, drop_header, on, set_header, set_status

_LARGER = 1000


def _closed(response: Response) -> bool:
    if response.content is not None:
        response.content.close()
    return True


def _gone_once_pulled(registry: Registry) -> None:
    before: dict[tuple[str, str], str] = {}

    def changed(request: Request, response: Response) -> Response | None:
        what = (request.name, request.reference)
        if response.status != 200:
            return None
        before[what] = f"{before.get(what, '')}{request.method} "
        return Response(404) if before[what].startswith("HEAD GET HEAD ") else None

    on("blob.get", "blob.head", change=changed)(registry)


def _is_larger(_request: Request, response: Response) -> bool:
    return response.length >= _LARGER


FAULTS = (
    Fault(
        name="blob-head-405",
        title="HEAD of a blob returns 405.",
        breaks=("PULL-BLOB-HEAD-200",),
        apply=on(
            "blob.head",
            status=200,
            change=lambda _request, response: Response(405, [("Allow", "GET, DELETE")]) if _closed(response) else None,
        ),
    ),
    Fault(
        name="blob-head-length-zero",
        title="HEAD of a blob has Content-Length: 0.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        apply=on("blob.head", status=200, change=set_header("Content-Length", "0")),
    ),
    Fault(
        name="blob-head-without-length",
        title="HEAD of a blob has no Content-Length.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH",),
        apply=on("blob.head", status=200, change=unsized),
    ),
    Fault(
        name="blob-head-404-once-pulled",
        title="HEAD of a blob returns 404 where the blob was pulled since the HEAD before.",
        breaks=("PULL-BLOB-HEAD-GET-AGREE",),
        also=("PULL-CACHE-FALSE-304",),
        apply=_gone_once_pulled,
    ),
    Fault(
        name="head-of-blob-with-content",
        title="The 200 to a HEAD of a blob is followed by content.",
        breaks=("PULL-BLOB-HEAD-NO-BODY",),
        apply=leaks("blob.head", status=200),
    ),
    Fault(
        name="head-of-blob-without-digest",
        title="HEAD of a blob has no Docker-Content-Digest; GET has.",
        breaks=("PULL-BLOB-HEAD-DCD",),
        apply=on("blob.head", status=200, change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="head-of-blob-with-stale-digest",
        title="HEAD of a blob has the digest of another one.",
        breaks=("PULL-BLOB-HEAD-DCD-TRUE",),
        apply=on("blob.head", status=200, change=stale_digest),
    ),
    Fault(
        name="blob-head-answered-203",
        title="The HEAD of a blob returns 203.",
        breaks=("PULL-BLOB-HEAD-200",),
        apply=on("blob.head", status=200, change=set_status(203)),
    ),
    Fault(
        name="blob-head-answered-204",
        title="The HEAD of a blob returns 204.",
        breaks=("PULL-BLOB-HEAD-200",),
        apply=on("blob.head", status=200, change=no_content),
    ),
    Fault(
        name="blob-head-always-203",
        title="The HEAD of a blob returns 203, also where it is refused.",
        breaks=("PULL-BLOB-HEAD-200",),
        apply=answers("blob.head", change=set_status(203)),
    ),
    Fault(
        name="head-digest-wrong-for-unchanged-blobs",
        title="Docker-Content-Digest of the 304 to a HEAD is that of something else.",
        breaks=("PULL-BLOB-HEAD-DCD-TRUE",),
        seldom=True,
        apply=on("blob.head", status=304, change=other_digest),
    ),
    Fault(
        name="head-digest-wrong-for-larger-blobs",
        title="Docker-Content-Digest of the HEAD of a blob of a thousand bytes is that of something else.",
        breaks=("PULL-BLOB-HEAD-DCD-TRUE",),
        seldom=True,
        apply=on("blob.head", status=200, change=where_answer(_is_larger, other_digest)),
    ),
    Fault(
        name="head-length-wrong-for-configurations",
        title="The HEAD of a blob that is JSON has a Content-Length of one byte more.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        seldom=True,
        apply=on("blob.head", status=200, change=where_answer(begins_with(b"{"), longer_than_sent)),
    ),
    Fault(
        name="head-length-wrong-of-blobs-by-sha512",
        title="The HEAD of a blob by sha512 has a Content-Length of one byte more.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        seldom=True,
        apply=on("blob.head", status=200, change=where_answer(by_sha512, longer_than_sent)),
    ),
)
