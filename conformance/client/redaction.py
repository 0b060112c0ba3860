"""Keep secrets out of everything that is written down."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

REMOVED = "(removed)"
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_TOKEN_MEMBERS = re.compile(r'("(?:access_|refresh_|id_)?token"\s*:\s*")(?:[^"\\]|\\.)*(")', re.IGNORECASE)
_SHORTEST = 4
#: What looks like a credential; a target may have us send it, in a URL that it named or as a tag of its content.
_USERINFO = re.compile(r"(https?://)[^/\s?#]*@", re.IGNORECASE)
_LOOKALIKES = re.compile(r"\bBasic\s+[A-Za-z0-9+/]{4,}={0,2}|\beyJ[\w-]{4,}\.eyJ[\w-]{4,}\.[\w-]{8,}")


def spellings(secret: str) -> frozenset[str]:
    """Return how a target may echo a secret, in a URL, in JSON or in a page; nothing for very short ones."""
    if len(secret) < _SHORTEST:
        return frozenset()
    encoded = base64.b64encode(secret.encode()).decode("ascii").rstrip("=")
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret)}
    return frozenset({secret, quote(secret), quote(secret, safe=""), quote_plus(secret), encoded}) | escaped


class Redactor:
    """Knows the secrets of a run and removes them, in their usual encodings, from any text."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def add(self, secret: str) -> None:
        """Remember a secret; very short ones are left to the headers that carry them."""
        self._secrets |= spellings(secret)

    def clean(self, text: str) -> str:
        """Return the text without any secret."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            if secret in text:
                text = text.replace(secret, REMOVED)
        return _TOKEN_MEMBERS.sub(rf"\1{REMOVED}\2", text) if "oken" in text else text

    def sent(self, text: str) -> str:
        """Return a text of a request as it may be written down: without what looks like a credential, too."""
        return _LOOKALIKES.sub(REMOVED, _USERINFO.sub(r"\1", self.clean(text)))

    def header(self, name: str, value: str) -> str:
        """Return a header's value as it may be written down."""
        return REMOVED if name.lower() in _SECRET_HEADERS else self.clean(value)

    def scrub(self, value: Any) -> Any:
        """Return a JSON value with every string cleaned."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, list):
            if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], str):  # a field
                return [value[0], self.header(value[0], value[1])]
            return [self.scrub(item) for item in value]
        if isinstance(value, dict):
            return {key: self.scrub(item) for key, item in value.items()}
        return value
