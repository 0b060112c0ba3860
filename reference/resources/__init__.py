"""The resources of the API, a module for each; their methods are the handlers of the operations."""

from __future__ import annotations

from urllib.parse import quote

from reference.messages import Request


def url(host: str, path: str) -> str:
    """A URL for Location: absolute below the configured host, else relative to the request."""
    return host.rstrip("/") + path if host else path


def next_link(request: Request, query: str) -> tuple[str, str]:
    """A Link header to the next page of the same list."""
    return "Link", f'<{quote(request.path, safe="/%:@+~")}?{query}>; rel="next"'


def matches_strongly(condition: str, etag: str | None) -> bool:
    """Whether an If-Match names the entity tag of what is there; nothing is there where it is None."""
    return etag is not None and bool({"*", etag} & {candidate.strip() for candidate in condition.split(",")})


def matches(condition: str, etag: str) -> bool:
    """Whether an If-None-Match names the entity tag (weak comparison)."""
    candidates = [candidate.strip().removeprefix("W/") for candidate in condition.split(",")]
    return "*" in candidates or etag in candidates
