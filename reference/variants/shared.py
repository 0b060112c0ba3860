"""Changes that several modules of variants have in common."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.messages import Handler, Request, Response

_BLOBS = ("blob.get", "blob.head")
PULLS = (*_BLOBS, "manifest.get", "manifest.head")


def other_host(request: Request) -> str:
    """The same place by another name."""
    name, _, port = request.headers.get("host").rpartition(":")
    return f"{'127.0.0.1' if name == 'localhost' else 'localhost'}:{port}"


def redirected(status: int, target: Callable[[Request], str], mark: str) -> Callable[[Handler], Handler]:
    """Redirect a request that has no mark in its query."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.query.get(mark) is not None:
                return await handler(request)
            query = "&".join(part for part in (request.query.raw, f"{mark}=1") if part)
            body = b"<html>moved</html>" if request.method != "HEAD" else b""
            where = f"{target(request)}{request.path}?{query}"
            return Response(status, [("Location", where), ("Content-Type", "text/html")], body)

        return changed

    return around


def denied(why: str, status: int = 403, code: str = "DENIED") -> errors.RegistryError:
    """A refusal by policy."""
    return errors.RegistryError(status, (errors.ErrorEntry(code, why),))
