"""Variants of the token service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reference.messages import Response
from reference.modifications import Variant, override

if TYPE_CHECKING:
    from reference.tokens.app import TokenService


def _plain(service: TokenService) -> None:
    """Knows GET alone, and gives access_token and no other member."""
    service.config.oauth = False
    document = service.document

    def changed(value: Mapping[str, Any], status: int = 200) -> Response:
        return document({"access_token": value["token"]} if "token" in value else value, status)

    override(service, document=changed)


def _talkative(service: TokenService) -> None:
    """Further members, a time with a fraction, and a refresh token that is none."""
    document = service.document

    def changed(value: Mapping[str, Any], status: int = 200) -> Response:
        more = {"issued_at": value["issued_at"].replace("Z", ".123456789Z")} if "issued_at" in value else {}
        return document({**value, **more, "id": 7, "realm": {"name": "tests"}}, status)

    override(service, document=changed)


VARIANTS = (
    Variant(
        name="token-service-minimal",
        title="The token service knows GET alone; its answer has access_token and no other member.",
        latitude=("LOGIN-TOKEN-ANSWER", "LOGIN-OAUTH-PARTS-ABSENT"),
        configuration="token",
        tokens=_plain,
    ),
    Variant(
        name="token-service-with-more-members",
        title="The token service adds members, and fractions to its times.",
        latitude=("LOGIN-TOKEN-ANSWER", "JSON-EXTRA-MEMBERS"),
        configuration="token",
        tokens=_talkative,
    ),
)
