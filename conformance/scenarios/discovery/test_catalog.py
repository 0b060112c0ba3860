"""The catalogue of repositories; others may push, so only the answers themselves count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from conformance.client.http.exchange import Response
from conformance.client.registry import Registry, Repository, next_link
from conformance.settings import Settings
from conformance.target.lists import HIDDEN, NOT_FOUND, OK, member_of, walk
from conformance.target.session import Repositories
from conformance.target.setup import SetUp
from conformance.verdict.judge import Blocked, Judge, NotTested, Undecided, Unsupported, listing, told, verifies
from spec.model import Withheld

SHAPE = "DISC-CATALOG-SHAPE"
EXISTS = "DISC-CATALOG-LISTED-EXISTS"
ORDER = "DISC-CATALOG-ORDER"
N_LAST = "DISC-CATALOG-N-LAST"
WALK = "DISC-CATALOG-LINK-WALK"
INVALID = "DISC-CATALOG-N-INVALID-400"
_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")


def _names(answer: Response) -> list[str]:
    """Return the repositories of one page; null counts as none here."""
    found = answer.json.get("repositories") if isinstance(answer.json, dict) else None
    if answer.status != OK or not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise Blocked(SHAPE, "status 200 and an object whose repositories are an array of names", answer)
    return found


#: A catalogue of more pages than these, or of larger ones, is looked at in part: most of it is of others.
_SHORT_PAGES, _SHORT_BYTES = 4, 128 * 1024
#: Pages of a walk through the beginning of a long one.
_WALKED = 12
#: Names of one page beside those of a scenario.
_WINDOW = 20


def _pages(registry: Registry, first: Response, most: int | None = None) -> list[Response]:
    return walk(first, lambda page: registry.follow_link(page, "catalog.list"), WALK, most=most)


def _beside(registry: Registry, first: Response, stem: str) -> tuple[list[str], Response]:
    """Return the names of a catalogue, whole where it is short, else those of a page that begins at a stem.

    Where the page does not have what begins like that, as ``last`` is passed over, the beginning has to do.
    """
    pages = _pages(registry, first, _SHORT_PAGES if len(first.body) < _SHORT_BYTES else 1)
    names = [name for page in pages for name in _names(page)]
    if next_link(pages[-1]) is None:
        return names, first
    registry.sampled.add(f"of the catalogue the first {len(names)} repositories, and those beside the run's own")
    page = registry.catalog(n=_WINDOW, last=stem)
    beside = _names(page)
    return (beside, page) if any(name.startswith(stem) for name in beside) else (names, first)


def _listed_there(registry: Registry, own: set[str], stem: str) -> bool:
    first = registry.catalog()
    return first.status == OK and own <= set(_beside(registry, first, stem)[0])


#: Ends of names that have one order by bytes and by components, and of names that have two.
_ALIKE, _OTHERWISE = ("b9", "b10", "a/d/e"), ("/b", "/b/x", "/b-x")


def _three(
    registry: Registry, repository: Repositories, setup: SetUp, settings: Settings, ends: Sequence[str] = _ALIKE
) -> list[Repository]:
    """Fill three repositories whose names begin alike, or give those there are."""
    if setup.shared:
        repositories = repository.shared()
        for repo in repositories:
            setup.image(repo)
        return repositories
    stem = repository(fresh=True)
    repositories = [repository.named(f"{stem.name}{end}") for end in ends]
    for number, repo in enumerate(repositories):
        if number == 1:
            # A repository may begin with a mount.
            repo.mount(setup.blob_there(repositories[0]).digest, repositories[0].name)
        setup.image(repo)
    if settings.settle:
        settings.wait(lambda: _listed_there(registry, {repo.name for repo in repositories}, stem.name))
    return repositories


@verifies(SHAPE, EXISTS, ORDER)
def test_catalog(registry: Registry, repository: Repositories, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """The catalogue is a sorted list of repositories that are there."""
    own = {repo.name: repo for repo in _three(registry, repository, setup, settings)}
    alone = len(own) == 1
    # One that is only asked for: a registry that keeps what it looked for may take it for its own.
    unknown = repository.named(f"{min(own)}d")
    unknown.list_tags()
    own[unknown.name] = unknown
    answer = registry.catalog()
    found = answer.json.get("repositories") if isinstance(answer.json, dict) else None
    names = found if isinstance(found, list) else []
    held = (
        answer.status == OK
        and isinstance(found, list)
        and all(isinstance(n, str) and _NAME.fullmatch(n) for n in names)
    )
    held = held and answer.media_type == "application/json"
    expected = "status 200, application/json and an object whose repositories are an array of names"
    actual = f"{told(answer, 'Content-Type')}, and {member_of(answer, 'repositories')}"
    judge.require(SHAPE, held, expected, answer, actual=actual)
    # A name that nobody pushed to may be part of one.
    stem = repository.own_name
    listed, answer = _beside(registry, answer, min(own)[:-1] if setup.shared else stem)
    listed = [name for name in listed if name in own or (not setup.shared and name.startswith(stem))]
    cut = {name.rpartition("/")[2] for name in own} & {*names} - {*own}
    for name in sorted(cut):
        there = Repository(registry, name).list_tags()
        judge(EXISTS, there.status != NOT_FOUND, f"that the listed {name} exists", answer, there)
    if not listed:
        raise Unsupported("the catalogue does not show the repositories of this scenario")
    for name in dict.fromkeys(listed):
        there = (own.get(name) or Repository(registry, name)).list_tags()
        judge(EXISTS, there.status == OK or there.status in HIDDEN, f"that the listed {name} exists", answer, there)
    if alone:
        judge.not_tested(ORDER, "this takes two repositories", Withheld.REPOSITORIES)
        return
    judge(
        ORDER,
        listed == sorted(set(listed)),
        "each name once, in lexical order",
        answer,
        actual=f"it was {listing(listed)}",
    )


@verifies(N_LAST, WALK)
def test_pages_of_the_catalog(
    registry: Registry, repository: Repositories, setup: SetUp, judge: Judge, settings: Settings
) -> None:
    """A page has at most n names, all behind last; the Links end, and give each name once."""
    own = _three(registry, repository, setup, settings, _OTHERWISE)
    first = registry.catalog(n=1)
    page = _names(first)
    if len(page) < 2 and len(_names(registry.catalog())) < 2:
        raise Unsupported("the catalogue does not show two repositories")
    actual = f"the page was {listing(page[:5])}"
    judge.require(N_LAST, len(page) == 1, "one name to n=1", first, actual=f"{len(page)} names; {actual}")
    second = registry.catalog(n=1, last=page[0])
    following = _names(second)
    held = len(following) == 1 and following != page
    actual = f"{listing(following)} behind {page[0]}"
    judge.require(N_LAST, held, "another name behind the first", first, second, actual=actual)
    behind = registry.catalog(n=1, last="z" * 200)
    judge(N_LAST, behind.ok or behind.refused, "no server error to a last that lies behind every name", behind)
    document = behind.json if behind.ok and isinstance(behind.json, dict) else {}
    held, shown = not document.get("repositories"), member_of(behind, "repositories")
    judge(N_LAST, held, "no names behind a last that lies behind every name", behind, actual=shown)
    whole = registry.catalog()
    size = len(_names(whole))
    if size < 3:
        if not setup.shared:
            raise Unsupported("the catalogue does not show three repositories")
        raise NotTested("this takes three repositories in the catalogue", Withheld.REPOSITORIES)
    _walk(judge, registry, max(2, size // 3), long=next_link(whole) is not None)
    if not setup.shared:
        _walk_past(judge, registry, {repo.name for repo in own}, min(repo.name for repo in own).removesuffix("/b"))


def _walk_past(judge: Judge, registry: Registry, own: set[str], stem: str) -> None:
    """Pages of one past names whose order is ambiguous have the same names as the whole list."""
    whole = registry.catalog(n=len(own), last=stem)
    names = _names(whole)
    if set(names) != own:
        return
    first, *others = names
    behind = registry.catalog(n=len(others), last=first)
    held = _names(behind) == others
    actual = f"it was {listing(_names(behind))}"
    judge.require(N_LAST, held, f"the names that follow {first}: {listing(others)}", whole, behind, actual=actual)
    pages = [registry.catalog(n=1, last=stem)]
    while len(pages) < len(own) and (page := registry.follow_link(pages[-1], "catalog.list")) is not None:
        pages.append(page)
    walked = [name for page in pages for name in _names(page)]
    expected, shown = f"the names of one page, each once: {listing(sorted(own))}", f"it was {listing(walked)}"
    judge(WALK, sorted(walked) == sorted(own), expected, whole, *pages, actual=shown)


def _walk(judge: Judge, registry: Registry, n: int, *, long: bool) -> None:
    """Walk the catalogue in about three pages, the beginning of it where it is ``long``."""
    first = registry.catalog(n=n)
    if len(_names(first)) > n:
        raise Undecided(f"blocked by {N_LAST}")
    judge.require(WALK, next_link(first), "a Link on a page that is not the last", first)
    pages = _pages(registry, first, _WALKED if long else None)
    if next_link(pages[-1]) is not None:
        registry.sampled.add(f"of the walk along the Links of the catalogue the first {len(pages)} pages")
    counts = Counter(name for page in pages for name in _names(page))
    repeated = sorted(name for name, count in counts.items() if count > 1)
    judge(WALK, not repeated, "each name once", *pages, actual=f"{', '.join(repeated[:5])} came again")


@verifies(INVALID)
def test_catalog_with_an_n_that_is_no_number(registry: Registry, judge: Judge) -> None:
    """An n that is negative or no integer is refused."""
    for n in ("-1", "abc"):
        judge.status(INVALID, registry.catalog(n=n), 400, when=f"to n={n}")
