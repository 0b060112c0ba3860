"""Bearer tokens: which scope a request needs, and the challenge that says so."""

from __future__ import annotations

import logging

from reference import errors
from reference.auth.trust import Grants, TokenError, Trust
from reference.grammar import is_name
from reference.messages import Request

log = logging.getLogger("reference")

#: A type of resource, its name, and the actions on it.
Scope = tuple[str, str, tuple[str, ...]]
_PULL = ("pull",)
_PUSH = ("pull", "push")
_DELETE = ("delete",)
_DELETIONS = ("manifest.delete", "blob.delete")


class Tokens:
    """Answers 401 with a Bearer challenge until a token grants what the request needs.

    The refusal depends on the request alone, never on what the registry holds.
    """

    def __init__(self, realm: str, trust: Trust, redirect: bool = False) -> None:
        self.realm = realm
        self.trust = trust
        self.redirect = redirect

    async def check(self, request: Request) -> None:
        """Refuse a request without a trusted token of sufficient scope."""
        scopes = self.scopes(request)
        token = self.token(request)
        if token is None:
            raise self.refusal(request, scopes)
        try:
            verified = self.trust.verify(token)
        except TokenError as error:
            log.debug("%s", error)
            raise self.refusal(request, scopes, "invalid_token") from None
        request.user, grants = verified.subject, verified.grants
        lacking = [scope for scope in scopes if not self.granted(grants, scope)]
        if request.operation == "upload.mount" and self.source_denied(grants, scopes, lacking):
            # Whoever may push but not see the source gets what everybody gets where a mount cannot be.
            request.operation = "upload.start"
            return
        if lacking:
            raise self.refusal(request, scopes, "insufficient_scope")

    def token(self, request: Request) -> str | None:
        """The token that a request carries; empty where it is malformed."""
        scheme, _, value = request.headers.get("authorization").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else None

    def scopes(self, request: Request) -> list[Scope]:
        """What a request needs; nothing for the base endpoint but a trusted token."""
        if request.operation == "catalog.list":
            return [("registry", "catalog", ("*",))]
        if not request.name:
            return []
        scopes = [("repository", request.name, self.actions(request))]
        if request.operation == "upload.mount":
            source = self.source(request)
            return scopes if source in (None, request.name) else [*scopes, ("repository", source or "", _PULL)]
        return scopes

    def actions(self, request: Request) -> tuple[str, ...]:
        """The actions on the repository of a request; whatever has to do with an upload is a push."""
        if request.operation in _DELETIONS:
            return _DELETE
        if request.operation.startswith("upload.") or request.method not in ("GET", "HEAD"):
            return _PUSH
        return _PULL

    def source(self, request: Request) -> str | None:
        """The repository that a mount is from; None where none is named."""
        source = request.query.get("from") or ""
        return source if is_name(source) else None

    def granted(self, grants: Grants, scope: Scope) -> bool:
        """Whether a token grants a scope: type and name of the resource are compared whole."""
        kind, name, actions = scope
        return grants.get((kind, name), frozenset()).issuperset(actions)

    def source_denied(self, grants: Grants, scopes: list[Scope], lacking: list[Scope]) -> bool:
        """Whether a mount lacks its source alone, and the token service was asked for that."""
        return lacking == scopes[1:] != [] and lacking[0][:2] in grants

    def refusal(self, request: Request, scopes: list[Scope], error: str = "") -> errors.RegistryError:
        """401 with the challenge."""
        return errors.unauthorized(self.challenge(request, scopes, error))

    def challenge(self, request: Request, scopes: list[Scope], error: str = "") -> str:
        """The realm of the token service, and what to ask it for."""
        realm = f"https://{request.headers.get('host')}/auth/token" if self.redirect else self.realm
        parameters = [("realm", realm), ("service", self.trust.service), ("scope", self.scope_text(scopes))]
        parameters.append(("error", error))
        return "Bearer " + ",".join(f'{name}="{value}"' for name, value in parameters if value)

    def scope_text(self, scopes: list[Scope]) -> str:
        """Scopes as a challenge has them."""
        return " ".join(f"{kind}:{name}:{','.join(actions)}" for kind, name, actions in scopes)
