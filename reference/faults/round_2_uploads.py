"""Faults of upload sessions that show at one number of chunks, or on another connection alone."""

from __future__ import annotations

from collections import Counter

from reference.app import Registry
from reference.faults.chunks import before
from reference.messages import Request, Response
from reference.modifications import Fault, on
from reference.storage import Upload

#: The chunks of an upload of which the beginning is remembered.
_PARTS = 5


def _part_table_full(registry: Registry) -> None:
    """The table of parts has five rows; a chunk that finds none tells of itself alone."""
    parts: Counter[str] = Counter()

    def change(request: Request, response: Response) -> None:
        parts[request.reference] += 1
        if parts[request.reference] > _PARTS:
            response.headers.set("Range", f"0-{max((request.content_length or 0) - 1, 0)}")

    on("upload.patch", status=202, change=change)(registry)


def _progress_by_connection(registry: Registry) -> None:
    """How far an upload is, is known to the worker of the connection that its last chunk came by."""
    workers: dict[str, str] = {}

    def remember(_upload: Upload, request: Request) -> None:
        workers[request.reference] = request.address

    def change(request: Request, response: Response) -> None:
        if workers.get(request.reference, request.address) != request.address:
            response.headers.set("Range", "0-0")

    before("upload.patch", remember)(registry)
    on("upload.get", status=204, change=change)(registry)


FAULTS = (
    Fault(
        name="range-restarts-at-sixth-chunk",
        title="From the sixth chunk of an upload on, the Range tells the length of the chunk alone.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        also=(
            "PUSH-PATCH-STREAM-RANGE-VALUE",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
        ),
        apply=_part_table_full,
    ),
    Fault(
        name="status-by-another-connection-empty",
        title="The status of an upload tells of no progress on another connection than that of its last chunk.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-INTERRUPTED-RANGE",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-STATUS-NO-SIDE-EFFECT",
            "PUSH-PATCH-416-STATE-UNCHANGED",
        ),
        apply=_progress_by_connection,
    ),
)
