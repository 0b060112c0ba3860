"""Changes that several modules of faults of conditions have in common."""

from __future__ import annotations

from reference.messages import Request, Response


def digest_as_written(request: Request, response: Response) -> None:
    """The digest header repeats the end of the path."""
    written = request.path.rpartition("/")[2]
    if "%" in written and ":" in request.reference and "Docker-Content-Digest" in response.headers:
        response.headers.set("Docker-Content-Digest", written)
