"""Changes that several modules of faults of conditions/manifests have in common."""

from __future__ import annotations

from collections.abc import Callable

from reference.app import Registry
from reference.modifications import Apply, override
from reference.storage import Manifest


def removal(change: Callable[[Registry, str, Manifest, Callable[[str, str], None]], None]) -> Apply:
    """Remove manifests otherwise."""

    def apply(registry: Registry) -> None:
        remove = registry.manifests.remove

        def changed(name: str, digest: str) -> None:
            manifest = registry.storage.manifest(name, digest)
            if manifest is not None:
                change(registry, name, manifest, remove)

        override(registry.manifests, remove=changed)

    return apply


def is_tag(reference: str) -> bool:
    """Whether a manifest is named by a tag."""
    return ":" not in reference
