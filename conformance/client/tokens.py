"""The token service that a target's challenge names, asked directly: by GET, and by POST as OAuth 2.0 has it."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from conformance.client.client import Call, Client
from conformance.client.http.exchange import Response
from conformance.client.login.authentication import is_address, tokens_in
from conformance.client.login.challenge import Challenge, parse_challenges
from conformance.client.login.credentials import Credentials

CLIENT_ID = "registry-conformance"
_FORM = (("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"))
_TOKEN = re.compile(r"[!-~]+")
_PARTS = 3
#: What a token grants: the actions on each repository that it names.
Access = dict[str, frozenset[str]]


def bearer(answer: Response) -> Challenge | None:
    """Return the Bearer challenge of an answer, if there is one."""
    challenges = parse_challenges(answer.headers.all("WWW-Authenticate"), lenient=True) or []
    return next((challenge for challenge in challenges if challenge.scheme == "bearer"), None)


@dataclass(frozen=True, slots=True)
class TokenService:
    """A token service: its URL, and the name by which it knows the target (empty where the challenge has none)."""

    client: Client
    realm: str
    service: str

    @classmethod
    def of(cls, client: Client, answer: Response) -> TokenService | None:
        """Return the service of an answer's challenge; ``None`` where it names none by a URL."""
        challenge = bearer(answer)
        realm = challenge.parameters.get("realm", "") if challenge else ""
        if challenge is None or not is_address(realm):
            return None
        return cls(client, realm, challenge.parameters.get("service", ""))

    @property
    def may_learn_passwords(self) -> bool:
        """Whether a password may travel there: what is given for TLS never does in the clear."""
        return urlsplit(self.realm).scheme == "https" or urlsplit(self.client.url).scheme == "http"

    def get(
        self, *scopes: str, credentials: Credentials | None = None, service: str | None = None, **more: str
    ) -> Response:
        """Ask by GET, each scope a parameter of its own."""
        named = self.service if service is None else service
        query = [("service", named)] if named else []
        query += [("scope", scope) for scope in scopes] + [*more.items()]
        if credentials:
            query.append(("account", credentials.username))
        url = self.realm + ("&" if urlsplit(self.realm).query else "?") + urlencode(query) if query else self.realm
        headers: tuple[tuple[str, str], ...] = (("Accept", "application/json"),)
        if credentials:
            headers += (("Authorization", credentials.basic()),)
        return self._noted(
            self.client.send(Call("GET", url, "token.get", headers=headers, follow=False, authenticate=False))
        )

    def post(self, grant_type: str, *, service: str | None = None, **form: str) -> Response:
        """Ask by POST with a grant and its parameters."""
        named = self.service if service is None else service
        body = urlencode({"grant_type": grant_type, "service": named, "client_id": CLIENT_ID, **form}).encode()
        return self._noted(
            self.client.send(
                Call("POST", self.realm, "token.post", headers=_FORM, payload=body, follow=False, authenticate=False)
            )
        )

    def by_password(self, credentials: Credentials, **form: str) -> Response:
        """Ask by POST with a name and a password."""
        return self.post("password", username=credentials.username, password=credentials.password, **form)

    def _noted(self, answer: Response) -> Response:
        """Let no token of an answer be written down."""
        for secret in tokens_in(answer):
            self.client.redactor.add(secret)
        return answer


def member(answer: Response, name: str) -> Any:
    """Return a member of an answer's JSON object; ``None`` where there is none."""
    return answer.json.get(name) if isinstance(answer.json, dict) else None


def token_of(answer: Response) -> str | None:
    """Return the token of an answer, if it gave one that can stand in a header."""
    value = member(answer, "token") or member(answer, "access_token")
    return value if answer.ok and isinstance(value, str) and _TOKEN.fullmatch(value) else None


def claims_of(token: str) -> dict[str, Any] | None:
    """Return the claims of a token that is a JSON Web Token, signature unchecked; ``None`` of one that is opaque."""
    parts = token.split(".")
    if len(parts) != _PARTS:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def access_of(token: str) -> Access | None:
    """Return what a token says that it grants on repositories; ``None`` where it cannot be read, or does not say."""
    access = (claims_of(token) or {}).get("access")
    if not isinstance(access, list):
        return None
    found: Access = {}
    for entry in access:
        actions = entry.get("actions") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            return None
        granted = frozenset(map(str, actions)) if isinstance(actions, list) else frozenset()
        found[entry["name"]] = found.get(entry["name"], frozenset()) | granted
    return found
