"""Variants of upload sessions."""

from __future__ import annotations

import time

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import OCI, Variant, answers, around, drop_header, override
from reference.storage import Upload

_LIFETIME = 5.0
_SESSION = ("upload.patch", "upload.put", "upload.get", "upload.delete")


def _expiring(registry: Registry) -> None:
    find = registry.storage.find_upload

    def changed(name: str, identifier: str) -> Upload | None:
        upload = find(name, identifier)
        if upload is not None and time.time() - upload.started > _LIFETIME:
            registry.storage.discard_upload(upload)
            return None
        return upload

    override(registry.storage, find_upload=changed)


@around(*_SESSION)
async def _dropped(registry: Registry, request: Request, handler: Handler) -> Response:
    """Any refusal but 416 ends the session."""
    try:
        return await handler(request)
    except errors.RegistryError as error:
        upload = registry.storage.find_upload(request.name, request.reference)
        if upload is not None and error.status != 416:
            registry.storage.discard_upload(upload)
        raise


def _bytes_range(registry: Registry) -> None:
    text = registry.uploads.range
    override(registry.uploads, range=lambda size: f"bytes={text(size)}")


VARIANTS = (
    Variant(
        name="session-expires",
        title="A session ends after five seconds.",
        latitude=("UPLOAD-EXPIRES",),
        apply=_expiring,
    ),
    Variant(
        name="session-ends-when-refused",
        title="Any refusal but 416 ends a session.",
        latitude=("UPLOAD-FAILED-AFTER-4XX",),
        apply=_dropped,
    ),
    Variant(
        name="session-without-uuid",
        title="There is no Docker-Upload-UUID.",
        latitude=("LOCATION-OPAQUE-SESSION",),
        profiles=OCI,
        warns=("PUSH-START-UPLOAD-UUID-HEADER",),
        apply=answers(change=drop_header("Docker-Upload-UUID")),
    ),
    Variant(
        name="upload-range-with-unit",
        title="The Range of uploads is bytes=0-N.",
        latitude=("UPLOAD-RANGE-BYTES-PREFIX",),
        warns=("PUSH-PATCH-RANGE-SYNTAX",),
        apply=_bytes_range,
    ),
)
