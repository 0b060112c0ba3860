"""The list of tags."""

from __future__ import annotations

from collections.abc import Sequence

from reference import errors
from reference.messages import Request, Response
from reference.resources import paging
from reference.storage import Storage
from reference.storage.names import behind, by_tag, ordered


class Tags:
    """/v2/NAME/tags/list."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.load = storage.load_tags

    async def listing(self, request: Request) -> Response:
        """The tags, or a page of them."""
        if not self.exists(request.name):
            raise errors.name_unknown(request.name)
        await self.load(request.name)
        size = paging.page_size(request)
        ordered = self.order(self.storage.tags(request.name))
        rest = self.after(ordered, request.query.get("last"))
        page = self.cut(rest, size)
        response = Response.json(self.document(request.name, page))
        if size and len(rest) > len(page):
            response.headers.add(*paging.link(request, size, page[-1]))
        return response

    def exists(self, name: str) -> bool:
        """Whether there is a repository to list."""
        return self.storage.exists(name)

    def order(self, tags: Sequence[str]) -> Sequence[str]:
        """Without regard to case, as OCI 1.0 and 1.1 want; capitals first among equals."""
        return ordered(tags, by_tag)

    def after(self, tags: Sequence[str], last: str | None) -> Sequence[str]:
        """The tags behind ``last``."""
        return behind(tags, last, by_tag)

    def cut(self, tags: Sequence[str], size: int | None) -> Sequence[str]:
        """The first ``size`` of them."""
        return tags if size is None else tags[:size]

    def document(self, name: str, tags: Sequence[str]) -> dict[str, object]:
        """The body."""
        return {"name": name, "tags": list(tags)}
