"""The list of repositories."""

from __future__ import annotations

from reference.messages import Request, Response
from reference.resources import paging
from reference.storage import Storage
from reference.storage.names import behind, by_name, ordered


class Catalog:
    """/v2/_catalog."""

    def __init__(self, storage: Storage, limit: int) -> None:
        self.storage = storage
        self.load = storage.load_repositories
        self.limit = limit

    async def listing(self, request: Request) -> Response:
        """The names, or a page of them; never more than the limit at once."""
        asked = paging.page_size(request)
        size = self.limit if asked is None else min(asked, self.limit)
        await self.load()
        rest = behind(ordered(self.storage.repositories(), by_name), request.query.get("last"), by_name)
        page = list(rest[:size])
        response = Response.json({"repositories": page})
        if size and len(rest) > len(page):
            response.headers.add(*paging.link(request, size, page[-1]))
        return response
