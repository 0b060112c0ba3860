"""The laws of lists, tried on one row: a repository with so many tags and referrers, listed in pages of a size."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from conformance.client.http.exchange import Response
from conformance.client.registry import OCI_MANIFEST, Repository, next_link
from conformance.scenarios.conditions.lists import checks
from conformance.scenarios.conditions.manifests.lists import in_order
from conformance.scenarios.conditions.rows.attempt import CREATED, OK, Attempt, Declined, Filled, Unclear
from conformance.scenarios.conditions.rows.kinds import ARTIFACT, Shelf
from conformance.scenarios.conditions.rows.places import LETTERS, links
from conformance.scenarios.conditions.rows.rows import Row
from conformance.target.content import OCI_CONFIG, Manifest, image
from conformance.target.lists import all_referrers, descriptors_of, tags_of, walk
from conformance.target.policy import may_be
from conformance.verdict.judge import Blocked, Judgement, clip

#: What is broken where the pages of a list of referrers have no end.
LINKED = "DISC-REFERRERS-LINK-PAGES"
COUNTS = {"few": 6, "twenty-one": 21, "hundred": 101, "thousand": 1001}
#: The types of the first referrers, which a filter leaves out: one goes on behind that of the others, one ends before.
OTHERS = (f"{ARTIFACT}.signed", ARTIFACT.removesuffix("+json"))
#: Tags of a page that has the whole list of a row.
MOST = 100
#: Pages after which a walk is given up: more than any row needs.
_LONGEST = 120
#: Tags whose place in a list is the same in every order of letters and signs.
_NUMBERED = re.compile(r"t\d{4}")


def possible(row: Row) -> bool:
    """Whether a row, or a part of one, does not contradict itself."""
    if row.get("list", "tags") != "tags" and row.get("page", "whole") != "whole":
        return False
    many = row.get("count", "few") != "few"
    if many and row.get("page") in {"one", "two"}:
        return False
    if row.get("page") == "ten" and row.get("count") not in {None, "twenty-one"}:
        return False
    most = {"deleted-tags": {"twenty-one"}, "deleted-hundred": {"few"}}.get(row.get("list", ""))
    return most is None or row.get("count") in {None, *most}


def size_of(row: Row) -> int:
    """Return how many entries a row has: rows with few come first, so that one repository is filled for all."""
    return COUNTS[row["count"]]


def attempt_list(attempt: Attempt) -> None:
    """Fill a repository, unless other rows have, and look at its lists."""
    filled = _filled(attempt, size_of(attempt.row))
    what = attempt.row["list"]
    if what == "tags":
        _tags(attempt, filled)
        if attempt.row["page"] == "whole":
            _oldest(attempt, filled)
    elif what == "position":
        _positions(attempt, filled)
    elif what == "deleted-tags":
        _deleted(attempt, filled, min(len(filled.pushed), 21))
    elif what == "deleted-hundred":
        _deleted(attempt, filled, COUNTS["hundred"])
    elif what == "replaced":
        _replaced(attempt, filled)
    elif attempt.has("referrers"):
        _referrers(attempt, filled, by_type=what == "filtered")


def _filled(attempt: Attempt, count: int) -> Filled:
    """Return a repository with so many manifests: one that has fewer is filled up.

    Raises:
        Declined: the target takes no more.
    """
    place = attempt.place
    if place.filled is None or place.filled.size > count:
        if not place.spare:
            raise Declined
        repo = place.spare.pop()
        shelf = Shelf(attempt.session.setup(f"shelf {repo.name}"), repo)
        subject = shelf.child()
        place.filled = filled = Filled(repo, shelf, subject, pushed={shelf.tags["image"]: subject})
        if attempt.has("referrers"):
            for number, kind in enumerate(OTHERS):
                # It is pushed by its digest, so that there are as many tags as the row says.
                _push(attempt, filled, f"other {number}", kind)
    filled = place.filled
    while filled.size < count:
        _push(attempt, filled, str(filled.size - 1), ARTIFACT, _tag(filled.size - 1, attempt))
        filled.size += 1
    return filled


def _push(attempt: Attempt, filled: Filled, mark: str, kind: str, tag: str = "") -> None:
    """Push one manifest more, by its digest where it gets no tag; it has the same subject as all."""
    config, layer = filled.shelf.blobs
    referring: dict[str, Any] = {"subject": filled.subject.descriptor()} if attempt.has("referrers") else {}
    members = {**referring, "artifactType": kind, "annotations": {"org.example.number": mark}}
    manifest = Manifest.of(image(config.descriptor(OCI_CONFIG), [layer.descriptor()], **members), OCI_MANIFEST)
    answer = filled.repo.put_manifest(tag or manifest.digest, manifest.body, manifest.media_type)
    if filled.types and may_be(answer):
        # How many there may be is nowhere said.
        raise Declined("count")
    if answer.refused and filled.shelf.collected():
        # It refers to what went with a manifest that was deleted; whether that was in use a scenario judges.
        attempt.place.filled = None
        raise Declined
    attempt.taken(answer)
    attempt(checks.PUSHED, answer.status == CREATED, "status 201 to a push of a manifest", answer)
    if tag:
        filled.pushed[tag] = manifest
    filled.types[manifest.digest] = kind


def _tag(number: int, attempt: Attempt) -> str:
    """Return a tag of one form after the other, all in one list."""
    forms = (
        f"t{number:04}",
        LETTERS[number // 6] if number // 6 < len(LETTERS) else f"x{number}",
        f"T{number:04}",
        f"_{number:04}",
        # A careless registry takes it for a number. It comes before all others, and so to the first page.
        f"{9999 - number}",
        "sha256-" + attempt.make.random.randbytes(32).hex(),
    )
    return forms[number % len(forms)]


def _tags(attempt: Attempt, filled: Filled) -> list[str]:
    """Walk through all pages, and return the tags: each comes once."""
    known = len(filled.pushed)
    page = {"one": 1, "two": 2, "ten": 10, "rest": known - 1, "more": known + 2}.get(attempt.row["page"])
    answers: list[Response] = []
    found: list[str] = []

    def settled() -> bool:
        answers[:] = _walk(attempt, filled.repo, page)
        found[:] = [tag for answer in answers for tag in _of(answer)]
        return set(found) == set(filled.pushed)

    attempt.session.settings.wait(settled)
    if page is not None:
        most = max(len(_of(answer)) for answer in answers)
        attempt(checks.PAGE, most <= page, f"pages of {page} tags at most", *answers, actual=f"one had {most}")
    check = checks.TAGS if page is None else checks.PAGES
    attempt(check, set(found) >= set(filled.pushed), "each tag", *answers, actual=_told(found, filled))
    once = checks.TWICE if page is None else checks.PAGES_TWICE
    attempt(once, len(set(found)) == len(found), "each tag once", *answers, actual=_told(found, filled))
    if not attempt.place.controlled:
        untagged = [tag for tag in found if tag not in filled.pushed and tag.replace("-", ":", 1) in filled.types]
        attempt(checks.DIGESTS, not untagged, "no digest among the tags", *answers, actual=_told(found, filled))
        held = set(found) <= {*filled.pushed, *filled.gone}
        attempt(checks.MORE, held, "no other tag", *answers, actual=_told(found, filled))
    if page is not None and len(_of(answers[0])) <= page:
        held, shown = in_order(found), f"they were {clip(', '.join(found))}"
        attempt(checks.ORDER, held, "tags in lexical order", *answers, actual=shown)
    return found


def _oldest(attempt: Attempt, filled: Filled) -> None:
    """Ask by HEAD, as clients do before a pull, for what was there before all others that were pushed to be listed."""
    tag, manifest = list(filled.pushed.items())[1]
    for reference in (tag, manifest.digest):
        head = attempt.answered(filled.repo.head_manifest(reference, manifest.media_type))
        attempt(checks.HEADED, head.status == OK, "status 200", head)


def _told(found: list[str], filled: Filled) -> str:
    twice = [tag for tag, count in Counter(found).items() if count > 1]
    parts = {"missing": sorted(set(filled.pushed) - set(found)), "twice": twice}
    parts["unknown"] = sorted(set(found) - set(filled.pushed))
    told = "; ".join(f"{name}: {', '.join(tags[:3])}" for name, tags in parts.items() if tags)
    return f"{len(found)} of {len(filled.pushed)} tags came ({clip(told)})"


def _walk(attempt: Attempt, repo: Repository, page: int | None) -> list[Response]:
    """Return all pages: along their Links or, where the target has none, by ``last`` behind a full page."""
    answers = [attempt.answered(repo.list_tags(n=page))]
    while len(answers) < _LONGEST:
        last = answers[-1]
        first = checks.LISTED if page is None else checks.PAGE
        listed = checks.NEXT if len(answers) > 1 and next_link(answers[-2]) is not None else first
        attempt(listed, last.status == OK, "status 200 to a list of tags", last)
        if next_link(last) is not None:
            following = repo.follow_link(last, "tags.list")
        elif page is not None and len(_of(last)) == page and not links(repo, attempt.session):
            following = repo.list_tags(n=page, last=_of(last)[-1])
        else:
            return answers
        if following is None:
            return answers
        answers.append(attempt.answered(following))
    raise Unclear(checks.PAGES, "the walk had no end")


def _of(answer: Response) -> list[str]:
    try:
        return tags_of(answer)
    except Blocked:
        raise Declined from None


def _positions(attempt: Attempt, filled: Filled) -> None:
    """Begin behind tags of each form: what follows is what follows in the whole list."""
    whole = _tags(attempt, filled)
    places = sorted({0, len(whole) - 3, *attempt.make.random.sample(range(len(whole) - 2), 1)})
    for number, place in enumerate(places):
        # The order of parameters has no meaning; libraries sort them.
        _position(attempt, filled, whole[place], whole[place + 1 :], 2, turned=number % 2 == 0)
    _position(attempt, filled, whole[places[0]], whole[places[0] + 1 :])
    # Of a name that nobody pushed the place is plain only beside names of the same form.
    for place in [place for place, tag in enumerate(whole[:-1]) if _NUMBERED.fullmatch(tag)][-1:]:
        _position(attempt, filled, f"{whole[place]}0", whole[place + 1 :], 2)


def _position(
    attempt: Attempt,
    filled: Filled,
    last: str,
    following: list[str],
    n: int | None = None,
    *,
    turned: bool = False,
) -> None:
    """Judge a page that begins behind a name; without ``n`` it has as much as the target gives at once."""
    answer = attempt.answered(filled.repo.list_tags(n=n, last=last, turned=turned))
    page = _of(answer)
    held = bool(page) and page == following[: len(page)]
    expected = f"{following[0]} and what follows, behind {last}"
    attempt(checks.POSITION, held, expected, answer, actual=f"it was {clip(', '.join(page))}")
    most = n is None or len(page) <= n
    attempt(checks.PAGE, most, f"{n} tags at most behind {last}", answer, actual=f"it had {len(page)}")


def _deleted(attempt: Attempt, filled: Filled, count: int) -> None:
    """Give one manifest so many tags, and delete it: they all go, and the others stay."""
    repo = filled.repo
    manifest = next(iter(filled.pushed.values()))
    other = Manifest.of(manifest.body + b"\n" * attempt.make.random.randint(1, 99), manifest.media_type)
    tags = {attempt.make.tag() for _ in range(count)}
    for tag in tags:
        _tagged(attempt, repo, tag, other)
        filled.pushed[tag] = other
    # The very page that is asked for afterwards.
    before = {tag for page in _walk(attempt, repo, MOST) for tag in _of(page)}
    # Whatever is answered: they may be gone.
    for tag in tags:
        del filled.pushed[tag]
    filled.gone |= tags
    answer = attempt.answered(repo.delete_manifest(other.digest))
    if not attempt.deletes(checks.DELETION, answer):
        raise Declined
    left = _left(attempt, filled, tags, MOST)
    told = f"{len(tags & set(left))} of {count} tags were still listed"
    held = not tags & set(left)
    attempt(checks.DELETED, held, "a list without the tags of a deleted manifest", answer, actual=told)
    kept = before & set(filled.pushed) <= set(left)
    attempt(checks.KEPT, kept, "the other tags as before", answer, actual=_told(left, filled))


def _tagged(attempt: Attempt, repo: Repository, tag: str, manifest: Manifest) -> Response:
    """Push a manifest under a tag; return the 201.

    Raises:
        Declined: the target takes no more.
    """
    answer = attempt.answered(repo.put_manifest(tag, manifest.body, manifest.media_type))
    if answer.refused:
        raise Declined
    attempt(checks.PUSHED, answer.status == CREATED, "status 201 to a push of a manifest", answer)
    return answer


def _left(attempt: Attempt, filled: Filled, deleted: set[str], page: int | None = None) -> list[str]:
    """Return the whole list, as soon as it is as it has to be or there was time enough for that."""
    found: list[str] = []

    def settled() -> bool:
        found[:] = [tag for answer in _walk(attempt, filled.repo, page) for tag in _of(answer)]
        return not deleted & {*found} and set(filled.pushed) <= {*found}

    attempt.session.settings.wait(settled)
    return found


def _replaced(attempt: Attempt, filled: Filled) -> None:
    """Delete a tag and push another, so that there are as many as before: the list has the one and not the other."""
    repo, manifest = filled.repo, next(iter(filled.pushed.values()))
    old, new = attempt.make.tag(), attempt.make.tag()
    filled.gone.add(old)
    _tagged(attempt, repo, old, manifest)
    _walk(attempt, repo, None)
    answer = attempt.answered(repo.delete_manifest(old))
    if not attempt.deletes(checks.TAG_DELETION, answer):
        raise Declined
    again = _tagged(attempt, repo, new, manifest)
    filled.pushed[new] = manifest
    found = _left(attempt, filled, {old})
    told = _told(found, filled)
    attempt(checks.REPLACED, old not in found, f"a list without the deleted tag {old}", again, actual=told)
    attempt(checks.TAGS, set(found) >= set(filled.pushed), "each tag", again, actual=told)
    # And a deletion that nothing follows.
    del filled.pushed[new]
    filled.gone.add(new)
    answer = attempt.answered(repo.delete_manifest(new))
    if attempt.deletes(checks.TAG_DELETION, answer):
        found = _left(attempt, filled, {new})
        told = _told(found, filled)
        attempt(checks.REPLACED, new not in found, f"a list without the deleted tag {new}", answer, actual=told)
        attempt(checks.TAGS, set(found) >= set(filled.pushed), "each tag", answer, actual=told)


def _referrers(attempt: Attempt, filled: Filled, *, by_type: bool) -> None:
    # What has no tag may be collected.
    wanted = {digest for digest, kind in filled.types.items() if kind == ARTIFACT}
    check = checks.FILTERED if by_type else checks.REFERRERS
    found: list[str] = []

    def settled() -> bool:
        entries = _of_type(attempt, filled) if by_type else _all(attempt, filled)
        found[:] = [str(entry.get("digest")) for entry in entries]
        return {*found} >= wanted

    attempt.session.settings.wait(settled)
    missing = len(wanted - {*found})
    more = len({*found} - wanted)
    told = f"{len(found)} came, {missing} of {len(wanted)} were missing, {len(found) - len({*found})} came twice"
    told += f", {more} were of another type" if by_type and more else ""
    held = not missing and len({*found}) == len(found) and (not by_type or {*found} == wanted)
    attempt(check, held, f"each of {len(wanted)} referrers, once", actual=told)


def _of_type(attempt: Attempt, filled: Filled) -> list[dict[str, Any]]:
    """Return the referrers of one type.

    Raises:
        Declined: the target does not filter, which scenarios of their own judge.
    """
    answer = attempt.answered(filled.repo.referrers(filled.subject.digest, ARTIFACT))
    if "artifactType" not in (answer.header("OCI-Filters-Applied") or ""):
        raise Declined
    pages = walk(answer, lambda page: filled.repo.follow_link(page, "referrers.list"), LINKED)
    return [entry for page in pages for entry in _descriptors(attempt, page)]


def _all(attempt: Attempt, filled: Filled) -> list[dict[str, Any]]:
    try:
        return all_referrers(filled.repo, filled.subject.digest)
    except Blocked as blocked:
        _broken(attempt, blocked.judgement, accuses=blocked.accuses)
        return []


def _descriptors(attempt: Attempt, answer: Response) -> list[dict[str, Any]]:
    try:
        return descriptors_of(answer)
    except Blocked as blocked:
        _broken(attempt, blocked.judgement, accuses=blocked.accuses)
        return []


def _broken(attempt: Attempt, judgement: Judgement, *, accuses: bool) -> None:
    if not accuses:
        raise Unclear(checks.REFERRERS_ANSWER, judgement.actual)
    shape = judgement.requirement == checks.REFERRERS_SHAPE.requirement
    check = checks.REFERRERS_SHAPE if shape else checks.REFERRERS_ANSWER
    attempt(check, False, "a list of referrers", actual=judgement.actual)
