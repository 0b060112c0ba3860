"""Faults of the cancellation of an upload."""

from __future__ import annotations

import asyncio

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, on, set_status, wrap

#: Seconds: longer than a run with ``--timeout 1`` waits.
_LONG = 4.0


def _mute(*operations: str) -> Apply:
    """Answer late."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            await asyncio.sleep(_LONG)
            return await handler(request)

        return changed

    return lambda registry: wrap(registry, operations, around)


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


FAULTS = (
    Fault(
        name="cancel-again-204",
        title="The DELETE of an upload that is gone returns 204.",
        breaks=("PUSH-CANCEL-UNKNOWN-404",),
        apply=answers("upload.delete", status=404, change=lambda _request, _response: Response(204)),
    ),
    Fault(
        name="upload-cancel-unanswered",
        title="The cancelling of an upload is not answered in time.",
        breaks=("PUSH-CANCEL-204",),
        options=("--timeout", "1"),
        apply=_mute("upload.delete"),
    ),
    Fault(
        name="cancel-200",
        title="The cancelling of a session returns 200.",
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
        name="cancel-answered-202",
        title="The cancellation of an upload returns 202.",
        breaks=("PUSH-CANCEL-204",),
        apply=on("upload.delete", status=204, change=set_status(202)),
    ),
    Fault(
        name="cancel-answered-203",
        title="The cancellation of an upload returns 203.",
        breaks=("PUSH-CANCEL-204",),
        apply=on("upload.delete", status=204, change=set_status(203)),
    ),
    Fault(
        name="cancel-always-203",
        title="The cancellation of an upload returns 203, also where it is refused.",
        breaks=("PUSH-CANCEL-204",),
        apply=answers("upload.delete", change=set_status(203)),
    ),
)
