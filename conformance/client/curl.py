"""Show exchanges as curl commands that anyone can run."""

from __future__ import annotations

import shlex

from conformance.client.http.exchange import RECORDED_BODY_LIMIT, Exchange
from conformance.client.redaction import REMOVED

_INLINE = 2048
#: A text that ends in so many equal characters is shown by how many they are.
_TAIL = 200


def command(exchange: Exchange, insecure: bool = False) -> str:
    """Return one curl command; credentials are left to the reader's environment."""
    request = exchange.request
    words = ["curl", "-i", "--path-as-is"]
    if insecure:
        words.append("-k")
    if request.method == "HEAD":
        words.append("-I")
    elif request.method != "GET":
        words += ["-X", request.method]
    text = " ".join(words)
    for name, value in request.headers:
        if value == REMOVED and name.lower() == "authorization":
            text += ' -u "$REGISTRY_USERNAME:$REGISTRY_PASSWORD"'
        else:
            text += " -H " + shlex.quote(f"{name}: {value}")
    return f"{text}{_body(request.body)} {shlex.quote(request.url)}"


def _body(body: bytes | None) -> str:
    if not body:
        return ""
    text = _printable(body)
    if text is not None:
        head = text.rstrip(text[-1])
        if (tail := len(text) - len(head)) > _TAIL:
            made = f"head -c {tail} /dev/zero | tr '\\0' {shlex.quote(text[-1])}"
            return f" --data-binary @<(printf %s {shlex.quote(head)}; {made})"
        return " --data-binary " + shlex.quote(text)
    if len(body) <= _INLINE:
        octal = "".join(f"\\{byte:03o}" for byte in body)
        return f" --data-binary @<(printf {shlex.quote(octal)})"
    return f" --data-binary @<(head -c {len(body)} /dev/urandom)"


def _printable(body: bytes) -> str | None:
    """Return a body as text where a shell can hold it."""
    if len(body) > RECORDED_BODY_LIMIT or body.startswith(b"@"):
        return None
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        return None
    return text if all(c.isprintable() or c in "\n\t" for c in text) else None
