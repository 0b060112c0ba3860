"""The version check at ``/v2/``."""

from __future__ import annotations

from conformance.client.login.challenge import Challenge, parse_challenges
from conformance.client.registry import Registry
from conformance.settings import Settings
from conformance.verdict.judge import Judge, NotTested, Undecided, Unsupported, field_of, verifies
from spec.model import Withheld

OK = 200
UNAUTHORIZED = 401
VERSION = "registry/2.0"
VERSION_HEADER = "Docker-Distribution-API-Version"
#: The schemes whose definition demands a realm.
WITH_REALM = frozenset({"basic", "bearer"})


@verifies("BASE-V2-200", "BASE-V2-VERSION-HEADER-200", "BASE-V2-VERSION-HEADER-TRUE", "BASE-V2-HEAD")
def test_version_check(registry: Registry, judge: Judge, settings: Settings) -> None:
    """A client that may use the registry gets 200 from /v2/."""
    answer = registry.base()
    if answer.status == UNAUTHORIZED and settings.credentials is None:
        raise NotTested("the registry asks for credentials and none are given", Withheld.ACCOUNTS)
    judge.require_status("BASE-V2-200", answer, OK)
    judge.header("BASE-V2-VERSION-HEADER-200", answer, VERSION_HEADER, VERSION)
    if VERSION_HEADER in answer.headers:
        named = " ".join(answer.headers.all(VERSION_HEADER)).replace(",", " ").split()
        expected = f"{VERSION_HEADER} with {VERSION} among the versions"
        actual = field_of(answer, VERSION_HEADER)
        judge("BASE-V2-VERSION-HEADER-TRUE", VERSION in named, expected, answer, actual=actual)
    else:
        judge.unsupported("BASE-V2-VERSION-HEADER-TRUE", f"there is no {VERSION_HEADER}")
    head = registry.request("HEAD", "/v2/")
    judge.status("BASE-V2-HEAD", head, OK, when="as to the GET")


@verifies("BASE-V2-STATUS-SET", "BASE-V2-NO-REDIRECT")
def test_version_check_without_credentials(registry: Registry, judge: Judge) -> None:
    """Without credentials /v2/ answers 200 or 401, and does so itself."""
    answer = registry.base(authenticate=False)
    judge.status("BASE-V2-STATUS-SET", answer, OK, UNAUTHORIZED)
    first = answer.trail[0].response if answer.trail else None
    if first is None:
        raise Undecided("there was no answer")
    redirected = 300 <= first.status < 400
    judge("BASE-V2-NO-REDIRECT", not redirected, "no redirect", answer, actual=f"the first status was {first.status}")


@verifies("BASE-V2-VERSION-HEADER-401", "BASE-V2-401-CHALLENGE", "BASE-V2-401-CHALLENGE-SYNTAX", "BASE-V2-401-BODY")
def test_challenge_of_the_version_check(registry: Registry, judge: Judge) -> None:
    """A 401 to /v2/ says how to authenticate."""
    answer = registry.base(authenticate=False)
    if answer.status != UNAUTHORIZED:
        raise Unsupported("/v2/ asks for no credentials")
    judge.header("BASE-V2-VERSION-HEADER-401", answer, "Docker-Distribution-API-Version", VERSION)
    judge.header("BASE-V2-401-CHALLENGE", answer, "WWW-Authenticate")
    challenges = parse_challenges(answer.headers.all("WWW-Authenticate"))
    judge(
        "BASE-V2-401-CHALLENGE-SYNTAX",
        challenges and all(map(_complete, challenges)),
        "challenges by the grammar of HTTP, with a realm",
        answer,
        actual=field_of(answer, "WWW-Authenticate"),
    )
    judge(
        "BASE-V2-401-BODY",
        "UNAUTHORIZED" in (answer.error_codes or []),
        "a JSON error body with the code UNAUTHORIZED",
        answer,
    )


def _complete(challenge: Challenge) -> bool:
    return challenge.scheme not in WITH_REALM or "realm" in challenge.parameters
