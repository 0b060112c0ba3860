"""The list of tags."""

from __future__ import annotations

from reference import errors
from reference.messages import Request, Response
from reference.resources import paging
from reference.storage import Storage


class Tags:
    """/v2/NAME/tags/list."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def listing(self, request: Request) -> Response:
        """The tags, or a page of them."""
        if not self.exists(request.name):
            raise errors.name_unknown(request.name)
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

    def order(self, tags: list[str]) -> list[str]:
        """Without regard to case, as OCI 1.0 and 1.1 want; capitals first among equals."""
        return sorted(tags, key=_position)

    def after(self, tags: list[str], last: str | None) -> list[str]:
        """The tags behind ``last``."""
        return paging.after(tags, last, _position)

    def cut(self, tags: list[str], size: int | None) -> list[str]:
        """The first ``size`` of them."""
        return tags if size is None else tags[:size]

    def document(self, name: str, tags: list[str]) -> dict[str, object]:
        """The body."""
        return {"name": name, "tags": tags}


def _position(tag: str) -> tuple[str, str]:
    return tag.lower(), tag
