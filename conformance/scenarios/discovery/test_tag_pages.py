"""Pages of the tag list (n, last, Link), compared with the registry's own full list."""

from __future__ import annotations

from collections import Counter

from conformance.client.error_codes import CODES
from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, next_link, parse_link
from conformance.settings import Settings
from conformance.target.lists import OK, all_tags, is_ours, member_of, settled_tags, steady, tags_of, walk
from conformance.target.setup import SetUp
from conformance.verdict.judge import (
    Judge,
    NotTested,
    Undecided,
    Unsupported,
    codes_of,
    field_of,
    listing,
    status_of,
    told,
    verifies,
)
from spec.model import Withheld

AT_MOST = "DISC-TAGS-N-AT-MOST"
START = "DISC-TAGS-N-FROM-START"
SHORT = "DISC-TAGS-N-SHORT-PAGE"
ZERO = "DISC-TAGS-N-ZERO-EMPTY"
ZERO_LINK = "DISC-TAGS-N-ZERO-NO-LINK"
EMPTY_ARRAY = "DISC-TAGS-EMPTY-ARRAY"
LAST = "DISC-TAGS-LAST-EXCLUSIVE"
POSITION = "DISC-TAGS-LAST-NOT-A-TAG"
ALONE = "DISC-TAGS-LAST-WITHOUT-N"
SAME = "DISC-TAGS-ORDER-SAME-IN-PAGES"
MIXED = "DISC-TAGS-ORDER-MIXED-CASE"
WALK = "DISC-TAGS-LINK-WALK-COMPLETE"
END = "DISC-TAGS-LINK-ABSENT-AT-END"
SYNTAX = "DISC-TAGS-LINK-SYNTAX"
MORE = "DISC-TAGS-LINK-PRESENT-WHEN-MORE"
INVALID = "DISC-TAGS-N-INVALID-400"
INVALID_CODE = "DISC-TAGS-N-INVALID-CODE"
INVALID_LISTED = "DISC-TAGS-N-INVALID-CODE-LISTED"
LARGE = "DISC-TAGS-N-LARGE-200"
#: The ends of tags that are not pushed in their order.
FIVE = ("ba", "aa", "da", "ca", "ea")
#: In pages of two the last one is full, too.
SIX = (*FIVE, "fa")
#: Characters of the longest tag.
LONGEST = 128
#: Above each limit of a page that is known, and above what a number of 32 bits holds.
FAR, FARTHER = 100_000, 5_000_000_000


def _tagged(repo: Repository, setup: SetUp, settings: Settings, ends: tuple[str, ...], stem: str = "") -> list[str]:
    """Push tags and return the registry's own list, which may have tags of others."""
    if setup.read_only:
        listed = all_tags(repo)
        if len(listed) < len(FIVE):
            raise NotTested(f"the repository {repo.name} of --existing has not {len(FIVE)} tags", Withheld.CONTENT)
        return listed
    stem = stem or (setup.make.tag() if setup.shared else "t")
    names = [f"{stem}{end}" for end in ends]
    setup.tags(repo, *names)
    listed = settled_tags(repo, settings, set(names))
    strange = set() if setup.shared else set(listed) - set(names)
    if strange or not set(names) <= set(listed):
        raise Undecided("the plain list is not the tags that were pushed (DISC-TAGS-COMPLETE-AFTER-PUSH)")
    return listed


def _shown(answer: Response, tags: list[str]) -> str:
    return f"{len(tags)} tags ({listing(tags)}), {field_of(answer, 'Link')}"


@verifies(AT_MOST, START, SHORT, "DISC-TAGS-N-FULL-PAGE", MORE, SYNTAX)
def test_n_below_the_number_of_tags(fresh_repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A page by n holds the first n tags, and says by a Link that there are more."""
    full = _tagged(fresh_repo, setup, settings, FIVE)
    linked = False
    answers = [(n, fresh_repo.list_tags(n=n)) for n in (2, 4)]
    steady(fresh_repo, setup, full)
    for n, answer in answers:
        page = tags_of(answer, AT_MOST)
        actual = _shown(answer, page)
        judge(AT_MOST, len(page) <= n, f"no more than {n} tags", answer, actual=actual)
        if len(page) > n:
            judge.inconclusive(START, f"blocked by {AT_MOST}")
        else:
            judge(START, page == full[: len(page)], f"a beginning of {listing(full)}", answer, actual=actual)
        judge(SHORT, len(page) >= n or next_link(answer), f"{n} tags, or fewer and a Link", answer, actual=actual)
        judge("DISC-TAGS-N-FULL-PAGE", len(page) >= n, f"{n} tags", answer, actual=actual)
        judge(
            MORE,
            next_link(answer),
            "a Link with rel=next on a page that ends before the last tag",
            answer,
            actual=actual,
        )
        linked = _syntax(judge, answer) or linked
    if not linked:
        judge.unsupported(SYNTAX, "no page has a Link")


def _syntax(judge: Judge, answer: Response) -> bool:
    """Judge the syntax of each Link header; return whether there was one."""
    values = answer.headers.all("Link")
    for value in values:
        links = parse_link(value)
        relations = [word for _, parameters in links or [] for word in parameters.get("rel", "").lower().split()]
        held = links is not None and "next" in relations
        judge(SYNTAX, held, "<target> and rel=next by RFC 8288", answer, actual=f"Link: {value}")
    return bool(values)


@verifies(ZERO, ZERO_LINK, EMPTY_ARRAY)
def test_n_of_zero(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A page of no tags is empty and leads nowhere, though there are tags."""
    setup.image(repo)
    answer = repo.list_tags(n=0)
    document = answer.json if isinstance(answer.json, dict) else {}
    tags = document.get("tags")
    shown = f"{told(answer, 'Link')}, and {member_of(answer, 'tags')}" if answer.status == OK else None
    if not judge(ZERO, answer.status == OK and not tags, "status 200 and an empty list to n=0", answer, actual=shown):
        judge.stop(ZERO)
    judge(ZERO_LINK, next_link(answer) is None, "no Link on the answer to n=0", answer, actual=shown)
    judge(EMPTY_ARRAY, tags == [], "an empty array", answer, actual=shown)


@verifies(LARGE)
def test_n_far_above_the_number_of_tags(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """An n that is greater than any list is no reason to refuse it."""
    manifest = setup.image(repo)
    if settings.settle and manifest.tag is not None:
        settled_tags(repo, settings, {manifest.tag})
    answer = repo.list_tags(n=FAR)
    judge.require_status(LARGE, answer, OK, when=f"to n={FAR} in a repository with tags")
    judge(LARGE, tags_of(answer, LARGE), "tags", answer, actual=member_of(answer, "tags"))
    farther = repo.list_tags(n=FARTHER)
    judge.status(LARGE, farther, OK, when=f"to n={FARTHER}")


@verifies(INVALID, INVALID_CODE, INVALID_LISTED)
def test_n_that_is_no_number(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """An n that is negative or no integer is refused."""
    setup.image(repo)
    for n in ("-1", "abc", "2abc", "1.5"):
        answer = repo.list_tags(n=n)
        if judge.status(INVALID, answer, 400, when=f"to n={n}"):
            judge.code(INVALID_CODE, answer, "PAGINATION_NUMBER_INVALID")
        else:
            judge.unsupported(INVALID_CODE, "the answer is no 400")
        codes = answer.error_codes if answer.refused else None
        if codes is None:
            judge.unsupported(INVALID_LISTED, "the answer is no refusal with a JSON list of errors")
        else:
            expected = "codes of OCI's table of errors only"
            judge(INVALID_LISTED, set(codes) <= CODES, expected, answer, actual=codes_of(answer))


@verifies(LAST, POSITION, ALONE, EMPTY_ARRAY)
def test_last(fresh_repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """What is listed after last is what follows it in the full list, itself not included."""
    full = _tagged(fresh_repo, setup, settings, FIVE)
    answer = fresh_repo.list_tags(n=2, last=full[1])
    end = fresh_repo.list_tags(n=2, last=full[-1])
    between = _followed(full)
    middle = fresh_repo.list_tags(n=2, last=f"{between}-")
    behind = fresh_repo.list_tags(n=2, last=f"{full[-1]}z") if len(full[-1]) < LONGEST else None
    ahead = full[0][:-1]
    from_start = fresh_repo.list_tags(n=2, last=ahead) if ahead and full == sorted(full) else None
    steady(fresh_repo, setup, full)
    page = tags_of(answer, LAST)
    # A page of the wrong size is another matter: what counts is where it begins.
    begins = bool(page) and page == full[2 : 2 + len(page)]
    judge.require(LAST, begins, f"{full[2]} and what follows", answer, actual=_shown(answer, page))
    document = end.json if isinstance(end.json, dict) else {}
    tags = document.get("tags")
    held = end.status == OK and not tags
    judge(
        LAST,
        held,
        "status 200 and no tags after the last one",
        end,
        actual=f"{status_of(end)}, and {member_of(end, 'tags')}",
    )
    if held:
        judge(EMPTY_ARRAY, tags == [], "an empty array", end, actual=member_of(end, "tags"))
    else:
        judge.unsupported(EMPTY_ARRAY, "the list after the last tag is not empty")
    rest = all_tags(fresh_repo, last=full[1])
    if begins and not setup.shared and full == sorted(full):
        # Ahead of the position that was asked for before.
        setup.tags(fresh_repo, full[1][:-1])
        moved = tags_of(fresh_repo.list_tags(n=2, last=full[1]))
        expected = f"{listing(page)} behind {full[1]} as before a tag ahead of it was pushed"
        judge(LAST, moved == page, expected, answer, actual=f"it was {listing(moved)}")
    expected = f"{listing(full[2:])} after {full[1]}"
    judge(ALONE, rest == full[2:], expected, answer, *rest.pages, actual=f"it was {listing(rest)}")
    if between:
        _position(judge, middle, full, full.index(between) + 1)
        if behind is not None and behind.status == OK and POSITION in judge.judgements:
            page = tags_of(behind)
            judge.beside(POSITION, not page, "no tags behind the last one", behind, actual=_shown(behind, page))
        if from_start is not None:
            _position(judge, from_start, full, 0)
    else:
        judge.inconclusive(POSITION, "no place between two of the tags was found")


def _followed(full: list[str]) -> str:
    """Return a tag that, with a hyphen, is unused and follows directly in any order of case."""
    folded = Counter(tag.lower() for tag in full)
    fitting = (t for t in full[1:-2] if folded[t.lower()] == 1 and f"{t.lower()}-" not in folded)
    return next((tag for tag in fitting if len(tag) < LONGEST), "")


def _position(judge: Judge, answer: Response, full: list[str], place: int) -> None:
    """Judge the answer to a last before a place of the list; only an ordered list has one."""
    if full not in (sorted(full), sorted(full, key=str.lower), sorted(full, key=str.upper)):
        judge.inconclusive(POSITION, "blocked by DISC-TAGS-ORDER-LEXICAL")
        return
    page = tags_of(answer) if answer.status == OK else []
    judge(
        POSITION,
        bool(page) and page == full[place : place + len(page)],
        f"{full[place]} and what follows",
        answer,
        actual=f"{status_of(answer)}, {_shown(answer, page)}",
    )


@verifies(SAME, MIXED)
def test_order_of_letters_and_signs(fresh_repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """Whatever the order of the list is, its pages follow the same; capitals do not come first."""
    stem = setup.make.tag() if setup.shared else "t"
    full = _tagged(fresh_repo, setup, settings, ("c", "a", "B", "_d", "-e", "10", "9"), stem)
    own = [tag for tag in full if tag.startswith(stem)]
    answer = fresh_repo.list_tags()
    places = [(place, fresh_repo.list_tags(n=2, last=full[place])) for place in (0, 2, min(4, len(full) - 2))]
    steady(fresh_repo, setup, full)
    wanted = [f"{stem}{letter}" for letter in "aBc"]
    if setup.read_only:
        judge.not_tested(MIXED, "the target is read-only", Withheld.WRITING)
    elif own in (sorted(own), sorted(own, key=str.lower), sorted(own, key=str.upper)):
        letters = [tag for tag in own if tag in wanted]
        judge(MIXED, letters == wanted, f"the order {listing(wanted)}", answer, actual=f"it was {listing(letters)}")
    else:
        judge.inconclusive(MIXED, "blocked by DISC-TAGS-ORDER-LEXICAL: the list has no order")
    for place, answer in places:
        page = tags_of(answer, LAST)
        held = bool(page) and page == full[place + 1 : place + 1 + len(page)]
        expected = f"after {full[place]} what follows it in the full list ({listing(full)})"
        judge(SAME, held, expected, answer, actual=_shown(answer, page))


@verifies(WALK, END, SYNTAX)
def test_walk_along_the_links(fresh_repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """The Links lead through all tags, each once, and end with the last one."""
    full = _tagged(fresh_repo, setup, settings, SIX)
    n = max(2, len(full) // 4)
    first = fresh_repo.list_tags(n=n)
    if len(tags_of(first, AT_MOST)) >= len(full):
        raise Undecided("blocked by DISC-TAGS-N-AT-MOST")
    if next_link(first) is None and "Link" not in first.headers:
        raise Unsupported("no page has a Link")
    _syntax(judge, first)
    pages = walk(first, lambda page: fresh_repo.follow_link(page, "tags.list"), WALK, ours=is_ours(fresh_repo))
    walked = [tag for page in pages for tag in tags_of(page, WALK)]
    whole = fresh_repo.list_tags(n=len(full) + 4)
    steady(fresh_repo, setup, full)
    judge(WALK, walked == full, f"the tags {listing(full)}", *pages, actual=f"the walk gave {listing(walked)}")
    # An empty page behind a full one does no harm: it may be that nobody looked for more.
    full_before = len(pages) > 1 and len(tags_of(pages[-2])) == n
    for answer, tags in ((whole, tags_of(whole, AT_MOST)), (pages[-1], tags_of(pages[-1]))):
        complete = answer is whole and tags == full
        held = next_link(answer) is None if complete else bool(tags) or full_before
        judge(END, held, "no Link after the last tag, and no empty page", answer, actual=_shown(answer, tags))
