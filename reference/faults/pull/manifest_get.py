"""Faults of GET of manifests."""

from __future__ import annotations

import gzip
import json

from reference.app import Registry
from reference.documents import OCI_MANIFEST
from reference.faults.pull.shared import (
    by_digest,
    by_sha512,
    changed_if,
    coding_unasked,
    has_member,
    is_docker,
    is_index,
    labelled,
    labelled_as,
    negotiated,
    one_in,
    unsized,
    wrong_digest,
)
from reference.faults.shared import busy, no_content, other_digest, where_answer, with_status
from reference.messages import Request, Response
from reference.modifications import Fault, answers, drop_header, moved_tags, on, override, set_header, set_status
from reference.storage import Manifest

_OTHER = 203  # Non-Authoritative Information: a success, and not the one that is meant
_MANIFEST_PULLS = ("manifest.get", "manifest.head")
_PLAIN = "application/json"


def _moved_203(registry: Registry) -> None:
    """Another success for the pull of a tag that was moved."""
    moved = moved_tags(registry)

    def change(request: Request, response: Response) -> None:
        if (request.name, request.reference) in moved:
            response.status = 203

    on("manifest.get", status=200, change=change)(registry)


def _unknown_where_odd(_request: Request, response: Response) -> Response | None:
    """Know no manifest of a type that is none of OCI's and Docker's."""
    if not response.headers.get("content-type").startswith("application/vnd.example."):
        return None
    return Response(404, [("Content-Type", "application/json")], b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')


def _reserialised(_request: Request, response: Response) -> None:
    response.body = json.dumps(json.loads(response.body), separators=(",", ":")).encode()


def _digest_only_if_pushed_so(registry: Registry) -> None:
    find, put = registry.manifests.find, registry.handlers["manifest.put"]
    pushed: set[tuple[str, str]] = set()

    async def remember(request: Request) -> Response:
        response = await put(request)
        if ":" in request.reference:
            pushed.add((request.name, request.reference))
        return response

    def by_digest(name: str, reference: str) -> Manifest | None:
        return None if ":" in reference and (name, reference) not in pushed else find(name, reference)

    registry.handlers["manifest.put"] = remember
    override(registry.manifests, find=by_digest)


def _digest_without_algorithm(_request: Request, response: Response) -> None:
    response.headers.set("Docker-Content-Digest", response.headers.get("Docker-Content-Digest").partition(":")[2])


def _coded_silently(request: Request, response: Response) -> None:
    if "gzip" in request.headers.get("accept-encoding"):
        response.body = gzip.compress(response.body, mtime=0)


def _tabs_by_digest(request: Request, response: Response) -> None:
    if by_digest(request) and b"\t" in response.body:
        response.body = response.body.replace(b"\t", b" ")


def _second_tag(registry: Registry) -> None:
    """The second tag of a manifest has a line end more, and the first one as it was."""

    def changed(request: Request, response: Response) -> None:
        digest = response.headers.get("Docker-Content-Digest")
        tags = [tag for tag in registry.storage.tags(request.name) if registry.storage.tag(request.name, tag) == digest]
        if request.reference in tags[1:]:
            response.body += b"\n"

    on("manifest.get", status=200, change=changed)(registry)


FAULTS = (
    Fault(
        name="moved-tag-203",
        title="The GET of a tag that was moved returns 203.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        # It shows where that is asked for.
        also=("PULL-CONSIST-TAG-MOVE",),
        apply=_moved_203,
    ),
    Fault(
        name="manifest-coding-unasked",
        title="A manifest for a client that takes gzip comes with a coding that is none of it.",
        breaks=("PULL-MANIFEST-GET-CODING-TRUE",),
        apply=on("manifest.get", status=200, change=coding_unasked),
    ),
    Fault(
        name="manifest-of-odd-type-unserved",
        title="A manifest of an unknown type is accepted, and unknown when it is pulled.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        apply=on("manifest.get", "manifest.head", status=200, change=_unknown_where_odd),
    ),
    Fault(
        name="manifest-get-206-of-existing",
        title="Manifests that were there before get 206.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        also=("PULL-MANIFEST-GET-DIGEST-200",),
        configuration="read-only",
        apply=on("manifest.get", status=200, change=set_status(206)),
    ),
    Fault(
        name="sha512-manifest-203",
        title="The pull of a manifest by sha512 returns 203.",
        breaks=("PULL-MANIFEST-GET-DIGEST-200",),
        # It shows where that is asked for.
        also=("PULL-MANIFEST-SHA512",),
        apply=on("manifest.get", status=200, change=changed_if(by_sha512, with_status(_OTHER))),
    ),
    Fault(
        name="docker-manifest-203",
        title="The pull of a Docker manifest returns 203.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        # It shows where those are asked for.
        also=("PULL-TYPE-DOCKER-V2", "PULL-TYPE-DOCKER-LIST"),
        apply=on("manifest.get", status=200, change=changed_if(is_docker, with_status(_OTHER))),
    ),
    Fault(
        name="manifest-reserialised",
        title="A pulled manifest was parsed and written again.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT",),
        apply=on(*_MANIFEST_PULLS, status=200, change=_reserialised),
    ),
    Fault(
        name="manifest-digest-unknown",
        title="A manifest that was pushed by tag is unknown by its digest.",
        breaks=("PULL-MANIFEST-GET-DIGEST-200",),
        # A manifest pushed by tag cannot be deleted by digest either.
        also=(
            "MGMT-MANIFEST-DELETE-202",
            "PUSH-MANIFEST-CONFIG-TYPE-UNKNOWN",
            "PUSH-MANIFEST-EMPTY-LAYERS",
            "PUSH-MANIFEST-LAYER-TYPE-UNKNOWN",
        ),
        apply=_digest_only_if_pushed_so,
    ),
    Fault(
        name="manifest-digest-header-wrong",
        title="Docker-Content-Digest of a manifest is another digest.",
        breaks=("PULL-MANIFEST-GET-DCD-TRUE",),
        apply=on(*_MANIFEST_PULLS, status=200, change=wrong_digest),
    ),
    Fault(
        name="manifest-digest-header-malformed",
        title="Docker-Content-Digest of a manifest has no algorithm.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        # What compares the header with a digest finds no digest.
        also=("PULL-MANIFEST-GET-DCD", "PULL-MANIFEST-HEAD-DCD"),
        apply=on(*_MANIFEST_PULLS, status=200, change=_digest_without_algorithm),
    ),
    Fault(
        name="manifest-without-digest-header",
        title="A pulled manifest has no Docker-Content-Digest.",
        breaks=("PULL-MANIFEST-GET-DCD",),
        # HEAD lacks it as well, which is a statement of its own.
        also=("PULL-MANIFEST-HEAD-DCD",),
        apply=on(*_MANIFEST_PULLS, change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="manifest-get-without-length",
        title="GET of a manifest has no Content-Length.",
        breaks=("PULL-MANIFEST-GET-CONTENT-LENGTH",),
        apply=on("manifest.get", status=200, change=unsized),
    ),
    Fault(
        name="manifest-gzip-undeclared",
        title="A manifest is packed for clients that take gzip, without a Content-Encoding.",
        breaks=("PULL-MANIFEST-GET-CODING-TRUE",),
        apply=on("manifest.get", status=200, change=_coded_silently),
    ),
    Fault(
        name="manifest-by-tag-unknown",
        title="GET finds a manifest by its digest only, and returns 404 for a tag.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        apply=negotiated(lambda request, _: request.method == "HEAD" or by_digest(request)),
    ),
    Fault(
        name="manifest-by-digest-with-blanks",
        title="GET by digest has blanks in place of the tabs of a manifest, GET by tag has not.",
        breaks=("PULL-MANIFEST-GET-DIGEST-BINDS-BODY",),
        apply=on(*_MANIFEST_PULLS, status=200, change=_tabs_by_digest),
    ),
    Fault(
        name="manifest-second-tag-longer",
        title="The second tag of a manifest yields it with a line end more.",
        breaks=("PULL-MANIFEST-TAG-DIGEST-AGREE",),
        # Wherever one manifest is pushed under several tags it shows.
        also=("BASE-TAG-ACCEPTED-KEPT", "PUSH-CONCURRENT-REPOSITORIES-APART", "PUSH-TAGPARAM-LISTED-TAG-RESOLVES"),
        apply=_second_tag,
    ),
    Fault(
        name="image-by-digest-labelled-json",
        title="An OCI image by digest is labelled application/json.",
        breaks=("PULL-TYPE-OCI-IMAGE",),
        # Tag and digest then disagree, and so does what is asked of Accept by digest.
        also=("PULL-MANIFEST-TAG-DIGEST-AGREE", "PULL-ACCEPT-ABSENT", "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE"),
        apply=labelled_as(
            _PLAIN, lambda r, a: by_digest(r) and labelled(OCI_MANIFEST)(r, a) and "mediaType" in json.loads(a.body)
        ),
    ),
    Fault(
        name="manifest-by-digest-429",
        title="GET of a manifest by its digest, and by no tag, returns 429.",
        breaks=("PULL-MANIFEST-GET-DIGEST-200",),
        also=("BASE-RATE-RETRY-AFTER",),
        apply=busy(429, "manifest.get", when=lambda r: ":" in r.reference),
    ),
    Fault(
        name="manifest-digest-missing-one-in-fifty",
        title="One pull of a manifest in fifty has no Docker-Content-Digest.",
        # The contract sees it in whatever scenario it comes.
        breaks=("PULL-MANIFEST-GET-DCD",),
        # Two pulls that are compared may differ by it.
        also=("PULL-MANIFEST-TAG-DIGEST-AGREE", "PULL-CONSIST-REPEATABLE"),
        seldom=True,
        apply=one_in(50, drop_header("Docker-Content-Digest"), "manifest.get"),
    ),
    Fault(
        name="manifest-get-answered-201",
        title="The pull of a manifest returns 201.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        apply=on("manifest.get", status=200, change=set_status(201)),
    ),
    Fault(
        name="manifest-get-answered-203",
        title="The pull of a manifest returns 203.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        apply=on("manifest.get", status=200, change=set_status(203)),
    ),
    Fault(
        name="manifest-get-answered-204",
        title="The pull of a manifest returns 204.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        apply=on("manifest.get", status=200, change=no_content),
    ),
    Fault(
        name="manifest-get-always-203",
        title="The pull of a manifest returns 203, also where it is refused.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        apply=answers("manifest.get", change=set_status(203)),
    ),
    Fault(
        name="digest-wrong-for-referrers",
        title="Docker-Content-Digest of a manifest with a subject is that of something else.",
        breaks=("PULL-MANIFEST-GET-DCD-TRUE",),
        seldom=True,
        apply=on("manifest.get", status=200, change=where_answer(has_member("subject"), other_digest)),
    ),
    Fault(
        name="coding-false-for-indexes",
        title="An index is sent as it is, with Content-Encoding: gzip.",
        breaks=("PULL-MANIFEST-GET-CODING-TRUE",),
        seldom=True,
        apply=on("manifest.get", status=200, change=where_answer(is_index, set_header("Content-Encoding", "gzip"))),
    ),
    Fault(
        name="coding-false-for-referrers",
        title="A manifest with a subject is sent as it is, with Content-Encoding: br.",
        breaks=("PULL-MANIFEST-GET-CODING-TRUE",),
        seldom=True,
        apply=on(
            "manifest.get", status=200, change=where_answer(has_member("subject"), set_header("Content-Encoding", "br"))
        ),
    ),
    Fault(
        name="digest-wrong-for-artifacts",
        title="Docker-Content-Digest of a manifest with an artifactType is that of something else.",
        breaks=("PULL-MANIFEST-GET-DCD-TRUE",),
        seldom=True,
        apply=on("manifest.get", status=200, change=where_answer(has_member("artifactType"), other_digest)),
    ),
)
