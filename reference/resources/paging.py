"""Pages of a sorted list: n, last and the Link to the rest."""

from __future__ import annotations

import re

from reference import errors
from reference.messages import Request, encode_value
from reference.resources import next_link

_NUMBER = re.compile(r"[0-9]{1,18}")


def page_size(request: Request) -> int | None:
    """The parameter n; None where it is absent."""
    value = request.query.get("n")
    if value is None:
        return None
    if not value.isascii() or not value.isdecimal():
        raise errors.page_invalid()
    return int(value) if _NUMBER.fullmatch(value) else 10**18


def link(request: Request, size: int, last: str) -> tuple[str, str]:
    """The Link header behind a full page."""
    return next_link(request, f"n={size}&last={encode_value(last)}")
