"""Faults of blobs that are pushed by sha512."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.push.uploads.shared import around_upload_put, digest_asked_for, where_request
from reference.faults.shared import before_session, blobs_spoilt
from reference.faults.upload_history import blobs_pushed, close_refused, lost, spoilt
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, answers, override, set_status
from reference.storage import Upload


def _sha512_not_of_chunks(upload: Upload, request: Request) -> None:
    digest = request.query.get("digest") or ""
    if upload.size and digest.startswith("sha512:"):
        raise errors.digest_invalid(digest)


def _unverified_sha512(registry: Registry) -> None:
    override(registry.uploads, verified=lambda claimed, computed: claimed == computed or claimed.startswith("sha512:"))


def _sha512_lost(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        return None if digest.startswith("sha512:") else find(name, digest)

    override(registry.blobs, find=changed)


def _one_sha512(put: Handler) -> Handler:
    seen = False

    async def changed(request: Request) -> Response:
        nonlocal seen
        if digest_asked_for(request).startswith("sha512:"):
            if seen:
                raise errors.digest_invalid(digest_asked_for(request))
            seen = True
        return await put(request)

    return changed


FAULTS = (
    Fault(
        name="sha512-of-whole-blobs-only",
        title="An upload in chunks cannot be closed with a sha512 digest.",
        breaks=("PUSH-START-DIGEST-ALGORITHM-PARAM",),
        apply=before_session("upload.put", _sha512_not_of_chunks),
    ),
    Fault(
        name="put-sha512-unverified",
        title="A sha512 digest is not verified.",
        breaks=("PUSH-BLOB-SHA512-MISMATCH-REJECTED",),
        # Pulled by that digest, the body does not fit it.
        also=("PULL-BLOB-GET-BODY-EXACT",),
        apply=_unverified_sha512,
    ),
    Fault(
        name="sha512-blob-lost",
        title="A blob that was accepted under a sha512 digest is unknown under it.",
        breaks=("BASE-DIGEST-SHA512",),
        also=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        apply=_sha512_lost,
    ),
    Fault(
        name="sha512-lost",
        title="A blob that is pushed by its sha512 digest is unknown.",
        breaks=("BASE-DIGEST-SHA512",),
        also=("PUSH-BLOB-SHA512-ACCEPTED",),
        apply=blobs_pushed(lambda way: way.algorithm == "sha512" and not way.chunks, lost),
    ),
    Fault(
        name="sha512-spoilt",
        title="A blob that is pushed whole by its sha512 digest has another last byte.",
        breaks=("BASE-DIGEST-SHA512",),
        also=("PUSH-BLOB-SHA512-ACCEPTED",),
        apply=blobs_pushed(lambda way: way.algorithm == "sha512" and not way.chunks, spoilt),
    ),
    Fault(
        name="announced-algorithm-not-closed",
        title="An upload that was opened for an algorithm cannot be closed.",
        breaks=("PUSH-START-DIGEST-ALGORITHM-PARAM",),
        apply=close_refused(lambda way: way.announced),
    ),
    Fault(
        name="blob-spoilt-by-sha512",
        title="The last byte of a blob that is pulled by sha512 is another.",
        breaks=("BASE-DIGEST-SHA512",),
        apply=blobs_spoilt(lambda _name, digest, _size: digest.startswith("sha512:")),
    ),
    Fault(
        name="sha512-once",
        title="Only one blob is accepted under a sha512 digest.",
        breaks=("PUSH-BLOB-SHA512-ACCEPTED",),
        apply=around_upload_put(_one_sha512),
    ),
    Fault(
        name="upload-start-algorithm-unknown-404",
        title="An upload for an unknown digest algorithm returns 404.",
        breaks=("PUSH-START-DIGEST-ALGORITHM-UNSUPPORTED-400",),
        apply=answers(
            "upload.start", status=400, change=where_request(lambda r: r.query.get("digest-algorithm"), set_status(404))
        ),
    ),
)
