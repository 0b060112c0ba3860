"""Faults of upload sessions: their status, their cancelling, and their end."""

from __future__ import annotations

from collections.abc import Callable

from reference.app import Registry
from reference.faults.uploads import one_more, session_range
from reference.messages import Content, Request, Response
from reference.modifications import Fault, answers, drop_header, on, override, set_status
from reference.storage import Upload
from reference.storage.filesystem import FileContent, FileUpload
from reference.storage.memory import MemoryContent, MemoryUpload


def content_of(upload: Upload) -> Content | None:
    """The data of an open session, as if it were a blob."""
    if isinstance(upload, MemoryUpload):
        return MemoryContent(bytes(upload.data))
    return FileContent(str(upload.path)) if isinstance(upload, FileUpload) else None


def _session_lost(registry: Registry) -> None:
    status = registry.handlers["upload.get"]

    async def changed(request: Request) -> Response:
        response = await status(request)
        registry.storage.discard_upload(registry.uploads.find(request))
        return response

    registry.handlers["upload.get"] = changed


def _cancel_is_nothing(registry: Registry) -> None:
    async def changed(request: Request) -> Response:
        registry.uploads.find(request)
        return Response(204)

    registry.handlers["upload.delete"] = changed


def _cancel_keeps_blob(registry: Registry) -> None:
    async def changed(request: Request) -> Response:
        upload = registry.uploads.find(request)
        registry.storage.commit_upload(upload, [await upload.digest("sha256")])
        return Response(204)

    registry.handlers["upload.delete"] = changed


def _open_after_close(registry: Registry) -> None:
    """A session that was closed begins anew."""
    closed: dict[tuple[str, str], Upload] = {}
    find, commit = registry.uploads.find, registry.storage.commit_upload

    def remember(upload: Upload, digests: list[str]) -> None:
        commit(upload, digests)
        closed[upload.repository, upload.identifier] = registry.storage.start_upload(upload.repository)

    def changed(request: Request) -> Upload:
        again = closed.get((request.name, request.reference))
        return again if again is not None and not again.closed else find(request)

    override(registry.uploads, find=changed)
    override(registry.storage, commit_upload=remember)


def _visible_before_close(registry: Registry) -> None:
    seen: dict[tuple[str, str], Upload] = {}
    patch, find = registry.handlers["upload.patch"], registry.blobs.find

    async def remember(request: Request) -> Response:
        response = await patch(request)
        upload = registry.uploads.find(request)
        seen[request.name, await upload.digest("sha256")] = upload
        return response

    def changed(name: str, digest: str) -> Content | None:
        upload = seen.get((name, digest))
        if upload is not None and not upload.closed and not registry.storage.has_blob(name, digest):
            return content_of(upload)
        return find(name, digest)

    registry.handlers["upload.patch"] = remember
    override(registry.blobs, find=changed)
    override(registry.storage, exists=_either(registry, seen))


def _either(registry: Registry, seen: dict[tuple[str, str], Upload]) -> Callable[[str], bool]:
    exists = registry.storage.exists
    return lambda name: exists(name) or any(name == repository for repository, _ in seen)


def _any_repository(registry: Registry) -> None:
    """A session is found under every repository, and its blob goes where it is closed."""
    sessions: dict[str, Upload] = {}
    start, find = registry.storage.start_upload, registry.storage.find_upload

    def remember(name: str) -> Upload:
        upload = start(name)
        sessions[upload.identifier] = upload
        return upload

    def changed(name: str, identifier: str) -> Upload | None:
        upload = sessions.get(identifier)
        if upload is not None and not upload.closed and upload.repository != name:
            upload.repository = name
        return upload if upload is not None and not upload.closed else find(name, identifier)

    override(registry.storage, start_upload=remember, find_upload=changed)


def _unknown_as_500(_request: Request, response: Response) -> None:
    if b"BLOB_UPLOAD_UNKNOWN" in response.body:
        response.status = 500


def _unknown_code(_request: Request, response: Response) -> None:
    response.body = response.body.replace(b"BLOB_UPLOAD_UNKNOWN", b"BLOB_UNKNOWN")


_SESSION = ("upload.get", "upload.patch", "upload.put", "upload.delete")


FAULTS = (
    Fault(
        name="status-200",
        title="The status of a session is answered 200.",
        breaks=("PUSH-STATUS-204",),
        apply=on("upload.get", status=204, change=set_status(200)),
    ),
    Fault(
        name="status-without-location",
        title="The status of a session has no Location.",
        breaks=("PUSH-STATUS-LOCATION-PRESENT",),
        apply=on("upload.get", change=drop_header("Location")),
    ),
    Fault(
        name="status-range-off-by-one",
        title="The Range of the status ends at the length.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        apply=session_range(one_more, "upload.get"),
    ),
    Fault(
        name="status-ends-session",
        title="A session whose status was asked is gone.",
        breaks=("PUSH-STATUS-NO-SIDE-EFFECT",),
        # Whatever asks for the status and goes on is stopped.
        also=(
            "PUSH-STATUS-EARLIER-LOCATION",
            "PUSH-PATCH-416-STATE-UNCHANGED",
            "PUSH-STATUS-LOCATION-PRESENT",
            "PUSH-SESSION-PARALLEL-ISOLATED",
        ),
        apply=_session_lost,
    ),
    Fault(
        name="cancel-200",
        title="The cancelling of a session is answered 200.",
        breaks=("PUSH-CANCEL-204",),
        apply=on("upload.delete", status=204, change=set_status(200)),
    ),
    Fault(
        name="cancel-does-nothing",
        title="A session goes on after it was cancelled.",
        breaks=("PUSH-CANCEL-SESSION-GONE",),
        # A second DELETE finds it as well.
        also=("PUSH-CANCEL-UNKNOWN-404",),
        apply=_cancel_is_nothing,
    ),
    Fault(
        name="cancel-keeps-blob",
        title="A cancelled session becomes a blob.",
        breaks=("PUSH-CANCEL-NO-BLOB",),
        apply=_cancel_keeps_blob,
    ),
    Fault(
        name="session-unknown-500",
        title="An unknown session is answered 500.",
        breaks=("PUSH-SESSION-UNKNOWN-404",),
        # A cancelled session is unknown, and a server error is one whatever was asked.
        also=("PUSH-CANCEL-SESSION-GONE", "PUSH-CANCEL-UNKNOWN-404", "PUSH-SESSION-CLOSED-AFTER-201"),
        apply=answers(*_SESSION, status=404, change=_unknown_as_500),
    ),
    Fault(
        name="session-unknown-code",
        title="An unknown session has the code BLOB_UNKNOWN.",
        breaks=("PUSH-SESSION-UNKNOWN-CODE",),
        apply=answers(*_SESSION, status=404, change=_unknown_code),
    ),
    Fault(
        name="session-open-after-close",
        title="A session can be used after it was closed.",
        breaks=("PUSH-SESSION-CLOSED-AFTER-201",),
        # A finished session is the usual example of an unknown one.
        also=("PUSH-SESSION-UNKNOWN-404", "PUSH-CANCEL-UNKNOWN-404"),
        apply=_open_after_close,
    ),
    Fault(
        name="blob-visible-before-close",
        title="The data of a session is a blob before it is closed.",
        breaks=("PUSH-SESSION-NO-BLOB-BEFORE-CLOSE",),
        apply=_visible_before_close,
    ),
    Fault(
        name="session-of-any-repository",
        title="A session can be used under another repository.",
        breaks=("PUSH-SESSION-BELONGS-TO-REPO",),
        apply=_any_repository,
    ),
)
