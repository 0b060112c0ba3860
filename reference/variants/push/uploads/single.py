"""Variants of blobs that are pushed with one POST."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Variant


def _session_only(registry: Registry) -> None:
    async def start(request: Request) -> Response:
        return registry.uploads.accepted(registry.storage.start_upload(request.name))

    registry.handlers["upload.start-digest"] = start


VARIANTS = (
    Variant(
        name="single-post-202",
        title="A single POST opens a session.",
        latitude=("SINGLE-POST-202",),
        lacks=("single-post",),
        apply=_session_only,
    ),
)
