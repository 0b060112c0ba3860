"""Faults of the discovery of extensions."""

from __future__ import annotations

import json
from collections.abc import Callable

from reference.documents import Json
from reference.faults.discovery.shared import list_entries
from reference.faults.shared import answered_500, instead
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
        name="extensions-500",
        title="The discovery of extensions returns 500.",
        breaks=("DISC-EXT-DISCOVER-SHAPE",),
        apply=instead("ext.discover", when=lambda _: True, answer=answered_500),
    ),
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
    Fault(
        name="extensions-without-url",
        title="Extensions are discovered without a URL.",
        breaks=("DISC-EXT-DISCOVER-SHAPE",),
        apply=list_entries("ext.discover", "extensions", lambda entry: {"name": entry["name"]}),
    ),
)
