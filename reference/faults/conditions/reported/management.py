"""Faults of deletion and of errors, after public reports."""

from __future__ import annotations

from reference.app import Registry
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
)
