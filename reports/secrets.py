"""The last guard before a report is written: does it hold a credential?"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from reports.model import Report

_BASIC = re.compile(r"\bBasic\s+([A-Za-z0-9+/]{4,}={0,2})")
#: A signed JSON Web Token: two JSON objects and a signature, each in base64url.
_JWT = re.compile(r"\beyJ[\w-]{4,}\.eyJ[\w-]{4,}\.[\w-]{8,}")
_USERINFO = re.compile(r"https?://[^/\s@?#'\"]*:[^/\s@?#'\"]+@")


def leaked_secret(report: Report) -> str:
    """Say where the requests or commands of a report hold a credential; empty where they do not."""
    for place, text in _sent(report):
        if any(_is_credential(match.group(1)) for match in _BASIC.finditer(text)):
            return f"a Basic credential in {place}"
        if _JWT.search(text):
            return f"a token in {place}"
        if _USERINFO.search(text):
            return f"a URL with a password in {place}"
    return ""


def _sent(report: Report) -> Iterator[tuple[str, str]]:
    for finding in report["findings"]:
        place = f"the finding of {finding['requirement']}"
        yield place, finding["curl"]
        for exchange in finding["exchanges"]:
            yield place, exchange["request"]["url"]
            for _, value in exchange["request"]["headers"]:
                yield place, value
    for name, value in report["run"]["options"].items():
        yield f"option {name}", str(value)


def _is_credential(encoded: str) -> bool:
    try:
        return b":" in base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
