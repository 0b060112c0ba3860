"""Variants of the header Warning."""

from __future__ import annotations

from reference.messages import Request, Response
from reference.modifications import Variant, answers


def _warned(_request: Request, response: Response) -> None:
    response.headers.add("Warning", '299 - "this registry is a variant"')
    response.headers.add("Warning", '299 - "and \\"quotes\\" its warnings"')


VARIANTS = (
    Variant(
        name="warnings",
        title="Every answer has two warnings.",
        latitude=("WARNING-HEADERS",),
        apply=answers(change=_warned),
    ),
)
