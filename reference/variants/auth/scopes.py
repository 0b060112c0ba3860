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


def _by_method(registry: Registry) -> None:
    """The method alone says what is needed: a look at an upload is a pull, and its end a deletion."""
    tokens = tokens_of(registry)
    actions = tokens.actions
    named = {"upload.get": ("pull",), "upload.delete": ("delete",)}

    def changed(request: Request) -> tuple[str, ...]:
        return named.get(request.operation) or actions(request)

    override(tokens, actions=changed)


VARIANTS = (
    Variant(
        name="token-actions-by-method",
        title="The status of an upload is told to who may pull, and who may delete cancels it.",
        latitude=("LOGIN-SCOPE-VARIES",),
        configuration="token",
        apply=_by_method,
    ),
    Variant(
        name="token-actions-apart",
        title="A push needs push alone, a deletion a star.",
        latitude=("LOGIN-SCOPE-VARIES",),
        configuration="token",
        apply=_actions({("pull", "push"): ("push",), ("delete",): ("*",)}),
    ),
)
