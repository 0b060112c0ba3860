"""Credentials go one way."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.login.credentials import Credentials
from conformance.client.registry import Registry, Repository
from conformance.client.spellings import spellings
from conformance.scenarios.auth.callers import Callers
from conformance.target.session import Session
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, verifies

ECHO = "AUTH-CREDENTIALS-NOT-ECHOED"


@verifies(ECHO)
def test_credentials_do_not_come_back(
    registry: Registry, *, repo: Repository, setup: SetUp, callers: Callers, session: Session, judge: Judge
) -> None:
    """No answer repeats the password or the token that its request carried."""
    wrong = Credentials(setup.make.tag(), setup.make.bytes(12).hex())
    token = setup.make.bytes(24).hex()
    unknown = setup.make.digest()
    sent: list[tuple[Response, str]] = []
    for authorization, secret in ((wrong.basic(), wrong.password), (f"Bearer {token}", token)):
        caller = callers.presenting(authorization, "who has made-up credentials")
        answers = [caller.registry.base(), caller.at(repo).get_manifest(unknown), caller.at(repo).list_tags()]
        sent += [(answer, secret) for answer in answers]
    if owner := session.settings.credentials:
        answers = [registry.base(), repo.get_manifest(unknown), repo.list_tags()]
        if not setup.read_only:
            answers.append(repo.start_upload())
        sent += [(answer, owner.password) for answer in answers]
        if held := session.client.authorization(repo.name):
            sent += [(answer, held.partition(" ")[2]) for answer in answers]
    for answer, secret in sent:
        text = "\n".join(f"{name}: {value}" for name, value in answer.headers) + answer.body.decode("utf-8", "replace")
        echoed = any(spelling in text for spelling in spellings(secret))
        judge(ECHO, not echoed, "no credentials in an answer", answer, actual="the answer repeated them")
