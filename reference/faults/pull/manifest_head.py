"""Faults of HEAD of manifests."""

from __future__ import annotations

from reference.documents import OCI_INDEX, OCI_MANIFEST
from reference.faults.pull.shared import by_sha512, is_index, longer_than_sent, stale_digest, unsized
from reference.faults.shared import busy, leaks, no_content, other_digest, where_answer
from reference.messages import Request, Response
from reference.modifications import Fault, answers, drop_header, on, set_header, set_status


def _empty_body(_request: Request, response: Response) -> Response:
    return Response(405, [("Allow", "GET, PUT, DELETE")])


def _no_wildcard(request: Request, _response: Response) -> Response | None:
    return Response(404) if request.headers.get("accept") == "*/*" else None


FAULTS = (
    Fault(
        name="head-of-manifest-with-content",
        title="The 200 to a HEAD of a manifest is followed by content.",
        breaks=("PULL-MANIFEST-HEAD-NO-BODY",),
        apply=leaks("manifest.head", status=200),
    ),
    Fault(
        name="head-of-manifest-without-digest",
        title="HEAD of a manifest has no Docker-Content-Digest; GET has.",
        breaks=("PULL-MANIFEST-HEAD-DCD",),
        apply=on("manifest.head", status=200, change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="head-of-manifest-with-stale-digest",
        title="HEAD of a manifest has the digest of another one.",
        breaks=("PULL-MANIFEST-HEAD-DCD-TRUE",),
        apply=on("manifest.head", status=200, change=stale_digest),
    ),
    Fault(
        name="manifest-head-405",
        title="HEAD of a manifest returns 405.",
        breaks=("PULL-MANIFEST-HEAD-200",),
        apply=on("manifest.head", status=200, change=_empty_body),
    ),
    Fault(
        name="manifest-head-without-length",
        title="HEAD of a manifest has no Content-Length.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH",),
        apply=on("manifest.head", status=200, change=unsized),
    ),
    Fault(
        name="manifest-head-length-zero",
        title="HEAD of a manifest has Content-Length: 0.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        apply=on("manifest.head", status=200, change=set_header("Content-Length", "0")),
    ),
    Fault(
        name="manifest-head-without-type",
        title="HEAD of a manifest has no Content-Type.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE",),
        apply=on("manifest.head", status=200, change=drop_header("Content-Type")),
    ),
    Fault(
        name="manifest-head-other-type",
        title="HEAD of a manifest has another Content-Type than GET.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        apply=on("manifest.head", status=200, change=set_header("Content-Type", "application/json")),
    ),
    Fault(
        name="manifest-head-takes-no-wildcard",
        title="HEAD of a manifest returns 404 where Accept has a wildcard alone; GET is not.",
        breaks=("PULL-MANIFEST-HEAD-GET-AGREE",),
        also=("PULL-ACCEPT-WILDCARD",),
        apply=on("manifest.head", status=200, change=_no_wildcard),
    ),
    Fault(
        name="manifest-head-by-digest-503",
        title="HEAD of a manifest by its digest returns 503.",
        breaks=("PULL-MANIFEST-HEAD-200",),
        apply=busy(503, "manifest.head", when=lambda r: ":" in r.reference),
    ),
    Fault(
        name="head-of-manifest-longer",
        title="HEAD of a manifest, and not GET, tells a length that is one too great.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        apply=on(
            "manifest.head",
            status=200,
            change=lambda _request, response: response.headers.set("Content-Length", str(response.length + 1)),
        ),
    ),
    Fault(
        name="manifest-head-answered-203",
        title="The HEAD of a manifest returns 203.",
        breaks=("PULL-MANIFEST-HEAD-200",),
        apply=on("manifest.head", status=200, change=set_status(203)),
    ),
    Fault(
        name="manifest-head-answered-204",
        title="The HEAD of a manifest returns 204.",
        breaks=("PULL-MANIFEST-HEAD-200",),
        apply=on("manifest.head", status=200, change=no_content),
    ),
    Fault(
        name="manifest-head-always-203",
        title="The HEAD of a manifest returns 203, also where it is refused.",
        breaks=("PULL-MANIFEST-HEAD-200",),
        apply=answers("manifest.head", change=set_status(203)),
    ),
    Fault(
        name="head-digest-wrong-for-indexes",
        title="Docker-Content-Digest of the HEAD of an index is that of something else.",
        breaks=("PULL-MANIFEST-HEAD-DCD-TRUE",),
        seldom=True,
        apply=on("manifest.head", status=200, change=where_answer(is_index, other_digest)),
    ),
    Fault(
        name="head-type-wrong-for-indexes",
        title="The HEAD of an index has the type of an image.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        seldom=True,
        apply=on("manifest.head", status=200, change=where_answer(is_index, set_header("Content-Type", OCI_MANIFEST))),
    ),
    Fault(
        name="head-length-wrong-for-indexes",
        title="The HEAD of an index has a Content-Length of one byte more.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        seldom=True,
        apply=on("manifest.head", status=200, change=where_answer(is_index, longer_than_sent)),
    ),
    Fault(
        name="head-digest-wrong-by-sha512",
        title="Docker-Content-Digest of the HEAD of a manifest by sha512 is that of something else.",
        breaks=("PULL-MANIFEST-HEAD-DCD-TRUE",),
        seldom=True,
        apply=on("manifest.head", status=200, change=where_answer(by_sha512, other_digest)),
    ),
    Fault(
        name="head-type-wrong-by-sha512",
        title="The HEAD of an image by sha512 has the type of an index.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        seldom=True,
        apply=on("manifest.head", status=200, change=where_answer(by_sha512, set_header("Content-Type", OCI_INDEX))),
    ),
    Fault(
        name="head-length-wrong-by-sha512",
        title="The HEAD of a manifest by sha512 has a Content-Length of one byte more.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        seldom=True,
        apply=on("manifest.head", status=200, change=where_answer(by_sha512, longer_than_sent)),
    ),
)
