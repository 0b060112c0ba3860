"""Faults of uploads and mounts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from reference import errors
from reference.app import Registry
from reference.faults.shared import before_session
from reference.grammar import digest_of
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, answers, around, override
from reference.storage import Upload

_MOST = 1 << 30
_SHA384 = re.compile(r"sha384:[a-f0-9]{96}")


def _replayed(request: Request, data: bytes) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        if data:
            yield data

    request.pieces = pieces  # type: ignore[method-assign]  # it was read already


@around("upload.put")
async def _own_body(registry: Registry, request: Request, handler: Handler) -> Response:
    """A body without a place is the whole blob, where the digest fits."""
    upload, digest = registry.uploads.find(request), request.query.get("digest") or ""
    if not upload.size or "content-range" in request.headers:
        return await handler(request)
    data = await request.body(_MOST) or b""
    _replayed(request, data)
    if data and digest == digest_of(data, digest.partition(":")[0]):
        registry.storage.discard_upload(upload)
        request.reference = registry.storage.start_upload(request.name).identifier
    return await handler(request)


def _nothing_to_abort(upload: Upload, _request: Request) -> None:
    if not upload.size:
        raise errors.upload_unknown(upload.identifier)


def _cancelled_from_anywhere(registry: Registry) -> None:
    names: dict[str, str] = {}
    start = registry.storage.start_upload

    def started(name: str) -> Upload:
        upload = start(name)
        names[upload.identifier] = name
        return upload

    @around("upload.delete")
    async def cancelled(_registry: Registry, request: Request, handler: Handler) -> Response:
        request.name = names.get(request.reference, request.name)
        return await handler(request)

    override(registry.storage, start_upload=started)
    cancelled(registry)


def _no_range_to_the_first(request: Request, response: Response) -> None:
    if re.fullmatch(r"0-\d+", request.headers.get("content-range").strip()):
        response.headers.drop("Range")


def _sha384_unverified(registry: Registry) -> None:
    uploads, blobs = registry.uploads, registry.blobs
    digests, verified, find = uploads.digests, uploads.verified, blobs.find

    def taken(request: Request) -> list[str]:
        named = request.query.all("digest")
        return named if named and all(map(_SHA384.fullmatch, named)) else digests(request)

    def found(name: str, digest: str) -> Content | None:
        return registry.storage.open_blob(name, digest) if _SHA384.fullmatch(digest) else find(name, digest)

    override(
        uploads,
        digests=taken,
        verified=lambda claimed, computed: claimed[:6] == "sha384" or verified(claimed, computed),
    )
    override(blobs, find=found)


def _sha512_by_post_alone(registry: Registry) -> None:
    uploads = registry.uploads
    digests, verified = uploads.digests, uploads.verified

    def taken(request: Request) -> list[str]:
        named = digests(request)
        if request.operation == "upload.put" and any(digest.startswith("sha512:") for digest in named):
            raise errors.digest_invalid(named[0], "of an unsupported algorithm")
        return named

    @around("manifest.put", "upload.start")
    async def refused(_registry: Registry, request: Request, handler: Handler) -> Response:
        if request.reference.startswith("sha512:") or request.query.get("digest-algorithm") == "sha512":
            raise errors.digest_invalid(request.reference, "of an unsupported algorithm")
        return await handler(request)

    override(
        uploads,
        digests=taken,
        verified=lambda claimed, computed: claimed[:6] == "sha512" or verified(claimed, computed),
    )
    refused(registry)


def _manifests_mounted(registry: Registry) -> None:
    mounted = registry.uploads.mounted

    def changed(source: str | None, name: str, digest: str) -> bool:
        return mounted(source, name, digest) or registry.storage.manifest(source or "", digest) is not None

    override(registry.uploads, mounted=changed)


FAULTS = (
    Fault(
        name="close-is-the-whole",
        title="A closing PUT without Content-Range makes a blob of its body alone, if that has the digest, "
        "though chunks came before.",
        breaks=("PUSH-PUT-DIGEST-OF-WHOLE", "PUSH-PUT-DIGEST-MISMATCH-REJECTED"),
        apply=_own_body,
    ),
    Fault(
        name="cancel-of-no-parts-404",
        title="The cancellation of an upload to which nothing was sent is answered 404, and the upload goes on.",
        breaks=("PUSH-CANCEL-204",),
        apply=before_session("upload.delete", _nothing_to_abort),
    ),
    Fault(
        name="cancel-under-any-name",
        title="An upload is cancelled by a DELETE under the path of another repository.",
        breaks=("PUSH-SESSION-BELONGS-TO-REPO", "PUSH-CANCEL-UNKNOWN-404"),
        apply=_cancelled_from_anywhere,
    ),
    Fault(
        name="repeated-first-chunk-without-range",
        title="The 416 to a first chunk that is sent again has no Range.",
        breaks=("PUSH-PATCH-416-RANGE-PRESENT",),
        apply=answers("upload.patch", status=416, change=_no_range_to_the_first),
    ),
    Fault(
        name="sha384-unverified",
        title="A blob is accepted under any sha384 digest.",
        breaks=("PUSH-PUT-DIGEST-ALGORITHM-UNKNOWN-REJECTED", "PUSH-PUT-DIGEST-MISMATCH-REJECTED"),
        apply=_sha384_unverified,
    ),
    Fault(
        name="sha512-by-post-unverified",
        title="sha512 digests are refused, but for a single POST, which is not verified.",
        breaks=("PUSH-SINGLE-DIGEST-MISMATCH-REJECTED", "PUSH-PUT-DIGEST-ALGORITHM-UNKNOWN-REJECTED"),
        also=("PUSH-BLOB-SHA512-MISMATCH-REJECTED", "PUSH-BLOB-SHA512-ACCEPTED"),
        apply=_sha512_by_post_alone,
    ),
    Fault(
        name="manifest-mounted-in-vain",
        title="The mount of a blob by the digest of a manifest is answered 201, and there is no blob.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE",),
        apply=_manifests_mounted,
    ),
)
