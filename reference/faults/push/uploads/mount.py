"""Faults of mounts."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.push.shared import answered_again, other_location
from reference.faults.shared import answered_500, instead, no_content, other_digest
from reference.grammar import is_digest, is_supported
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
    wrap,
)


def _blobs_lost_with_mount(registry: Registry) -> None:
    """A blob that was mounted elsewhere is gone from where it was."""

    def change(request: Request, response: Response) -> None:
        source = request.query.get("from")
        if source and source != request.name:
            registry.storage.delete_blob(source, request.query.get("mount") or "")

    on("upload.mount", status=201, change=change)(registry)


def _bound_to_mount(registry: Registry) -> None:
    """An upload that a mount opened takes the blob of the mount alone."""
    mount, digests = registry.handlers["upload.mount"], registry.uploads.digests
    bound: dict[str, str] = {}

    async def changed(request: Request) -> Response:
        response = await mount(request)
        if response.status == 202:
            bound[response.headers.get("Docker-Upload-UUID")] = request.query.get("mount") or ""
        return response

    def expected(request: Request) -> list[str]:
        found = digests(request)
        if bound.get(request.reference, found[0]) != found[0]:
            raise errors.RegistryError(500)
        return found

    registry.handlers["upload.mount"] = changed
    override(registry.uploads, digests=expected)


def _mount_refused(status: int, absent_from_only: bool = False, impossible_only: bool = False) -> Apply:
    """Refuse a mount rather than open a session."""

    @around("upload.mount")
    async def apply(_registry: Registry, request: Request, handler: Handler) -> Response:
        if absent_from_only and request.query.get("from") is None:
            return Response(status, [("Allow", "POST")])
        response = await handler(request)
        if impossible_only and response.status == 202 and request.query.get("from") is not None:
            raise errors.RegistryError(status, (errors.ErrorEntry("BLOB_UNKNOWN"),))
        return response if absent_from_only or impossible_only else Response(status, [("Allow", "")])

    return apply


def _lies(registry: Registry) -> None:
    def changed(source: str | None, _name: str, digest: str) -> bool:
        return bool(source) and is_supported(digest) and registry.storage.has_blob(source or "", digest)

    override(registry.uploads, mounted=changed)


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


@around("upload.mount")
async def _mount_of_anything(registry: Registry, request: Request, handler: Handler) -> Response:
    """Answer a mount 201 where the blob is nowhere."""
    response = await handler(request)
    digest = request.query.get("mount") or ""
    source = request.query.get("from") or request.name
    if response.status != 202 or "!" in digest or registry.blobs.find(source, digest):
        return response
    return Response(201, [("Location", f"/v2/{request.name}/blobs/{digest}"), ("Docker-Content-Digest", digest)])


def _mount_of_malformed_404(mount: Handler) -> Handler:
    async def changed(request: Request) -> Response:
        digest = request.query.get("mount") or ""
        if not is_digest(digest):
            raise errors.blob_unknown(digest)
        return await mount(request)

    return changed


FAULTS = (
    Fault(
        name="mount-moves-blob",
        title="A blob that is mounted goes from the repository that it came from.",
        breaks=("PUSH-BLOB-KEPT",),
        # Where only a sequence shows it.
        also=("PULL-BLOB-GET-200",),
        apply=_blobs_lost_with_mount,
    ),
    Fault(
        name="mount-500",
        title="A mount returns 500.",
        breaks=("PUSH-MOUNT-STATUS",),
        apply=instead("upload.mount", when=lambda _: True, answer=answered_500),
    ),
    Fault(
        name="mount-binds-its-upload",
        title="An upload that a mount opened fails for any other blob.",
        breaks=("PUSH-MOUNT-FALLBACK-SESSION-USABLE",),
        apply=_bound_to_mount,
    ),
    Fault(
        name="mount-405",
        title="A mount returns 405.",
        breaks=("PUSH-MOUNT-STATUS",),
        also=("PULL-BLOB-OTHER-REPO-404",),
        apply=_mount_refused(405),
    ),
    Fault(
        name="mount-201-without-blob",
        title="A mount returns 201, and the blob is not there.",
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
        title="A mount that cannot be done returns 404.",
        breaks=("PUSH-MOUNT-FALLBACK-UNKNOWN-SOURCE-202",),
        # A malformed digest cannot be mounted either.
        also=("PUSH-MOUNT-DIGEST-MALFORMED",),
        apply=_mount_refused(404, impossible_only=True),
    ),
    Fault(
        name="mount-without-from-405",
        title="A mount without from returns 405.",
        breaks=("PUSH-MOUNT-FROM-ABSENT",),
        apply=_mount_refused(405, absent_from_only=True),
    ),
    Fault(
        name="mount-query-kept",
        title="The session of a failed mount keeps its query and cannot be closed.",
        breaks=("PUSH-MOUNT-FALLBACK-SESSION-USABLE",),
        apply=_query_kept,
    ),
    Fault(
        name="mount-answered-200",
        title="A mount returns 200.",
        breaks=("PUSH-MOUNT-STATUS",),
        apply=on("upload.mount", status=201, change=set_status(200)),
    ),
    Fault(
        name="mount-answered-204",
        title="A mount returns 204.",
        breaks=("PUSH-MOUNT-STATUS",),
        apply=on("upload.mount", status=201, change=no_content),
    ),
    Fault(
        name="mount-always-203",
        title="A mount returns 203, also where it is refused.",
        breaks=("PUSH-MOUNT-STATUS",),
        apply=answers("upload.mount", change=set_status(203)),
    ),
    Fault(
        name="mount-of-nothing-201",
        title="The mount of a blob that is nowhere returns 201.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        apply=_mount_of_anything,
    ),
    Fault(
        name="mount-without-digest-header",
        title="The 201 of a mount has no Docker-Content-Digest.",
        breaks=("PUSH-MOUNT-DIGEST-HEADER",),
        apply=on("upload.mount", status=201, change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="digest-wrong-for-blobs-mounted-again",
        title="The answer to the second mount of a blob has the Docker-Content-Digest of something else.",
        breaks=("PUSH-MOUNT-DIGEST-HEADER",),
        seldom=True,
        apply=answered_again("upload.mount", status=201, change=other_digest),
    ),
    Fault(
        name="location-of-another-blob-mounted-again",
        title="The Location of a blob that was mounted twice has another digest.",
        breaks=("PUSH-MOUNT-LOCATION-PULLABLE",),
        seldom=True,
        apply=answered_again("upload.mount", status=201, change=other_location),
    ),
    Fault(
        name="mount-digest-malformed-404",
        title="The mount of a malformed digest returns 404.",
        breaks=("PUSH-MOUNT-DIGEST-MALFORMED",),
        apply=lambda registry: wrap(registry, ["upload.mount"], _mount_of_malformed_404),
    ),
)
