"""Faults that show when something else went before."""

from __future__ import annotations

from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, override, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryUpload


def _absence_remembered(registry: Registry) -> None:
    """HEAD remembers what was unknown, until a GET finds it."""
    absent: set[tuple[str, str]] = set()

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            entry = request.name, request.reference
            if request.method == "HEAD" and entry in absent:
                raise errors.blob_unknown(request.reference)
            try:
                response = await handler(request)
            except errors.RegistryError as error:
                if error.status == 404 and request.method == "HEAD":
                    absent.add(entry)
                raise
            absent.discard(entry)
            return response

        return changed

    wrap(registry, ["blob.get", "blob.head"], around)


def _buffer_used_again(registry: Registry) -> None:
    """What a refused upload left lies behind a shorter one that follows in its repository."""
    left: dict[str, bytes] = {}
    close, commit = registry.uploads.close, registry.storage.commit_upload

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        try:
            return await close(request, upload, digests, length)
        except errors.RegistryError:
            if isinstance(upload, MemoryUpload):
                left[upload.repository] = bytes(upload.data)
            raise

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        before = left.pop(upload.repository, b"")
        if isinstance(upload, MemoryUpload):
            upload.data += before[len(upload.data) :]
        commit(upload, digests)

    override(registry.uploads, close=changed)
    override(registry.storage, commit_upload=committed)


FAULTS = (
    Fault(
        name="absence-remembered-by-head",
        title="A blob that HEAD found unknown stays unknown to HEAD after its push, until it is pulled.",
        breaks=(
            "PULL-BLOB-HEAD-200",
            "PULL-CONSIST-AT-ONCE",
            "PULL-BLOB-HEAD-GET-AGREE",
        ),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "MGMT-BLOB-DELETE-REUPLOAD",
        ),
        apply=_absence_remembered,
    ),
    Fault(
        name="refused-upload-behind-the-next",
        title="A blob that follows a longer upload that was refused in its repository ends with the rest of that.",
        breaks=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
        ),
        apply=_buffer_used_again,
    ),
)
