"""Faults of notifications: blobs in chunks, manifests that are there already, indexes."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import INDEXES, OCI_MANIFEST
from reference.messages import Handler, Notice, Request, Response
from reference.modifications import Fault, around, both, override
from reference.modifications.shared import edited_events, notifications_of
from reference.notifications.events import Event


def _chunks_untold(registry: Registry) -> None:
    in_chunks: set[str] = set()

    @around("upload.patch")
    async def noting(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        if request.headers.get("content-range"):
            in_chunks.add(request.reference)
        return response

    def apply(registry: Registry) -> None:
        notifications = notifications_of(registry)
        notices = notifications.notices

        def changed(request: Request, response: Response) -> list[Notice]:
            closed = request.operation == "upload.put" and not request.content_length
            return [] if closed and request.reference in in_chunks else notices(request, response)

        override(notifications, notices=changed)

    both(noting, apply)(registry)


def _index_as_image(event: Event, _request: Request, notice: Notice) -> Event:
    if notice.action == "push" and notice.media_type in INDEXES:
        event["target"]["mediaType"] = OCI_MANIFEST
    return event


FAULTS = (
    Fault(
        name="push-in-chunks-untold",
        title="No event tells of a blob that came in chunks and was closed without a body.",
        breaks=("NOTIF-PUSH-BLOB",),
        configuration="notifications",
        apply=_chunks_untold,
    ),
    Fault(
        name="push-of-an-index-told-as-an-image",
        title="The event of the push of an index has the media type of an image manifest.",
        breaks=("NOTIF-PUSH-MANIFEST",),
        configuration="notifications",
        apply=edited_events(_index_as_image),
    ),
)
