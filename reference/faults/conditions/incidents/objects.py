"""Faults that depend on the kind of an object."""

from __future__ import annotations

from collections.abc import Callable

from reference.app import Registry
from reference.documents import Json
from reference.faults.conditions.incidents.shared import document_of
from reference.modifications import Apply, Fault, override
from reference.storage import Manifest


def _no_referrers_of(kind: Callable[[Manifest], bool]) -> Apply:
    """List no referrers of a subject of some kind, where it is there."""

    def apply(registry: Registry) -> None:
        collect = registry.referrers.collect

        def changed(name: str, subject: str) -> list[Json]:
            manifest = registry.storage.manifest(name, subject)
            return [] if manifest is not None and kind(manifest) else collect(name, subject)

        override(registry.referrers, collect=changed)

    return apply


FAULTS = (
    Fault(
        name="referrers-of-referrers-unlisted",
        title="What refers to a manifest that has a subject itself is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE", "DISC-REFERRERS-COMPLETE-INDEX"),
        apply=_no_referrers_of(lambda manifest: document_of(manifest).subject is not None),
    ),
)
