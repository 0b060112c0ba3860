"""Faults of tokens, after public reports."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from reference.messages import Request, Response
from reference.modifications import Fault, override

if TYPE_CHECKING:
    from reference.tokens.app import TokenService


def _offline_for_nobody(service: TokenService) -> None:
    """A token for a resource that is asked for together with a refresh token is made for another service."""
    get = service.get

    async def changed(request: Request) -> Response:
        response = await get(request)
        granted = service.granted(service.account(request), request.query.all("scope"))
        if request.query.get("offline_token") != "true" or not granted or response.status != 200:
            return response
        claims = service.claims(service.account(request), "offline", granted, time.time())
        token = service.signer.sign(claims)
        return service.document({**json.loads(response.body), "token": token, "access_token": token})

    override(service, get=changed)


FAULTS = (
    # regclient issue 865: harbor, and a client that asks for a refresh token with each token.
    Fault(
        name="offline-token-refused",
        title="The registry refuses a token for a repository that was given with offline_token=true.",
        breaks=("AUTH-VALID-CREDENTIALS-ACCEPTED",),
        configuration="token",
        tokens=_offline_for_nobody,
    ),
    # clouddriver pull 2215: a registry that says so with 400.
)
