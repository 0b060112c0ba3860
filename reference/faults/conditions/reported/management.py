"""Faults of deletion and of errors, after public reports."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.documents import Document, parse
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, answers, around


@around("manifest.delete")
async def _untagged_unknown(registry: Registry, request: Request, handler: Handler) -> Response:
    """What is deleted is looked for by way of the tags."""
    digest = registry.manifests.resolve(request.name, request.reference)
    if digest == request.reference and not registry.storage.tags_of(request.name, digest):
        raise registry.manifests.unknown(request)
    return await handler(request)


def _json_string(_request: Request, response: Response) -> None:
    """What the framework says is put into JSON as it is."""
    if b"NAME_UNKNOWN" in response.body:
        response.headers.set("Content-Type", "application/json")
        response.body = b'"404 page not found"'


def _blobs_for_manifests(registry: Registry) -> None:
    """The first deletion of a blob among the manifests seems to be done."""
    seen: set[tuple[str, str]] = set()

    @around("manifest.delete")
    async def changed(registry: Registry, request: Request, handler: Handler) -> Response:
        place = (request.name, request.reference)
        is_blob = ":" in request.reference and registry.storage.has_blob(*place)
        if is_blob and registry.storage.manifest(*place) is None and place not in seen:
            seen.add(place)
            return Response(202)
        return await handler(request)

    changed(registry)


@around("manifest.delete")
async def _children_wanted(registry: Registry, request: Request, handler: Handler) -> Response:
    """Whoever deletes the tag of an index looks at all that it lists."""
    digest = registry.storage.tag(request.name, request.reference)
    manifest = registry.storage.manifest(request.name, digest) if digest is not None else None
    if manifest is not None:
        children = Document(manifest.media_type, parse(manifest.content)).children
        if not all(registry.manifests.holds(request.name, child) for child in children):
            raise errors.internal(request.id)
    return await handler(request)


FAULTS = (
    # artifact-keeper/artifact-keeper issue 1681: a manifest without tags can be pulled and not be deleted.
    Fault(
        name="delete-of-untagged-404",
        title="DELETE by digest of a manifest that has no tag gets 404, though GET gives it.",
        breaks=("MGMT-MANIFEST-DELETE-202",),
        also=("MGMT-MANIFEST-DELETE-DISABLED-400-405",),
        apply=_untagged_unknown,
    ),
    # Trow-Registry/trow issue 264: the error is a string in JSON, and no object.
    Fault(
        name="unknown-repository-error-is-a-string",
        title="The error for a manifest of an unknown repository is a JSON string, and no object.",
        breaks=("BASE-ERROR-JSON-SHAPE",),
        apply=answers("manifest.get", status=404, change=_json_string),
    ),
    # distribution issue 1738: the digest of the config in the place of the manifest's.
    Fault(
        name="config-deleted-as-manifest-202",
        title="DELETE of a manifest by the digest of a blob returns 202, and 404 the second time.",
        breaks=("MGMT-MANIFEST-DELETE-UNKNOWN-404",),
        apply=_blobs_for_manifests,
    ),
    # zot issue 3273: an index of which a part is missing.
    Fault(
        name="tag-of-incomplete-index-500",
        title="DELETE of the tag of an index gets 500 once a manifest that it lists is deleted.",
        breaks=("MGMT-TAG-DELETE-202",),
        apply=_children_wanted,
    ),
)
