"""Faults that show with one way of asking."""

from __future__ import annotations

import json
import re

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, on, override

_MOST = (1 << 31) - 1
_CLOSED = re.compile(r"bytes=\d{1,10}-(\d{10,18})")
_LIST = "/tags/list"


@around("manifest.get", "manifest.head")
async def _type_up_to_semicolon(registry: Registry, request: Request, handler: Handler) -> Response:
    """A type is what stands in front of the semicolon, a blank included."""
    manifest = registry.manifests.find(request.name, request.reference)
    if manifest is not None:
        items = [item.partition(";")[0].lstrip() for item in ",".join(request.headers.all("accept")).split(",")]
        known = {item.lower() for item in items}
        wanted = manifest.media_type.lower()
        if wanted in {item.rstrip() for item in known} and not known & {wanted, "*/*", "application/*"}:
            raise registry.manifests.unknown(request)
    return await handler(request)


def _name_as_in_path(request: Request, response: Response) -> None:
    """The name in the list is cut out of the raw path."""
    raw = request.path.removeprefix("/v2/").removesuffix(_LIST)
    if "%" in raw and request.path.endswith(_LIST):
        response.body = json.dumps({**json.loads(response.body), "name": raw}).encode()


def _last_position_signed(registry: Registry) -> None:
    """The last position of a range is a number of 32 bits with a sign, and negative beyond that."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        match = _CLOSED.fullmatch(request.headers.get("range"))
        if request.method == "GET" and match is not None and int(match[1]) > _MOST:
            return []
        return ranges(request, size)

    override(registry.blobs, ranges=changed)


def _capital_escapes(registry: Registry) -> None:
    """Who decodes the query knows escapes in capitals alone."""
    digests = registry.uploads.digests

    def changed(request: Request) -> list[str]:
        for digest in digests(request):
            if "%3a" in request.query.raw:
                raise errors.digest_invalid(digest.replace(":", "%3a"))
        return digests(request)

    override(registry.uploads, digests=changed)


FAULTS = (
    Fault(
        name="blank-before-weight-hides-type",
        title="A type in Accept that has a blank in front of its weight does not count, and the manifest gets 404.",
        breaks=("PULL-ACCEPT-QVALUE",),
        also=("PULL-ACCEPT-LIST", "PULL-ACCEPT-EXACT", "PULL-MANIFEST-GET-TAG-200", "PULL-MANIFEST-HEAD-200"),
        apply=_type_up_to_semicolon,
    ),
    Fault(
        name="tags-name-still-escaped",
        title="The name in a list of tags is percent-encoded where a letter of it is so in the path.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=on("tags.list", status=200, change=_name_as_in_path),
    ),
    Fault(
        name="range-to-beyond-2-gib-refused",
        title="A range that begins in the blob and ends at 2,147,483,648 or later gets 416.",
        breaks=("PULL-BLOB-RANGE-CLIPPED", "PULL-BLOB-RANGE-UNSUPPORTED-200"),
        also=("PULL-BLOB-RANGE-206", "PULL-BLOB-RANGE-ADVERTISED-TRUE"),
        apply=_last_position_signed,
    ),
    Fault(
        name="digest-escaped-in-small-letters-refused",
        title="An upload is refused whose digest parameter has the colon as %3a, and not as %3A.",
        breaks=("PUSH-PUT-MONOLITHIC-201",),
        also=(
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-SINGLE-STATUS-201-OR-202",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-EMPTY-ACCEPTED",
            "PUSH-BLOB-SHA512-ACCEPTED",
            "PUSH-START-LOCATION-RESOLVABLE",
        ),
        apply=_capital_escapes,
    ),
)
