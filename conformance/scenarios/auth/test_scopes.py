"""Scopes: which a challenge asks for, and what a token opens that was given for another."""

from __future__ import annotations

import re

from conformance.client.http.exchange import Response
from conformance.client.login.challenge import Challenge
from conformance.client.registry import Repository, upload_location
from conformance.client.tokens import bearer
from conformance.scenarios.auth.callers import NO, Callers, Tokens, scope
from conformance.settings import Settings
from conformance.target.content import ANY_MANIFEST
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, clip, told, verifies

UNAUTHORIZED = 401
FORBIDDEN = 403
PULL = "AUTH-CHALLENGE-SCOPE-PULL"
PUSH = "AUTH-CHALLENGE-SCOPE-PUSH"
GRAMMAR = "AUTH-CHALLENGE-SCOPE-GRAMMAR"
ONCE = "AUTH-CHALLENGE-SCOPE-ONCE"
LACKING = "AUTH-TOKEN-INSUFFICIENT-SCOPE-REFUSED"
LACKING_CHALLENGE = "AUTH-TOKEN-INSUFFICIENT-SCOPE-CHALLENGE"
OTHER = "AUTH-TOKEN-OTHER-REPO-REFUSED"
#: Actions that a scope for a deletion may have.
_DELETING = ("delete", "push", "pull")
_PART = r"[a-z0-9]+(?:(?:[_.]|__|-+)[a-z0-9]+)*"
_HOST = r"[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?"
#: One resource; a star is in common use as an action, though the grammar has none.
_RESOURCE = re.compile(
    rf"[a-z0-9]+(?:\([a-z0-9]+\))?:(?:{_HOST}/)?{_PART}(?:/{_PART})*:(?:[a-z]*|\*)(?:,(?:[a-z]*|\*))*"
)


def resources(challenge: Challenge) -> list[str]:
    """Return the resource scopes of a challenge, from one parameter or several."""
    return " ".join(challenge.every("scope")).split()


def names(challenge: Challenge, repo: Repository, action: str) -> bool:
    """Whether a challenge asks for an action on a repository; a host may precede the name."""
    for text in resources(challenge):
        kind, _, rest = text.partition(":")
        name, _, actions = rest.rpartition(":")
        fits = name == repo.name or name.endswith("/" + repo.name)
        if kind.partition("(")[0] == "repository" and fits and {action, "*"} & {*actions.split(",")}:
            return True
    return False


def said(challenge: Challenge) -> str:
    """Return the scope of a challenge in words."""
    found = resources(challenge)
    return f"the scope was {clip(' '.join(found))}" if found else "the challenge had no scope"


def _challenged(answers: list[Response]) -> list[tuple[Response, Challenge]]:
    found = [(answer, bearer(answer)) for answer in answers if answer.status == UNAUTHORIZED]
    return [(answer, challenge) for answer, challenge in found if challenge is not None]


@verifies(PULL, PUSH, GRAMMAR, ONCE)
def test_scopes_of_challenges(repo: Repository, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge) -> None:
    """The challenge names the repository and what is to be done there, by the grammar of scopes."""
    manifest = setup.image(repo)
    reference, nobody = manifest.tag or manifest.digest, callers.nobody.at(repo)
    pulls = [
        nobody.get_manifest(reference, ANY_MANIFEST),
        nobody.head_manifest(reference, ANY_MANIFEST),
        nobody.list_tags(),
    ]
    for blob in manifest.blobs[:1]:
        pulls += [nobody.get_blob(blob.digest), nobody.head_blob(blob.digest)]
    catalog = _challenged([callers.nobody.registry.catalog(n=1)])
    asked = _challenged(pulls)
    _form(judge, [*asked, *catalog])
    for answer, challenge in asked:
        # Where a token without scope does, none is required.
        if resources(challenge) or not callers.holding(tokens.token()).at(repo).get_manifest(reference).ok:
            held = names(challenge, repo, "pull")
            judge(PULL, held, f"a scope with pull on {repo.name}", answer, actual=said(challenge))
    asked = _challenged(
        [
            nobody.start_upload(tried=True),
            nobody.put_manifest(setup.make.tag(), manifest.body, manifest.media_type, tried=True),
        ]
    )
    _form(judge, asked)
    for answer, challenge in asked:
        if resources(challenge) or not callers.holding(tokens.token()).at(repo).start_upload().ok:
            held = names(challenge, repo, "push")
            judge(PUSH, held, f"a scope with push on {repo.name}", answer, actual=said(challenge))
    for requirement in judge.requirements:
        if requirement not in judge.judgements:
            judge.unsupported(requirement, "no Bearer challenge with a scope came")


def _form(judge: Judge, found: list[tuple[Response, Challenge]]) -> None:
    """Judge the form of scopes."""
    for answer, challenge in found:
        texts = resources(challenge)
        if texts:
            fits = all(map(_RESOURCE.fullmatch, texts))
            judge(GRAMMAR, fits, "scopes of the form type:name:action,action", answer, actual=said(challenge))
            once = "scope" not in challenge.repeated
            judge(ONCE, once, "the parameter scope once in a challenge", answer, actual="it came several times")


@verifies(LACKING, LACKING_CHALLENGE)
def test_token_for_pulls_alone(repo: Repository, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge) -> None:
    """A token that was given to pull does not push, and the refusal says what is needed."""
    manifest = setup.image(repo)
    reader = callers.holding(tokens.token_for(repo, "pull"), "a token to pull").at(repo)
    if not reader.get_manifest(manifest.digest, ANY_MANIFEST).ok:
        raise Undecided("a token to pull does not pull, so it shows nothing")
    answers = [
        reader.start_upload(tried=True),
        reader.put_manifest(setup.make.tag(), manifest.body, manifest.media_type, tried=True),
    ]
    for answer in answers:
        judge.status(LACKING, answer, *NO, when="to a token without the right to push")
        if answer.status == UNAUTHORIZED:
            challenge = bearer(answer) or Challenge("bearer")
            held = names(challenge, repo, "push")
            judge(LACKING_CHALLENGE, held, f"a scope with push on {repo.name}", answer, actual=said(challenge))
    # A deletion may need a right of any name.
    answer = reader.delete_manifest(manifest.digest)
    if answer.status == UNAUTHORIZED:
        asked = bearer(answer)
        held = asked is not None and any(names(asked, repo, action) for action in _DELETING)
        actual = said(asked) if asked else told(answer, "WWW-Authenticate")
        judge(LACKING_CHALLENGE, held, f"a Bearer challenge for {repo.name}", answer, actual=actual)
    if LACKING_CHALLENGE not in judge.judgements:
        judge.unsupported(LACKING_CHALLENGE, "no refusal was a 401")


@verifies(OTHER)
def test_token_for_another_repository(
    repo: Repository,
    *,
    other_repo: Repository,
    setup: SetUp,
    callers: Callers,
    tokens: Tokens,
    judge: Judge,
    settings: Settings,
) -> None:
    """A token for one repository opens no other, whether or not one name begins with the other."""
    manifest = setup.image(other_repo)
    holder = callers.holding(tokens.token_for(repo, "pull", "push"), "a token for another repository")
    hidden = not callers.anybody.at(other_repo).get_manifest(manifest.digest, ANY_MANIFEST).ok
    there = holder.at(other_repo)
    if hidden:
        reads = [there.get_manifest(manifest.digest, ANY_MANIFEST), there.list_tags()]
        reads += [there.get_blob(blob.digest) for blob in manifest.blobs[:1]]
        for answer in reads:
            judge.status(OTHER, answer, *NO, when="to a token for another repository")
    if not holder.at(repo).start_upload().ok:
        raise Undecided("the token does not open its own repository, so it shows nothing")
    others = [other_repo.name]
    if not settings.repositories:
        parent = repo.name.rpartition("/")[0]
        others += [f"{repo.name}/more", f"{repo.name}s", repo.name[:-1], *([parent] if parent else [])]
    for name in others:
        place = holder.at(Repository(repo.registry, name))
        answer = place.start_upload(tried=True)
        judge.status(OTHER, answer, *NO, when=f"to a token for {repo.name} where an upload in {name} is started")
        if answer.ok and (location := upload_location(answer)):
            place.cancel_upload(location)


@verifies("AUTH-MOUNT-BOTH-SCOPES", "AUTH-MOUNT-CHALLENGE-SCOPES")
def test_scopes_of_a_mount(
    repo: Repository, *, other_repo: Repository, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge
) -> None:
    """A mount needs both repositories: its challenge names them, and a token for both suffices."""
    blob = setup.blob(repo)
    token = tokens.token(scope(repo, "pull"), scope(other_repo, "pull", "push"))
    both = callers.holding(token, "a token for both").at(other_repo).mount(blob.digest, repo.name)
    expected = "no refusal of a mount with rights on both repositories"
    judge("AUTH-MOUNT-BOTH-SCOPES", both.status not in {UNAUTHORIZED, FORBIDDEN}, expected, both)
    requirement = "AUTH-MOUNT-CHALLENGE-SCOPES"
    fresh = setup.blob(repo)
    found = _challenged([callers.nobody.at(other_repo).mount(fresh.digest, repo.name)])
    if not found:
        judge.unsupported(requirement, "no Bearer challenge came")
    # Where the source's scope is not needed for a mount, none has to be named.
    narrow = callers.holding(tokens.token(scope(other_repo, "pull", "push"))).at(other_repo)
    open_source = narrow.mount(fresh.digest, repo.name).status == 201 or both.status != 201
    for answer, challenge in found:
        if not resources(challenge):
            judge.unsupported(requirement, "the challenge has no scope")
            continue
        wanted = names(challenge, other_repo, "push") and (open_source or names(challenge, repo, "pull"))
        expected = f"scopes with pull on {repo.name} and push on {other_repo.name}"
        judge(requirement, wanted, expected, answer, actual=said(challenge))
