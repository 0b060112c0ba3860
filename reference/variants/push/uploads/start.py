"""Variants of the start of an upload."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import OCI, Variant, around, drop_header, on


@around("upload.start-digest", "upload.mount")
async def _known(registry: Registry, request: Request, handler: Handler) -> Response:
    """A POST that names a blob of the repository is done, whatever its body is."""
    digest = request.query.get("mount") or request.query.get("digest") or ""
    if registry.storage.has_blob(request.name, digest):
        return registry.uploads.created(request.name, digest)
    return await handler(request)


VARIANTS = (
    Variant(
        name="start-without-range",
        title="The answer that opens a session has no Range.",
        latitude=("UPLOAD-RANGE-OF-EMPTY",),
        profiles=OCI,
        warns=("PUSH-START-RANGE-HEADER",),
        apply=on("upload.start", "upload.mount", status=202, change=drop_header("Range")),
    ),
    Variant(
        name="known-blob-201-at-once",
        title="A POST that names a blob of the repository returns 201 at once.",
        latitude=("BLOB-ALREADY-KNOWN",),
        apply=_known,
    ),
)
