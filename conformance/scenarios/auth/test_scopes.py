"""Scopes: which a challenge asks for, and what a token opens that was given for another."""

from __future__ import annotations

import re
from collections.abc import Iterable

from conformance.client.http.exchange import Response
from conformance.client.login.challenge import Challenge
from conformance.client.registry import Repository, upload_location
from conformance.client.tokens import bearer
from conformance.scenarios.auth.callers import NO, Callers, Tokens, scope
from conformance.scenarios.auth.operations import asked, basic_pushes, chunks, deletions, more_pushes, reads, referrer
from conformance.settings import Settings
from conformance.target.capabilities import Capabilities
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


def _challenged(answers: Iterable[tuple[str, Response]]) -> list[tuple[str, Response, Challenge]]:
    """Return the Bearer challenges among answers, each with what was asked for and the answer."""
    found = [(what, answer, bearer(answer)) for what, answer in answers if answer.status == UNAUTHORIZED]
    return [(what, answer, challenge) for what, answer, challenge in found if challenge is not None]


@verifies(PULL, PUSH, GRAMMAR, ONCE)
def test_scopes_of_challenges(
    repo: Repository, *, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge, capabilities: Capabilities
) -> None:
    """The challenge names the repository and what is to be done there, by the grammar of scopes."""
    manifest = setup.image(repo)
    reference, nobody = manifest.tag or manifest.digest, callers.nobody
    catalog = _challenged([("the catalogue", nobody.registry.catalog(n=1))])
    challenged = _challenged(asked(reads(manifest, capabilities), nobody, repo))
    _form(judge, [*challenged, *catalog])
    for what, answer, challenge in challenged:
        # Where a token without scope does, none is required.
        if resources(challenge) or not callers.holding(tokens.token()).at(repo).get_manifest(reference).ok:
            held = names(challenge, repo, "pull")
            expected = f"a scope with pull on {repo.name} in the challenge to {what}"
            judge(PULL, held, expected, answer, actual=said(challenge))
    pushes = basic_pushes(setup, manifest) | more_pushes(setup, repo, manifest)
    challenged = _challenged(asked(pushes if setup.read_only else pushes | chunks(setup, repo), nobody, repo))
    _form(judge, challenged)
    for what, answer, challenge in challenged:
        if resources(challenge) or not callers.holding(tokens.token()).at(repo).start_upload().ok:
            held = names(challenge, repo, "push")
            expected = f"a scope with push on {repo.name} in the challenge to {what}"
            judge(PUSH, held, expected, answer, actual=said(challenge))
    for requirement in judge.requirements:
        if requirement not in judge.judgements:
            judge.unsupported(requirement, "no Bearer challenge with a scope came")


def _form(judge: Judge, found: list[tuple[str, Response, Challenge]]) -> None:
    """Judge the form of scopes."""
    for _, answer, challenge in found:
        texts = resources(challenge)
        if texts:
            fits = all(map(_RESOURCE.fullmatch, texts))
            judge(GRAMMAR, fits, "scopes of the form type:name:action,action", answer, actual=said(challenge))
            once = "scope" not in challenge.repeated
            judge(ONCE, once, "the parameter scope once in a challenge", answer, actual="it came several times")


@verifies(LACKING, LACKING_CHALLENGE)
def test_token_for_pulls_alone(
    repo: Repository, *, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge, capabilities: Capabilities
) -> None:
    """A token that was given to pull neither pushes nor deletes, and the refusal says what is needed."""
    manifest = setup.image(repo)
    reader = callers.holding(tokens.token_for(repo, "pull"), "a token to pull")
    if not reader.at(repo).get_manifest(manifest.digest, ANY_MANIFEST).ok:
        raise Undecided("a token to pull does not pull, so it shows nothing")
    basic, more = basic_pushes(setup, manifest), more_pushes(setup, repo, manifest)
    for what, answer in asked(basic | more, reader, repo):
        if what in basic:
            judge.status(LACKING, answer, *NO, when=f"to {what} with a token to pull")
        else:
            judge.refused(LACKING, answer, when=f"to {what} with a token to pull")
        if answer.status == UNAUTHORIZED:
            challenge = bearer(answer) or Challenge("bearer")
            held = names(challenge, repo, "push")
            expected = f"a scope with push on {repo.name} in the challenge to {what}"
            judge(LACKING_CHALLENGE, held, expected, answer, actual=said(challenge))
    for what, answer in asked(deletions(setup, repo, manifest, capabilities), reader, repo):
        judge.refused(LACKING, answer, when=f"to {what} with a token to pull")
        if answer.status == UNAUTHORIZED:
            named = bearer(answer)
            # It may need a right of any name.
            held = named is not None and any(names(named, repo, action) for action in _DELETING)
            actual = said(named) if named else told(answer, "WWW-Authenticate")
            expected = f"a Bearer challenge for {repo.name} to {what}"
            judge(LACKING_CHALLENGE, held, expected, answer, actual=actual)
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
    capabilities: Capabilities,
) -> None:
    """A token for one repository opens no other, whether or not one name begins with the other."""
    manifest = setup.image(other_repo)
    holder = callers.holding(tokens.token_for(repo, "pull", "push"), "a token for another repository")
    hidden = not callers.anybody.at(other_repo).get_manifest(manifest.digest, ANY_MANIFEST).ok
    if hidden:
        referring = referrer(setup, other_repo, manifest)
        for what, answer in asked(reads(manifest, capabilities), holder, other_repo):
            # An empty list of referrers tells nothing.
            shows = bool(referring) and referring in answer.body.decode("latin-1")
            if "referrers" not in what or not answer.ok or shows:
                judge.status(OTHER, answer, *NO, when=f"to {what} with a token for another repository")
    # A token may be good for so many requests.
    if not callers.holding(tokens.token_for(repo, "pull", "push")).at(repo).start_upload().ok:
        raise Undecided("the token does not open its own repository, so it shows nothing")
    writes = more_pushes(setup, other_repo, manifest) | deletions(setup, other_repo, manifest, capabilities)
    for what, answer in asked(basic_pushes(setup, manifest) | writes, holder, other_repo):
        judge.refused(OTHER, answer, when=f"to {what} with a token for another repository")
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
    found = _challenged([("a mount", callers.nobody.at(other_repo).mount(fresh.digest, repo.name))])
    if not found:
        judge.unsupported(requirement, "no Bearer challenge came")
    # Where the source's scope is not needed for a mount, none has to be named.
    narrow = callers.holding(tokens.token(scope(other_repo, "pull", "push"))).at(other_repo)
    open_source = narrow.mount(fresh.digest, repo.name).status == 201 or both.status != 201
    for _, answer, challenge in found:
        if not resources(challenge):
            judge.unsupported(requirement, "the challenge has no scope")
            continue
        wanted = names(challenge, other_repo, "push") and (open_source or names(challenge, repo, "pull"))
        expected = f"scopes with pull on {repo.name} and push on {other_repo.name}"
        judge(requirement, wanted, expected, answer, actual=said(challenge))
