"""Faults of malformed manifests."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, Document
from reference.faults.push.manifests.shared import unread_manifests
from reference.grammar import digest_of, is_tag
from reference.messages import Handler, Message, Request, Response
from reference.modifications import Apply, Fault, around
from reference.storage import Manifest


def _is_reference(reference: str) -> bool:
    return ":" in reference or is_tag(reference)


@around("manifest.put")
async def _unread(registry: Registry, request: Request, handler: Handler) -> Response:
    """Store whatever comes, without reading it."""
    content = await request.body(registry.manifests.limit)
    if content is None:
        return await handler(request)

    async def again() -> Message:
        return {"type": "http.request", "body": content}

    request._receive = again
    try:
        return await handler(request)
    except errors.RegistryError as error:
        code = error.entries[0].code if error.entries else ""
        if code != "MANIFEST_INVALID" or error.status != 400 or not _is_reference(request.reference):
            raise
    manifest = Manifest(digest_of(content), request.headers.get("content-type"), content)
    registry.storage.put_manifest(request.name, manifest, None)
    return registry.manifests.created(request, manifest, Document(manifest.media_type, {}))


def _accepting(*kinds: str) -> Apply:
    """Say 201 to what is no manifest of some types."""
    stored = unread_manifests(*kinds)

    def apply(registry: Registry) -> None:
        stored(registry)
        put = registry.handlers["manifest.put"]

        async def changed(request: Request) -> Response:
            try:
                return await put(request)
            except errors.RegistryError as error:
                kind = request.headers.get("content-type")
                if kind in kinds and any(entry.code == "MANIFEST_INVALID" for entry in error.entries):
                    content = await request.body(0) or b""
                    location = f"/v2/{request.name}/manifests/{request.reference}"
                    return Response(201, [("Location", location), ("Docker-Content-Digest", digest_of(content))])
                raise

        registry.handlers["manifest.put"] = changed

    return apply


FAULTS = (
    Fault(
        name="manifest-malformed-accepted",
        title="The registry accepts a body that is no manifest.",
        breaks=("PUSH-MANIFEST-MALFORMED-REJECTED",),
        apply=_unread,
    ),
    Fault(
        name="index-not-validated",
        title="An index is not looked into: null is one.",
        breaks=("PUSH-MANIFEST-MALFORMED-REJECTED",),
        apply=_accepting(OCI_INDEX),
    ),
    Fault(
        name="docker-manifests-not-validated",
        title="Docker images and manifest lists are not looked into.",
        breaks=("PUSH-MANIFEST-MALFORMED-REJECTED",),
        apply=_accepting(DOCKER_MANIFEST, DOCKER_LIST),
    ),
    Fault(
        name="image-unreadable-500",
        title="A body that is no Docker image, pushed as one, gets 500.",
        breaks=("PUSH-MANIFEST-MALFORMED-REJECTED",),
        apply=unread_manifests(DOCKER_MANIFEST, status=500),
    ),
)
