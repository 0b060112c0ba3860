"""Faults of pushes of manifests, after public reports of bugs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, IMAGES, OCI_INDEX, OCI_MANIFEST, Document
from reference.errors import ErrorEntry, RegistryError
from reference.faults.shared import answered_500
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, around, on, override
from reference.storage import Manifest

#: Seconds that a push of a manifest has its row for.
_TRANSACTION = 0.03
#: Why a manifest is refused; None where it is not.
_Refusal = Callable[[Document], RegistryError | None]


def _refused_where(refusal: _Refusal) -> Apply:
    """Refuse some manifests that are right, when their references are looked at."""

    def apply(registry: Registry) -> None:
        check = registry.manifests.check_references

        def changed(name: str, document: Document) -> None:
            error = refusal(document)
            if error is not None:
                raise error
            check(name, document)

        override(registry.manifests, check_references=changed)

    return apply


def _config_of_no_bytes(document: Document) -> RegistryError | None:
    """The reader of the config comes to its end at once."""
    if document.media_type in IMAGES and document.members["config"]["size"] == 0:
        return RegistryError(500, (ErrorEntry("UNKNOWN", "EOF"),))
    return None


def _docker_entry(document: Document) -> RegistryError | None:
    """The schema of an index has an enumeration of types for its entries."""
    if document.media_type != OCI_INDEX:
        return None
    types = [entry["mediaType"] for entry in document.members["manifests"]]
    wrong = DOCKER_MANIFEST in types
    return errors.manifest_invalid(f"{DOCKER_MANIFEST!r} is not one of the types of an entry") if wrong else None


def _artifact_with_subject(document: Document) -> RegistryError | None:
    """What has both members of 1.1 is no known JSON."""
    if document.subject is None or not document.members.get("artifactType"):
        return None
    return errors.unsupported(["GET", "HEAD", "PUT", "DELETE"], "Invalid parameter at 'ImageManifest'")


def _empty_docker_list(document: Document) -> RegistryError | None:
    """A list needs a first entry."""
    if document.media_type == DOCKER_LIST and not document.members["manifests"]:
        return RegistryError(500, (ErrorEntry("UNKNOWN", "internal error"),))
    return None


def _layer_of_json(document: Document) -> RegistryError | None:
    """A layer is an archive."""
    if document.media_type != OCI_MANIFEST:
        return None
    wrong = any(layer["mediaType"].endswith("+json") for layer in document.members["layers"])
    return errors.manifest_invalid("manifest invalid") if wrong else None


def _second_row(registry: Registry) -> None:
    """Each push makes a row, and a digest must have one."""
    doubled: set[tuple[str, str]] = set()
    put, remove = registry.storage.put_manifest, registry.manifests.remove

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        if registry.storage.manifest(name, manifest.digest) is not None:
            doubled.add((name, manifest.digest))
        put(name, manifest, subject)

    def removed(name: str, digest: str) -> None:
        doubled.discard((name, digest))
        remove(name, digest)

    @around("manifest.get", "manifest.head")
    async def looked_up(_registry: Registry, request: Request, handler: Handler) -> Response:
        if (request.name, request.reference) in doubled:
            return answered_500(request)
        return await handler(request)

    override(registry.storage, put_manifest=stored)
    override(registry.manifests, remove=removed)
    looked_up(registry)


def _row_of_a_reference(registry: Registry) -> None:
    """Two pushes to one reference insert the same row."""
    busy: set[tuple[str, str]] = set()
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        row = request.name, request.reference
        if row in busy:
            return answered_500(request)
        busy.add(row)
        try:
            await asyncio.sleep(_TRANSACTION)
            return await put(request)
        finally:
            busy.discard(row)

    registry.handlers["manifest.put"] = changed


def _subject_of_docker_untold(registry: Registry) -> None:
    """A subject is one of the types of OCI."""
    created = registry.manifests.created

    def changed(request: Request, manifest: Manifest, document: Document) -> Response:
        response = created(request, manifest, document)
        subject = document.members.get("subject") or {}
        if str(subject.get("mediaType", "")).startswith("application/vnd.docker."):
            response.headers.drop("OCI-Subject")
        return response

    override(registry.manifests, created=changed)


def _without_algorithm(_request: Request, response: Response) -> None:
    digest = response.headers.get("Docker-Content-Digest")
    response.headers.set("Docker-Content-Digest", digest.partition(":")[2])


FAULTS = (
    Fault(
        # https://github.com/go-gitea/gitea/issues/25846
        name="config-of-no-bytes-500",
        title="The push of a manifest whose config is the blob of no bytes is answered 500.",
        breaks=(
            "PUSH-MANIFEST-CONFIG-TYPE-UNKNOWN",
            "PUSH-BLOB-KEPT",
        ),
        apply=_refused_where(_config_of_no_bytes),
    ),
    Fault(
        # https://github.com/openshift/oc-mirror/issues/253
        name="oci-index-of-docker-images-refused",
        title="An OCI index is refused as invalid where an entry is a Docker image, which is there.",
        breaks=("PUSH-MANIFEST-INDEX-ACCEPTED", "PUSH-MANIFEST-INDEX-CHILD-TYPE-UNKNOWN"),
        apply=_refused_where(_docker_entry),
    ),
    Fault(
        # https://github.com/aws/containers-roadmap/issues/2783
        name="artifact-with-subject-405",
        title="The push of a manifest that has an artifactType and a subject is answered 405.",
        breaks=(
            "PUSH-MANIFEST-ARTIFACT-TYPE-UNKNOWN",
            "PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED",
            "PUSH-MANIFEST-STATUS-201",
        ),
        also=(
            "PUSH-MANIFEST-SUBJECT-INDEX-ABSENT-ACCEPTED",
            "PUSH-MANIFEST-OCI-SUBJECT-PRESENT",
            "DISC-REFERRERS-COMPLETE",
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",
        ),
        apply=_refused_where(_artifact_with_subject),
    ),
    Fault(
        # https://github.com/mirendev/runtime/pull/283
        name="manifest-of-two-rows-500-by-digest",
        title="A manifest that was pushed twice gets 500 by its digest.",
        breaks=("PUSH-MANIFEST-KEPT",),
        also=(
            "PULL-MANIFEST-GET-DIGEST-200",
            "PULL-MANIFEST-HEAD-200",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
        ),
        apply=_second_row,
    ),
    Fault(
        # https://github.com/portainer/portainer/issues/7073
        name="pushes-to-one-reference-at-once-500",
        title="Of two manifests that are pushed to the same tag or digest at the same time one gets 500.",
        breaks=("BASE-CONCURRENT-NO-500",),
        apply=_row_of_a_reference,
    ),
    Fault(
        # https://github.com/pulp/pulp_container/issues/853
        name="docker-list-of-nothing-500",
        title="The push of a Docker manifest list that lists nothing is answered 500.",
        breaks=("PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED", "BASE-ERROR-STRANGE-INPUT"),
        apply=_refused_where(_empty_docker_list),
    ),
    Fault(
        # https://github.com/sigstore/cosign/issues/1994
        name="layer-of-a-json-type-refused",
        title="A manifest is refused as invalid where the type of a layer ends in +json, as in signatures.",
        breaks=("PUSH-MANIFEST-LAYER-TYPE-UNKNOWN",),
        also=("PUSH-MANIFEST-ARTIFACT-TYPE-UNKNOWN",),
        apply=_refused_where(_layer_of_json),
    ),
    Fault(
        # https://github.com/goharbor/harbor/issues/18865
        name="docker-subject-untold",
        title="The push of a manifest whose subject is described as a Docker manifest has no OCI-Subject.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-PRESENT",),
        apply=_subject_of_docker_untold,
    ),
    Fault(
        # https://github.com/GoogleContainerTools/kaniko/issues/298
        name="digest-of-completed-upload-without-algorithm",
        title="Docker-Content-Digest of a completed upload is the hexadecimal part alone.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR", "PUSH-PUT-DIGEST-HEADER-VALUE"),
        apply=on("upload.put", status=201, change=_without_algorithm),
    ),
)
