"""Callers: the owner, anonymous clients, accounts with fewer rights, and holders of one token."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from conformance.client.http.exchange import Response
from conformance.client.registry import Registry, Repository
from conformance.client.tokens import TokenService, access_of, token_of
from conformance.target.content import ANY_MANIFEST
from conformance.target.session import Session
from conformance.verdict.judge import Blocked, NotTested, Undecided, Unsupported
from spec.model import Withheld

#: Marks a scenario that has an occasion only where somebody has to log in.
needs_login = pytest.mark.usefixtures("locked")
#: The ways to say no: who are you, you may not, there is nothing (that you may see).
NO = (401, 403, 404)
NO_NEED = "the target refuses nothing to a client without credentials"
NO_ACCOUNT = "the owner gave no account that {0} (--{1}-username)"
MAY_ONLY_PULL = NO_ACCOUNT.format("may only pull", "auth-pull-only")
HAS_NO_RIGHTS = NO_ACCOUNT.format("has no rights in the namespace", "auth-other")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks: in words, and the target as it answers to them."""

    who: str
    registry: Registry

    def at(self, repo: Repository) -> Repository:
        """Return a repository as this caller sees it; clean-up removes what is made there."""
        return Repository(self.registry, repo.name)


class Callers:
    """Makes the callers of a scenario."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.nobody = Caller("a client without credentials", session.presenting(None))
        #: Nobody in particular either, who answers challenges: what is public may take a token that
        #: anybody gets.
        self.anybody = Caller("anybody", session.caller(None))

    @property
    def pull_only(self) -> Caller | None:
        """The account that may only pull, if the owner gave one."""
        account = self._session.settings.pull_only
        return Caller("an account that may only pull", self._session.caller(account)) if account else None

    @property
    def other(self) -> Caller | None:
        """The account without rights in the namespace, if the owner gave one."""
        account = self._session.settings.other
        return Caller("an account without rights here", self._session.caller(account)) if account else None

    def the_pull_only(self) -> Caller:
        """Return the account that may only pull.

        Raises:
            NotTested: the owner gave none.
        """
        if (caller := self.pull_only) is None:
            raise NotTested(MAY_ONLY_PULL, Withheld.ACCOUNTS)
        return caller

    def holding(self, token: str, who: str = "a client with a token") -> Caller:
        """Return who shows one token and nothing else."""
        return self.presenting(f"Bearer {token}", who)

    def presenting(self, authorization: str, who: str) -> Caller:
        """Return who sends one Authorization with every request."""
        return Caller(who, self._session.presenting(authorization))


class Tokens:
    """The token service as the owner of the target asks it."""

    def __init__(self, session: Session, service: TokenService) -> None:
        self.service = service
        self.owner = session.settings.credentials
        if self.owner and not service.may_learn_passwords:
            raise Undecided("the token service is reached without TLS, and the password is not sent there")

    def ask(self, *scopes: str, **more: str) -> Response:
        """Ask by GET with the owner's credentials, where there are any."""
        return self.service.get(*scopes, credentials=self.owner, **more)

    def token(self, *scopes: str) -> str:
        """Return a token of the owner.

        Raises:
            Blocked: there was none.
        """
        answer = self.ask(*scopes)
        if (token := token_of(answer)) is None:
            raise Blocked("AUTH-TOKEN-GET-RESPONSE", "a token from the token service", answer)
        return token

    def token_for(self, repo: Repository, *actions: str) -> str:
        """Return a token of the owner that grants no more than some actions on one repository.

        Raises:
            Unsupported: what the token grants cannot be read, or is more.
        """
        token = self.token(scope(repo, *actions))
        access = access_of(token)
        if access is None:
            raise Unsupported("the token does not tell what it grants")
        more = [name for name, granted in access.items() if granted and name != repo.name]
        if more or not access.get(repo.name, frozenset()) <= {*actions}:
            raise Unsupported("the token grants more than was asked for")
        return token


def scope(repo: Repository, *actions: str) -> str:
    """Return the scope of actions on a repository."""
    return f"repository:{repo.name}:{','.join(actions)}"


def private(callers: Callers, repo: Repository, reference: str) -> None:
    """Check that a manifest is refused without credentials, or with a token for anybody.

    Raises:
        Unsupported: it is not.
    """
    answer = callers.anybody.at(repo).get_manifest(reference, ANY_MANIFEST)
    if answer.ok:
        raise Unsupported("everybody may pull this content")
    if answer.status not in NO:
        raise Undecided(f"a pull without credentials was answered with status {answer.status}")
