"""The options of the listener: where to listen, and which headers the target was told to send."""

from __future__ import annotations

import re

import pytest

LISTEN = "--notifications-listen"
HEADER = "--notifications-header"
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):([0-9]{1,5})")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_PORTS = 65535


def address(text: str) -> tuple[str, int] | None:
    """Return host and port of HOST:PORT, ``None`` for the empty text; no host is every address.

    Raises:
        UsageError: it is no such thing.
    """
    if not text:
        return None
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match[2]) <= _PORTS:
        raise pytest.UsageError(f"{LISTEN}: expected HOST:PORT, the address that the target posts to, not {text!r}")
    return match[1].strip("[]"), int(match[2])


def headers(values: tuple[str, ...], listens: bool) -> tuple[tuple[str, str], ...]:
    """Return names and values of header fields, written as ``Name: value``.

    Raises:
        UsageError: one of them is none (it may be a secret, and is not repeated), or nothing listens.
    """
    found = fields(HEADER, values)
    if found and not listens:
        raise pytest.UsageError(f"{HEADER}: needs {LISTEN} HOST:PORT")
    return found


def fields(option: str, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return names and values of the header fields of an option.

    Raises:
        UsageError: one of them is none (it may be a secret, and is not repeated).
    """
    matches = [_FIELD.fullmatch(value.strip()) for value in values]
    if not all(matches):
        raise pytest.UsageError(f"{option}: expected a header field, Name: value")
    return tuple((match[1], match[2].strip()) for match in matches if match)
