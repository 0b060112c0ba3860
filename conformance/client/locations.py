"""What the answers of an upload tell: the URL at which it goes on, and the least size of a chunk; parts of requests."""

from __future__ import annotations

from urllib.parse import quote, urljoin, urlsplit

from conformance.client.http.exchange import Response


def upload_location(response: Response) -> str | None:
    """Return the absolute URL that a response's Location names; ``None`` where there is no usable one."""
    values = response.headers.all("Location")
    if not values or not values[0].strip():
        return None
    try:
        target = urljoin(response.url, values[0].strip())
        parts = urlsplit(target)
        _ = parts.port
    except ValueError:
        return None
    return target if parts.scheme in {"http", "https"} and parts.netloc else None


def with_query(url: str, addition: str) -> str:
    """Append to a URL's query string, whose own bytes stay as they are."""
    url = url.partition("#")[0]
    if "?" not in url:
        return f"{url}?{addition}"
    return url + ("" if url.endswith(("?", "&")) else "&") + addition


def announced_minimum(start: Response) -> int:
    """Return the least size of a chunk, in bytes, that an upload announces; 1 without one."""
    text = (start.header("OCI-Chunk-Min-Length") or "").strip()
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 16 else 1


def query_of(**parameters: int | str | None) -> str:
    """Return a query with what is not ``None``; empty where that is nothing."""
    pairs = [f"{key}={quote(str(value), safe='')}" for key, value in parameters.items() if value is not None]
    return "?" + "&".join(pairs) if pairs else ""


def mount_query(digest: str, source: str | None, *, safe: str, turned: bool) -> str:
    """Return the query of a mount of a blob from a repository, or from any where it is ``None``.

    ``safe`` is not encoded in its name; ``turned`` puts ``from`` ahead of ``mount``.
    """
    parts = [f"mount={quote(digest, safe='')}"]
    if source is not None:
        parts.append(f"from={quote(source, safe=safe)}")
    return "?" + "&".join(parts[::-1] if turned else parts)


def content_range_of(value: str | None) -> tuple[tuple[str, str], ...]:
    """Return the Content-Range of a chunk as fields; none where it is ``None``."""
    return (("Content-Range", value),) if value is not None else ()
