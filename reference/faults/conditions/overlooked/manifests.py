"""Faults of manifests: what real clients accept, parts that several images have, what comes later."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from reference import errors
from reference.app import Registry
from reference.documents import Document, parse
from reference.faults.conditions.edges.shared import refused
from reference.faults.conditions.overlooked.blobs import takes_gzip
from reference.messages import JSON, Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest, Upload

#: Fields of Accept that are looked at.
_FIELDS = 3


def _types(fields: list[str]) -> set[str]:
    return {part.partition(";")[0].strip().lower() for part in ",".join(fields).split(",")}


def _json_where_taken(registry: Registry) -> None:
    """The framework negotiates, and what it has is a JSON document."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        manifest = negotiate(request, manifest)
        return replace(manifest, media_type=JSON) if JSON in _types(request.headers.all("accept")) else manifest

    override(registry.manifests, negotiate=changed)


def _three_fields(registry: Registry) -> None:
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        fields = request.headers.all("accept")
        if len(fields) > _FIELDS and not _types(fields[:_FIELDS]) & {manifest.media_type, "*/*", "application/*"}:
            raise errors.manifest_unknown(request.reference)
        return negotiate(request, manifest)

    override(registry.manifests, negotiate=changed)


def _typed_by_what_came_last(registry: Registry) -> None:
    """One row for each digest: a blob of the bytes of a manifest takes the type of that with it."""
    commit, stored = registry.storage.commit_upload, registry.storage.manifest
    blobs: set[tuple[str, str]] = set()

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        listed = [*digests]
        commit(upload, listed)
        blobs.update((upload.repository, digest) for digest in listed)

    def changed(name: str, digest: str) -> Manifest | None:
        manifest = stored(name, digest)
        spoilt = manifest is not None and (name, digest) in blobs
        return replace(manifest, media_type="application/octet-stream") if manifest and spoilt else manifest

    override(registry.storage, commit_upload=committed, manifest=changed)


def _packed_length(request: Request, response: Response) -> None:
    """A HEAD goes through the filter that packs, and nothing but its length is told."""
    if takes_gzip(request):
        response.headers.set("Content-Length", str(len(gzip.compress(response.body))))


def _document(manifest: Manifest) -> Document:
    return Document(manifest.media_type, parse(manifest.content))


def _first_layer_counted(registry: Registry) -> None:
    """Who else needs a layer is looked up by config and first layer, as they are joined with the manifest."""
    remove, storage = registry.manifests.remove, registry.storage

    def changed(name: str, digest: str) -> None:
        manifest = storage.manifest(name, digest)
        remove(name, digest)
        for layer in _document(manifest).blobs[2:] if manifest is not None else []:
            storage.delete_blob(name, layer)

    override(registry.manifests, remove=changed)


def _mounts_uncounted(registry: Registry) -> None:
    """What a deleted manifest alone needed goes with its links, and a mount is one."""
    storage = registry.storage
    mount, remove = storage.mount_blob, registry.manifests.remove
    links: dict[tuple[str, str], set[str]] = defaultdict(set)

    def mounting(source: str, name: str, digest: str) -> bool:
        fresh = not storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and fresh:
            links[source, digest].add(name)
        return done

    def changed(name: str, digest: str) -> None:
        manifest = storage.manifest(name, digest)
        remove(name, digest)
        if manifest is None:
            return
        others = [storage.manifest(name, other) for other in storage.manifests(name)]
        needed = {blob for other in others if other is not None for blob in _document(other).blobs}
        for blob in set(_document(manifest).blobs) - needed:
            for there in links.pop((name, blob), ()):
                storage.delete_blob(there, blob)

    override(storage, mount_blob=mounting)
    override(registry.manifests, remove=changed)


def _deleted_once(registry: Registry) -> None:
    """A deletion is a mark of its own, which is made once for a tag, and read when it is made."""
    remove = registry.manifests.remove_tag
    marks: set[tuple[str, str]] = set()

    def changed(name: str, tag: str) -> None:
        if (name, tag) not in marks:
            marks.add((name, tag))
            remove(name, tag)

    override(registry.manifests, remove_tag=changed)


def _takes_no_errors(request: Request) -> bool:
    """Whether Accept has no type that the answer to a deletion could have."""
    types = _types(request.headers.all("accept"))
    return types != {""} and not types & {"*/*", "application/*", JSON}


def _quotes_as_they_are(registry: Registry) -> None:
    """The body of an error is put together from texts."""
    refuse = registry.refuse

    def changed(request: Request, error: errors.RegistryError) -> Response:
        response = refuse(request, error)
        response.body = response.body.replace(b'\\"', b'"')
        return response

    override(registry, refuse=changed)


FAULTS = (
    Fault(
        name="blob-of-manifest-bytes-takes-its-type",
        title="A manifest is typed application/octet-stream once a blob of its bytes is pushed.",
        breaks=("PUSH-MANIFEST-KEPT",),
        also=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        apply=_typed_by_what_came_last,
    ),
    Fault(
        name="manifest-labelled-json-where-json-is-taken",
        title="A manifest is labelled application/json for a client whose Accept has that type, too.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        also=(
            "PULL-ACCEPT-LIST",
            "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
            "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-TYPE-OCI-IMAGE",
        ),
        apply=_json_where_taken,
    ),
    Fault(
        name="fourth-accept-field-passed-over",
        title="Of more than three Accept fields the first three count; a type in a later one gets 404.",
        breaks=("PULL-ACCEPT-REPEATED-FIELD",),
        also=("PULL-MANIFEST-GET-TAG-200", "PULL-MANIFEST-GET-DIGEST-200", "PULL-MANIFEST-HEAD-200"),
        apply=_three_fields,
    ),
    Fault(
        name="head-of-manifest-tells-packed-length",
        title="HEAD of a manifest by a client that takes gzip tells the length of the packed manifest.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=on("manifest.head", status=200, change=_packed_length),
    ),
    Fault(
        name="layers-behind-the-first-deleted-with-an-image",
        title="The deletion of an image deletes its layers but the first, also those that another image has.",
        breaks=("MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT",),
        also=("PUSH-BLOB-KEPT", "MGMT-MANIFEST-DELETE-OTHERS-KEPT"),
        apply=_first_layer_counted,
    ),
    Fault(
        name="mounted-blobs-gone-with-an-image-of-the-source",
        title="The deletion of an image takes its blobs from the repositories that mounted them from there.",
        breaks=("MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-BLOB-KEPT", "PUSH-MOUNT-BLOB-AVAILABLE"),
        apply=_mounts_uncounted,
    ),
    Fault(
        name="tag-deleted-twice-stays",
        title="A tag that was deleted and pushed again stays when it is deleted the second time.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=("MGMT-TAG-DELETE-HEAD-404", "MGMT-TAG-DELETE-NOT-LISTED", "MGMT-TAG-DELETE-UNKNOWN-404"),
        apply=_deleted_once,
    ),
    Fault(
        name="deletion-not-acceptable-to-types-of-manifests",
        title="The deletion of a manifest is answered 406 where Accept has the types of manifests alone.",
        breaks=("MGMT-MANIFEST-DELETE-202",),
        also=("MGMT-TAG-DELETE-202", "MGMT-MANIFEST-DELETE-DISABLED-400-405", "MGMT-TAG-DELETE-DISABLED-400-405"),
        apply=refused("manifest.delete", when=_takes_no_errors, error=lambda _request: errors.RegistryError(406)),
    ),
    Fault(
        name="error-repeats-quotation-marks",
        title="The JSON of an error repeats a quotation mark of the reference as it is, and cannot be read.",
        breaks=("BASE-ERROR-JSON-SHAPE",),
        also=("BASE-ERROR-JSON-PRESENT", "BASE-ERROR-NONEMPTY"),
        apply=_quotes_as_they_are,
    ),
)
