"""Faults of the category push as a whole."""

from __future__ import annotations

from reference.messages import Request, Response
from reference.modifications import Fault, answers


def _patch_405(_request: Request, _response: Response) -> Response:
    body = b'{"errors": [{"code": "UNSUPPORTED", "message": "no chunks"}]}'
    return Response(405, [("Allow", "PUT, GET, DELETE"), ("Content-Type", "application/json")], body)


FAULTS = (
    Fault(
        name="patch-405",
        title="PATCH returns 405: uploads are taken whole only.",
        breaks=("PUSH-CATEGORY-COMPLETE",),
        apply=answers("upload.patch", change=_patch_405),
    ),
)
