"""Faults of blobs in one request and of mounts."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.grammar import is_supported
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, drop_header, on, override, set_header, set_status
from reference.storage import Upload


def _unverified_single(registry: Registry) -> None:
    close = registry.uploads.close

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        if request.operation != "upload.start-digest":
            return await close(request, upload, digests, length)
        await registry.uploads.receive(request, upload)
        registry.storage.commit_upload(upload, digests)
        return registry.uploads.created(request.name, digests[0])

    override(registry.uploads, close=changed)


def _lies(registry: Registry) -> None:
    def changed(source: str | None, _name: str, digest: str) -> bool:
        return bool(source) and is_supported(digest) and registry.storage.has_blob(source or "", digest)

    override(registry.uploads, mounted=changed)


def _mount_refused(status: int, absent_from_only: bool = False, impossible_only: bool = False) -> Apply:
    """Refuse a mount rather than open a session."""

    def apply(registry: Registry) -> None:
        mount = registry.handlers["upload.mount"]

        async def changed(request: Request) -> Response:
            if absent_from_only and request.query.get("from") is None:
                return Response(status, [("Allow", "POST")])
            response = await mount(request)
            if impossible_only and response.status == 202 and request.query.get("from") is not None:
                raise errors.RegistryError(status, (errors.ErrorEntry("BLOB_UNKNOWN"),))
            return response if absent_from_only or impossible_only else Response(status, [("Allow", "")])

        registry.handlers["upload.mount"] = changed

    return apply


def _query_kept(registry: Registry) -> None:
    """The session of a failed mount keeps its query, and refuses to be closed with it."""
    mount, put = registry.handlers["upload.mount"], registry.handlers["upload.put"]

    async def with_query(request: Request) -> Response:
        response = await mount(request)
        if response.status == 202:
            response.headers.set("Location", f"{response.headers.get('Location')}?{request.query.raw}")
        return response

    async def refusing(request: Request) -> Response:
        if request.query.get("mount") is not None:
            raise errors.digest_invalid(request.query.get("mount") or "")
        return await put(request)

    registry.handlers["upload.mount"], registry.handlers["upload.put"] = with_query, refusing


async def _nothing_stored(request: Request) -> Response:
    async for _ in request.pieces():
        pass
    digest = request.query.get("digest") or ""
    return Response(201, [("Location", f"/v2/{request.name}/blobs/{digest}"), ("Docker-Content-Digest", digest)])


def _nothing(registry: Registry) -> None:
    registry.handlers["upload.start-digest"] = _nothing_stored


FAULTS = (
    Fault(
        name="single-post-200",
        title="A single POST is answered 200.",
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
        title="A single POST is answered 201, and nothing is stored.",
        breaks=("PUSH-SINGLE-LOCATION-PULLABLE",),
        # Nor is the digest looked at.
        also=("PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",),
        apply=_nothing,
    ),
    Fault(
        name="mount-405",
        title="A mount is answered 405.",
        breaks=("PUSH-MOUNT-STATUS",),
        also=("PULL-BLOB-OTHER-REPO-404",),
        apply=_mount_refused(405),
    ),
    Fault(
        name="mount-lies",
        title="A mount is answered 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        apply=_lies,
    ),
    Fault(
        name="mount-without-location",
        title="The 201 of a mount has no Location.",
        breaks=("PUSH-MOUNT-LOCATION-PULLABLE",),
        apply=on("upload.mount", status=201, change=drop_header("Location")),
    ),
    Fault(
        name="mount-digest-header-wrong",
        title="The 201 of a mount has another digest.",
        breaks=("PUSH-MOUNT-DIGEST-HEADER-TRUE",),
        apply=on("upload.mount", status=201, change=set_header("Docker-Content-Digest", f"sha256:{'0' * 64}")),
    ),
    Fault(
        name="mount-impossible-404",
        title="A mount that cannot be done is answered 404.",
        breaks=("PUSH-MOUNT-FALLBACK-UNKNOWN-SOURCE-202",),
        # A malformed digest cannot be mounted either.
        also=("PUSH-MOUNT-DIGEST-MALFORMED",),
        apply=_mount_refused(404, impossible_only=True),
    ),
    Fault(
        name="mount-without-from-405",
        title="A mount without from is answered 405.",
        breaks=("PUSH-MOUNT-FROM-ABSENT",),
        apply=_mount_refused(405, absent_from_only=True),
    ),
    Fault(
        name="mount-query-kept",
        title="The session of a failed mount keeps its query and cannot be closed.",
        breaks=("PUSH-MOUNT-FALLBACK-SESSION-USABLE",),
        apply=_query_kept,
    ),
)
