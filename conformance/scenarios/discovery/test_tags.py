"""The list of tags: its form, and what stands in it."""

from __future__ import annotations

import json
import re
from collections import Counter

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, next_link
from conformance.scenarios.shared.pull_answers import decoded
from conformance.settings import Settings
from conformance.target.content import Manifest
from conformance.target.lists import HIDDEN, NOT_FOUND, OK, all_tags, member_of, settled_tags, tags_of
from conformance.target.session import Repositories
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Unsupported, listing, told, verifies
from spec.model import Withheld

COMPLETE = "DISC-TAGS-COMPLETE-AFTER-PUSH"
#: Bytes of a list of tags, unpacked, that are read.
LARGEST = 1 << 21
_PLAIN = re.compile("[a-z0-9]+")
EMPTY = "DISC-TAGS-EMPTY-REPO-200"
UNTAGGED = "DISC-TAGS-DIGEST-NOT-LISTED"
EMPTY_ARRAY = "DISC-TAGS-EMPTY-ARRAY"
UNIQUE = "DISC-TAGS-NO-DUPLICATES"
ORDER = "DISC-TAGS-ORDER-LEXICAL"
WHOLE = "DISC-TAGS-ORDER-WHOLE"
ISOLATION = "DISC-TAGS-ISOLATION-REPO"
#: What a browser accepts.
_BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
RESERVED = "DISC-TAGS-NAME-RESERVED-WORD"


def _push(repo: Repository, setup: SetUp, tag: str) -> Manifest:
    return setup.image(repo, tag)


def _settled(repo: Repository, settings: Settings, wanted: set[str]) -> Response:
    """Return the first page of the tag list; wait the settle time for the wanted tags."""
    if settings.settle and repo.list_tags().status == OK:
        settled_tags(repo, settings, wanted)
    return repo.list_tags()


def _shape(judge: Judge, repo: Repository, answer: Response) -> None:
    """Judge the form of a list that has tags."""
    document = answer.json if isinstance(answer.json, dict) else {}
    name = document.get("name")
    judge("DISC-TAGS-BODY-NAME", name == repo.name, f"the name {repo.name}", answer, actual=member_of(answer, "name"))
    judge.header(
        "DISC-TAGS-CONTENT-TYPE-JSON",
        answer,
        "Content-Type",
        lambda value: value.split(";")[0].strip().lower() == "application/json",
        "Content-Type: application/json",
    )
    tags = document.get("tags")
    held = isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
    judge.require(
        "DISC-TAGS-BODY-ARRAY",
        held,
        "an object whose tags are an array of strings",
        answer,
        actual=member_of(answer, "tags"),
    )


@verifies(
    "DISC-TAGS-STATUS-200",
    "DISC-TAGS-BODY-NAME",
    "DISC-TAGS-BODY-ARRAY",
    "DISC-TAGS-CONTENT-TYPE-JSON",
    COMPLETE,
    UNIQUE,
    ORDER,
    WHOLE,
)
def test_list_of_pushed_tags(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """The list names each pushed or moved tag once, in lexical order, in the specified form."""
    pushed = [] if setup.read_only else _pushed(repo, setup)
    answer = _settled(repo, settings, set(pushed))
    judge.require_status("DISC-TAGS-STATUS-200", answer, OK, when="to the tag list of a repository with tags")
    _shape(judge, repo, answer)
    listed = all_tags(repo) if "Link" in answer.headers else tags_of(answer)
    missing = sorted(set(pushed) - set(listed))
    if setup.read_only:
        judge.not_tested(COMPLETE, "the target is read-only", Withheld.WRITING)
    else:
        judge.require(COMPLETE, not missing, "every tag that was pushed", answer, actual=f"{', '.join(missing)} lacked")
    repeated = sorted(tag for tag, times in Counter(listed).items() if times > 1)
    judge(UNIQUE, not repeated, "each tag once", answer, actual=f"{listing(repeated)} were repeated")
    # Of signs and capitals an order may be held to this or that.
    own = [tag for tag in dict.fromkeys(listed) if (tag in pushed if pushed else _PLAIN.fullmatch(tag))]
    if len(own) < 2:
        for requirement in (ORDER, WHOLE):
            judge.not_tested(requirement, f"the repository {repo.name} has not two plain tags", Withheld.CONTENT)
        return
    # Docker speaks of an order of lists by n alone, OCI of both.
    paged = repo.list_tags(n=len(listed))
    if paged.status == OK:
        _ordered(judge, ORDER, paged, [tag for tag in tags_of(paged) if tag in own])
    else:
        judge.inconclusive(ORDER, "blocked by DISC-TAGS-N-AT-MOST: there is no list by n")
    _ordered(judge, WHOLE, answer, own)
    browsed = repo.list_tags(headers=(("Accept", _BROWSER),))
    if browsed.ok:
        shown = f"{told(browsed, 'Content-Type')} to Accept: {_BROWSER}"
        held = browsed.media_type == "application/json"
        judge("DISC-TAGS-CONTENT-TYPE-JSON", held, "Content-Type: application/json", browsed, actual=shown)
    packed = repo.list_tags(headers=(("Accept-Encoding", "gzip"),))
    if packed.ok:
        held = _unpacked(packed) is not None
        judge("DISC-TAGS-BODY-ARRAY", held, "JSON in the coding that Content-Encoding names", packed)


def _unpacked(answer: Response) -> object:
    """Return the document of an answer, its coding undone; ``None`` where it has none."""
    try:
        return json.loads(decoded(answer, LARGEST) or b"")
    except ValueError:
        return None


def _ordered(judge: Judge, requirement: str, answer: Response, tags: list[str]) -> None:
    tags = list(dict.fromkeys(tags))
    expected = f"the order {listing(sorted(tags))}"
    judge(requirement, tags == sorted(tags), expected, answer, actual=f"it was {listing(tags)}")


def _pushed(repo: Repository, setup: SetUp) -> list[str]:
    """Push an image under several tags, and another under the first of them; return the tags."""
    stem = setup.make.tag()
    tags = [f"{stem}{end}" for end in ("da", "ab", "ca", "bb", "cc", "ba", "db")]
    image = setup.tags(repo, *tags)
    # The tag is moved where the target lets it; one that holds tags for immutable refuses.
    moved = setup.another(repo, image)
    repo.put_manifest(tags[0], moved.body, moved.media_type)
    return tags


@verifies(EMPTY, EMPTY_ARRAY, UNTAGGED)
def test_list_beside_an_untagged_manifest(
    fresh_repo: Repository, setup: SetUp, judge: Judge, settings: Settings
) -> None:
    """A manifest without a tag makes a repository, and adds nothing to its tags."""
    known = set(all_tags(fresh_repo)) if setup.shared else set()
    if not setup.shared:
        # In vain: what a registry keeps of that is true until something is pushed.
        fresh_repo.list_tags()
    untagged = setup.image(fresh_repo, None)
    setup.pulled_manifest(fresh_repo, untagged.digest)
    if setup.shared:
        for requirement in (EMPTY, EMPTY_ARRAY):
            judge.not_tested(requirement, "the owner fixed the repositories", Withheld.REPOSITORIES)
    else:
        _empty(judge, fresh_repo.list_tags())
    tag = setup.make.tag()
    _push(fresh_repo, setup, tag)
    answer = _settled(fresh_repo, settings, {tag})
    known.add(tag)
    strange = [name for name in tags_of(answer) if untagged.digest.partition(":")[2] in name or name not in known]
    judge(UNTAGGED, not strange, f"no tag but {tag}", answer, actual=f"the tags were {listing(strange)}")


def _empty(judge: Judge, answer: Response) -> None:
    """Judge the list of a repository without tags."""
    document = answer.json if isinstance(answer.json, dict) else {}
    empty = not document.get("tags")
    if answer.status == OK and not empty:
        judge.inconclusive(EMPTY, f"blocked by {UNTAGGED}: the list is not empty")
    else:
        judge.status(EMPTY, answer, OK, when="and no tags")
    if answer.status == OK and empty:
        judge(EMPTY_ARRAY, document.get("tags") == [], "an empty array", answer, actual=member_of(answer, "tags"))
    else:
        judge.unsupported(EMPTY_ARRAY, "the repository without tags has no list")


@verifies("DISC-TAGS-UNKNOWN-REPO-404", "DISC-TAGS-UNKNOWN-REPO-CODE", ISOLATION)
def test_list_of_an_unknown_repository(unknown_repo: Repository, judge: Judge) -> None:
    """A repository that never was has no list."""
    answer = unknown_repo.list_tags()
    if answer.status in HIDDEN:
        raise Unsupported(f"access control hides unknown repositories (status {answer.status})")
    listed = tags_of(answer) if answer.status == OK else []
    judge(
        ISOLATION, not listed, "no tags in a repository that never was", answer, actual=f"they were {listing(listed)}"
    )
    if judge.status("DISC-TAGS-UNKNOWN-REPO-404", answer, NOT_FOUND, when="to the tag list of an unknown repository"):
        judge.code("DISC-TAGS-UNKNOWN-REPO-CODE", answer, "NAME_UNKNOWN")
    else:
        judge.unsupported("DISC-TAGS-UNKNOWN-REPO-CODE", "the answer is no 404")


@verifies(ISOLATION)
def test_lists_of_names_that_extend_each_other(repository: Repositories, setup: SetUp, judge: Judge) -> None:
    """A list holds no tag of a repository whose name begins with this one's."""
    stem = repository(fresh=True)
    longer = repository.named(f"{stem.name}.git")
    if longer.start_upload().status != 202:  # a registry may take an extension for what it means elsewhere
        longer = repository.named(f"{stem.name}x")
    nested = repository.named(f"{stem.name}/x")
    tags = {repo.name: setup.make.tag() for repo in (stem, longer, nested)}
    _push(stem, setup, tags[stem.name])
    _push(longer, setup, tags[longer.name])
    lists = [stem, longer]
    if nested.start_upload().status == 202:  # a registry may refuse a repository below another one
        _push(nested, setup, tags[nested.name])
        lists.append(nested)
    for repo in lists:
        answer = repo.list_tags()
        others = [tag for tag in tags_of(answer) if tag in tags.values() and tag != tags[repo.name]]
        judge(ISOLATION, not others, "only the repository's own tags", answer, actual=f"it had {', '.join(others)}")


@verifies(RESERVED)
def test_list_of_a_repository_named_like_a_route(
    repository: Repositories, setup: SetUp, judge: Judge, settings: Settings
) -> None:
    """A repository whose name ends in a word of the API is listed like any other."""
    stem = repository(fresh=True)
    for word in ("tags", "manifests"):
        repo = repository.named(f"{stem.name}/{word}")
        start = repo.start_upload()
        if start.status != 202:  # which names may be made is BASE-NAME-ROUTE-WORDS
            raise Unsupported(f"no repository can be made whose name ends in {word} (status {start.status})")
        tags = {setup.make.tag(), setup.make.tag()}
        for tag in sorted(tags):
            _push(repo, setup, tag)
        answer = _settled(repo, settings, tags)
        document = answer.json if isinstance(answer.json, dict) else {}
        held = document.get("name") == repo.name and set(tags_of(answer)) == tags
        judge(RESERVED, held, f"the name {repo.name} and the tags {', '.join(sorted(tags))}", answer)
        first = repo.list_tags(n=1)
        following = repo.follow_link(first, "tags.list") if next_link(first) is not None else None
        # A Link to the same page is DISC-TAGS-LINK-WALK-COMPLETE.
        if following is not None and not (following.ok and tags_of(following) == tags_of(first)):
            held = following.ok and {*tags_of(first), *tags_of(following)} == tags
            judge(RESERVED, held, "at its Link the tag that the first page has not", first, following)
