"""Byte ranges of RFC 9110: which parts of a content a request asks for."""

from __future__ import annotations

import re

_LIMIT = 32
_SPEC = re.compile(r"(\d{0,18})-(\d{0,18})")


def parse(header: str, size: int) -> list[tuple[int, int]] | None:
    """The (start, length) pairs that can be satisfied.

    None where the header is malformed, in another unit or too long a list, and so is to be ignored;
    an empty list where nothing of it lies within the content.
    """
    unit, separator, rest = header.partition("=")
    specs = [spec.strip() for spec in rest.split(",") if spec.strip()]
    if unit.strip().lower() != "bytes" or not separator or not specs or len(specs) > _LIMIT:
        return None
    found: list[tuple[int, int]] = []
    for spec in specs:
        match = _SPEC.fullmatch(spec)
        if match is None or spec == "-":
            return None
        first, last = match.groups()
        if first and last and int(last) < int(first):
            return None
        part = _suffix(int(last), size) if not first else _from(int(first), int(last) if last else size - 1, size)
        if part is not None:
            found.append(part)
    return found


def _suffix(length: int, size: int) -> tuple[int, int] | None:
    length = min(length, size)
    return (size - length, length) if length else None


def _from(first: int, last: int, size: int) -> tuple[int, int] | None:
    return (first, min(last, size - 1) - first + 1) if first < size else None


def content_range(part: tuple[int, int], size: int) -> str:
    """The Content-Range of one part."""
    return f"bytes {part[0]}-{part[0] + part[1] - 1}/{size}"
