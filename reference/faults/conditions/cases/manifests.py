"""Faults of pushes and deletions of manifests after reports about registries that are in use."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, OCI_MANIFEST, Document
from reference.faults.shared import instead
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, override
from reference.storage import Manifest

_PUT = "manifest.put"
_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.empty.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
_DOCKER = "application/vnd.docker."


def _checked(check: Callable[[Registry, str, Document], None]) -> Apply:
    """Look at a manifest more than is right, before its references are looked at."""

    def apply(registry: Registry) -> None:
        right = registry.manifests.check_references

        def changed(name: str, document: Document) -> None:
            check(registry, name, document)
            right(name, document)

        override(registry.manifests, check_references=changed)

    return apply


def _later_child_absent(registry: Registry, name: str, document: Document) -> None:
    children = document.children
    if children and registry.manifests.holds(name, children[0]):
        for child in children:
            if not registry.manifests.holds(name, child):
                raise errors.manifest_unknown(child)


def _docker_layers(_registry: Registry, _name: str, document: Document) -> None:
    if document.media_type != OCI_MANIFEST or document.members["config"]["mediaType"] in _CONFIGS:
        return
    if any(layer["mediaType"].startswith(_DOCKER) for layer in document.members["layers"]):
        raise errors.manifest_invalid("no layers of Docker with such a config")


def _tagged_images_refused(registry: Registry) -> None:
    """The images of a Docker list are looked for among those that were pushed by digest."""
    by_digest: set[tuple[str, str]] = set()
    created = registry.manifests.created

    def noting(request: Request, manifest: Manifest, document: Document) -> Response:
        if ":" in request.reference:
            by_digest.add((request.name, manifest.digest))
        return created(request, manifest, document)

    def check(_registry: Registry, name: str, document: Document) -> None:
        missing = [child for child in document.children if (name, child) not in by_digest]
        if document.media_type == DOCKER_LIST and missing:
            raise errors.references_unknown(missing)

    override(registry.manifests, created=noting)
    _checked(check)(registry)


def _first_tag_with_siblings(registry: Registry) -> None:
    """The deletion of the tag that a manifest had first is one of all its tags."""
    first: dict[tuple[str, str], str] = {}
    storage, set_tag, remove_tag = registry.storage, registry.storage.set_tag, registry.manifests.remove_tag

    def noting(name: str, tag: str, digest: str) -> None:
        first.setdefault((name, digest), tag)
        set_tag(name, tag, digest)

    def removed(name: str, tag: str) -> None:
        digest = storage.tag(name, tag)
        if digest is not None and first.get((name, digest)) == tag:
            registry.manifests.remove_tags_of(name, digest)
        else:
            remove_tag(name, tag)

    override(storage, set_tag=noting)
    override(registry.manifests, remove_tag=removed)


def _failed(request: Request) -> Response:
    raise errors.internal(request.id)


FAULTS = (
    Fault(
        name="index-without-later-child-404",
        title="An index whose first entry is there and a later one is not is refused with 404, MANIFEST_UNKNOWN.",
        breaks=("PUSH-MANIFEST-INDEX-MISSING-CHILD",),
        apply=_checked(_later_child_absent),
    ),
    Fault(
        name="docker-layers-with-strange-config-refused",
        title="An OCI manifest with an unknown type of config is refused where a layer has a type of Docker.",
        breaks=("PUSH-MANIFEST-CONFIG-TYPE-UNKNOWN",),
        also=("PUSH-MANIFEST-LAYER-TYPE-UNKNOWN",),
        apply=_checked(_docker_layers),
    ),
    Fault(
        name="docker-list-of-tagged-images-refused",
        title="A Docker manifest list is refused if one of its images was pushed by tag alone.",
        breaks=("PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED",),
        apply=_tagged_images_refused,
    ),
    Fault(
        name="first-tag-deleted-with-siblings",
        title="The deletion of the tag that a manifest had first deletes all its tags.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=("MGMT-TAG-DELETE-REFERRER-LISTED",),
        apply=_first_tag_with_siblings,
    ),
    Fault(
        name="manifest-of-no-bytes-500",
        title="The push of a manifest of no bytes gets 500; other bodies that are no manifest get 400.",
        breaks=("BASE-ERROR-STRANGE-INPUT", "PUSH-MANIFEST-MALFORMED-REJECTED"),
        apply=instead(_PUT, when=lambda request: request.content_length == 0, answer=_failed),
    ),
)
