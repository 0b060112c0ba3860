"""Changes that several modules of faults of base have in common."""

from __future__ import annotations

from reference.messages import Request, Response


def another_code(_request: Request, response: Response) -> None:
    """Replace the code UNAUTHORIZED by DENIED."""
    response.body = response.body.replace(b"UNAUTHORIZED", b"DENIED")
