"""Changes that several modules of faults of discovery have in common."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from reference.messages import Request, Response
from reference.modifications import Apply, on


def link_to_itself(request: Request, response: Response) -> None:
    """Link a page to itself."""
    if "Link" in response.headers:
        response.headers.set("Link", f'<{request.path}?{request.query.raw}>; rel="next"')


def list_entries(operation: str, member: str, change_entry: Callable[[Any], object]) -> Apply:
    """Change each entry of a list."""

    def change(_request: Request, response: Response) -> None:
        body = json.loads(response.body)
        body[member] = [change_entry(each) for each in body[member]]
        response.body = json.dumps(body).encode()

    return on(operation, status=200, change=change)
