"""The token service by POST, as OAuth 2.0 has it."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.login.credentials import Credentials
from conformance.client.registry import Repository
from conformance.client.tokens import member, token_of
from conformance.scenarios.auth.callers import Callers, Tokens, scope
from conformance.target.capabilities import Capabilities
from conformance.target.content import ANY_MANIFEST
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, NotTested, Unsupported, clip, verifies
from spec.model import Withheld

OK = 200
BAD_REQUEST = 400
RESPONSE = "AUTH-OAUTH-POST-RESPONSE"
ABSENT = "AUTH-OAUTH-POST-UNSUPPORTED-404"
LIST = "AUTH-OAUTH-SCOPE-LIST"
GRANT = "AUTH-OAUTH-REFRESH-GRANT"
BOUND = "AUTH-OAUTH-REFRESH-OTHER-SERVICE"
UNASKED = "AUTH-OAUTH-OFFLINE-REFRESH"
ERRORS = "AUTH-OAUTH-ERRORS"
NO_STORE = "AUTH-OAUTH-NO-STORE"
ELSEWHERE = "other.example"


def _owner(tokens: Tokens) -> Credentials:
    if tokens.owner is None:
        raise NotTested("the owner gave no login", Withheld.ACCOUNTS)
    return tokens.owner


def _given(judge: Judge, requirement: str, answer: Response) -> str:
    """Return the token of an answer; the scenario ends where there is none."""
    judge.require_status(requirement, answer, OK, when="to a token request by POST")
    token = token_of(answer)
    judge.require(requirement, token, "an access token", answer, actual="there was none")
    return token or ""


def _forbids_storing(value: str) -> bool:
    return "no-store" in [directive.strip().lower() for directive in value.split(",")]


@verifies(RESPONSE, UNASKED, NO_STORE)
def test_answer_to_a_post(repo: Repository, tokens: Tokens, judge: Judge) -> None:
    """The answer has the access token and its scope, no unrequested refresh token, and no-store."""
    answer = tokens.service.by_password(_owner(tokens), scope=scope(repo, "pull"))
    judge.require_status(RESPONSE, answer, OK, when="to a token request by POST")
    access, granted = member(answer, "access_token"), member(answer, "scope")
    judge(RESPONSE, access and isinstance(access, str), "an access_token", answer, actual="there was none")
    actual = f"the scope was {clip(granted)}"
    judge(RESPONSE, isinstance(granted, str), "the scope that was granted, as a text", answer, actual=actual)
    expected = "no refresh_token without access_type=offline"
    judge(UNASKED, not member(answer, "refresh_token"), expected, answer, actual="there was one")
    judge.header(NO_STORE, answer, "Cache-Control", _forbids_storing, "Cache-Control: no-store")


@verifies(ABSENT)
def test_post_where_there_is_no_oauth(
    repo: Repository, tokens: Tokens, judge: Judge, capabilities: Capabilities
) -> None:
    """A service that gives no tokens by POST says so with 404."""
    if capabilities.has("oauth"):
        raise Unsupported("the token service gives tokens by POST")
    answer = tokens.service.by_password(_owner(tokens), scope=scope(repo, "pull"))
    if token_of(answer):
        raise Unsupported("the token service gives tokens by POST")
    if answer.status == BAD_REQUEST and isinstance(member(answer, "error"), str):
        raise Unsupported("the token service knows OAuth 2.0, and not this grant")
    judge.status(ABSENT, answer, 404, when="to a POST that gives no token")


@verifies(LIST)
def test_scopes_in_one_value(
    repo: Repository, *, other_repo: Repository, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge
) -> None:
    """One parameter scope holds several, separated by spaces."""
    places = [(repo, setup.image(repo)), (other_repo, setup.image(other_repo))]
    scopes = " ".join(scope(place, "pull") for place, _ in places)
    for place, manifest in places:
        # A token may be good for one request.
        answer = tokens.service.by_password(_owner(tokens), scope=scopes)
        token = _given(judge, LIST, answer)
        pull = callers.holding(token).at(place).get_manifest(manifest.digest, ANY_MANIFEST)
        judge(LIST, pull.ok, f"a pull from {place.name} with a token for two repositories", answer, pull)
        granted = member(answer, "scope")
        if pull.ok and isinstance(granted, str):
            held = f"repository:{place.name}:" in granted
            judge(LIST, held, f"{place.name} in the scope of the answer", answer, actual=f"it was {clip(granted)}")


@verifies(GRANT, BOUND)
def test_refresh_token(repo: Repository, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge) -> None:
    """A refresh token gives access tokens to its account, for its service."""
    manifest = setup.image(repo)
    refresh = member(tokens.service.by_password(_owner(tokens), access_type="offline"), "refresh_token")
    if not isinstance(refresh, str) or not refresh:
        raise Unsupported("the token service gives no refresh token")
    answer = tokens.service.post("refresh_token", refresh_token=refresh, scope=scope(repo, "pull"))
    token = _given(judge, GRANT, answer)
    pull = callers.holding(token).at(repo).get_manifest(manifest.digest, ANY_MANIFEST)
    judge(GRANT, pull.ok, "a pull with a token that a refresh token gave", answer, pull)
    again = member(answer, "refresh_token")
    judge(GRANT, again in (None, "", refresh), "the same refresh token, if any", answer, actual="it was another")
    once_more = tokens.service.post("refresh_token", refresh_token=refresh, scope=scope(repo, "pull"))
    expected = "an access token by a refresh token that was used before"
    judge(GRANT, token_of(once_more) is not None, expected, answer, once_more)
    other = tokens.service.post("refresh_token", service=ELSEWHERE, refresh_token=refresh, scope=scope(repo, "pull"))
    judge(BOUND, token_of(other) is None, "no token for another service", other, actual="there was one")


@verifies(ERRORS)
def test_grants_that_are_refused(repo: Repository, setup: SetUp, tokens: Tokens, judge: Judge) -> None:
    """A wrong password, an unknown refresh token and an unknown grant give no token."""
    wanted = scope(repo, "pull")
    wrong = Credentials(_owner(tokens).username, setup.make.bytes(12).hex())
    # So that there is one which another may be taken for.
    tokens.service.by_password(_owner(tokens), access_type="offline")
    answers = {
        "a wrong password": tokens.service.by_password(wrong, scope=wanted),
        "an unknown refresh token": tokens.service.post(
            "refresh_token", refresh_token=setup.make.bytes(16).hex(), scope=wanted
        ),
        "an unknown grant": tokens.service.post("conformance", scope=wanted),
    }
    for what, answer in answers.items():
        judge.refused(ERRORS, answer, when=f"to {what}")
        none = not (member(answer, "access_token") or member(answer, "token"))
        judge(ERRORS, none, f"no token for {what}", answer, actual="there was one")
