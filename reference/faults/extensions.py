"""Faults of the list of extensions."""

from __future__ import annotations

import json
from collections.abc import Callable

from reference.documents import Json
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, on


def _changed(change: Callable[[list[Json]], object]) -> Apply:
    """Change the entries of the list."""

    def edit(_request: Request, response: Response) -> None:
        document = json.loads(response.body)
        change(document["extensions"])
        response.body = json.dumps(document).encode()

    return on("ext.discover", status=200, change=edit)


FAULTS = (
    Fault(
        name="extension-without-url",
        title="An extension has no URL.",
        breaks=("DISC-EXT-DISCOVER-SHAPE",),
        apply=_changed(lambda entries: entries[0].pop("url")),
    ),
    Fault(
        name="extension-name-plain",
        title="The name of an extension has no underscore.",
        breaks=("DISC-EXT-NAME-FORM",),
        apply=_changed(lambda entries: entries[0].update(name="oci")),
    ),
    Fault(
        name="extension-twice",
        title="An extension is listed twice.",
        breaks=("DISC-EXT-NAME-UNIQUE",),
        apply=_changed(lambda entries: entries.append(entries[0])),
    ),
    Fault(
        name="extension-without-endpoints",
        title="An extension has no endpoints.",
        breaks=("DISC-EXT-ENDPOINTS",),
        apply=_changed(lambda entries: entries[0].pop("endpoints")),
    ),
)
