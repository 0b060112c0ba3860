"""Unique secrets, and the search for them in every encoding."""

from __future__ import annotations

import base64
import html
import itertools
import os
import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

from tests.support.chance import made_up

#: What a target, a proxy or an owner keeps secret; each gets a value of its own in each trial.
NAMES: tuple[str, ...] = ("password", "reader", "stranger", "expired", "hook", "proxy", "netrc")
NAMES += ("token", "access", "refresh", "realm", "signature")
#: These stand in headers and URLs as they are.
_TOKENS = frozenset({"expired", "token", "access", "refresh", "realm", "signature"})
#: Characters that each encoding writes in a way of its own.
_AWKWARD = "&<\"/+%' \u00fc"
#: A token longer than what a report shows of a value, so that one that is cut is seen too.
_LONG = 500
_TO_URL = str.maketrans("+/", "-_")
#: Each trial has secrets of its own, also beside those of other processes: the command lines of all
#: are looked at.
_NUMBERS = itertools.count()
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


class Canaries:
    """The secrets of one trial, by name."""

    def __init__(self) -> None:
        number = f"{os.getpid()} {next(_NUMBERS)}"
        self._cores = {name: f"c4nary-{name}-{made_up(6, f'{name} {number}').hex()}" for name in NAMES}
        self._forms = {name: frozenset(_forms(core)) for name, core in self._cores.items()}

    def __getitem__(self, name: str) -> str:
        core = self._cores[name]
        if name in {"token", "access"}:
            return f"{core}.{'x' * _LONG}.{core}"
        return core if name in _TOKENS else core + _AWKWARD

    def found(self, text: str) -> list[str]:
        """Return the names of the canaries whose plain part occurs in a text, in some encoding."""
        read = "\n".join(_readings(text))
        return [name for name, forms in self._forms.items() if any(form in read for form in forms)]


def _forms(core: str) -> Iterator[str]:
    """Give a word in each encoding that hides it from a plain search, at each offset."""
    data = core.encode()
    yield core
    yield core.upper()
    yield data.hex()
    yield data.hex().upper()
    for part in (data, data[::-1]):
        for shift in range(3):
            encoded = base64.b64encode(bytes(shift) + part).decode().rstrip("=")
            end = len(encoded) - 1 if (shift + len(part)) % 3 else len(encoded)
            word = encoded[(0, 2, 3)[shift] : end]
            yield word
            yield word.translate(_TO_URL)


def _readings(text: str) -> Iterator[str]:
    """Give a text as it is and with each kind of escape undone."""
    yield text
    yield html.unescape(text)
    if "%" in text:
        yield unquote_plus(unquote_plus(text))
    if "\\u" in text:
        yield _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
