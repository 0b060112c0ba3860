"""Changes that several modules of faults of conditions/lists have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from reference.app import Registry
from reference.documents import Json
from reference.messages import Request, Response
from reference.modifications import override


def listed_tags(registry: Registry, change: Callable[[str, Sequence[str]], Sequence[str]]) -> None:
    """Change the tags that are listed of a repository, before they are put in order."""
    listing, order = registry.handlers["tags.list"], registry.tags.order
    asked: list[str] = []

    async def changed(request: Request) -> Response:
        asked[:] = [request.name]
        return await listing(request)

    registry.handlers["tags.list"] = changed
    override(registry.tags, order=lambda tags: order(change(asked[0], tags)))


class ListedStorage:
    """What the list of tags sees of a storage."""

    def __init__(self, registry: Registry, listed: Callable[[str, Sequence[str]], Iterable[str]]) -> None:
        self._storage = registry.storage
        self._listed = listed

    def exists(self, name: str) -> bool:
        """Whether a repository exists."""
        return self._storage.exists(name)

    def tags(self, name: str) -> list[str]:
        """Those of its tags that are listed."""
        return list(self._listed(name, self._storage.tags(name)))


def listed_again(response: Response, document: Json) -> Response:
    """An answer with another document and the same Link."""
    changed = Response.json(document)
    for link in response.headers.all("link"):
        changed.headers.add("Link", link)
    return changed
