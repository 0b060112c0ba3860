"""Faults of operations that influence each other."""

from __future__ import annotations

from reference.app import Registry
from reference.faults.conditions.incidents.shared import document_of, unlisted_referrers
from reference.modifications import Fault, override


def _referrers_by_type(registry: Registry) -> None:
    storage = registry.storage
    hidden = unlisted_referrers(registry)
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = storage.manifest(name, digest)
        document = document_of(manifest) if manifest is not None else None
        remove(name, digest)
        if document is None or document.subject is None:
            return
        for other in storage.referrers(name, document.subject):
            found = storage.manifest(name, other)
            if found is not None and document_of(found).artifact_type == document.artifact_type:
                hidden.add((name, other))

    override(registry.manifests, remove=changed)


FAULTS = (
    Fault(
        name="referrers-unlisted-with-one-of-their-type",
        title="With a referrer that is deleted those of its type are no longer listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        apply=_referrers_by_type,
    ),
)
