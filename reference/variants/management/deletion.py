"""Variants of deletions of every kind."""

from __future__ import annotations

import json
import time
from dataclasses import replace

from reference import errors
from reference.app import Registry
from reference.messages import Request
from reference.modifications import Variant, override
from reference.storage import Manifest
from reference.variants.management.shared import delete_as, deletions_refused, retained

_LAG = 0.3


def _deleted_later(registry: Registry) -> None:
    """Deletions are carried out a while later."""
    pending: list[tuple[float, object]] = []
    remove, remove_tag, remove_blob = registry.manifests.remove, registry.manifests.remove_tag, registry.blobs.remove
    check = registry.check_allowed

    def later(action: object) -> None:
        pending.append((time.monotonic() + _LAG, action))

    def due(request: Request) -> None:
        check(request)
        for entry in [entry for entry in pending if entry[0] <= time.monotonic()]:
            pending.remove(entry)
            entry[1]()  # type: ignore[operator]  # the second member is what is due

    def blob(name: str, digest: str) -> bool:
        if not registry.storage.has_blob(name, digest):
            return False
        later(lambda: remove_blob(name, digest))
        return True

    override(registry, check_allowed=due)
    override(
        registry.manifests,
        remove=lambda name, digest: later(lambda: remove(name, digest)),
        remove_tag=lambda name, tag: later(lambda: remove_tag(name, tag)),
    )
    override(registry.blobs, remove=blob)


def _without_delete(registry: Registry) -> None:
    registry.options = replace(registry.options, delete_enabled=False)


def _by_tag_only(_registry: Registry, request: Request) -> errors.RegistryError | None:
    if ":" in request.reference:
        return errors.unsupported(["GET", "HEAD", "PUT"] if request.operation == "manifest.delete" else ["GET", "HEAD"])
    return None


def _used_kept(registry: Registry) -> None:
    """A blob that a manifest has, and a manifest that an index has, cannot be deleted."""
    used: set[tuple[str, str]] = set()
    put, check = registry.storage.put_manifest, registry.check_allowed

    def remember(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        document = json.loads(manifest.content)
        parts = [document.get("config", {}), *document.get("layers", []), *document.get("manifests", [])]
        used.update((name, part["digest"]) for part in parts if "digest" in part)

    def changed(request: Request) -> None:
        check(request)
        if request.operation in ("blob.delete", "manifest.delete") and (request.name, request.reference) in used:
            raise errors.RegistryError(409, (errors.ErrorEntry("DENIED", "it is in use"),))

    override(registry.storage, put_manifest=remember)
    override(registry, check_allowed=changed)


VARIANTS = (
    Variant(
        name="deleted-later",
        title="A deletion takes effect after a while.",
        latitude=("DELETE-ASYNCHRONOUS",),
        options=("--settle", "2"),
        apply=_deleted_later,
    ),
    Variant(
        name="delete-disabled",
        title="Nothing can be deleted: 405.",
        latitude=("DELETE-UNSUPPORTED",),
        lacks=("delete-tag", "delete-manifest", "delete-blob"),
        apply=_without_delete,
    ),
    Variant(
        name="delete-disabled-400",
        title="Nothing can be deleted: 400.",
        latitude=("DELETE-UNSUPPORTED",),
        profiles=("oci-1.1", "oci-1.2-dev"),
        lacks=("delete-tag", "delete-manifest", "delete-blob"),
        warns=("MGMT-MANIFEST-DELETE-DISABLED-405", "MGMT-BLOB-DELETE-DISABLED-405"),
        apply=delete_as(400),
    ),
    Variant(
        name="deletions-denied",
        title="Nobody may delete: 403.",
        latitude=("DELETE-OF-USED-CONTENT",),
        lacks=("delete-manifest", "delete-tag", "delete-blob"),
        apply=retained(403),
    ),
    Variant(
        name="delete-by-tag-only",
        title="Tags can be deleted, manifests and blobs cannot: 405.",
        latitude=("DELETE-UNSUPPORTED",),
        lacks=("delete-manifest", "delete-blob"),
        apply=deletions_refused(_by_tag_only),
    ),
    Variant(
        name="delete-of-used-409",
        title="Content that is in use cannot be deleted.",
        latitude=("DELETE-OF-USED-CONTENT",),
        apply=_used_kept,
    ),
)
