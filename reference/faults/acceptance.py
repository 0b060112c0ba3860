"""Faults of pushed manifests that should be accepted, or kept as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from reference import errors
from reference.app import Registry
from reference.documents import OCI_INDEX, OCI_MANIFEST, Document
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, override
from reference.storage import Manifest

_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")


_LAYERS = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")


def _refusing(condition: Callable[[Document], bool], error: Callable[[], errors.RegistryError]) -> Apply:
    """Refuse what should be accepted."""

    def apply(registry: Registry) -> None:
        check = registry.manifests.check_references

        def changed(name: str, document: Document) -> None:
            if condition(document):
                raise error()
            check(name, document)

        override(registry.manifests, check_references=changed)

    return apply


def _invalid() -> errors.RegistryError:
    return errors.manifest_invalid("refused")


def _is_other_config(document: Document) -> bool:
    return document.media_type == OCI_MANIFEST and document.members["config"]["mediaType"] not in _CONFIGS


def _has_other_layer(document: Document) -> bool:
    layers = document.members.get("layers", []) if document.media_type == OCI_MANIFEST else []
    return any(not layer["mediaType"].startswith(_LAYERS) for layer in layers)


_MEMBERS = frozenset(
    {"schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations"}
)


def has_unknown_member(document: Document) -> bool:
    """Whether a manifest has a member that the specification does not have."""
    return document.media_type in (OCI_MANIFEST, OCI_INDEX) and not _MEMBERS.issuperset(document.members)


def _asks_for_foreign_layers(registry: Registry) -> None:
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        layers = document.members.get("layers", [])
        foreign = [layer["digest"] for layer in layers if isinstance(layer, dict) and layer.get("urls")]
        if foreign:
            raise errors.RegistryError(500, (errors.ErrorEntry("UNKNOWN"),))
        check(name, document)

    override(registry.manifests, check_references=changed)


def _any_condition(registry: Registry) -> None:
    """If-Match may name any manifest of the repository."""
    check = registry.manifests.check_condition

    def changed(request: Request) -> None:
        named = request.headers.get("if-match").strip('"')
        if not named or registry.storage.manifest(request.name, named) is None:
            check(request)

    override(registry.manifests, check_condition=changed)


def _subject_absent(registry: Registry) -> None:
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        if document.subject is not None and registry.storage.manifest(name, document.subject) is None:
            raise errors.references_unknown([document.subject])
        check(name, document)

    override(registry.manifests, check_references=changed)


def _stored_as(change: Callable[[dict[str, Any]], bool]) -> Apply:
    """Store another text of the manifest where it is changed, under the digest of the one that was sent."""

    def apply(registry: Registry) -> None:
        put = registry.storage.put_manifest

        def changed(name: str, manifest: Manifest, subject: str | None) -> None:
            members = json.loads(manifest.content)
            if isinstance(members, dict) and change(members):
                manifest = Manifest(manifest.digest, manifest.media_type, json.dumps(members).encode())
            put(name, manifest, subject)

        override(registry.storage, put_manifest=changed)

    return apply


def _descriptors(members: dict[str, Any]) -> Iterator[dict[str, Any]]:
    single = [members[key] for key in ("config", "subject") if isinstance(members.get(key), dict)]
    listed = [entry for key in ("layers", "manifests") for entry in members.get(key) or []]
    yield from (entry for entry in [*single, *listed] if isinstance(entry, dict))


def _drop_annotations(members: dict[str, Any]) -> bool:
    nested = [entry.pop("annotations", None) for entry in _descriptors(members)]
    return members.pop("annotations", None) is not None or any(value is not None for value in nested)


def _drop_data(members: dict[str, Any]) -> bool:
    dropped = [entry.pop("data", None) for entry in _descriptors(members)]
    return any(value is not None for value in dropped)


def _limited(registry: Registry) -> None:
    registry.manifests.limit = 1 << 20


def _parameters_refused(registry: Registry) -> None:
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        if ";" in request.headers.get("content-type"):
            raise errors.manifest_invalid("the content type is unknown", 415)
        return await put(request)

    registry.handlers["manifest.put"] = changed


def _reversed_condition(registry: Registry) -> None:
    check = registry.manifests.check_condition

    def changed(request: Request) -> None:
        if not request.headers.get("if-match"):
            return
        try:
            check(request)
        except errors.RegistryError:
            return
        raise errors.condition_failed()

    override(registry.manifests, check_condition=changed)


FAULTS = (
    Fault(
        name="manifest-annotations-dropped",
        title="Annotations are not stored.",
        breaks=("PUSH-MANIFEST-ANNOTATIONS-KEPT", "PUSH-MANIFEST-BYTES-EXACT", "PULL-MANIFEST-GET-BODY-EXACT"),
        # A manifest with annotations is not what was pushed, and referrers are listed without them.
        also=(
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "DISC-REFERRERS-ANNOTATIONS",
            "DISC-REFERRERS-DESCRIPTOR-FIELDS",
            "PUSH-MANIFEST-4MB-ACCEPTED",
        ),
        apply=_stored_as(_drop_annotations),
    ),
    Fault(
        name="manifest-data-dropped",
        title="The data of descriptors is not stored.",
        breaks=("PUSH-MANIFEST-DATA-FIELD-KEPT",),
        # A manifest with data is not what was pushed.
        also=("PUSH-MANIFEST-BYTES-EXACT", "PULL-MANIFEST-GET-BODY-EXACT", "PULL-MANIFEST-GET-DIGEST-BINDS-BODY"),
        apply=_stored_as(_drop_data),
    ),
    Fault(
        name="config-type-refused",
        title="A config of an unknown type is refused.",
        breaks=("PUSH-MANIFEST-CONFIG-TYPE-UNKNOWN",),
        apply=_refusing(_is_other_config, _invalid),
    ),
    Fault(
        name="layer-type-refused",
        title="A layer of an unknown type is refused.",
        breaks=("PUSH-MANIFEST-LAYER-TYPE-UNKNOWN",),
        # An artifact has such layers too.
        also=("PUSH-MANIFEST-ARTIFACT-TYPE-UNKNOWN",),
        apply=_refusing(_has_other_layer, _invalid),
    ),
    Fault(
        name="artifact-type-refused",
        title="A manifest with artifactType is refused.",
        breaks=("PUSH-MANIFEST-ARTIFACT-TYPE-UNKNOWN",),
        # Referrers that are told by it cannot be pushed.
        also=("DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",),
        apply=_refusing(lambda document: bool(document.members.get("artifactType")), _invalid),
    ),
    Fault(
        name="index-refused",
        title="An index is answered 404.",
        breaks=("PUSH-MANIFEST-INDEX-ACCEPTED",),
        # Every other statement about an index needs one.
        also=("PULL-TYPE-OCI-INDEX", "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE"),
        apply=_refusing(lambda document: document.media_type == OCI_INDEX, lambda: errors.manifest_unknown("index")),
    ),
    Fault(
        name="index-without-platform-refused",
        title="An index that has an image without platform is refused.",
        breaks=("PUSH-MANIFEST-INDEX-NO-PLATFORM",),
        apply=_refusing(
            lambda document: (
                document.media_type == OCI_INDEX
                and any(
                    entry["mediaType"] == OCI_MANIFEST and "platform" not in entry
                    for entry in document.members["manifests"]
                )
            ),
            _invalid,
        ),
    ),
    Fault(
        name="layers-empty-refused",
        title="An image manifest without layers is refused.",
        breaks=("PUSH-MANIFEST-EMPTY-LAYERS",),
        apply=_refusing(
            lambda document: document.media_type == OCI_MANIFEST and not document.members["layers"], _invalid
        ),
    ),
    Fault(
        name="subject-absent-refused",
        title="A manifest whose subject is absent is refused.",
        breaks=("PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED",),
        # Both push a referrer first; an index is a manifest.
        also=("DISC-REFERRERS-BEFORE-SUBJECT", "PUSH-MANIFEST-SUBJECT-INDEX-ABSENT-ACCEPTED"),
        apply=_subject_absent,
    ),
    Fault(
        name="manifest-limit-small",
        title="Manifests above 1 MiB are refused.",
        breaks=("PUSH-MANIFEST-4MB-ACCEPTED",),
        apply=_limited,
    ),
    Fault(
        name="content-type-parameters-refused",
        title="A manifest whose Content-Type has a parameter is answered 415.",
        breaks=("PUSH-MANIFEST-TYPE-PARAMETERS-IGNORED",),
        apply=_parameters_refused,
    ),
    Fault(
        name="manifest-unknown-member-refused",
        title="A manifest with a member that nobody knows is refused.",
        breaks=("PUSH-MANIFEST-UNKNOWN-MEMBER",),
        apply=_refusing(has_unknown_member, _invalid),
    ),
    Fault(
        name="foreign-layer-missing",
        title="A manifest with a layer that is never to be pushed is answered 500.",
        breaks=("PUSH-MANIFEST-FOREIGN-LAYER",),
        apply=_asks_for_foreign_layers,
    ),
    Fault(
        name="manifest-if-match-of-any",
        title="If-Match holds for the ETag of any manifest of the repository.",
        breaks=("PUSH-MANIFEST-IF-MATCH",),
        apply=_any_condition,
    ),
    Fault(
        name="manifest-if-match-reversed",
        title="If-Match is taken for If-None-Match.",
        breaks=("PUSH-MANIFEST-IF-MATCH",),
        apply=_reversed_condition,
    ),
)
