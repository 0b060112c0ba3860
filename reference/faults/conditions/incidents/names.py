"""Faults that depend on the name of a repository."""

from __future__ import annotations

import json
import re

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, wrap

_OFFICIAL = re.compile(r"library/[^/]+")


@around("tags.list")
async def _numbers_are_ids(_registry: Registry, request: Request, handler: Handler) -> Response:
    if request.name.rpartition("/")[2].isdecimal():
        raise errors.name_unknown(request.name)
    return await handler(request)


def _short_names(registry: Registry) -> None:
    def around_all(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            name = request.name
            if _OFFICIAL.fullmatch(name) is None:
                return await handler(request)
            request.name = name.partition("/")[2]
            response = await handler(request)
            if request.operation == "tags.list":
                response.body = json.dumps({**json.loads(response.body), "name": name}).encode()
            return response

        return changed

    wrap(registry, [operation for operation in registry.handlers if operation != "catalog.list"], around_all)


FAULTS = (
    Fault(
        name="numeric-name-taken-for-an-id",
        title="The tags of a repository whose last component is a number are unknown.",
        breaks=("DISC-TAGS-STATUS-200", "DISC-TAGS-COMPLETE-AFTER-PUSH"),
        apply=_numbers_are_ids,
    ),
    Fault(
        name="library-left-out-of-names",
        title="A repository in library/ is the one of the same name without it.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG", "PULL-BLOB-OTHER-REPO-404", "DISC-TAGS-ISOLATION-REPO"),
        apply=_short_names,
    ),
)
