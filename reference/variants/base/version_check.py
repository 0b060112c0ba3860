"""Variants of the version check."""

from __future__ import annotations

from reference.messages import Response
from reference.modifications import Variant, answers, drop_header, on

VARIANTS = (
    Variant(
        name="base-body-text",
        title="The version check has a body of text.",
        latitude=("JSON-LAYOUT",),
        apply=on(
            "base.get",
            change=lambda _request, _response: Response(200, [("Content-Type", "text/plain")], b"hello\n"),
        ),
    ),
    Variant(
        name="version-header-absent",
        title="There is no Docker-Distribution-API-Version.",
        latitude=("API-VERSION-HEADER-ABSENT",),
        warns=("BASE-V2-VERSION-HEADER-200", "BASE-V2-VERSION-HEADER-401"),
        apply=answers(change=drop_header("Docker-Distribution-API-Version")),
    ),
)
