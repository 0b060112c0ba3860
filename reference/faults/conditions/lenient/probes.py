"""Faults of parts that look absent, or that announce what nobody tries."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, both, override


@around("upload.put", "upload.start-digest")
async def _no_sha512(_registry: Registry, request: Request, handler: Handler) -> Response:
    digest = request.query.get("digest") or ""
    if digest.startswith("sha512:"):
        raise errors.digest_invalid(digest, "unsupported digest algorithm")
    return await handler(request)


def _manifests_by_any_sha512(registry: Registry) -> None:
    check = registry.manifests.check_digest

    def changed(claimed: str, computed: str) -> None:
        if not claimed.startswith("sha512:"):
            check(claimed, computed)

    override(registry.manifests, check_digest=changed)


def _blob_forgotten(registry: Registry) -> None:
    begun: set[str] = set()

    @around("upload.start-digest")
    async def start(registry: Registry, request: Request, _handler: Handler) -> Response:
        async for _piece in request.pieces():
            pass
        upload = registry.storage.start_upload(request.name)
        begun.add(upload.identifier)
        return registry.uploads.accepted(upload)

    @around("upload.patch")
    async def chunk(registry: Registry, request: Request, handler: Handler) -> Response:
        if request.reference in begun:
            raise registry.uploads.out_of_order(registry.uploads.find(request))
        return await handler(request)

    both(start, chunk)(registry)


@around("upload.mount")
async def _mount_ends_upload(registry: Registry, request: Request, handler: Handler) -> Response:
    digest, source = request.query.get("mount") or "", request.query.get("from") or ""
    if registry.blobs.find(source, digest) is None:
        return await handler(request)
    upload = registry.storage.start_upload(request.name)
    response = registry.uploads.accepted(upload)
    registry.storage.discard_upload(upload)
    return response


@around("upload.get")
async def _nothing_yet(registry: Registry, request: Request, handler: Handler) -> Response:
    if not registry.uploads.find(request).size:
        raise errors.upload_unknown(request.reference)
    return await handler(request)


FAULTS = (
    Fault(
        name="sha512-manifests-not-verified",
        title="Blobs by sha512 are refused, and manifests are accepted under any sha512 digest.",
        breaks=("PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",),
        apply=both(_no_sha512, _manifests_by_any_sha512),
    ),
    Fault(
        name="single-post-upload-takes-no-chunk",
        title="A single POST is answered with an upload that takes a whole blob, and answers 416 to its first chunk.",
        breaks=(
            "PUSH-PATCH-STATUS-202",
            "PUSH-SINGLE-FALLBACK-USABLE",
        ),
        apply=_blob_forgotten,
    ),
    Fault(
        name="mount-of-what-is-there-ends-its-upload",
        title="The mount of a blob that the source has is answered 202 with an upload that is over already.",
        breaks=("PUSH-MOUNT-FALLBACK-SESSION-USABLE",),
        apply=_mount_ends_upload,
    ),
    Fault(
        name="status-before-data-404",
        title="The status of an upload is 404 until it has received data.",
        breaks=("PUSH-STATUS-204",),
        apply=_nothing_yet,
    ),
)
