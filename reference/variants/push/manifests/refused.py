"""Variants of manifests that are refused."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import Document
from reference.messages import Handler, Request, Response
from reference.modifications import OCI, Variant, answers, around, override

_MIB = 1 << 20


def _manifest_limit(limit: int) -> Callable[[Registry], None]:
    return lambda registry: override(registry.manifests, limit=limit)


def _anything_missing(registry: Registry) -> None:
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        try:
            check(name, document)
        except errors.RegistryError as error:
            if "MANIFEST_BLOB_UNKNOWN" not in {entry.code for entry in error.entries}:
                raise

    override(registry.manifests, check_references=changed)


def _missing_as_404(_request: Request, response: Response) -> None:
    if b"MANIFEST_BLOB_UNKNOWN" in response.body:
        response.status, response.body = 404, response.body.replace(b"MANIFEST_BLOB_UNKNOWN", b"BLOB_UNKNOWN")


def _unlimited(registry: Registry) -> None:
    registry.manifests.limit = 1 << 30


@around("manifest.put")
async def _type_required(_registry: Registry, request: Request, handler: Handler) -> Response:
    """A push needs a Content-Type, and it must be that of the body."""
    if not request.headers.get("content-type"):
        raise errors.manifest_invalid("there is no Content-Type", 415)
    return await handler(request)


VARIANTS = (
    Variant(
        name="manifest-above-1-mib-413",
        title="Manifests above 1 MiB get 413.",
        latitude=("SIZE-OR-QUOTA-REFUSED",),
        profiles=("docker-v2", "oci-1.0"),
        warns=("PUSH-MANIFEST-4MB-ACCEPTED",),
        apply=_manifest_limit(_MIB),
    ),
    Variant(
        name="missing-content-accepted",
        title="Manifests are accepted whose content is missing.",
        latitude=("MANIFEST-MISSING-REFERENCES",),
        apply=_anything_missing,
    ),
    Variant(
        name="missing-content-404",
        title="Manifests whose content is missing get 404 BLOB_UNKNOWN.",
        latitude=("MISSING-REFERENCE-CODE",),
        profiles=OCI,
        warns=("PUSH-MANIFEST-MISSING-BLOB-400",),
        apply=answers("manifest.put", status=400, change=_missing_as_404),
    ),
    Variant(
        name="manifest-size-unlimited",
        title="Manifests may be of any size.",
        latitude=("MANIFEST-SIZE-LIMIT",),
        apply=_unlimited,
    ),
    Variant(
        name="push-type-required",
        title="A manifest without Content-Type is refused.",
        latitude=("CONTENT-TYPE-NOT-DECLARED",),
        apply=_type_required,
    ),
)
