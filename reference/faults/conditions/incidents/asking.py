"""Faults that depend on how content is asked for."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around


@around("tags.list")
async def _size_behind_position(_registry: Registry, request: Request, handler: Handler) -> Response:
    names = [name for name, _ in request.query.pairs]
    if "last" in names and "n" in names[names.index("last") :]:
        request.query.pairs = [pair for pair in request.query.pairs if pair[0] != "n"]
    return await handler(request)


@around("upload.put", "upload.start-digest")
async def _escapes_by_hand(_registry: Registry, request: Request, handler: Handler) -> Response:
    if "%3a" in request.query.raw:
        raise errors.digest_invalid(request.query.get("digest") or "")
    return await handler(request)


FAULTS = (
    Fault(
        name="tags-n-behind-last-passed-over",
        title="The number of tags is passed over when it follows the position in the query.",
        breaks=("DISC-TAGS-N-AT-MOST",),
        apply=_size_behind_position,
    ),
    Fault(
        name="escape-in-small-letters-not-decoded",
        title="A digest in the query whose colon is written %3a is refused.",
        breaks=("PUSH-PUT-MONOLITHIC-201", "PUSH-PUT-NO-BODY-CLOSES"),
        apply=_escapes_by_hand,
    ),
)
