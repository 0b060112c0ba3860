"""Faults of blobs that are pushed with one POST."""

from __future__ import annotations

from reference.app import Registry
from reference.faults.push.uploads.shared import digest_of_any_length, refused_close_stored
from reference.faults.shared import answered_500, instead, no_content
from reference.faults.upload_history import blobs_pushed, lost
from reference.messages import Request, Response
from reference.modifications import Fault, answers, drop_header, on, override, set_status
from reference.storage import Upload


def _fallback_closed(registry: Registry) -> None:
    """The session that a single POST opens is gone at once."""

    def change(request: Request, response: Response) -> None:
        upload = registry.storage.find_upload(request.name, response.headers.get("Location").rpartition("/")[2])
        if upload is not None:
            registry.storage.discard_upload(upload)

    answers("upload.start-digest", status=202, change=change)(registry)


def _unverified_single(registry: Registry) -> None:
    close = registry.uploads.close

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        if request.operation != "upload.start-digest":
            return await close(request, upload, digests, length)
        await registry.uploads.receive(request, upload)
        registry.storage.commit_upload(upload, digests)
        return registry.uploads.created(request.name, digests[0])

    override(registry.uploads, close=changed)


async def _nothing_stored(request: Request) -> Response:
    async for _ in request.pieces():
        pass
    digest = request.query.get("digest") or ""
    return Response(201, [("Location", f"/v2/{request.name}/blobs/{digest}"), ("Docker-Content-Digest", digest)])


def _nothing(registry: Registry) -> None:
    registry.handlers["upload.start-digest"] = _nothing_stored


FAULTS = (
    Fault(
        name="single-post-fallback-closed",
        title="A POST of a blob returns 202 with the Location of an upload that is closed.",
        breaks=("PUSH-SINGLE-FALLBACK-USABLE",),
        variants=("single-post-202",),
        apply=_fallback_closed,
    ),
    Fault(
        name="single-post-500",
        title="A POST with the whole blob returns 500.",
        breaks=("PUSH-SINGLE-STATUS-201-OR-202",),
        apply=instead("upload.start-digest", when=lambda _: True, answer=answered_500),
    ),
    Fault(
        name="single-post-lost",
        title="A blob that is pushed with one POST is unknown.",
        breaks=("PUSH-SINGLE-LOCATION-PULLABLE",),
        apply=blobs_pushed(lambda way: way.single, lost),
    ),
    Fault(
        name="single-digest-of-any-length",
        title="A single POST takes a digest of another length for true as far as it goes.",
        breaks=("PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",),
        apply=lambda registry: digest_of_any_length(registry, "upload.start-digest"),
    ),
    Fault(
        name="single-post-200",
        title="A single POST returns 200.",
        breaks=("PUSH-SINGLE-STATUS-201-OR-202",),
        apply=on("upload.start-digest", status=201, change=set_status(200)),
    ),
    Fault(
        name="single-post-wrong-digest-accepted",
        title="A single POST with a wrong digest is accepted.",
        breaks=("PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",),
        # Pulled by that digest, the body does not fit it.
        also=("PULL-BLOB-GET-BODY-EXACT",),
        apply=_unverified_single,
    ),
    Fault(
        name="single-post-stores-nothing",
        title="A single POST returns 201, and nothing is stored.",
        breaks=("PUSH-SINGLE-LOCATION-PULLABLE",),
        # Nor is the digest looked at.
        also=("PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",),
        apply=_nothing,
    ),
    Fault(
        name="refused-single-post-stored",
        title="A single POST with a wrong digest is refused, and the blob is stored under that digest.",
        breaks=("PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",),
        apply=refused_close_stored(single=True),
    ),
    Fault(
        name="single-post-answered-203",
        title="A single POST returns 203.",
        breaks=("PUSH-SINGLE-STATUS-201-OR-202",),
        apply=on("upload.start-digest", status=201, change=set_status(203)),
    ),
    Fault(
        name="single-post-answered-204",
        title="A single POST returns 204.",
        breaks=("PUSH-SINGLE-STATUS-201-OR-202",),
        apply=on("upload.start-digest", status=201, change=no_content),
    ),
    Fault(
        name="single-post-always-203",
        title="A single POST returns 203, also where it is refused.",
        breaks=("PUSH-SINGLE-STATUS-201-OR-202",),
        apply=answers("upload.start-digest", change=set_status(203)),
    ),
    Fault(
        name="single-post-fallback-without-location",
        title="A POST of a blob returns 202 without Location.",
        breaks=("PUSH-SINGLE-FALLBACK-LOCATION",),
        variants=("single-post-202",),
        apply=answers("upload.start-digest", status=202, change=drop_header("Location")),
    ),
    Fault(
        name="single-post-wrong-digest-404",
        title="A single POST with a wrong digest returns 404.",
        breaks=("PUSH-SINGLE-DIGEST-INVALID-400",),
        apply=answers("upload.start-digest", status=400, change=set_status(404)),
    ),
)
