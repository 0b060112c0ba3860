"""Variants of mounts."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.grammar import is_supported
from reference.messages import Request, Response
from reference.modifications import OCI, Variant, override
from reference.variants.shared import denied


def _mounts_denied(registry: Registry) -> None:
    """Nobody may mount from another repository."""

    async def refuse(_request: Request) -> Response:
        raise denied("nothing is mounted from another repository")

    registry.handlers["upload.mount"] = refuse


def _unmountable(registry: Registry) -> None:
    """What cannot be mounted is not there: no session is opened instead."""
    mount = registry.handlers["upload.mount"]

    async def changed(request: Request) -> Response:
        response = await mount(request)
        if response.status == 201 or request.query.get("from") is None:
            return response
        raise errors.blob_unknown(request.query.get("mount") or "")

    registry.handlers["upload.mount"] = changed


def _no_mount(registry: Registry) -> None:
    override(registry.uploads, mounted=lambda _source, _name, _digest: False)


def _mount_from_anywhere(registry: Registry) -> None:
    mounted = registry.uploads.mounted

    def changed(source: str | None, name: str, digest: str) -> bool:
        if source is not None or not is_supported(digest):
            return mounted(source, name, digest)
        return any(mounted(other, name, digest) for other in registry.storage.repositories())

    override(registry.uploads, mounted=changed)


VARIANTS = (
    Variant(
        name="mounts-denied",
        title="A mount returns 403.",
        latitude=("MOUNT-IMPOSSIBLE-STATUS",),
        profiles=OCI,
        lacks=("mount",),
        warns=("PUSH-MOUNT-STATUS",),
        apply=_mounts_denied,
    ),
    Variant(
        name="mount-failed-404",
        title="A mount that cannot be done returns 404.",
        latitude=("MOUNT-IMPOSSIBLE-STATUS",),
        profiles=OCI,
        warns=("PUSH-MOUNT-FALLBACK-UNKNOWN-SOURCE-202",),
        apply=_unmountable,
    ),
    Variant(
        name="mount-202",
        title="Every mount opens a session.",
        latitude=("MOUNT-202",),
        lacks=("mount",),
        apply=_no_mount,
    ),
    Variant(
        name="mount-from-anywhere",
        title="A mount without from finds the blob in any repository.",
        latitude=("MOUNT-WITHOUT-FROM",),
        apply=_mount_from_anywhere,
    ),
)
