"""How a secret may be written: in a URL, in JSON, in a page, in Base64, in hexadecimal, or cut short."""

from __future__ import annotations

import base64
import html
import json
import re
from functools import cache
from html.entities import codepoint2name
from urllib.parse import quote, quote_plus

#: Shorter ones stand in ordinary words.
SHORTEST = 4
#: What every encoding of text leaves as it is.
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_TO_URL = str.maketrans("+/", "-_")


def spellings(secret: str) -> frozenset[str]:
    """Return how a target may echo a secret, in a URL, in JSON or in a page; nothing for very short ones."""
    if len(secret) < SHORTEST:
        return frozenset()
    encoded = base64.b64encode(secret.encode()).decode("ascii").rstrip("=")
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret)}
    return frozenset({secret, quote(secret), quote(secret, safe=""), quote_plus(secret), encoded}) | escaped


def everywhere(secret: str) -> frozenset[str]:
    """Return these and how it looks in the middle of something in Base64, or in hexadecimal."""
    if len(secret) < SHORTEST:
        return frozenset()
    found = {*spellings(secret)}
    # HTTP libraries write passwords in Latin-1 where they can.
    for data in {secret.encode(), secret.encode("latin-1", "ignore")}:
        found |= {word for word in (_shifted(data, shift) for shift in range(3)) if len(word) >= SHORTEST}
        found |= {data.hex(), data.hex().upper()} if len(data) >= SHORTEST else set()
    return frozenset(found | {word.translate(_TO_URL) for word in found if _is_base64(word)})


def _shifted(data: bytes, shift: int) -> str:
    """Base64 of some bytes behind others, without the characters that their neighbours decide too."""
    encoded = base64.b64encode(bytes(shift) + data).decode("ascii").rstrip("=")
    last = len(encoded) - 1 if (shift + len(data)) % 3 else len(encoded)
    return encoded[(0, 2, 3)[shift] : last]


def _is_base64(word: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9+/]+", word))


def escaped(secret: str) -> re.Pattern[str] | None:
    """Return a pattern of a secret each of whose characters may be escaped in a way of its own.

    ``None`` where it has no character that is ever escaped, or is very short.
    """
    if len(secret) < SHORTEST or _PLAIN.fullmatch(secret):
        return None
    return re.compile("".join(map(_character, secret)))


def certain(secret: str) -> str:
    """Return the longest part of a secret that no escape changes."""
    return max(_PLAIN.findall(secret), key=len, default="")


@cache
def _character(char: str) -> str:
    """A pattern of one character, plain or escaped, once or several times over."""
    if _PLAIN.fullmatch(char):
        return char
    data = char.encode("utf-8", "surrogatepass")
    ways = [re.escape(char), "".join(f"%(?:25)*(?i:{byte:02x})" for byte in data)]
    units = char.encode("utf-16-be", "surrogatepass")
    pairs = (units[i : i + 2].hex() for i in range(0, len(units), 2))
    ways.append("".join(rf"\\+u(?i:{unit})" for unit in pairs))
    code = ord(char)
    ways.append(rf"&(?:amp;)*#(?:0*{code}|[xX]0*(?i:{code:x}));")
    if name := codepoint2name.get(code):
        ways.append(f"&(?:amp;)*{name};")
    if char == "'":
        ways.append("&(?:amp;)*apos;")
    if char == " ":
        ways.append(r"\+")
    if code < 0x80:
        ways.append(r"\\+" + re.escape(char))
    else:
        # As Python shows bytes, and as bytes look that are taken for Latin-1.
        ways += ["".join(rf"\\+x{byte:02x}" for byte in data), re.escape(data.decode("latin-1"))]
    if char in "\t\n\r":
        ways.append(r"\\+" + {"\t": "t", "\n": "n", "\r": "r"}[char])
    return f"(?:{'|'.join(ways)})"
