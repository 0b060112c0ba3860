"""Changes that several modules of variants of management have in common."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Apply, override
from reference.variants.shared import denied


def delete_as(status: int, tags: bool = True, manifests: bool = True, blobs: bool = True) -> Apply:
    """Refuse some deletions."""

    def apply(registry: Registry) -> None:
        manifest_delete, blob_delete = registry.handlers["manifest.delete"], registry.handlers["blob.delete"]

        def refuse() -> errors.RegistryError:
            allow = [("Allow", "GET, HEAD, PUT")] if status == 405 else []
            return errors.RegistryError(status, (errors.ErrorEntry("UNSUPPORTED"),), allow)

        async def manifest(request: Request) -> Response:
            if (manifests and ":" in request.reference) or (tags and ":" not in request.reference):
                raise refuse()
            return await manifest_delete(request)

        async def blob(request: Request) -> Response:
            if blobs:
                raise refuse()
            return await blob_delete(request)

        registry.handlers["manifest.delete"], registry.handlers["blob.delete"] = manifest, blob

    return apply


def deletions_refused(refused: Callable[[Registry, Request], errors.RegistryError | None]) -> Apply:
    """Some deletions of what is there are refused."""

    def apply(registry: Registry) -> None:
        check = registry.check_allowed

        def changed(request: Request) -> None:
            check(request)
            if request.operation in ("manifest.delete", "blob.delete"):
                error = refused(registry, request)
                if error is not None:
                    raise error

        override(registry, check_allowed=changed)

    return apply


def _is_there(registry: Registry, request: Request) -> bool:
    if request.operation == "blob.delete":
        return registry.storage.has_blob(request.name, request.reference)
    if ":" in request.reference:
        return registry.storage.manifest(request.name, request.reference) is not None
    return registry.storage.tag(request.name, request.reference) is not None


def retained(status: int) -> Apply:
    """What is there is held against deletion for longer than a run takes."""
    return deletions_refused(
        lambda registry, request: denied("a retention rule holds it", status) if _is_there(registry, request) else None
    )
