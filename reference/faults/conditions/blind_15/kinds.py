"""Faults that show with one kind of object."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import DOCKER_MANIFEST, Document, parse
from reference.faults.shared import gzip_unpacked
from reference.grammar import digest_of
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override
from reference.resources import matches
from reference.storage import Manifest
from reference.storage.memory import MemoryContent

_DIGEST = "Docker-Content-Digest"
#: The entity tag of an empty type.
_EMPTY_TAG = f'"{digest_of(b"")}"'


@around("upload.put", "upload.start-digest")
async def _digest_of_unpacked(registry: Registry, request: Request, handler: Handler) -> Response:
    """A gzip layer is unpacked for its diff id, and the answer is made from the record of that."""
    response = await handler(request)
    known = response.headers.get(_DIGEST)
    content = registry.storage.open_blob(request.name, known) if response.status == 201 else None
    if isinstance(content, MemoryContent):
        unpacked = gzip_unpacked(content.data)
        if unpacked != content.data:
            response.headers.set(_DIGEST, digest_of(unpacked, known.partition(":")[0]))
    return response


def _only_entry_chosen(registry: Registry) -> None:
    """Where there is one manifest to choose no platform is asked for."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        children = Document(manifest.media_type, parse(manifest.content)).children
        only = registry.storage.manifest(request.name, children[0]) if len(children) == 1 else None
        if ":" in request.reference or only is None:
            return negotiate(request, manifest)
        return only

    override(registry.manifests, negotiate=changed)


def _docker_image_takes_blobs(registry: Registry) -> None:
    """The links of a Docker image are its own rows, and the deletion cascades to what they point to."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        remove(name, digest)
        if manifest is not None and manifest.media_type == DOCKER_MANIFEST:
            for blob in Document(manifest.media_type, parse(manifest.content)).blobs:
                registry.storage.delete_blob(name, blob)

    override(registry.manifests, remove=changed)


@around("manifest.get", "manifest.head")
async def _entity_tag_of_type(registry: Registry, request: Request, handler: Handler) -> Response:
    """The entity tag is made from the member mediaType, and digest; without the member from nothing at all."""
    manifest = registry.manifests.find(request.name, request.reference)
    if manifest is None or parse(manifest.content).get("mediaType"):
        return await handler(request)
    condition = ",".join(request.headers.all("if-none-match"))
    if condition and matches(condition, _EMPTY_TAG):
        return Response(304, [(_DIGEST, manifest.digest), ("ETag", _EMPTY_TAG)])
    response = await handler(request)
    response.headers.set("ETag", _EMPTY_TAG)
    return response


FAULTS = (
    Fault(
        name="push-of-gzip-told-as-diff-id",
        title="Docker-Content-Digest of the 201 to a blob that is a gzip file is the digest of what is packed in it.",
        breaks=("PUSH-PUT-DIGEST-HEADER-VALUE",),
        also=("PUSH-SINGLE-LOCATION-PULLABLE",),
        apply=_digest_of_unpacked,
    ),
    Fault(
        name="index-of-one-entry-resolved-by-tag",
        title="The tag of an index that lists one manifest alone yields that manifest, whatever Accept says.",
        breaks=("PULL-ACCEPT-INDEX-INTACT",),
        also=(
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-TYPE-OCI-INDEX",
            "PULL-TYPE-DOCKER-LIST",
            "PULL-ACCEPT-EXACT",
            "PULL-ACCEPT-LIST",
            "PULL-ACCEPT-MISMATCH",
            "PULL-ACCEPT-DOCKER-LIST",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BYTES-EXACT",
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-INDEX-ACCEPTED",
            "PUSH-MANIFEST-INDEX-NESTED",
            "BASE-TAG-ACCEPTED-KEPT",
        ),
        apply=_only_entry_chosen,
    ),
    Fault(
        name="docker-image-cascades-to-its-blobs",
        title="The deletion of a Docker image deletes its config and layers, even if another manifest names them.",
        breaks=("MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT",),
        also=("PUSH-BLOB-KEPT", "MGMT-MANIFEST-DELETE-REPUSH", "PULL-BLOB-GET-200", "PULL-BLOB-HEAD-200"),
        apply=_docker_image_takes_blobs,
    ),
    Fault(
        name="untyped-manifests-share-an-etag",
        title="Manifests without the member mediaType have one ETag, and a tag that moved between them gets 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        also=("PULL-CONSIST-TAG-MOVE", "PULL-CACHE-MANIFEST-304", "PULL-CACHE-304-ETAG", "PUSH-MANIFEST-IF-MATCH"),
        apply=_entity_tag_of_type,
    ),
)
