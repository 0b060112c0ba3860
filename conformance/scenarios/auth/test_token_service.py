"""The token service by GET: what it answers, to whom, and what its tokens open."""

from __future__ import annotations

import datetime
import email.utils
import re
import time

from conformance.client.http.exchange import Response
from conformance.client.login.credentials import Credentials
from conformance.client.registry import Repository
from conformance.client.tokens import access_of, member, token_of
from conformance.scenarios.auth.callers import MAY_ONLY_PULL, NO, Callers, Tokens, scope
from conformance.settings import Settings
from conformance.target.content import ANY_MANIFEST
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Unsupported, clip, declined, verifies
from spec.model import Withheld

OK = 200
UNAUTHORIZED = 401
RESPONSE = "AUTH-TOKEN-GET-RESPONSE"
SAME = "AUTH-TOKEN-GET-SAME"
LIFETIME = "AUTH-TOKEN-EXPIRES-IN-60"
ISSUED = "AUTH-TOKEN-ISSUED-AT"
WITHOUT_OFFLINE = "AUTH-TOKEN-OFFLINE-REFRESH"
SUBSET = "AUTH-TOKEN-SUBSET-NOT-ERROR"
MULTIPLE = "AUTH-TOKEN-MULTIPLE-SCOPES"
NO_SCOPE = "AUTH-TOKEN-NO-SCOPE"
ANONYMOUS = "AUTH-TOKEN-ANONYMOUS-PULL"
#: What the original registry asks for before it lists its repositories; it is the right of few.
CATALOG = "registry:catalog:*"
_SHORTEST = 60
_LEEWAY = 300.0
_UTC = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]00:00)", re.ASCII)


@verifies(RESPONSE, SAME, LIFETIME, ISSUED, WITHOUT_OFFLINE)
def test_answer_of_the_token_service(repo: Repository, tokens: Tokens, judge: Judge) -> None:
    """A token request gets a token, with a plausible lifetime and time of issue."""
    answer = tokens.ask(scope(repo, "pull", "push"))
    judge.require_status(RESPONSE, answer, OK, when="to a token request of the owner")
    token, access = member(answer, "token"), member(answer, "access_token")
    judge.require(RESPONSE, token_of(answer), "a token as token or access_token", answer, actual="there was none")
    if token and access:
        judge(SAME, token == access, "the same as token and as access_token", answer, actual="they were different")
    else:
        judge.unsupported(SAME, "the answer has one of them alone")
    seconds = member(answer, "expires_in")
    whole = type(seconds) is int or (isinstance(seconds, float) and seconds.is_integer())
    held = seconds is None or (whole and seconds >= _SHORTEST)
    judge(LIFETIME, held, "60 or more whole seconds, if any", answer, actual=f"expires_in was {clip(seconds)}")
    issued = member(answer, "issued_at")
    if issued is None:
        judge.unsupported(ISSUED, "the answer has no issued_at")
    else:
        ahead = _ahead(issued, answer)
        expected = "a time in UTC (RFC 3339) that is not in the future"
        judge(ISSUED, ahead is not None and ahead < _LEEWAY, expected, answer, actual=f"it was {clip(issued)}")
    # What was not asked for must not come; whether it comes when it is asked for is open.
    held = not member(answer, "refresh_token")
    expected = "no refresh_token where none was asked for"
    judge(WITHOUT_OFFLINE, held, expected, answer, actual="there was one")


def _ahead(issued: object, answer: Response) -> float | None:
    """Return how many seconds a time is later than the answer's; ``None`` if it is no UTC time."""
    if not isinstance(issued, str) or not _UTC.fullmatch(issued):
        return None
    try:
        moment = datetime.datetime.fromisoformat(issued.upper()).timestamp()
    except (ValueError, OverflowError):
        return None
    try:
        now = email.utils.parsedate_to_datetime(answer.header("Date") or "").timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        now = time.time()
    return moment - now


@verifies("AUTH-TOKEN-BAD-CREDENTIALS-401")
def test_wrong_password_at_the_token_service(repo: Repository, setup: SetUp, tokens: Tokens, judge: Judge) -> None:
    """Wrong credentials get 401 and no token, not one for nobody."""
    wrong = Credentials(tokens.owner.username if tokens.owner else "nobody", setup.make.bytes(12).hex())
    answer = tokens.service.get(scope(repo, "pull"), credentials=wrong)
    requirement = "AUTH-TOKEN-BAD-CREDENTIALS-401"
    if judge.status(requirement, answer, UNAUTHORIZED, when="to a wrong password"):
        none = not (member(answer, "token") or member(answer, "access_token"))
        judge(requirement, none, "no token with the 401", answer, actual="there was one")


@verifies(SUBSET)
def test_more_asked_than_allowed(
    repo: Repository, *, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge, settings: Settings
) -> None:
    """Who asks for more than is allowed gets a token for the part that is."""
    if settings.pull_only is None and settings.other is None:
        judge.not_tested(SUBSET, MAY_ONLY_PULL, Withheld.ACCOUNTS)
        return
    manifest = setup.image(repo)
    if settings.other:
        refused = {
            "a scope": (scope(repo, "pull", "push"),),
            "two scopes": (scope(repo, "pull"), scope(repo, "push")),
            "the catalogue": (CATALOG,),
        }
        for what, scopes in refused.items():
            answer = tokens.service.get(*scopes, credentials=settings.other)
            judge.status(SUBSET, answer, OK, when=f"to a token request for {what} that the account may not have")
    if settings.pull_only is None:
        return
    answer = tokens.service.get(scope(repo, "pull", "push"), credentials=settings.pull_only)
    if not judge.status(SUBSET, answer, OK, when="to a token request for more than the account may have"):
        return
    several = tokens.service.get(scope(repo, "pull"), scope(repo, "push"), credentials=settings.pull_only)
    judge.status(SUBSET, several, OK, when="to a token request for two scopes, one of which may not be had")
    if token := token_of(answer):
        reader = callers.holding(token, "the token of an account that may only pull").at(repo)
        pull = reader.get_manifest(manifest.digest, ANY_MANIFEST)
        judge(SUBSET, pull.ok, "a pull with the part that is allowed", answer, pull)
        start = reader.start_upload(tried=True)
        judge(SUBSET, not start.ok, "no push with the token of an account that may only pull", answer, start)


@verifies(MULTIPLE)
def test_several_scopes(
    repo: Repository, *, other_repo: Repository, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge
) -> None:
    """One token covers the scopes of several parameters."""
    places = [(repo, setup.image(repo)), (other_repo, setup.image(other_repo))]
    for place, manifest in places:
        # A token may be good for one request.
        more = [] if setup.read_only else [scope(repo, "push")]
        answer = tokens.ask(scope(repo, "pull"), *more, scope(other_repo, "pull"))
        judge.require_status(MULTIPLE, answer, OK, when="to a token request with several scopes")
        token = token_of(answer)
        judge.require(MULTIPLE, token, "a token", answer, actual="there was none")
        pull = callers.holding(token or "").at(place).get_manifest(manifest.digest, ANY_MANIFEST)
        judge(MULTIPLE, pull.ok, f"a pull from {place.name} with a token for two repositories", answer, pull)
    answer = tokens.ask(scope(repo, "pull"), scope(repo, "push"))
    if (token := token_of(answer)) is not None and not setup.read_only:
        start = callers.holding(token).at(repo).start_upload(tried=True)
        expected = "an upload with a token for pull and push, asked for in two parameters"
        judge(MULTIPLE, start.ok, expected, answer, start)


@verifies(NO_SCOPE)
def test_no_scope(repo: Repository, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge) -> None:
    """A token without scope shows who asks, and opens no repository."""
    manifest = setup.image(repo)
    answer = tokens.ask()
    judge.require_status(NO_SCOPE, answer, OK, when="to a token request without scope")
    token = token_of(answer)
    judge.require(NO_SCOPE, token, "a token", answer, actual="there was none")
    holder = callers.holding(token or "", "a token without scope")
    base = holder.registry.base()
    judge(NO_SCOPE, base.ok, "success of the base endpoint", base)
    if not callers.nobody.at(repo).get_manifest(manifest.digest, ANY_MANIFEST).ok:
        pull = holder.at(repo).get_manifest(manifest.digest, ANY_MANIFEST)
        judge(NO_SCOPE, not pull.ok, "no pull with a token without scope", pull)


@verifies(ANONYMOUS)
def test_tokens_for_everybody(repo: Repository, setup: SetUp, callers: Callers, tokens: Tokens, judge: Judge) -> None:
    """What is public is pulled with a token that anybody gets, and that does not push."""
    manifest = setup.image(repo)
    answer = tokens.service.get(scope(repo, "pull", "push"))
    token = token_of(answer)
    if token is None:
        raise declined(answer, "the token service gives no anonymous token")
    holder = callers.holding(token, "an anonymous token").at(repo)
    if not holder.get_manifest(manifest.digest, ANY_MANIFEST).ok:
        raise Unsupported("the repository is not public")
    if tokens.owner is None:
        raise Unsupported("the run has no login")
    start = holder.start_upload(tried=True)
    granted = (access_of(token) or {}).get(repo.name, frozenset())
    judge(ANONYMOUS, start.status in NO, "no push with an anonymous token", answer, start)
    judge(ANONYMOUS, "push" not in granted, "no right to push in an anonymous token", answer)
