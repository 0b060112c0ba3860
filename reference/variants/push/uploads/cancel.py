"""Variants of the cancellation of an upload."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Variant


def _cancel_unsupported(registry: Registry) -> None:
    async def refuse(_request: Request) -> Response:
        raise errors.unsupported(["GET", "HEAD", "PATCH", "PUT"])

    registry.handlers["upload.delete"] = refuse


VARIANTS = (
    Variant(
        name="cancel-405",
        title="Sessions cannot be cancelled.",
        latitude=("UPLOAD-CANCEL-VARIES",),
        profiles=("oci-1.0", "oci-1.1"),
        lacks=("upload-cancel",),
        apply=_cancel_unsupported,
    ),
)
