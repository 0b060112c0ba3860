"""Lists as examples read them: what they hold, whatever else may be wrong with them."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.scenarios.search.trial import Unclear

#: More pages than this are not followed.
MAX_PAGES = 40
#: Nor is what follows on so many bytes; a first page that is longer than that has not what an
#: example pushed alone.
MAX_BYTES = 1024 * 1024


def pages(repo: Repository, first: Response, operation: str = "tags.list") -> list[Response]:
    """Follow the Links of a list, as far as a list of the search can be long.

    Raises:
        Unclear: it is longer; what is wrong with such a list is a matter of the scenarios of lists.
    """
    if len(first.body) > MAX_BYTES:
        raise Unclear
    found = [first]
    while _short(found) and (following := repo.follow_link(found[-1], operation)) is not None:
        found.append(following)
    return found


def _short(found: list[Response]) -> bool:
    return len(found) < MAX_PAGES and sum(len(page.body) for page in found) < MAX_BYTES


def tags_of(answer: Response) -> list[str]:
    """Return the tags of a page; none where it has no such list."""
    return [tag for tag in _list(answer, "tags") if isinstance(tag, str)]


def digests_of(answer: Response) -> list[str]:
    """Return the digests of a page of referrers; none where it has no such list."""
    found = [entry.get("digest") for entry in _list(answer, "manifests") if isinstance(entry, dict)]
    return [digest for digest in found if isinstance(digest, str)]


def _list(answer: Response, member: str) -> list[object]:
    document = answer.json if answer.status == 200 else None
    found = document.get(member) if isinstance(document, dict) else None
    return found if isinstance(found, list) else []
