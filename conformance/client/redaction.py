"""Keep secrets out of everything that is written down."""

from __future__ import annotations

import base64
import re
import threading
from typing import Any

from .spellings import certain, escaped, everywhere, spellings

REMOVED = "(removed)"
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_TOKEN_MEMBERS = re.compile(r'("(?:access_|refresh_|id_)?token"\s*:\s*")(?:[^"\\]|\\.)*(")', re.IGNORECASE)
#: What in the query of a URL opens what it names, as in the signed URLs of object storages.
_SIGNATURES = re.compile(
    r"((?:[?&;]|&amp;|\\u0026)(?:x-(?:amz|goog|oss|obs|cos)-(?:signature|credential|security-token)|signature|sig"
    r"|(?:access_|refresh_|id_)?token|client_secret|password)=)[^&#\s\"'<>\\]+",
    re.IGNORECASE,
)
#: A signed JSON Web Token: two JSON objects and a signature, each in Base64.
_JWT = re.compile(r"\beyJ[\w-]{4,}\.eyJ[\w-]{4,}\.[\w-]{8,}")
#: User name and password of a URL.
_USERINFO = re.compile(r"(https?://)[^/\s@?#'\"<>]*:[^/\s@?#'\"<>]*@", re.IGNORECASE)
#: Where a text was cut, so much of a secret is still too much.
_PIECE = 8
_CUT = "..."


class Redactor:
    """Knows the secrets of a run and removes them, in their usual encodings, from any text."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        #: Longest first, so that no part of one is left where a shorter one was removed.
        self._words: list[str] = []
        self._escaped: dict[str, tuple[str, re.Pattern[str]]] = {}

    def add(self, secret: str) -> None:
        """Remember a secret; very short ones are left to the headers that carry them."""
        if secret in self._known:
            return
        words, pattern = everywhere(secret), escaped(secret)
        # Replaced and not changed: clients of several threads look at them meanwhile.
        with self._lock:
            self._known = {*self._known, secret}
            self._words = sorted({*self._words, *words}, key=lambda word: (-len(word), word))
            if pattern is not None:
                self._escaped = {**self._escaped, secret: (certain(secret), pattern)}

    def hide(self, text: str) -> str:
        """Return the text without any secret that is known; all else stays as it is."""
        for part, pattern in self._escaped.values():
            if part in text:
                text = pattern.sub(REMOVED, text)
        for word in self._words:
            if word in text:
                text = text.replace(word, REMOVED)
        return text

    def clean(self, text: str) -> str:
        """Return the text without any secret, known or seen to be one by where it stands."""
        text = self.hide(text)
        if _CUT in text:
            text = self._without_pieces(text)
        if "oken" in text:
            text = _TOKEN_MEMBERS.sub(rf"\1{REMOVED}\2", text)
        if "=" in text:
            text = _SIGNATURES.sub(rf"\1{REMOVED}", text)
        if "eyJ" in text:
            text = _JWT.sub(REMOVED, text)
        return _USERINFO.sub(rf"\1{REMOVED}@", text) if "@" in text else text

    def _without_pieces(self, text: str) -> str:
        """Remove what is left of secrets before and after the places where a text was cut."""
        parts = text.split(_CUT)
        for secret in self._known:
            for word in spellings(secret):
                if len(word) > _PIECE:
                    parts = [
                        _without_end(_without_start(part, word) if number else part, word)
                        for number, part in enumerate(parts)
                    ]
        return _CUT.join(parts)

    def header(self, name: str, value: str) -> str:
        """Return a header's value as it may be written down."""
        return REMOVED if name.lower() in _SECRET_HEADERS else self.clean(value)

    def scrub(self, value: Any) -> Any:
        """Return a JSON value with every string cleaned."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, list):
            if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], str):  # a field
                return [self.clean(value[0]), self.header(value[0], value[1])]
            return [self.scrub(item) for item in value]
        if isinstance(value, dict):
            return {
                key: self._scrub_bytes(item) if key == "base64" and isinstance(item, str) else self.scrub(item)
                for key, item in value.items()
            }
        return value

    def _scrub_bytes(self, encoded: str) -> str:
        """Return a body in Base64 with its bytes cleaned."""
        try:
            text = base64.b64decode(encoded).decode("latin-1")
        except ValueError:
            return self.clean(encoded)
        cleaned = self.clean(text)
        return encoded if cleaned == text else base64.b64encode(cleaned.encode("latin-1")).decode("ascii")


def _without_end(part: str, word: str) -> str:
    """Remove the start of a word from the end of a text."""
    start = part.rfind(word[:_PIECE])
    return part[:start] + REMOVED if start >= 0 and word.startswith(part[start:]) else part


def _without_start(part: str, word: str) -> str:
    """Remove the end of a word from the start of a text."""
    end = part.find(word[-_PIECE:])
    return REMOVED + part[end + _PIECE :] if end >= 0 and word.endswith(part[: end + _PIECE]) else part
