"""A refusal does not leak content, digests, tags, sizes, or whether something exists."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.client.tokens import TokenService
from conformance.scenarios.auth.callers import NO_ACCOUNT, Caller, Callers, Tokens, needs_login, private
from conformance.scenarios.auth.operations import referrer
from conformance.target.content import ANY_MANIFEST, Manifest
from conformance.target.session import Session
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, NotTested, Undecided, Unsupported, codes_of, excuse_of, told, verifies
from spec.model import Withheld

NOT_FOUND = 404
READ = "AUTH-NO-LEAK-READ"
HEAD = "AUTH-NO-LEAK-HEAD"
EXISTENCE = "AUTH-NO-LEAK-EXISTENCE"
BLOB = "AUTH-NO-LEAK-BLOB-BY-OTHER-REPO"
DENIED = "BASE-ERROR-403-DENIED"
CATALOG = "AUTH-CATALOG-FILTERED"
#: Statuses that tell that something is there although they give nothing of it.
_TELLING = frozenset({412, 416})
_TELLING_HEADERS = ("Docker-Content-Digest", "ETag", "Location", "Content-Range", "Last-Modified", "Link")
_SHORTEST = 8


@pytest.fixture
def strangers(session: Session, callers: Callers, repo: Repository) -> list[Caller]:
    """Callers who may not read: anonymous, the account without rights, a token for elsewhere."""
    found = [callers.nobody]
    if callers.other:
        found.append(callers.other)
    service = TokenService.of(session.client, session.registry.base(authenticate=False))
    if service is not None:
        try:
            tokens = Tokens(session, service)
            token = tokens.token_for(Repository(session.registry, f"{repo.name}-elsewhere"), "pull", "push")
        except (Unsupported, Undecided):
            return found
        found.append(callers.holding(token, "a token for another repository"))
    return found


def _reads(seen: Repository, manifest: Manifest, tag: str, referring: str) -> dict[str, tuple[Response, list[str]]]:
    """Ask for what is there in every way; with each answer the words that it must not have."""
    digests = [blob.digest for blob in manifest.blobs]
    accept = ANY_MANIFEST
    match = (("If-None-Match", f'"{manifest.digest}"'),)
    asked = {
        "by digest": (seen.get_manifest(manifest.digest, accept, follow=False), [tag, *digests]),
        "of the tags": (seen.list_tags(follow=False), [tag]),
        "of the tags in a page": (seen.list_tags(n=10, follow=False), [tag]),
        "of the referrers": (seen.referrers(manifest.digest, follow=False), [referring, *digests]),
    }
    if tag:
        asked["by tag"] = (seen.get_manifest(tag, accept, follow=False), [manifest.digest, *digests])
        asked["with If-None-Match"] = (seen.get_manifest(tag, accept, headers=match, follow=False), digests)
    for blob in manifest.blobs[:1]:
        asked["of a blob"] = (seen.get_blob(blob.digest, follow=False), [tag])
        part = (("Range", "bytes=0-1"),)
        asked["of a part of a blob"] = (seen.get_blob(blob.digest, headers=part, follow=False), [tag])
    return asked


@needs_login
@verifies(READ, DENIED)
def test_reads_that_are_refused(
    *, repo: Repository, setup: SetUp, callers: Callers, strangers: list[Caller], judge: Judge
) -> None:
    """A refused read gives nothing of the content and no fact about it."""
    manifest = setup.image(repo)
    private(callers, repo, manifest.digest)
    tag, referring = manifest.tag or "", referrer(setup, repo, manifest)
    for caller in strangers:
        for what, (answer, words) in _reads(caller.at(repo), manifest, tag, referring).items():
            listing = what.startswith("of the")
            if answer.excuse:
                judge.inconclusive(READ, f"a read {what} was not answered")
                continue
            refused = answer.refused and answer.status not in _TELLING
            expected = f"the refusal of a read {what} to {caller.who}"
            judge(READ, refused or (listing and answer.ok), expected, answer)
            leaked = _leaked(answer, manifest, [word for word in words if len(word) >= _SHORTEST])
            expected = f"nothing of the content in the answer to a read {what} by {caller.who}"
            judge(READ, not leaked, expected, answer, actual=f"it had {leaked}")
            if answer.status == 403 and caller is not callers.nobody:
                judge.code(DENIED, answer, "DENIED")
    if DENIED in judge.judgements:
        return
    if len(strangers) == 1:
        judge.not_tested(DENIED, NO_ACCOUNT.format("has no rights in the namespace", "auth-other"), Withheld.ACCOUNTS)
    else:
        judge.unsupported(DENIED, "no pull was answered 403")


def _leaked(answer: Response, manifest: Manifest, words: list[str]) -> str:
    """Return in words what an answer tells of the content, empty where it tells nothing."""
    text = "\n".join(f"{name}: {value}" for name, value in answer.headers) + answer.body.decode("latin-1")
    for word in words:
        if word.rpartition(":")[2] in text:
            return word
    contents = [manifest.body, *(blob.content for blob in manifest.blobs)]
    if any(len(content) >= _SHORTEST and content in answer.body for content in contents):
        return "the content itself"
    return ""


@needs_login
@verifies(HEAD)
def test_heads_that_are_refused(
    *, repo: Repository, setup: SetUp, callers: Callers, strangers: list[Caller], judge: Judge
) -> None:
    """HEAD is refused as GET is, without digest and size."""
    manifest = setup.image(repo)
    private(callers, repo, manifest.digest)
    reference = manifest.tag or manifest.digest
    for caller in strangers:
        seen = caller.at(repo)
        pairs = [
            (
                seen.head_manifest(reference, ANY_MANIFEST, follow=False),
                seen.get_manifest(reference, ANY_MANIFEST, follow=False),
                len(manifest.body),
            )
        ]
        for blob in manifest.blobs[:1]:
            head, get = seen.head_blob(blob.digest, follow=False), seen.get_blob(blob.digest, follow=False)
            pairs.append((head, get, len(blob.content)))
        for head, get, size in pairs:
            if excuse_of((head, get)) or not get.refused:
                judge.inconclusive(HEAD, "GET was not refused either")
                continue
            expected = f"status {get.status} as to the GET of {caller.who}"
            judge(HEAD, head.status == get.status, expected, get, head)
            actual = told(head, "Docker-Content-Digest", "Content-Length")
            if manifest.tag and size == len(manifest.body):
                shown = " ".join(value for _, value in head.headers)
                hidden = manifest.digest.rpartition(":")[2] not in shown
                judge(HEAD, hidden, "no digest in the refusal of a HEAD by tag", head, actual=actual)
            fits = head.header("Content-Length") != str(size) or get.header("Content-Length") == str(size)
            judge(HEAD, fits, "no size of the content in the refusal of a HEAD", head, actual=actual)


@needs_login
@verifies(EXISTENCE)
def test_refusals_of_what_is_there_and_what_is_not(
    *,
    repo: Repository,
    unknown_repo: Repository,
    setup: SetUp,
    callers: Callers,
    strangers: list[Caller],
    judge: Judge,
) -> None:
    """A refusal is the same whether or not there is something to refuse."""
    manifest = setup.image(repo)
    private(callers, repo, manifest.digest)
    digest = setup.make.digest()
    asks: dict[str, tuple[Callable[[Repository], Response], Callable[[Repository], Response]]] = {
        "the HEAD of a manifest": (lambda r: r.head_manifest(manifest.digest), lambda r: r.head_manifest(digest)),
        "the GET of a manifest": (lambda r: r.get_manifest(manifest.digest), lambda r: r.get_manifest(digest)),
    }
    if manifest.tag:
        tag, absent = manifest.tag, setup.make.tag()
        asks["the GET of a tag"] = (lambda r: r.get_manifest(tag), lambda r: r.get_manifest(absent))
    for blob in manifest.blobs[:1]:
        asks["the HEAD of a blob"] = (partial(_head_blob, blob.digest), partial(_head_blob, digest))
    for caller in strangers:
        seen, nowhere = caller.at(repo), caller.at(unknown_repo)
        for what, (ask, ask_absent) in asks.items():
            _alike(judge, f"{what} that is not there", partial(ask, seen), partial(ask_absent, seen))
        _alike(judge, "a list of tags of an unknown repository", seen.list_tags, nowhere.list_tags)


def _head_blob(digest: str, repo: Repository) -> Response:
    return repo.head_blob(digest)


def _alike(judge: Judge, what: str, ask: Callable[[], Response], ask_absent: Callable[[], Response]) -> None:
    there, absent = ask(), ask_absent()
    if excuse_of((there, absent)) or there.ok:
        judge.inconclusive(EXISTENCE, "there was no refusal to compare")
        return
    if _kind(there) != _kind(absent) and _kind(ask()) != _kind(there):
        # A token may be good for so many requests: what the refusals tell of then is the token.
        judge.inconclusive(EXISTENCE, "a refusal is not the same each time")
        return
    expected = f"the same refusal of {what} ({_kind(there)})"
    judge(EXISTENCE, _kind(there) == _kind(absent), expected, there, absent, actual=f"there was {_kind(absent)}")


def _kind(answer: Response) -> str:
    """Return what tells two refusals apart, in words."""
    shown = [name for name in (*_TELLING_HEADERS, "WWW-Authenticate") if name in answer.headers]
    codes = "" if answer.error_codes is None else f", {codes_of(answer)}"
    return f"status {answer.status}{codes}{', with ' + ', '.join(shown) if shown else ''}"


@needs_login
@verifies(BLOB)
def test_blob_by_way_of_another_repository(
    *,
    repo: Repository,
    other_repo: Repository,
    setup: SetUp,
    callers: Callers,
    session: Session,
    judge: Judge,
) -> None:
    """Who may read one repository does not get by its name what only a private one holds."""
    manifest = setup.image(repo)
    private(callers, repo, manifest.digest)
    if not session.capabilities.has("token"):
        raise NotTested("it takes an account that may read one repository and not another", Withheld.ACCOUNTS)
    service = TokenService.of(session.client, session.registry.base(authenticate=False))
    if service is None:
        raise Unsupported("the base endpoint names no token service")
    own = setup.image(other_repo)
    token = Tokens(session, service).token_for(other_repo, "pull")
    reader = callers.holding(token, "a token for another repository").at(other_repo)
    if not reader.get_manifest(own.digest, ANY_MANIFEST).ok:
        raise Undecided("the token does not open its own repository, so it shows nothing")
    for blob in manifest.blobs[:1]:
        if any(blob.digest == known.digest for known in own.blobs):
            raise Undecided("both repositories hold the same content")
        for answer in (reader.get_blob(blob.digest), reader.head_blob(blob.digest)):
            judge.refused(BLOB, answer, when="to the pull of a blob that only a private repository holds")


@needs_login
@verifies(CATALOG)
def test_catalog_of_strangers(
    *, repo: Repository, setup: SetUp, callers: Callers, strangers: list[Caller], judge: Judge
) -> None:
    """Who may not read a repository is not told its name by the catalogue."""
    manifest = setup.image(repo)
    private(callers, repo, manifest.digest)
    for caller in strangers:
        answer = caller.registry.catalog(n=1000)
        listed = answer.json.get("repositories") if answer.ok and isinstance(answer.json, dict) else None
        held = not isinstance(listed, list) or repo.name not in listed
        judge(CATALOG, held, f"no private name in the catalogue of {caller.who}", answer, actual="it was there")
