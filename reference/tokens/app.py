"""The token service as an ASGI application: GET as Docker has it, POST as OAuth 2.0."""

from __future__ import annotations

import base64
import datetime
import json
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from reference import errors
from reference.messages import Disconnected, Receive, Request, Response, Send
from reference.messages import Scope as AsgiScope
from reference.tokens.access import Account, Scope, matches, parse_scopes
from reference.tokens.config import Config
from reference.tokens.keys import Signer

log = logging.getLogger("reference")

PATH = "/token"
_FORM = "application/x-www-form-urlencoded"
_LARGEST = 64 << 10
_PARAMETERS = 100
_NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


class OAuthError(Exception):
    """A grant that is refused (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


class TokenService:
    """Gives tokens to accounts and to nobody in particular; refresh tokens last until it ends."""

    def __init__(self, config: Config, signer: Signer) -> None:
        self.config = config
        self.signer = signer
        self.lifetime = config.lifetime
        self.refresh_tokens: dict[tuple[str, str], str] = {}

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self.answer(request)
        except Disconnected:
            return
        await response.send(send, head=request.method == "HEAD")

    async def answer(self, request: Request) -> Response:
        """The response to a request, refusals included."""
        log.debug("%s %s", request.method, request.path)
        try:
            if request.path != PATH:
                raise errors.no_such_endpoint(request.path)
            if request.method == "POST" and self.config.oauth:
                return await self.post(request)
            if request.method == "POST":
                raise errors.no_such_endpoint(request.path)
            if request.method not in ("GET", "HEAD"):
                raise errors.unsupported(["GET", "HEAD", *(["POST"] if self.config.oauth else [])])
            return await self.get(request)
        except errors.RegistryError as error:
            return Response(error.status, [("Content-Type", "application/json"), *error.headers], error.body())
        except OAuthError as error:
            body = {"error": error.error, "error_description": error.description}
            return self.document(body, error.status)

    async def get(self, request: Request) -> Response:
        """A token for who asks, with Basic credentials or as nobody in particular."""
        account = self.account(request)
        service = self.service(request.query.get("service"))
        granted = self.granted(account, request.query.all("scope"))
        offline = request.query.get("offline_token") == "true"
        return self.document(self.given(account, service, granted, offline))

    async def post(self, request: Request) -> Response:
        """An access token for a password or for a refresh token."""
        form = await self.form(request)
        grant = self.parameter(form, "grant_type")
        asked_service = self.parameter(form, "service")
        self.parameter(form, "client_id")
        if grant == "password":
            service = self.service(asked_service)
            account = self.by_password(self.parameter(form, "username"), self.parameter(form, "password"))
        elif grant == "refresh_token":
            account, service = self.refreshed(self.parameter(form, "refresh_token"), asked_service)
        else:
            raise OAuthError("unsupported_grant_type", "only password and refresh_token are supported")
        granted = self.granted(account, [form.get("scope") or ""])
        answer = self.given(account, service, granted, form.get("access_type") == "offline")
        del answer["token"]
        scope = " ".join(str(scope) for scope in granted if scope.actions)
        return self.document({**answer, "scope": scope, "token_type": "Bearer"})

    def account(self, request: Request) -> Account:
        """Whose Basic credentials a request has; without any nobody's."""
        header = request.headers.get("authorization")
        if not header:
            return self.config.anonymous
        scheme, _, value = header.partition(" ")
        try:
            decoded = base64.b64decode(value.strip(), validate=True).decode()
        except ValueError:
            decoded = ""
        name, _, password = decoded.partition(":")
        account = self.login(name, password) if scheme.lower() == "basic" else None
        if account is None:
            raise self.refusal()
        return account

    def login(self, name: str, password: str) -> Account | None:
        """The account of a name with its password."""
        account = self.config.accounts.get(name)
        return account if account is not None and account.fits(password) else None

    def granted(self, account: Account, asked: Sequence[str]) -> list[Scope]:
        """What an account gets of the values of scope."""
        return account.granted(parse_scopes(asked))

    def refusal(self) -> errors.RegistryError:
        """The answer to wrong credentials."""
        return errors.unauthorized(f'Basic realm="{self.config.issuer}"')

    def by_password(self, name: str, password: str) -> Account:
        """The account of a grant by password."""
        account = self.login(name, password)
        if account is None:
            raise OAuthError("invalid_grant", "user name or password is wrong")
        return account

    def refreshed(self, token: str, service: str) -> tuple[Account, str]:
        """Account and service of a refresh token, which is good for that service alone."""
        for (name, known_service), known in self.refresh_tokens.items():
            if secrets.compare_digest(known.encode(), token.encode()) and known_service == service:
                return self.config.accounts[name], service
        raise OAuthError("invalid_grant", "the refresh token is unknown, or of another service")

    def service(self, asked: str | None) -> str:
        """The service that a token is for; the first of the configuration where none is named."""
        if not asked:
            return self.config.services[0]
        if not any(matches(pattern, asked) for pattern in self.config.services):
            raise OAuthError("invalid_target", "tokens are not given for this service")
        return asked

    async def form(self, request: Request) -> Mapping[str, str]:
        """The parameters of a body; none may come twice."""
        if request.headers.get("content-type").partition(";")[0].strip().lower() != _FORM:
            raise OAuthError("invalid_request", f"the body must be {_FORM}")
        body = await request.body(_LARGEST)
        if body is None:
            raise OAuthError("invalid_request", "the body is too large", 413)
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_PARAMETERS)
        except ValueError as error:
            raise OAuthError("invalid_request", "the body is no form") from error
        if len(dict(pairs)) != len(pairs):
            raise OAuthError("invalid_request", "a parameter is given twice")
        return dict(pairs)

    def parameter(self, form: Mapping[str, str], name: str) -> str:
        """A parameter that must be there."""
        if not form.get(name):
            raise OAuthError("invalid_request", f"{name} is missing")
        return form[name]

    def given(self, account: Account, service: str, granted: Sequence[Scope], offline: bool) -> dict[str, Any]:
        """What goes into the body: the token and its life; a refresh token where it is asked for by an account."""
        now = time.time()
        token = self.signer.sign(self.claims(account, service, granted, now))
        answer: dict[str, Any] = {
            "token": token,
            "access_token": token,
            "expires_in": self.lifetime,
            "issued_at": datetime.datetime.fromtimestamp(int(now), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if offline and account.name:
            answer["refresh_token"] = self.refresh_token(account, service)
        return answer

    def claims(self, account: Account, service: str, granted: Sequence[Scope], now: float) -> dict[str, Any]:
        """The claims of a token; ``now`` in seconds since the epoch."""
        return {
            "iss": self.config.issuer,
            "sub": account.name,
            "aud": service,
            "exp": int(now) + self.lifetime,
            "nbf": int(now),
            "iat": int(now),
            "jti": secrets.token_urlsafe(16),
            "access": [{"type": s.kind, "name": s.name, "actions": list(s.actions)} for s in granted],
        }

    def refresh_token(self, account: Account, service: str) -> str:
        """The refresh token of an account for a service: always the same."""
        return self.refresh_tokens.setdefault((account.name, service), secrets.token_urlsafe(32))

    def document(self, value: Mapping[str, Any], status: int = 200) -> Response:
        """A JSON document that nobody keeps."""
        return Response(status, [("Content-Type", "application/json"), *_NO_STORE], json.dumps(value).encode())
