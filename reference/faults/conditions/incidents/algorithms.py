"""Faults that depend on the algorithm of a digest."""

from __future__ import annotations

from reference.faults.shared import DIGEST_LENGTH
from reference.messages import Request, Response
from reference.modifications import Fault, on

_OTHER = "sha512:"


def _location_cut(_request: Request, response: Response) -> None:
    before, separator, encoded = response.headers.get("Location").partition(_OTHER)
    if separator:
        response.headers.set("Location", before + f"{separator}{encoded}"[:DIGEST_LENGTH])


FAULTS = (
    Fault(
        name="sha512-location-of-single-post-cut",
        title="The Location of a blob that a single POST pushed by sha512 has its digest cut.",
        breaks=("PUSH-SINGLE-LOCATION-PULLABLE",),
        apply=on("upload.start-digest", status=201, change=_location_cut),
    ),
)
