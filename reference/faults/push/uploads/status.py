"""Faults of the status of an upload."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.faults.push.uploads.shared import from_third_request, one_more, range_one_less, session_range
from reference.faults.shared import before_session, busy, with_status
from reference.faults.upload_history import blobs_pushed, close_refused, lost, spoilt
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, around, drop_header, on, set_status
from reference.storage import Upload

_SESSIONS = ("upload.start", "upload.patch", "upload.get")


def _stale_range(registry: Registry) -> None:
    """Each Location tells how much came, and its status that much for ever."""

    def mark(_request: Request, response: Response) -> None:
        location = response.headers.get("Location")
        if location and response.status in (202, 204):
            response.headers.set("Location", f"{location}?_state={response.headers.get('Range')}")

    def stale(request: Request, response: Response) -> None:
        state = request.query.get("_state")
        if state:
            response.headers.set("Range", state)

    on("upload.get", status=204, change=stale)(registry)
    on("upload.start", "upload.patch", "upload.get", change=mark)(registry)


def _fresh_without_range(_request: Request, response: Response) -> None:
    if response.headers.get("Range") == "0-0":
        response.headers.drop("Range")


def _newest_only(registry: Registry) -> None:
    """Each Location tells how much came; the status is told at the newest one only."""

    def mark(_request: Request, response: Response) -> None:
        location = response.headers.get("Location")
        if location and response.status in (202, 204):
            end = response.headers.get("Range").rpartition("-")[2]
            response.headers.set("Location", f"{location}?_state={end}")

    get = registry.handlers["upload.get"]

    async def changed(request: Request) -> Response:
        state = request.query.get("_state")
        response = await get(request)
        if state is not None and state != response.headers.get("Range").rpartition("-")[2]:
            raise errors.upload_unknown(request.reference)
        return response

    registry.handlers["upload.get"] = changed
    on(*_SESSIONS, change=mark)(registry)


def _ended_by_status(registry: Registry) -> None:
    asked: set[str] = set()
    get = registry.handlers["upload.get"]

    async def remembered(request: Request) -> Response:
        response = await get(request)
        if response.headers.get("Range") != "0-0":
            asked.add(request.reference)
        return response

    def check(upload: Upload, _request: Request) -> None:
        if upload.identifier in asked:
            raise errors.size_invalid(0, upload.size)

    registry.handlers["upload.get"] = remembered
    before_session("upload.patch", check)(registry)


def _second_status(change: Callable[[Response], object]) -> Apply:
    """Change each answer to a status request but the first one of a session."""

    def apply(registry: Registry) -> None:
        seen: set[str] = set()

        def changed(request: Request, response: Response) -> None:
            if request.reference in seen:
                change(response)
            seen.add(request.reference)

        on("upload.get", status=204, change=changed)(registry)

    return apply


@around("upload.get")
async def _session_lost(registry: Registry, request: Request, handler: Handler) -> Response:
    response = await handler(request)
    registry.storage.discard_upload(registry.uploads.find(request))
    return response


FAULTS = (
    Fault(
        name="earlier-location-tells-earlier-range",
        title="The status at an earlier Location tells how much had come by then.",
        breaks=("PUSH-STATUS-EARLIER-LOCATION",),
        apply=_stale_range,
    ),
    Fault(
        name="status-of-fresh-upload-without-range",
        title="The status of an upload without data has no Range.",
        breaks=("PUSH-STATUS-FRESH-RANGE",),
        apply=on("upload.get", status=204, change=_fresh_without_range),
    ),
    Fault(
        name="status-without-uuid",
        title="The status of an upload has no Docker-Upload-UUID.",
        breaks=("PUSH-STATUS-UPLOAD-UUID-HEADER",),
        apply=on("upload.get", status=204, change=drop_header("Docker-Upload-UUID")),
    ),
    Fault(
        name="status-at-the-newest-location-only",
        title="The status is told at the Location of the last answer, and nowhere else.",
        breaks=("PUSH-STATUS-EARLIER-LOCATION",),
        apply=_newest_only,
    ),
    Fault(
        name="status-ends-chunks",
        title="An upload whose status was asked takes no more chunks.",
        breaks=("PUSH-STATUS-RESUME",),
        apply=_ended_by_status,
    ),
    Fault(
        name="repeated-status-200",
        title="The status of an upload returns 200 when it is asked again.",
        breaks=("PUSH-STATUS-NO-SIDE-EFFECT",),
        apply=_second_status(with_status(200)),
    ),
    Fault(
        name="repeated-status-range-changed",
        title="The Range of an upload is another when it is asked again.",
        breaks=("PUSH-STATUS-NO-SIDE-EFFECT",),
        apply=_second_status(lambda response: response.headers.set("Range", "0-0")),
    ),
    Fault(
        name="resumed-upload-spoilt",
        title="A blob whose upload was asked for twice on the way has another last byte.",
        breaks=("PUSH-STATUS-RESUME",),
        apply=blobs_pushed(lambda way: way.asked > 1 and way.chunks > 1, spoilt),
    ),
    Fault(
        name="resumed-upload-lost",
        title="A blob whose upload was asked for twice on the way is unknown.",
        breaks=("PUSH-STATUS-RESUME",),
        apply=blobs_pushed(lambda way: way.asked > 1 and way.chunks > 1, lost),
    ),
    Fault(
        name="resumed-upload-not-closed",
        title="An upload that was asked for twice on the way cannot be closed.",
        breaks=("PUSH-STATUS-RESUME",),
        apply=close_refused(lambda way: way.asked > 1 and way.chunks > 1),
    ),
    Fault(
        name="upload-status-502",
        title="The status of an upload returns 502.",
        breaks=("PUSH-STATUS-204",),
        apply=busy(502, "upload.get"),
    ),
    Fault(
        name="status-200",
        title="The status of a session returns 200.",
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
        name="status-answered-202",
        title="The status of an upload returns 202.",
        breaks=("PUSH-STATUS-204",),
        apply=on("upload.get", status=204, change=set_status(202)),
    ),
    Fault(
        name="status-answered-203",
        title="The status of an upload returns 203.",
        breaks=("PUSH-STATUS-204",),
        apply=on("upload.get", status=204, change=set_status(203)),
    ),
    Fault(
        name="status-always-203",
        title="The status of an upload returns 203, also where it is refused.",
        breaks=("PUSH-STATUS-204",),
        also=("PUSH-SESSION-CLOSED-AFTER-201",),
        apply=answers("upload.get", change=set_status(203)),
    ),
    Fault(
        name="range-short-after-later-chunks",
        title="The Range of the status of an upload of two chunks ends one byte early, if it was asked for before.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        seldom=True,
        apply=from_third_request("upload.get", status=204, change=range_one_less),
    ),
)
