"""Faults that depend on the name of a repository."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around


@around("tags.list")
async def _numbers_are_ids(_registry: Registry, request: Request, handler: Handler) -> Response:
    if request.name.rpartition("/")[2].isdecimal():
        raise errors.name_unknown(request.name)
    return await handler(request)


FAULTS = (
    Fault(
        name="numeric-name-taken-for-an-id",
        title="The tags of a repository whose last component is a number are unknown.",
        breaks=("DISC-TAGS-STATUS-200", "DISC-TAGS-COMPLETE-AFTER-PUSH"),
        apply=_numbers_are_ids,
    ),
)
