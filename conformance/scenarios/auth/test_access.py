"""Writes without the right to write are refused, and change nothing."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, upload_location
from conformance.client.tokens import TokenService
from conformance.scenarios.auth.callers import (
    MAY_ONLY_PULL,
    NO,
    NO_NEED,
    Caller,
    Callers,
    Tokens,
    needs_login,
    private,
)
from conformance.scenarios.auth.operations import (
    asked,
    at_home,
    basic_pushes,
    chunks,
    deletions,
    more_pushes,
    reads,
)
from conformance.settings import Settings
from conformance.target.capabilities import Capabilities
from conformance.target.content import ANY_MANIFEST, Blob
from conformance.target.session import Session
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, NotTested, Undecided, Unsupported, excuse_of, verifies
from spec.model import Withheld

CREATED = 201
FORBIDDEN = 403
NOT_FOUND = 404
UNAUTHORIZED = 401
SESSION = "AUTH-UPLOAD-SESSION-PROTECTED"
NO_EFFECT = "AUTH-REFUSED-WRITE-NO-EFFECT"
SOURCE = "AUTH-MOUNT-SOURCE-SCOPE"
NO_READ = "PUSH-MOUNT-NO-READ-ACCESS"
WRITE = "AUTH-WRITE-DENIED"
DENIED = "AUTH-ERROR-DENIED-BODY"
HEADER = "AUTH-CHALLENGE-HEADER"


def _token_for(session: Session, repo: Repository, *actions: str) -> str | None:
    """Return a token of the owner for one repository alone; ``None`` where no such can be had."""
    service = TokenService.of(session.client, session.registry.base(authenticate=False))
    try:
        return Tokens(session, service).token_for(repo, *actions) if service else None
    except (Unsupported, Undecided):
        return None


@needs_login
@verifies(HEADER)
def test_refusals_of_every_method(
    repo: Repository, *, setup: SetUp, callers: Callers, judge: Judge, capabilities: Capabilities
) -> None:
    """Each method that is refused for want of credentials is told how to get on."""
    manifest = setup.image(repo)
    operations = reads(manifest, capabilities)
    if not setup.read_only:
        operations |= basic_pushes(setup, manifest) | more_pushes(setup, repo, manifest) | chunks(setup, repo)
        operations |= {
            "the deletion of a manifest": lambda r: r.delete_manifest(setup.make.digest()),
            "the deletion of a blob": lambda r: r.delete_blob(setup.make.digest()),
        }
    answers = [answer for _, answer in asked(operations, callers.nobody, repo)]
    refused = [answer for answer in answers if answer.status == UNAUTHORIZED]
    if not refused:
        raise Unsupported(NO_NEED)
    for answer in refused:
        judge.header(HEADER, answer, "WWW-Authenticate")


@needs_login
@verifies(SESSION)
def test_upload_of_another(*, repo: Repository, setup: SetUp, callers: Callers, session: Session, judge: Judge) -> None:
    """An upload goes on only with the right to push, even for who knows its Location."""
    location = setup.upload(repo)
    if not at_home(repo, location):
        raise Unsupported("the upload goes to another host, whose URL may be its own credential")
    if callers.nobody.at(repo).start_upload(tried=True).ok:
        raise Unsupported(NO_NEED)
    strangers = [callers.nobody, *filter(None, (callers.other,))]
    if token := _token_for(session, Repository(session.registry, f"{repo.name}-elsewhere"), "pull", "push"):
        strangers.append(callers.holding(token, "a token for another repository"))
    blob, foreign = setup.make.blob(), setup.make.blob()
    for caller in strangers:
        seen = caller.at(repo)
        _protected(judge, "GET", caller, seen.get_upload(location))
        _tampered(judge, caller, seen, location, foreign)
    reader = callers.pull_only
    if reader is None and (token := _token_for(session, repo, "pull")):
        reader = callers.holding(token, "a token to pull")
    # Its status is a read: the original registry tells it to who may pull.
    if reader:
        _tampered(judge, reader, reader.at(repo), location, foreign)
    answer = repo.put_upload(location, blob.digest, blob.content)
    expected = "the upload to continue as before"
    judge(SESSION, answer.status == CREATED, expected, answer)


def _tampered(judge: Judge, caller: Caller, seen: Repository, location: str, blob: Blob) -> None:
    """Let somebody go on with, close and cancel an upload that is not theirs."""
    _protected(judge, "PATCH", caller, seen.patch_upload(location, blob.content, f"0-{len(blob.content) - 1}"))
    _protected(judge, "PUT", caller, seen.put_upload(location, blob.digest, blob.content))
    _protected(judge, "DELETE", caller, seen.cancel_upload(location))


def _protected(judge: Judge, method: str, caller: Caller, answer: Response) -> None:
    judge.refused(SESSION, answer, when=f"to the {method} of an upload by {caller.who}")


@needs_login
@verifies(NO_EFFECT)
def test_refused_writes_change_nothing(repo: Repository, setup: SetUp, callers: Callers, judge: Judge) -> None:
    """After a refused push, upload or deletion everything is as it was."""
    manifest = setup.image(repo)
    tag = manifest.tag or ""
    setup.pulled_manifest(repo, tag)
    for caller in (callers.nobody, *filter(None, (callers.pull_only, callers.other))):
        seen = caller.at(repo)
        changed = setup.unpushed_image(manifest.blobs, annotations={"by": caller.who})
        fresh, blob = setup.make.tag(), setup.make.blob()
        moved = seen.put_manifest(tag, changed.body, changed.media_type)
        made = seen.put_manifest(fresh, changed.body, changed.media_type)
        gone = seen.delete_manifest(manifest.digest)
        dropped = seen.delete_blob(manifest.blobs[0].digest) if manifest.blobs else None
        pushed = seen.upload_single(blob.digest, blob.content)
        if dropped is not None and dropped.status in NO and not (moved.ok or gone.ok):
            after = repo.head_blob(manifest.blobs[0].digest)
            there = after.status != NOT_FOUND
            judge(NO_EFFECT, there, f"the blob after a refused deletion by {caller.who}", dropped, after)
        if moved.status in NO:
            after = repo.get_manifest(tag, ANY_MANIFEST)
            same = after.body == manifest.body or gone.ok
            judge(NO_EFFECT, same, f"the same manifest after a refused push by {caller.who}", moved, after)
        if made.status in NO:
            after = repo.head_manifest(fresh, ANY_MANIFEST)
            judge.absent(NO_EFFECT, after, f"no manifest after a refused push by {caller.who}", made)
        if gone.status in NO:
            after = repo.get_manifest(manifest.digest, ANY_MANIFEST)
            there = after.status != NOT_FOUND
            judge(NO_EFFECT, there, f"the manifest after a refused deletion by {caller.who}", gone, after)
        if pushed.status in NO:
            after = repo.head_blob(blob.digest)
            judge.absent(NO_EFFECT, after, f"no blob after a refused upload by {caller.who}", pushed)
        if moved.ok or gone.ok or (dropped is not None and dropped.ok):
            break
    if NO_EFFECT not in judge.judgements:
        raise Unsupported(NO_NEED)


@needs_login
@verifies(WRITE, DENIED)
def test_writes_of_who_may_only_pull(
    repo: Repository, *, setup: SetUp, callers: Callers, judge: Judge, capabilities: Capabilities
) -> None:
    """An account that may only pull is refused each write; a 403 says DENIED."""
    reader = callers.the_pull_only()
    manifest = setup.image(repo)
    seen = reader.at(repo)
    pull = seen.get_manifest(manifest.digest, ANY_MANIFEST)
    if not pull.ok:
        raise Undecided(f"the account that may only pull does not pull (status {pull.status})")
    writes = basic_pushes(setup, manifest) | more_pushes(setup, repo, manifest)
    writes |= deletions(setup, repo, manifest, capabilities)
    for what, answer in asked(writes, reader, repo):
        judge.refused(WRITE, answer, when=f"to {what} by {reader.who}")
        if answer.status == FORBIDDEN:
            judge.code(DENIED, answer, "DENIED")
    if DENIED not in judge.judgements:
        judge.unsupported(DENIED, "nothing was answered 403")


@needs_login
@verifies(DENIED)
def test_push_with_a_token_to_pull(
    repo: Repository, setup: SetUp, callers: Callers, session: Session, judge: Judge
) -> None:
    """A token without the right to push is refused; a 403 says DENIED."""
    setup.image(repo)
    if not session.capabilities.has("token"):
        raise NotTested(MAY_ONLY_PULL, Withheld.ACCOUNTS)
    if (token := _token_for(session, repo, "pull")) is None:
        raise Unsupported("no token is for pulls only")
    answer = callers.holding(token).at(repo).start_upload(tried=True)
    if answer.status != FORBIDDEN:
        raise Unsupported(f"it was answered {answer.status} and not 403")
    judge.code(DENIED, answer, "DENIED")


@needs_login
@verifies(SOURCE, NO_READ)
def test_mount_of_what_may_not_be_read(
    *,
    repo: Repository,
    other_repo: Repository,
    setup: SetUp,
    callers: Callers,
    session: Session,
    settings: Settings,
    judge: Judge,
) -> None:
    """A mount gives nobody a blob of a repository that they may not read."""
    manifest = setup.image(repo)
    private(callers, repo, manifest.digest)
    blob = manifest.blobs[0]
    if other_repo.head_blob(blob.digest).ok:
        raise Unsupported("blobs are shared by all repositories")
    strangers = [callers.nobody, *filter(None, (callers.other,))]
    for caller in strangers:
        _not_mounted(judge, (SOURCE,), caller, source=repo, target=other_repo, blob=blob)
    if not session.capabilities.has("token"):
        judge.not_tested(
            NO_READ, "it takes an account that may push to one repository and not read another", Withheld.ACCOUNTS
        )
        return
    if (token := _token_for(session, other_repo, "pull", "push")) is None:
        judge.unsupported(NO_READ, "no token is for one repository alone")
        return
    caller = callers.holding(token, "a token for the other repository")
    for named in (True, False):
        _not_mounted(judge, (SOURCE, NO_READ), caller, source=repo, target=other_repo, blob=blob, named=named)


def _not_mounted(
    judge: Judge,
    requirements: tuple[str, ...],
    caller: Caller,
    *,
    source: Repository,
    target: Repository,
    blob: Blob,
    named: bool = True,
) -> None:
    seen = caller.at(target)
    mount = seen.mount(blob.digest, source.name if named else None)
    if mount.status == 202 and (location := upload_location(mount)):
        seen.cancel_upload(location)
    after = target.head_blob(blob.digest)
    for requirement in requirements:
        if excuse := excuse_of((mount, after)):
            judge.inconclusive(requirement, excuse)
            continue
        how = "mount" if named else "mount without from"
        expected = f"no {how} of what {source.name} has by {caller.who}, who may not read it"
        if judge(requirement, mount.status != CREATED, expected, mount):
            judge.absent(requirement, after, expected, mount)
