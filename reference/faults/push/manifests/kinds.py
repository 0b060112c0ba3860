"""Faults of the kinds of manifests that are accepted."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, INDEXES, OCI_INDEX, OCI_MANIFEST, Document
from reference.faults.push.manifests.shared import (
    KNOWN,
    denied_where,
    invalid_manifest,
    manifests_refused_where,
    refused_where,
)
from reference.faults.shared import IsRequest, busy, no_answer
from reference.modifications import Fault, override

_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
_LAYERS = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")


def _is_other_config(document: Document) -> bool:
    return document.media_type == OCI_MANIFEST and document.members["config"]["mediaType"] not in _CONFIGS


def _has_other_layer(document: Document) -> bool:
    layers = document.members.get("layers", []) if document.media_type == OCI_MANIFEST else []
    return any(not layer["mediaType"].startswith(_LAYERS) for layer in layers)


def _asks_for_foreign_layers(registry: Registry) -> None:
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        layers = document.members.get("layers", [])
        foreign = [layer["digest"] for layer in layers if isinstance(layer, dict) and layer.get("urls")]
        if foreign:
            raise errors.RegistryError(500, (errors.ErrorEntry("UNKNOWN"),))
        check(name, document)

    override(registry.manifests, check_references=changed)


def _empty_index(_registry: Registry, _name: str, document: Document) -> bool:
    return document.media_type in INDEXES and not document.members["manifests"]


def _entries(document: Document) -> list[dict[str, object]]:
    return list(document.members["manifests"]) if document.media_type in INDEXES else []


def _nested(_registry: Registry, _name: str, document: Document) -> bool:
    return any(entry["mediaType"] in INDEXES for entry in _entries(document))


def _unknown_entry(_registry: Registry, _name: str, document: Document) -> bool:
    return any(entry["mediaType"] not in KNOWN for entry in _entries(document))


def _is_typed(media_type: str) -> IsRequest:
    return lambda request: request.headers.get("content-type") == media_type


FAULTS = (
    Fault(
        name="config-type-refused",
        title="A config of an unknown type is refused.",
        breaks=("PUSH-MANIFEST-CONFIG-TYPE-UNKNOWN",),
        apply=refused_where(_is_other_config, invalid_manifest),
    ),
    Fault(
        name="layer-type-refused",
        title="A layer of an unknown type is refused.",
        breaks=("PUSH-MANIFEST-LAYER-TYPE-UNKNOWN",),
        # An artifact has such layers too.
        also=("PUSH-MANIFEST-ARTIFACT-TYPE-UNKNOWN",),
        apply=refused_where(_has_other_layer, invalid_manifest),
    ),
    Fault(
        name="artifact-type-refused",
        title="A manifest with artifactType is refused.",
        breaks=("PUSH-MANIFEST-ARTIFACT-TYPE-UNKNOWN",),
        # Referrers that are told by it cannot be pushed.
        also=("DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",),
        apply=refused_where(lambda document: bool(document.members.get("artifactType")), invalid_manifest),
    ),
    Fault(
        name="index-refused",
        title="An index gets 404.",
        breaks=("PUSH-MANIFEST-INDEX-ACCEPTED",),
        # Every other statement about an index needs one.
        also=("PULL-TYPE-OCI-INDEX", "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE"),
        apply=refused_where(
            lambda document: document.media_type == OCI_INDEX, lambda: errors.manifest_unknown("index")
        ),
    ),
    Fault(
        name="index-without-platform-refused",
        title="An index that has an image without platform is refused.",
        breaks=("PUSH-MANIFEST-INDEX-NO-PLATFORM",),
        apply=refused_where(
            lambda document: (
                document.media_type == OCI_INDEX
                and any(
                    entry["mediaType"] == OCI_MANIFEST and "platform" not in entry
                    for entry in document.members["manifests"]
                )
            ),
            invalid_manifest,
        ),
    ),
    Fault(
        name="layers-empty-refused",
        title="An image manifest without layers is refused.",
        breaks=("PUSH-MANIFEST-EMPTY-LAYERS",),
        apply=refused_where(
            lambda document: document.media_type == OCI_MANIFEST and not document.members["layers"], invalid_manifest
        ),
    ),
    Fault(
        name="foreign-layer-missing",
        title="A manifest with a layer that is never to be pushed gets 500.",
        breaks=("PUSH-MANIFEST-FOREIGN-LAYER",),
        apply=_asks_for_foreign_layers,
    ),
    Fault(
        name="index-denied",
        title="An index gets 403 DENIED.",
        breaks=("PUSH-MANIFEST-INDEX-ACCEPTED",),
        also=("PULL-TYPE-OCI-INDEX", "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE", "PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED"),
        apply=denied_where(lambda _registry, _name, document: document.media_type in INDEXES[:1]),
    ),
    Fault(
        name="index-empty-refused",
        title="An index of nothing is refused.",
        breaks=("PUSH-MANIFEST-INDEX-EMPTY",),
        apply=manifests_refused_where(_empty_index),
    ),
    Fault(
        name="index-nested-refused",
        title="An index of an index is refused.",
        breaks=("PUSH-MANIFEST-INDEX-NESTED",),
        apply=manifests_refused_where(_nested),
    ),
    Fault(
        name="index-entry-of-unknown-type-refused",
        title="An index with an entry of an unknown type is refused.",
        breaks=("PUSH-MANIFEST-INDEX-CHILD-TYPE-UNKNOWN",),
        apply=manifests_refused_where(_unknown_entry),
    ),
    Fault(
        name="docker-list-refused",
        title="A Docker manifest list is refused, a Docker image is not.",
        breaks=("PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED",),
        apply=manifests_refused_where(lambda _registry, _name, document: document.media_type == DOCKER_LIST),
    ),
    Fault(
        name="index-503",
        title="The push of an image index returns 503.",
        breaks=("PUSH-MANIFEST-INDEX-ACCEPTED",),
        apply=busy(503, "manifest.put", when=_is_typed(OCI_INDEX)),
    ),
    Fault(
        name="docker-manifest-closes",
        title="The connection is closed at the push of a Docker manifest.",
        breaks=("PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED",),
        apply=no_answer("manifest.put", when=_is_typed(DOCKER_MANIFEST)),
    ),
)
