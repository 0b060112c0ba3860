"""Challenges, and what they let pass, where the target requires a login."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.login.authentication import is_address
from conformance.client.login.challenge import Challenge, parse_challenges
from conformance.client.login.credentials import Credentials
from conformance.client.registry import Registry, Repository
from conformance.settings import Settings
from conformance.target.content import ANY_MANIFEST
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Unsupported, field_of, verifies

UNAUTHORIZED = 401
FORBIDDEN = 403
CHALLENGE = "WWW-Authenticate"
STATUS = "AUTH-CHALLENGE-401"
HEADER = "AUTH-CHALLENGE-HEADER"
SYNTAX = "AUTH-CHALLENGE-SYNTAX"
BASIC = "AUTH-CHALLENGE-BASIC-REALM"
REALM = "AUTH-CHALLENGE-BEARER-REALM"
SERVICE = "AUTH-CHALLENGE-BEARER-SERVICE"
CODE = "AUTH-ERROR-UNAUTHORIZED-BODY"
BASE = "AUTH-BASE-CHALLENGE"
VERSION = "AUTH-BASE-VERSION-HEADER-401"
ACCEPTED = "AUTH-VALID-CREDENTIALS-ACCEPTED"
SCHEME = "AUTH-SCHEME-CASE-INSENSITIVE"
WRONG = "AUTH-BASIC-WRONG-PASSWORD-401"
_NO_NEED = "the target refuses nothing to a client without credentials"


def _anonymous(registry: Registry, repo: Repository, reference: str) -> list[Response]:
    """Ask without credentials: for the base, for a manifest that is there, for an upload."""
    return [
        registry.base(authenticate=False),
        repo.get_manifest(reference, ANY_MANIFEST, authenticate=False),
        repo.head_manifest(reference, ANY_MANIFEST, authenticate=False),
        repo.start_upload(authenticate=False),
    ]


@verifies(STATUS, HEADER, SYNTAX, BASIC, REALM, SERVICE, CODE)
def test_requests_without_credentials(registry: Registry, repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A request without credentials is answered 401 with a challenge."""
    manifest = setup.image(repo)
    answers = _anonymous(registry, repo, manifest.tag or manifest.digest)
    refused = [answer for answer in answers if answer.status in {UNAUTHORIZED, FORBIDDEN}]
    if not refused:
        raise Unsupported(_NO_NEED)
    for answer in refused:
        judge.status(STATUS, answer, UNAUTHORIZED, when="to a request without the credentials that it needs")
    challenged = [answer for answer in refused if answer.status == UNAUTHORIZED]
    found: list[tuple[Response, Challenge]] = []
    for answer in challenged:
        if judge.header(HEADER, answer, CHALLENGE):
            challenges = parse_challenges(answer.headers.all(CHALLENGE))
            judge(SYNTAX, challenges, "challenges by the grammar of HTTP", answer, actual=field_of(answer, CHALLENGE))
            found += [(answer, challenge) for challenge in challenges or []]
    bodies = [answer for answer in challenged if answer.body]
    for answer in bodies:
        judge.code(CODE, answer, "UNAUTHORIZED", "DENIED")
    _parameters(judge, found)
    for requirement in judge.requirements:
        if requirement not in judge.judgements:
            judge.unsupported(requirement, "no answer shows it")


def _parameters(judge: Judge, found: list[tuple[Response, Challenge]]) -> None:
    """Judge what the challenges of each scheme say."""
    for answer, challenge in found:
        actual = f"it had {', '.join(challenge.parameters) or 'none'}"
        realm = challenge.parameters.get("realm")
        if challenge.scheme == "basic":
            judge(BASIC, realm is not None, "a realm in the Basic challenge", answer, actual=actual)
        if challenge.scheme == "bearer":
            judge(
                REALM,
                is_address(realm or ""),
                "the URL of the token service as realm",
                answer,
                actual=f"the realm was {realm}" if realm else "there was no realm",
            )
            service = challenge.parameters.get("service")
            judge(SERVICE, service, "a service in the Bearer challenge", answer, actual=actual)


@verifies(BASE, VERSION)
def test_base_without_credentials(registry: Registry, repo: Repository, setup: SetUp, judge: Judge) -> None:
    """The base endpoint tells whether a client needs credentials, and whether they are accepted."""
    manifest = setup.image(repo)
    base, *others = _anonymous(registry, repo, manifest.tag or manifest.digest)
    if all(answer.status not in {UNAUTHORIZED, FORBIDDEN} for answer in (base, *others)):
        raise Unsupported(_NO_NEED)
    held = base.status == UNAUTHORIZED and CHALLENGE in base.headers
    judge(BASE, held, "401 with a challenge from the base endpoint, as other endpoints refuse", base)
    judge.status(BASE, registry.base(), 200, when="to the base endpoint with valid credentials")
    if base.status != UNAUTHORIZED:
        judge.unsupported(VERSION, "the base endpoint asks for no credentials")
        return
    name = "Docker-Distribution-API-Version"
    judge.header(VERSION, base, name, lambda value: "registry/2.0" in value, f"{name}: registry/2.0")


@verifies(ACCEPTED, SCHEME)
def test_requests_with_credentials(
    registry: Registry, repo: Repository, setup: SetUp, judge: Judge, settings: Settings
) -> None:
    """The same requests succeed with the credentials, whatever the case of the scheme's name."""
    if settings.credentials is None:
        # The run itself got as far as this without any.
        raise Unsupported(_NO_NEED)
    manifest = setup.image(repo)
    reference = manifest.tag or manifest.digest
    base, pull, _, start = _anonymous(registry, repo, reference)
    again = [(base, registry.base()), (pull, repo.get_manifest(reference, ANY_MANIFEST)), (start, repo.start_upload())]
    refused = [(first, second) for first, second in again if first.status in {UNAUTHORIZED, FORBIDDEN}]
    if not refused:
        raise Unsupported(_NO_NEED)
    for first, second in refused:
        judge(ACCEPTED, second.ok, "success with the credentials", first, second)
    first = refused[0][0]
    schemes = {challenge.scheme for challenge in parse_challenges(first.headers.all(CHALLENGE)) or []}
    if "basic" in schemes:
        scheme, value = "bAsIc", settings.credentials.basic()
    elif held := registry.client.authorization(repo.name):
        scheme, value = "bEaReR", held
    else:
        judge.unsupported(SCHEME, "the target offers neither Basic nor Bearer")
        return
    written = _ask_again(registry, repo if first is start else None, f"{scheme} {value.partition(' ')[2]}")
    if not written.ok and not _ask_again(registry, repo if first is start else None, value).ok:
        judge.unsupported(SCHEME, "the credentials are no longer accepted in any spelling")
        return
    judge(SCHEME, written.ok, f"success with the scheme written {scheme}", written)


def _ask_again(registry: Registry, repo: Repository | None, authorization: str) -> Response:
    """Ask for the base, or start an upload, with an Authorization."""
    fields = (("Authorization", authorization),)
    if repo is None:
        return registry.base(headers=fields, authenticate=False)
    return repo.start_upload(headers=fields, authenticate=False)


@verifies(WRONG)
def test_wrong_password(registry: Registry, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A wrong password is refused as none is."""
    if registry.base(authenticate=False).status != UNAUTHORIZED:
        raise Unsupported("the base endpoint asks for no credentials")
    name = settings.credentials.username if settings.credentials else "nobody"
    wrong = Credentials(name, setup.make.bytes(12).hex()).basic()
    answer = registry.base(headers=(("Authorization", wrong),), authenticate=False)
    held = answer.status == UNAUTHORIZED and CHALLENGE in answer.headers
    judge(WRONG, held or answer.status == 429, "401 with a challenge", answer)
