"""Keep secrets out of everything that is written down."""

from __future__ import annotations

import base64
import re
import threading
from typing import Any

from conformance.client.spellings import certain, escaped, everywhere

REMOVED = "(removed)"
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_TOKEN_MEMBERS = re.compile(r'("(?:access_|refresh_|id_)?token"\s*:\s*")(?:[^"\\]|\\.)*(")', re.IGNORECASE)
#: What looks like a credential; a target may have us send it, in a URL that it named or as a tag of its content.
_SENT_USERINFO = re.compile(r"(https?://)[^/\s?#]*@", re.IGNORECASE)
_BASIC = re.compile(r"\bBasic\s+[A-Za-z0-9+/]{4,}={0,2}")
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
#: So many characters of the start or the end of a secret are too much of it, where a text was cut.
_PIECE = 16
#: Fields of requests whose cleaned values are remembered.
_SEEN = 1000


class Redactor:
    """Knows the secrets of a run and removes them, in their usual encodings, from any text."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        #: Longest first, so that no part of one is left where a shorter one was removed.
        self._words: tuple[str, ...] = ()
        self._short: tuple[str, ...] = ()
        #: How the long ones start and end: a text is looked at once, however many there are.
        self._pieces: frozenset[str] = frozenset()
        self._escaped: dict[str, tuple[str, re.Pattern[str]]] = {}
        #: What is shown of fields, which are nearly always the same few.
        self._seen: dict[tuple[str, str], str] = {}

    def add(self, secret: str) -> None:
        """Remember a secret; very short ones are left to the headers that carry them."""
        if secret in self._known:
            return
        words, pattern = everywhere(secret), escaped(secret)
        # Replaced and not changed: clients of several threads look at them meanwhile.
        with self._lock:
            self._known = {*self._known, secret}
            self._words = tuple(sorted({*self._words, *words}, key=lambda word: (-len(word), word)))
            self._short = tuple(word for word in self._words if len(word) < _PIECE)
            long = {word for word in words if len(word) >= _PIECE}
            self._pieces |= {piece for word in long for piece in (word[:_PIECE], word[-_PIECE:])}
            if pattern is not None:
                self._escaped = {**self._escaped, secret: (certain(secret), pattern)}
            self._seen = {}

    def hide(self, text: str) -> str:
        """Return the text without any secret that is known, or a large piece of one; all else stays as it is."""
        for part, pattern in self._escaped.values():
            if part in text:
                text = pattern.sub(REMOVED, text)
        if self._has_a_piece(text):
            for word in self._words:
                if len(word) >= _PIECE:
                    text = _without_pieces(text.replace(word, REMOVED), word)
        for word in self._short:
            if word in text:
                text = text.replace(word, REMOVED)
        return text

    def _has_a_piece(self, text: str) -> bool:
        """Whether a text has how some long secret starts or ends; it is looked at in the quicker of two ways."""
        places = len(text) - _PIECE + 1
        if len(self._pieces) < places:
            return any(piece in text for piece in self._pieces)
        return not self._pieces.isdisjoint(text[at : at + _PIECE] for at in range(places))

    def clean(self, text: str) -> str:
        """Return the text without any secret, known or seen to be one by where it stands."""
        text = self.hide(text)
        if "oken" in text:
            text = _TOKEN_MEMBERS.sub(rf"\1{REMOVED}\2", text)
        if "=" in text:
            text = _SIGNATURES.sub(rf"\1{REMOVED}", text)
        if "eyJ" in text:
            text = _JWT.sub(REMOVED, text)
        return _USERINFO.sub(rf"\1{REMOVED}@", text) if "@" in text else text

    def sent(self, text: str) -> str:
        """Return a text of a request as it may be written down: without what looks like a credential, too."""
        text = self.clean(_SENT_USERINFO.sub(r"\1", text) if "@" in text else text)
        return _BASIC.sub(REMOVED, text) if "Basic" in text else text

    def field(self, name: str, value: str) -> str:
        """Return the value of a header of a request as it may be written down."""
        # What was found before a secret was added goes with the old dictionary, even where it is still being added to.
        seen = self._seen
        if (name, value) not in seen:
            if len(seen) >= _SEEN:
                seen.clear()
            seen[name, value] = shown = self.sent(self.header(name, value))
            return shown
        return seen[name, value]

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


def _without_pieces(text: str, word: str) -> str:
    """Remove what starts or ends as a word does, for as long as it goes on like it."""
    if len(word) == _PIECE:
        return text
    while (start := text.find(word[:_PIECE])) >= 0:
        end = start + _PIECE
        while end - start < len(word) and text[end : end + 1] == word[end - start]:
            end += 1
        text = text[:start] + REMOVED + text[end:]
    while (start := text.find(word[-_PIECE:])) >= 0:
        end = start + _PIECE
        while end - start < len(word) and start and text[start - 1] == word[start - end - 1]:
            start -= 1
        text = text[:start] + REMOVED + text[end:]
    return text
