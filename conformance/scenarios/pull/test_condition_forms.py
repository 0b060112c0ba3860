"""Conditional requests in the other forms of HTTP; ranges of manifests."""

from __future__ import annotations

from collections.abc import Callable

from conformance.client.http.exchange import Response
from conformance.client.registry import DOCKER_LIST, OCI_INDEX, Field, Repository
from conformance.settings import Settings
from conformance.target.content import Manifest
from conformance.target.lists import all_tags, tags_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, field_of, listing, told, verifies

FORMS = "PULL-CACHE-CONDITION-FORMS"
MARKED = "PULL-CACHE-304-ETAG"
REFUSAL = "PULL-CACHE-REFUSAL-NOT-304"
FALSE = "PULL-CACHE-FALSE-304"
HEAD_RANGE = "PULL-MANIFEST-RANGE-HEAD-IGNORED"
FRESH = "DISC-TAGS-CONDITION-FRESH"
COMPLETE = "DISC-TAGS-COMPLETE-AFTER-PUSH"
PAGE = 100
OK = 200
NOT_MODIFIED = 304
#: Long before anything that a registry holds.
EARLY = "Sat, 01 Jan 2000 00:00:00 GMT"
LATE = "Fri, 01 Jan 2100 00:00:00 GMT"

Ask = Callable[[tuple[Field, ...]], Response]


def _pulls(repo: Repository, setup: SetUp) -> list[tuple[str, Ask]]:
    """Return pulls of a manifest and of a blob, in words, that take more header fields."""
    manifest = setup.image(repo)
    reference, kind = manifest.tag or manifest.digest, manifest.media_type
    pulls: list[tuple[str, Ask]] = [
        ("GET of a manifest", lambda headers: repo.get_manifest(reference, kind, headers=headers)),
        ("HEAD of a manifest", lambda headers: repo.head_manifest(reference, kind, headers=headers)),
    ]
    if manifest.blobs:
        digest = manifest.blobs[0].digest
        pulls.append(("GET of a blob", lambda headers: repo.get_blob(digest, headers=headers)))
        pulls.append(("HEAD of a blob", lambda headers: repo.head_blob(digest, headers=headers)))
    return pulls


@verifies(FORMS, MARKED, FALSE)
def test_conditions_in_other_forms(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A condition may name several representations or any; without a match it hides nothing."""
    marked = False
    for what, ask in _pulls(repo, setup):
        plain = ask(())
        if plain.status != OK:
            raise Undecided(f"the {what} was answered with status {plain.status}")
        _judge_false(judge, what, ask, plain)
        mark = plain.header("ETag")
        if mark is None:
            continue
        marked = True
        if mark.startswith('"'):
            met = ask((("If-Match", mark),))
            expected = f"status 200 to a {what} with If-Match: {mark}, its own"
            judge(FORMS, met.status == OK, expected, plain, met)
        answers = {value: ask((("If-None-Match", value),)) for value in (mark, f'"{setup.make.digest()}", {mark}', "*")}
        for value, answer in answers.items():
            if value != mark:
                judge.status(FORMS, answer, NOT_MODIFIED, when=f"to a {what} with If-None-Match: {value}")
            if answer.status == NOT_MODIFIED:
                held = answer.header("ETag") == mark
                expected = f"ETag: {mark} on the 304 to a {what}, as on the 200"
                judge(MARKED, held, expected, plain, answer, actual=field_of(answer, "ETag"))
    if not marked:
        judge.unsupported(FORMS, "pulls have no ETag")
    if MARKED not in judge.judgements:
        judge.unsupported(MARKED, "no pull was answered 304")


def _judge_false(judge: Judge, what: str, ask: Ask, plain: Response) -> None:
    """Judge that what was changed since a time, or is not what the client has, is given."""
    rows: list[tuple[Field, ...]] = []
    if "ETag" in plain.headers:
        rows.append((("If-None-Match", '"another", W/"other"'), ("If-Modified-Since", LATE)))
    if "Last-Modified" not in plain.headers:
        # Whoever has no time of a change has to pass the condition over (RFC 9110, 13.1.3).
        rows.append((("If-Modified-Since", EARLY),))
    for fields in rows:
        sent = " and ".join(": ".join(field) for field in fields)
        judge.status(FALSE, ask(fields), OK, when=f"to a {what} with {sent}")


@verifies(REFUSAL)
def test_condition_on_what_is_refused(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """What is refused for its Accept is refused under a condition, too."""
    manifest = setup.image(repo)
    reference = manifest.tag or manifest.digest
    mark = setup.pulled_manifest(repo, reference, manifest.media_type).header("ETag")
    other = DOCKER_LIST if manifest.media_type != DOCKER_LIST else OCI_INDEX
    refused = repo.get_manifest(reference, other)
    if mark is None or not refused.refused:
        raise Unsupported("a manifest has no ETag, or comes whatever is accepted")
    answer = repo.get_manifest(reference, other, headers=(("If-None-Match", mark),))
    judge.status(REFUSAL, answer, refused.status, when="as without the condition")


@verifies(HEAD_RANGE)
def test_head_of_a_manifest_with_a_range(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A Range on the HEAD of a manifest is ignored."""
    manifest = setup.image(repo)
    # No operation: what the contract says of statuses is of requests without a Range.
    path = f"/v2/{repo.name}/manifests/{manifest.tag or manifest.digest}"
    head = repo.registry.request("HEAD", path, headers=(("Accept", manifest.media_type), ("Range", "bytes=0-0")))
    if head.status in {401, 403, 404}:
        raise Undecided(f"the target does not show the manifest to this request (status {head.status})")
    length = head.header("Content-Length")
    held = head.status == OK and length in {None, str(len(manifest.body))}
    judge(HEAD_RANGE, held, "status 200 and the length of the manifest", head, actual=told(head, "Content-Length"))
    got = repo.registry.request("GET", path, headers=(("Accept", manifest.media_type), ("Range", "bytes=0-0")))
    held = got.status != OK or got.body == manifest.body
    judge.beside("PULL-MANIFEST-GET-BODY-EXACT", held, "status 206 for a part of a manifest, or the whole one", got)


def _tags_of(answer: Response) -> list[str]:
    return tags_of(answer) if answer.status == OK else []


@verifies(FRESH, COMPLETE)
def test_list_on_condition(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A condition from before a push never hides the tag that was pushed since."""
    first, second = setup.make.tag(), setup.make.tag()
    manifest = setup.tags(repo, first)
    plain = settings.ask(repo.list_tags, lambda answer: answer.status == OK and first in tags_of(answer))
    if first not in tags_of(plain):
        raise Undecided("blocked by DISC-TAGS-COMPLETE-AFTER-PUSH")
    mark = plain.header("ETag")
    fields = [("If-None-Match", mark)] if mark is not None else []
    if "Last-Modified" not in plain.headers:
        fields.append(("If-Modified-Since", LATE))
    if not fields:
        judge.unsupported(FRESH, "tag lists have no ETag")
    repo.list_tags(n=PAGE)
    setup.manifest(repo, manifest, second)
    settings.wait(lambda: second in all_tags(repo))
    # A cache may have the page that was asked for before.
    page = settings.ask(lambda: repo.list_tags(n=PAGE), lambda answer: second in _tags_of(answer))
    expected = f"the new tag in a page of {PAGE} that was asked for before its push, too"
    judge(COMPLETE, page.status != OK or len(_tags_of(page)) >= PAGE or second in _tags_of(page), expected, page)
    for field in fields:
        answer = repo.list_tags(headers=(field,))
        tags = _tags_of(answer)
        expected = f"status 200 and the new tag to {field[0]}: {field[1]}, which was there before it"
        judge(FRESH, second in tags, expected, plain, answer, actual=f"{told(answer)}, {listing(tags)}")
    if mark is not None and not settings.settle:
        _judge_replaced(repo, setup, judge, manifest, first)


def _judge_replaced(repo: Repository, setup: SetUp, judge: Judge, manifest: Manifest, tag: str) -> None:
    """Judge a condition from before one tag was deleted and another pushed, so that there are as many as before."""
    before = repo.list_tags()
    mark, third = before.header("ETag"), setup.make.tag()
    if mark is None or not repo.delete_manifest(tag).ok:
        return
    setup.manifest(repo, manifest, third)
    answer = repo.list_tags(headers=(("If-None-Match", mark),))
    expected = f"status 200 and the tag that came when another was deleted, to If-None-Match: {mark}"
    judge(FRESH, answer.status != NOT_MODIFIED, expected, before, answer)
