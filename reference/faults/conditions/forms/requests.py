"""Faults that show in a form of a request that not every client has."""

from __future__ import annotations

import gzip

from reference.messages import Request, Response
from reference.modifications import Fault, answers


def _packed_and_silent(request: Request, response: Response) -> None:
    """A proxy keeps the packed list and forgets the header that says so."""
    codings = ",".join(request.headers.all("accept-encoding")).lower()
    if "gzip" in codings and "identity" not in codings and response.body:
        response.body = gzip.compress(response.body)


FAULTS = (
    Fault(
        name="lists-packed-without-saying-so",
        title="Lists of tags and referrers for a client that takes gzip are packed, without a Content-Encoding.",
        breaks=("DISC-TAGS-BODY-ARRAY", "DISC-REFERRERS-INDEX-SHAPE"),
        also=("DISC-TAGS-BODY-NAME", "DISC-REFERRERS-COMPLETE", "DISC-TAGS-COMPLETE-AFTER-PUSH"),
        apply=answers("tags.list", "referrers.list", status=200, change=_packed_and_silent),
    ),
)
