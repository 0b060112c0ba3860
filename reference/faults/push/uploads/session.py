"""Faults of upload sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from reference import errors
from reference.app import Registry
from reference.faults.push.shared import denied
from reference.faults.shared import before_session, content_of
from reference.faults.upload_history import Follower, IsWay, blobs_pushed, close_refused, lost, spoilt
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Apply, Fault, answers, around, on, override
from reference.storage import Upload

_SESSION = ("upload.get", "upload.patch", "upload.put", "upload.delete")


def _again_409(registry: Registry) -> None:
    digests = registry.uploads.digests

    def changed(request: Request) -> list[str]:
        found = digests(request)
        if any(registry.storage.has_blob(request.name, digest) for digest in found):
            raise errors.RegistryError(409, (errors.ErrorEntry("BLOB_UPLOAD_INVALID"),))
        return found

    override(registry.uploads, digests=changed)


@around("upload.put")
async def _blob_again(registry: Registry, request: Request, handler: Handler) -> Response:
    if registry.storage.has_blob(request.name, request.query.get("digest") or ""):
        raise denied(409)
    return await handler(request)


def _answered(operation: str, when: IsWay, answer: Callable[[Response], Awaitable[None] | None]) -> Apply:
    """Change the answer of an operation on a session that went in a certain way."""

    def apply(registry: Registry) -> None:
        follower = Follower(registry)
        handler = registry.handlers[operation]

        async def changed(request: Request) -> Response:
            response = await handler(request)
            way = follower.ways.get(request.reference)
            if way is not None and when(way):
                answer(response)
            return response

        registry.handlers[operation] = changed

    return apply


def _unknown_as_500(_request: Request, response: Response) -> None:
    if b"BLOB_UPLOAD_UNKNOWN" in response.body:
        response.status = 500


def _unknown_code(_request: Request, response: Response) -> None:
    response.body = response.body.replace(b"BLOB_UPLOAD_UNKNOWN", b"BLOB_UNKNOWN")


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


def _either(registry: Registry, seen: dict[tuple[str, str], Upload]) -> Callable[[str], bool]:
    exists = registry.storage.exists
    return lambda name: exists(name) or any(name == repository for repository, _ in seen)


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


def _once_at_a_time(registry: Registry) -> None:
    """A session is refused whose content another one stored in the meantime."""
    stored: dict[tuple[str, str], float] = {}
    close, commit = registry.uploads.close, registry.storage.commit_upload

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        stored.update({(upload.repository, digest): upload.started for digest in digests})
        commit(upload, digests)
        ended[upload.repository] = [*ended.get(upload.repository, []), *digests]

    ended: dict[str, list[str]] = {}
    begun: dict[str, int] = {}
    start = registry.storage.start_upload

    def started(name: str) -> Upload:
        upload = start(name)
        begun[upload.identifier] = len(ended.get(name, []))
        return upload

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        since = ended.get(upload.repository, [])[begun.get(upload.identifier, 0) :]
        if set(digests) & set(since):
            raise errors.RegistryError(409)
        return await close(request, upload, digests, length)

    override(registry.uploads, close=changed)
    override(registry.storage, commit_upload=committed, start_upload=started)


def _range_of_the_first(registry: Registry) -> None:
    """The Range of a chunk is that of the upload that was begun first of those that are open."""
    open_ones: dict[str, list[Upload]] = {}

    def remember(upload: Upload, _request: Request) -> None:
        here = open_ones.setdefault(upload.repository, [])
        if upload not in here:
            here.append(upload)

    def change(request: Request, response: Response) -> None:
        here = [upload for upload in open_ones.get(request.name, ()) if not upload.closed and upload.size]
        open_ones[request.name] = here
        if len(here) > 1:
            response.headers.set("Range", registry.uploads.range(here[0].size))

    before_session("upload.patch", remember)(registry)
    on("upload.patch", status=202, change=change)(registry)


FAULTS = (
    Fault(
        name="put-again-409",
        title="A blob that is already there gets 409.",
        breaks=("PUSH-BLOB-REUPLOAD-IDEMPOTENT",),
        # Two uploads of the same content at the same time are such a case.
        also=("PUSH-BLOB-PARALLEL-SAME-DIGEST",),
        apply=_again_409,
    ),
    Fault(
        name="blob-again-denied",
        title="The upload of a blob that is there already returns 409 DENIED.",
        breaks=("PUSH-BLOB-REUPLOAD-IDEMPOTENT",),
        # Several clients push one blob at a time, or in the session that a mount left open.
        also=("PUSH-BLOB-PARALLEL-SAME-DIGEST", "PUSH-MOUNT-FALLBACK-SESSION-USABLE"),
        apply=_blob_again,
    ),
    Fault(
        name="alternating-uploads-spoilt",
        title="The blobs of two uploads whose chunks alternate have another last byte.",
        breaks=("PUSH-SESSION-PARALLEL-ISOLATED",),
        apply=blobs_pushed(lambda way: bool(way.beside), spoilt),
    ),
    Fault(
        name="alternating-uploads-not-closed",
        title="Two uploads whose chunks alternate cannot be closed.",
        breaks=("PUSH-SESSION-PARALLEL-ISOLATED",),
        apply=close_refused(lambda way: bool(way.beside)),
    ),
    Fault(
        name="alternating-uploads-counted-together",
        title="The Range of an upload counts the chunks of those beside it.",
        breaks=("PUSH-SESSION-PARALLEL-ISOLATED",),
        also=("PUSH-PATCH-RANGE-VALUE",),
        apply=_answered("upload.patch", lambda way: bool(way.beside), lambda r: r.headers.set("Range", "0-9999")),
    ),
    Fault(
        name="same-blob-again-lost",
        title="A blob that is pushed a second time is unknown.",
        breaks=(
            "PUSH-BLOB-PARALLEL-SAME-DIGEST",
            # The search meets it with one push after another.
            "PUSH-BLOB-KEPT",
        ),
        also=("PUSH-INTERRUPTED-REPUSH", "PUSH-CONCURRENT-BLOB-WHOLE"),
        apply=blobs_pushed(lambda way: way.again, lost),
    ),
    Fault(
        name="session-unknown-500",
        title="An unknown session gets 500.",
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
    Fault(
        name="upload-overtaken-409",
        title="An upload whose content another one stored in the meantime returns 409.",
        breaks=("PUSH-BLOB-PARALLEL-SAME-DIGEST",),
        apply=_once_at_a_time,
    ),
    Fault(
        name="range-of-another-upload",
        title="The Range of a chunk is that of the first upload where two are open.",
        breaks=("PUSH-SESSION-PARALLEL-ISOLATED",),
        also=("PUSH-PATCH-RANGE-VALUE",),
        apply=_range_of_the_first,
    ),
)
