"""Read a list, whole or a page of it, and follow its Links."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, next_link
from conformance.contract.wording import quoted
from conformance.settings import Settings
from conformance.target.setup import SetUp
from conformance.verdict.judge import Blocked, Undecided, status_of

OK = 200
NOT_FOUND = 404
#: Statuses by which access control hides whether something is there.
HIDDEN = frozenset({401, 403})
#: More pages than this are not followed.
MAX_PAGES = 200
#: Of longer lists no more pages are asked for.
MAX_BYTES = 16 * 1024 * 1024


def member_of(answer: Response, name: str) -> str:
    """Return a member of the JSON object that was answered in words."""
    if not isinstance(answer.json, dict):
        return f"{status_of(answer)} came without a JSON object"
    return f"{name} was {quoted(answer.json[name])}" if name in answer.json else f"there was no member {name}"


def tags_of(answer: Response, requirement: str = "DISC-TAGS-STATUS-200") -> list[str]:
    """Return the tags of one page; null counts as none, which DISC-TAGS-EMPTY-ARRAY judges.

    Any status but 200 blocks on the requirement: that of the whole list, or of the parameter that
    was sent.
    """
    if answer.status != OK:
        raise Blocked(requirement, "status 200 to the tag list of an existing repository", answer)
    found = answer.json.get("tags", 0) if isinstance(answer.json, dict) else 0
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(tag, str) for tag in found):
        raise Blocked("DISC-TAGS-BODY-ARRAY", "a member tags that is an array of strings", answer)
    return found


class Listed(list[str]):
    """Tags in the order of the target, and the pages that they stood on, as evidence."""

    def __init__(self, tags: Iterable[str], pages: tuple[Response, ...] = ()) -> None:
        super().__init__(tags)
        self.pages = pages


def all_tags(repo: Repository, last: str | None = None) -> Listed:
    """Return the tag list in the target's order, or what follows ``last``, over all Links."""
    requirement = "DISC-TAGS-STATUS-200" if last is None else "DISC-TAGS-LAST-WITHOUT-N"
    first = repo.list_tags(last=last)
    pages = walk(
        first, lambda page: repo.follow_link(page, "tags.list"), "DISC-TAGS-LINK-WALK-COMPLETE", ours=is_ours(repo)
    )
    return Listed((tag for page in pages for tag in tags_of(page, requirement)), tuple(pages))


def settled_tags(
    repo: Repository, settings: Settings, wanted: set[str], unwanted: frozenset[str] | set[str] = frozenset()
) -> Listed:
    """Return the tag list when it has some tags and not others, or after the settle time."""
    found = Listed(())

    def there() -> bool:
        nonlocal found
        found = all_tags(repo)
        return wanted <= set(found) and not unwanted & set(found)

    settings.wait(there)
    return found


def steady(repo: Repository, setup: SetUp, full: list[str]) -> None:
    """Check that others who share the repository changed nothing between two lists.

    Raises:
        Undecided: the list is not what it was.
    """
    if setup.shared and all_tags(repo) != full:
        raise Undecided(f"the tags of {repo.name} changed while they were looked at")


def is_ours(repo: Repository) -> bool:
    """Return whether nobody else can have put anything into a repository."""
    return repo.registry.ours


def walk(
    first: Response,
    follow: Callable[[Response], Response | None],
    requirement: str,
    *,
    ours: bool = False,
    most: int | None = None,
) -> list[Response]:
    """Follow the Links of a list to its end, or as far as ``most`` pages; a loop blocks on the requirement.

    Where all that is listed is ``ours``, which is little, a walk that does not end does so too.
    """
    pages = [first]
    seen: set[str] = set()
    while (target := next_link(pages[-1])) is not None and len(pages) != most:
        if target in seen:
            raise Blocked(
                requirement, "Links that lead to an end", *pages, actual=f"a page linked to {target} a second time"
            )
        if len(pages) == MAX_PAGES:
            if ours:
                actual = f"there were more than {MAX_PAGES} pages of {sum(len(page.body) for page in pages)} bytes"
                raise Blocked(requirement, "Links that lead to an end", *pages, actual=actual)
            raise Undecided(f"the list has more than {MAX_PAGES} pages")
        if sum(len(page.body) for page in pages) > MAX_BYTES:
            raise Undecided(f"the list has more than {MAX_BYTES} bytes")
        seen.add(target)
        following = follow(pages[-1])
        if following is None:
            break
        pages.append(following)
    return pages


def descriptors_of(answer: Response, requirement: str = "DISC-REFERRERS-STATUS-200") -> list[dict[str, Any]]:
    """Return the descriptors of a page of referrers; any status but 200 blocks."""
    if answer.status != OK:
        raise Blocked(requirement, "status 200 to the referrers of a manifest", answer)
    found = answer.json.get("manifests") if isinstance(answer.json, dict) else None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise Blocked("DISC-REFERRERS-INDEX-SHAPE", "an image index with an array of descriptors", answer)
    return found


def referrer_pages(repo: Repository, digest: str, artifact_type: str | None = None) -> list[Response]:
    """Return all pages of the referrers of a digest."""
    first = repo.referrers(digest, artifact_type)
    return walk(
        first, lambda page: repo.follow_link(page, "referrers.list"), "DISC-REFERRERS-LINK-PAGES", ours=is_ours(repo)
    )


def all_referrers(repo: Repository, digest: str) -> list[dict[str, Any]]:
    """Return the descriptors of all referrers of a digest."""
    return [entry for page in referrer_pages(repo, digest) for entry in descriptors_of(page)]
