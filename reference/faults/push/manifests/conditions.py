"""Faults of conditional pushes of manifests."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.push.manifests.shared import refused_and_stored
from reference.messages import Request
from reference.modifications import Fault, moved_tags, override


def _any_condition(registry: Registry) -> None:
    """If-Match may name any manifest of the repository."""
    check = registry.manifests.check_condition

    def changed(request: Request) -> None:
        named = request.headers.get("if-match").strip('"')
        if not named or registry.storage.manifest(request.name, named) is None:
            check(request)

    override(registry.manifests, check_condition=changed)


def _reversed_condition(registry: Registry) -> None:
    check = registry.manifests.check_condition

    def changed(request: Request) -> None:
        if not request.headers.get("if-match"):
            return
        try:
            check(request)
        except errors.RegistryError:
            return
        raise errors.condition_failed()

    override(registry.manifests, check_condition=changed)


def _condition_once(registry: Registry) -> None:
    """Refuse each push on a condition to a tag that was moved."""
    check, moved = registry.manifests.check_condition, moved_tags(registry)

    def changed(request: Request) -> None:
        if request.headers.get("if-match") and (request.name, request.reference) in moved:
            raise errors.condition_failed()
        check(request)

    override(registry.manifests, check_condition=changed)


FAULTS = (
    Fault(
        name="manifest-if-match-of-any",
        title="If-Match holds for the ETag of any manifest of the repository.",
        breaks=("PUSH-MANIFEST-IF-MATCH",),
        apply=_any_condition,
    ),
    Fault(
        name="manifest-if-match-reversed",
        title="If-Match is taken for If-None-Match.",
        breaks=("PUSH-MANIFEST-IF-MATCH",),
        apply=_reversed_condition,
    ),
    Fault(
        name="if-match-refused-and-moved",
        title="A push on the condition of a former ETag is refused, and the tag moved.",
        breaks=("PUSH-MANIFEST-IF-MATCH",),
        apply=refused_and_stored("DENIED"),
    ),
    Fault(
        name="if-match-lost-with-move",
        title="No condition holds for a tag that was moved once.",
        breaks=("PUSH-MANIFEST-IF-MATCH",),
        apply=_condition_once,
    ),
)
