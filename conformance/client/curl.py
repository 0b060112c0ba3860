"""Show exchanges as curl commands that anyone can run."""

from __future__ import annotations

import base64
import shlex
from dataclasses import dataclass

from conformance.client.http.exchange import RECORDED_BODY_LIMIT, Exchange
from conformance.client.redaction import REMOVED

_INLINE = 2048
#: Longer than this is not put into a command line.
_ENCODED = 16 * 1024
#: A text that ends in so many equal characters is shown by how many they are.
_TAIL = 200


@dataclass(frozen=True, slots=True)
class Trust:
    """How the certificate of the target is checked: by a file of certificates, or not at all."""

    insecure: bool = False
    ca_bundle: str | None = None

    @property
    def words(self) -> list[str]:
        """The options of curl that say so."""
        if self.insecure:
            return ["-k"]
        return ["--cacert", shlex.quote(self.ca_bundle)] if self.ca_bundle else []


def command(exchange: Exchange, trust: Trust | None = None) -> str:
    """Return one curl command; credentials are left to the reader's environment."""
    request = exchange.request
    words = ["curl", "-i", "--path-as-is", *(trust.words if trust else ())]
    if request.method == "HEAD":
        words.append("-I")
    elif request.method != "GET":
        words += ["-X", request.method]
    text = " ".join(words)
    for name, value in request.headers:
        if value == REMOVED and name.lower() == "authorization":
            text += ' -u "$REGISTRY_USERNAME:$REGISTRY_PASSWORD"'
        elif value == REMOVED and name.lower() not in {"cookie", "proxy-authorization"}:
            text += ' -H "$REGISTRY_HEADER"'  # what --header gave
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
    if len(body) <= _ENCODED:
        return f" --data-binary @<(printf %s {base64.b64encode(body).decode()} | base64 -d)"
    return f" --data-binary @<(head -c {len(body)} /dev/urandom)"


def faithful(exchange: Exchange) -> bool:
    """Whether the command sends the very bytes: digests depend on them."""
    body, size = exchange.request.body, exchange.request.size
    if size != len(body or b""):
        return False
    return not body or len(body) <= _ENCODED or _printable(body) is not None


def _printable(body: bytes) -> str | None:
    """Return a body as text where a shell can hold it."""
    if len(body) > RECORDED_BODY_LIMIT or body.startswith(b"@"):
        return None
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        return None
    return text if all(c.isprintable() or c in "\n\t" for c in text) else None
