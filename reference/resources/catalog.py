"""The list of repositories."""

from __future__ import annotations

from reference.messages import Request, Response
from reference.resources import paging
from reference.storage import Storage


class Catalog:
    """/v2/_catalog."""

    def __init__(self, storage: Storage, limit: int) -> None:
        self.storage = storage
        self.limit = limit

    async def listing(self, request: Request) -> Response:
        """The names, or a page of them; never more than the limit at once."""
        asked = paging.page_size(request)
        size = self.limit if asked is None else min(asked, self.limit)
        ordered = sorted(self.storage.repositories())
        rest = paging.after(ordered, request.query.get("last"), _position)
        page = rest[:size]
        response = Response.json({"repositories": page})
        if size and len(rest) > len(page):
            response.headers.add(*paging.link(request, size, page[-1]))
        return response


def _position(name: str) -> tuple[str, str]:
    return name, name
