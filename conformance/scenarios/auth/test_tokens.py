"""Tokens that must be refused: forged, changed, expired, for another audience, of another kind."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from conformance.client.http.exchange import Response
from conformance.client.registry import Registry, Repository
from conformance.client.tokens import bearer, claims_of, member, token_of
from conformance.scenarios.auth.callers import NO, Callers, Tokens, private, scope
from conformance.scenarios.auth.operations import asked, more_pushes, reads
from conformance.settings import Settings
from conformance.target.capabilities import Capabilities
from conformance.target.content import ANY_MANIFEST
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, NotTested, Undecided, Unsupported, field_of, verifies
from spec.model import Withheld

UNAUTHORIZED = 401
BAD_REQUEST = 400
INVALID = "AUTH-TOKEN-INVALID-REFUSED"
ATTRIBUTE = "AUTH-TOKEN-INVALID-ERROR-ATTRIBUTE"
EXPIRED = "AUTH-TOKEN-EXPIRED-REFUSED"
AUDIENCE = "AUTH-TOKEN-AUDIENCE-REFUSED"
ACCEPTED = "AUTH-VALID-CREDENTIALS-ACCEPTED"
REFRESH = "AUTH-REFRESH-TOKEN-NOT-BEARER"
ELSEWHERE = "other.example"
#: The name of the algorithm of tokens without signature, as it is and as who compares it without regard to case has it.
_UNSIGNED = ("none", "None", "NONE")
_ALTERED = "a token whose signature was changed"
#: Seconds that two clocks may differ.
_LEEWAY = 60


def _part(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _changed(token: str) -> str:
    """Return a token with a changed character in its signature; its last ones may be unused."""
    head, _, signature = token.rpartition(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return f"{head}.{signature[:middle]}{other}{signature[middle + 1 :]}"


def _bad_tokens(token: str, repo: Repository) -> dict[str, str]:
    """Return tokens that nobody issued, by what they are; of a real one where it can be read."""
    access = [{"type": "repository", "name": repo.name, "actions": ["pull", "push"]}]
    claims = claims_of(token)
    found = {"a token that is garbage": "x", "an empty token": ""}
    for algorithm in _UNSIGNED:
        head = _part({"alg": algorithm, "typ": "JWT"})
        found[f"a token without signature, of the algorithm {algorithm}"] = (
            f"{head}.{_part(claims or {'access': access})}."
        )
    if claims is not None:
        found[_ALTERED] = _changed(token)
        head, _, rest = token.partition(".")
        found["a token with other claims before its signature"] = (
            f"{head}.{_part({**claims, 'sub': 'x'})}.{rest.partition('.')[2]}"
        )
        found["a token whose signature was cut off"] = token.rpartition(".")[0] + "."
    return found


@verifies(INVALID, ATTRIBUTE)
def test_tokens_that_nobody_issued(
    repo: Repository, *, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge, capabilities: Capabilities
) -> None:
    """A malformed or changed token is refused, and the refusal says that the token is invalid."""
    manifest = setup.image(repo)
    anonymous = callers.nobody.at(repo).get_manifest(manifest.digest, ANY_MANIFEST)
    token = tokens.token(scope(repo, "pull", "push"))
    # A registry may remember which token was good.
    callers.holding(token).at(repo).get_manifest(manifest.digest, ANY_MANIFEST)
    found = _bad_tokens(token, repo)
    for what, bad in found.items():
        caller = callers.presenting(f"Bearer {bad}".strip(), what).at(repo)
        answers = [caller.start_upload(tried=True)] if not setup.read_only else []
        if not anonymous.ok:
            answers.append(caller.get_manifest(manifest.digest, ANY_MANIFEST))
        for answer in answers:
            judge.status(INVALID, answer, BAD_REQUEST, *NO, when=f"to {what}")
        if "signature" in what:
            _attribute(judge, answers)
    if forged := found.get(_ALTERED):
        operations = {} if anonymous.ok else reads(manifest, capabilities)
        if not setup.read_only:
            operations |= more_pushes(setup, repo, manifest)
        for what, answer in asked(operations, callers.holding(forged), repo):
            # What nobody is refused says nothing of tokens.
            if answer.refused or operations[what](callers.nobody.at(repo)).refused:
                judge.refused(INVALID, answer, when=f"to {what} with {_ALTERED}")
    challenge = bearer(anonymous) if anonymous.status == UNAUTHORIZED else None
    if challenge is not None:
        expected = "no error in the challenge to a request without a token"
        judge(ATTRIBUTE, "error" not in challenge.parameters, expected, anonymous, actual=_error(anonymous))
    for requirement in judge.requirements:
        if requirement not in judge.judgements:
            judge.unsupported(requirement, "no answer shows it")


def _attribute(judge: Judge, answers: list[Response]) -> None:
    """Judge what the challenges to a bad token say of it."""
    for answer in answers:
        challenge = bearer(answer) if answer.status == UNAUTHORIZED else None
        if challenge is not None:
            held = challenge.parameters.get("error") == "invalid_token"
            judge(ATTRIBUTE, held, "error=invalid_token in the challenge to a bad token", answer, actual=_error(answer))


def _error(answer: Response) -> str:
    return f"it had {field_of(answer, 'WWW-Authenticate')}"


@verifies(EXPIRED)
def test_tokens_of_another_time(
    registry: Registry, callers: Callers, tokens: Tokens, judge: Judge, settings: Settings
) -> None:
    """A token that is good no longer, or not yet, is refused where a fresh one is let in."""
    if not settings.expired_tokens:
        raise NotTested("the owner gave no expired token (--auth-expired-token)", Withheld.ACCOUNTS)
    if registry.base(authenticate=False).ok:
        raise Unsupported("the base endpoint asks for no credentials")
    if not callers.holding(tokens.token()).registry.base().ok:
        raise Undecided("a fresh token is refused as well")
    for token in settings.expired_tokens:
        if _good_now(claims_of(token) or {}):
            judge.not_tested(EXPIRED, "the token of --auth-expired-token is valid now", Withheld.ACCOUNTS)
            continue
        answer = callers.holding(token).registry.base()
        judge.status(EXPIRED, answer, *NO, when="to a token that is expired or not yet valid")


def _good_now(claims: dict[str, Any]) -> bool:
    """Whether the claims of a token, those that it has, say that it is good."""
    start, end = claims.get("nbf"), claims.get("exp")
    now = time.time()
    over = isinstance(end, int | float) and now > end + _LEEWAY
    early = isinstance(start, int | float) and now < start - _LEEWAY
    return bool(claims) and not over and not early


@verifies(AUDIENCE)
def test_token_for_another_service(
    repo: Repository, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge
) -> None:
    """A token that was given for another service is not good here."""
    manifest = setup.image(repo)
    private(callers, repo, manifest.digest)
    token = token_of(tokens.ask(scope(repo, "pull"), service=ELSEWHERE))
    audience = (claims_of(token) or {}).get("aud") if token else None
    if token is None or audience not in (ELSEWHERE, [ELSEWHERE]):
        raise Unsupported("the token service gives no token that is for another service")
    answer = callers.holding(token).at(repo).get_manifest(manifest.digest, ANY_MANIFEST)
    judge.status(AUDIENCE, answer, *NO, when="to a token for another service")


@verifies(REFRESH)
def test_refresh_token_at_the_registry(
    repo: Repository, *, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge, capabilities: Capabilities
) -> None:
    """A refresh token is for the token service alone and opens nothing at the registry."""
    manifest = setup.image(repo)
    private(callers, repo, manifest.digest)
    offline = tokens.ask(scope(repo, "pull"), offline_token="true")  # noqa: S106  a parameter
    if (token := token_of(offline)) is not None:
        pull = callers.holding(token).at(repo).get_manifest(manifest.digest, ANY_MANIFEST)
        expected = "a pull with a token that was asked for with offline_token=true"
        judge.beside(ACCEPTED, pull.ok, expected, offline, pull)
    refresh = member(offline, "refresh_token")
    if not refresh and capabilities.has("oauth") and tokens.owner:
        refresh = member(tokens.service.by_password(tokens.owner, access_type="offline"), "refresh_token")
    if not isinstance(refresh, str) or not refresh.isascii() or not refresh.isprintable():
        raise Unsupported("the token service gives no refresh token")
    answer = callers.holding(refresh).at(repo).get_manifest(manifest.digest, ANY_MANIFEST)
    judge.status(REFRESH, answer, BAD_REQUEST, *NO, when="to a refresh token")
