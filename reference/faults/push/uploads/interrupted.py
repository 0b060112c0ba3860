"""Faults of uploads that break off."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from reference import errors
from reference.app import Registry
from reference.faults.upload_history import blobs_pushed, close_refused, spoilt
from reference.messages import Disconnected, Handler, Request, Response
from reference.modifications import Apply, Fault, around, override
from reference.storage import Upload


def _truncated_kept(registry: Registry) -> None:
    receive = registry.uploads.receive

    async def keep(request: Request, upload: Upload) -> None:
        try:
            await receive(request, upload)
        except Disconnected:
            if request.operation != "upload.put":
                raise
            await upload.flush()
            digests = [*registry.uploads.digests(request), await upload.digest("sha256")]
            registry.storage.commit_upload(upload, digests)
            raise errors.upload_interrupted() from None

    override(registry.uploads, receive=keep)


def _cut_off(operation: str, then: Callable[[Registry, Request], None]) -> Apply:
    """Do something when the body of an operation breaks off."""

    @around(operation)
    async def apply(registry: Registry, request: Request, handler: Handler) -> Response:
        try:
            return await handler(request)
        except Disconnected:
            then(registry, request)
            raise

    return apply


def _announced_counts(registry: Registry) -> None:
    """The Range of a session counts what a broken chunk announced."""
    more: dict[str, int] = {}
    progress = registry.uploads.progress

    def count(_registry: Registry, request: Request) -> None:
        more[request.reference] = 1 << 20

    def counted(upload: Upload) -> list[tuple[str, str]]:
        fields = dict(progress(upload))
        if upload.identifier in more:
            fields["Range"] = registry.uploads.range(upload.size + more[upload.identifier])
        return [*fields.items()]

    override(registry.uploads, progress=counted)
    _cut_off("upload.patch", count)(registry)


@around("upload.patch")
async def _offset_forgotten(registry: Registry, request: Request, handler: Handler) -> Response:
    """What came of a broken chunk is kept, and not counted."""
    upload = registry.uploads.find(request)
    before = upload.size
    try:
        return await handler(request)
    except Disconnected:
        upload.size = before
        raise


def _taken_for_whole(operation: str, *, chunked: bool) -> Apply:
    """A body that breaks off ends there, and is stored without another look at its digest."""

    def apply(registry: Registry) -> None:
        cut = set[str]()
        receive, verified = registry.uploads.receive, registry.uploads.verified

        async def received(request: Request, upload: Upload) -> None:
            try:
                await receive(request, upload)
            except Disconnected:
                if request.operation != operation or (chunked and request.content_length is not None):
                    raise
                await upload.flush()
                cut.update(request.query.all("digest"))

        override(
            registry.uploads,
            receive=received,
            verified=lambda claimed, computed: claimed in cut or verified(claimed, computed),
        )

    return apply


def _digest_locked(registry: Registry) -> None:
    """A push that broke off holds the lock of its digest."""
    locked = set[str]()
    digests = registry.uploads.digests

    def lock(_registry: Registry, request: Request) -> None:
        locked.update(request.query.all("digest"))

    def checked(request: Request) -> list[str]:
        found = digests(request)
        if set(found) & locked:
            raise errors.digest_invalid(found[0], "an upload of this digest is under way")
        return found

    override(registry.uploads, digests=checked)
    _cut_off("upload.put", lock)(registry)


@around("manifest.put")
async def _manifest_taken_for_whole(_registry: Registry, request: Request, handler: Handler) -> Response:
    pieces = request.pieces

    async def until_cut() -> AsyncIterator[bytes]:
        try:
            async for piece in pieces():
                yield piece
        except Disconnected:
            return

    override(request, pieces=until_cut)
    return await handler(request)


FAULTS = (
    Fault(
        name="put-truncated-stored",
        title="The registry stores what it received of a PUT that broke off.",
        breaks=("PUSH-PUT-TRUNCATED-NO-BLOB",),
        apply=_truncated_kept,
    ),
    Fault(
        name="broken-upload-spoilt",
        title="A blob whose upload broke off once has another last byte.",
        breaks=("PUSH-INTERRUPTED-RESUME", "PULL-BLOB-GET-BODY-EXACT"),
        apply=blobs_pushed(lambda way: way.broken, spoilt),
    ),
    Fault(
        name="broken-upload-not-closed",
        title="An upload that broke off once cannot be closed.",
        breaks=("PUSH-INTERRUPTED-RESUME",),
        apply=close_refused(lambda way: way.broken),
    ),
    Fault(
        name="interrupted-range-announced",
        title="The Range after a chunk that broke off counts what was announced.",
        breaks=("PUSH-INTERRUPTED-RANGE",),
        apply=_announced_counts,
    ),
    Fault(
        name="interrupted-offset-wrong",
        title="The registry keeps what it received of a chunk that broke off, but the Range does not count it.",
        breaks=("PUSH-INTERRUPTED-RESUME",),
        apply=_offset_forgotten,
    ),
    Fault(
        name="put-truncated-chunked-stored",
        title="A PUT in chunks that breaks off is stored under the digest of the whole.",
        breaks=("PUSH-PUT-TRUNCATED-CHUNKED-NO-BLOB",),
        # The blob that is there already is not replaced by the next push.
        also=("PUSH-INTERRUPTED-REPUSH", "PULL-BLOB-GET-BODY-EXACT"),
        apply=_taken_for_whole("upload.put", chunked=True),
    ),
    Fault(
        name="single-truncated-stored",
        title="A POST that breaks off is stored under the digest of the whole.",
        breaks=("PUSH-SINGLE-TRUNCATED-NO-BLOB",),
        also=("PUSH-INTERRUPTED-REPUSH", "PULL-BLOB-GET-BODY-EXACT"),
        apply=_taken_for_whole("upload.start-digest", chunked=False),
    ),
    Fault(
        name="interrupted-push-locks",
        title="A blob whose push broke off cannot be pushed again.",
        breaks=("PUSH-INTERRUPTED-REPUSH",),
        apply=_digest_locked,
    ),
    Fault(
        name="manifest-truncated-stored",
        title="A manifest that breaks off is stored as far as it came.",
        breaks=("PUSH-MANIFEST-TRUNCATED-NOT-STORED",),
        apply=_manifest_taken_for_whole,
    ),
)
