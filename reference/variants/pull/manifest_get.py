"""Variants of GET of manifests."""

from __future__ import annotations

from reference.messages import Request, Response
from reference.modifications import Variant, on

_PULLS = ("manifest.get", "manifest.head")


def _with_charset(_request: Request, response: Response) -> None:
    kind = response.headers.get("Content-Type").replace("application/vnd", "Application/vnd")
    response.headers.set("Content-Type", f"{kind}; charset=utf-8")


VARIANTS = (
    Variant(
        name="manifest-type-with-charset",
        title="The type of a manifest has a charset and other letters.",
        latitude=("CONTENT-TYPE-PARAMETERS",),
        warns=("PULL-MANIFEST-GET-CONTENT-TYPE-BARE",),
        apply=on(*_PULLS, status=200, change=_with_charset),
    ),
)
