"""Variants of scopes."""

from __future__ import annotations

from collections.abc import Mapping

from reference.app import Registry
from reference.messages import Request
from reference.modifications import Apply, Variant, override
from reference.modifications.shared import tokens_of


def _actions(named: Mapping[tuple[str, ...], tuple[str, ...]]) -> Apply:
    """Need other actions than usual."""

    def apply(registry: Registry) -> None:
        tokens = tokens_of(registry)
        actions = tokens.actions

        def changed(request: Request) -> tuple[str, ...]:
            usual = actions(request)
            return named.get(usual, usual)

        override(tokens, actions=changed)

    return apply


VARIANTS = (
    Variant(
        name="token-actions-apart",
        title="A push needs push alone, a deletion a star.",
        latitude=("LOGIN-SCOPE-VARIES",),
        configuration="token",
        apply=_actions({("pull", "push"): ("push",), ("delete",): ("*",)}),
    ),
)
