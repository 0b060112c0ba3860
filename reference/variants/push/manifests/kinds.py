"""Variants of the kinds of manifests that are accepted."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, IMAGES, INDEXES, OCI_MANIFEST, Document
from reference.modifications import OCI, Apply, Variant, override
from reference.variants.shared import denied

_IMAGE_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")


def _documents(refused: Callable[[Document], bool], status: int, code: str) -> Apply:
    """Manifests of a kind are not taken."""

    def apply(registry: Registry) -> None:
        check = registry.manifests.check_references

        def changed(name: str, document: Document) -> None:
            if refused(document):
                raise denied("manifests of this kind are not taken", status, code)
            check(name, document)

        override(registry.manifests, check_references=changed)

    return apply


def _is_artifact(document: Document) -> bool:
    if document.media_type in INDEXES:
        return bool(document.members.get("artifactType"))
    if document.media_type not in IMAGES:
        return True
    other = document.members["config"]["mediaType"] not in _IMAGE_CONFIGS
    return other or bool(document.members.get("artifactType"))


def _has_odd_subject(document: Document) -> bool:
    subject = document.members.get("subject")
    return isinstance(subject, dict) and subject["mediaType"] not in (*IMAGES, *INDEXES)


def _lacks_platform(document: Document) -> bool:
    children = document.members["manifests"] if document.media_type in INDEXES else []
    images = [child for child in children if child["mediaType"] == OCI_MANIFEST]
    return any("platform" not in child for child in images)


def _no_docker(registry: Registry) -> None:
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        if document.media_type in (DOCKER_MANIFEST, DOCKER_LIST):
            raise errors.manifest_invalid("manifests of Docker are not supported", 415)
        check(name, document)

    override(registry.manifests, check_references=changed)


def _no_empty_content(registry: Registry) -> None:
    """An image needs a layer, an index an entry, and a blob a byte."""
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        if document.members.get("layers") == [] or document.members.get("manifests") == []:
            raise errors.manifest_invalid("there is no content")
        check(name, document)

    override(registry.manifests, check_references=changed)


VARIANTS = (
    Variant(
        name="artifacts-denied",
        title="Manifests that are no images get 403.",
        latitude=("MANIFEST-TYPE-REFUSED",),
        apply=_documents(_is_artifact, 403, "DENIED"),
    ),
    Variant(
        name="subject-type-checked",
        title="A manifest whose subject is of a type that the registry does not know gets 400.",
        latitude=("MANIFEST-TYPE-REFUSED",),
        apply=_documents(_has_odd_subject, 400, "MANIFEST_INVALID"),
    ),
    Variant(
        name="index-platform-required",
        title="An index whose images have no platform gets 400.",
        latitude=("MANIFEST-VALIDATION-DEPTH",),
        warns=("PUSH-MANIFEST-INDEX-NO-PLATFORM",),
        apply=_documents(_lacks_platform, 400, "MANIFEST_INVALID"),
    ),
    Variant(
        name="docker-manifests-refused",
        title="Manifests of Docker get 415.",
        latitude=("MANIFEST-TYPE-REFUSED",),
        profiles=OCI,
        lacks=("docker-manifests",),
        apply=_no_docker,
    ),
    Variant(
        name="empty-content-refused",
        title="Manifests without content are refused.",
        latitude=("EMPTY-CONTENT-REFUSED",),
        warns=("PUSH-MANIFEST-EMPTY-LAYERS", "PUSH-MANIFEST-INDEX-EMPTY"),
        undecided=True,
        apply=_no_empty_content,
    ),
)
