"""Faults of the Content-Type of manifests."""

from __future__ import annotations

import json
from collections.abc import Callable

from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, parse
from reference.faults.pull.shared import has_member, labelled, labelled_as
from reference.faults.shared import where_answer
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, on, override, set_header
from reference.storage import Manifest

_BOTH = ("manifest.get", "manifest.head")
_PLAIN = "application/json"


def _found(when: Callable[[Manifest], bool], change: Callable[[Manifest, str], Manifest]) -> Apply:
    """Change manifests that are found; the reference tells by what."""

    def apply(registry: Registry) -> None:
        find = registry.manifests.find

        def changed(name: str, reference: str) -> Manifest | None:
            manifest = find(name, reference)
            return change(manifest, reference) if manifest is not None and when(manifest) else manifest

        override(registry.manifests, find=changed)

    return apply


def _nameless(manifest: Manifest) -> bool:
    """Whether a manifest does not tell its own type."""
    return manifest.media_type == OCI_MANIFEST and "mediaType" not in parse(manifest.content)


def _typed(*references: str) -> Callable[[Manifest, str], Manifest]:
    """Another type, of what is pulled by a tag, or by a digest."""

    def change(manifest: Manifest, reference: str) -> Manifest:
        if ("digest" if ":" in reference else "tag") not in references:
            return manifest
        return Manifest(manifest.digest, "application/json", manifest.content)

    return change


def _type_suffixed(_request: Request, response: Response) -> None:
    response.headers.set("Content-Type", response.headers.get("Content-Type") + "; charset=utf-8")


def _other_type(_request: Request, response: Response) -> None:
    if response.headers.get("Content-Type") == OCI_MANIFEST:
        response.headers.set("Content-Type", DOCKER_MANIFEST)


FAULTS = (
    Fault(
        name="untyped-manifest-typed-by-tag",
        title="A manifest without mediaType has another type by tag.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",),
        apply=_found(_nameless, _typed("tag")),
    ),
    Fault(
        name="untyped-manifest-typed-by-digest",
        title="A manifest without mediaType has another type by digest.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",),
        apply=_found(_nameless, _typed("digest")),
    ),
    Fault(
        name="manifest-get-wrong-content-type",
        title="GET of a manifest is labelled text/plain.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        apply=on("manifest.get", status=200, change=set_header("Content-Type", "text/plain")),
    ),
    Fault(
        name="manifest-content-type-json",
        title="A pulled manifest is labelled application/json.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        apply=on(*_BOTH, status=200, change=set_header("Content-Type", "application/json")),
    ),
    Fault(
        name="manifest-content-type-charset",
        title="The type of a manifest has a parameter.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE-BARE",),
        apply=on(*_BOTH, status=200, change=_type_suffixed),
    ),
    Fault(
        name="manifest-content-type-of-docker",
        title="An OCI image manifest is labelled as one of Docker.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        # The same label contradicts what was asked for, and the member mediaType.
        also=("PULL-ACCEPT-EXACT", "PULL-ACCEPT-MISMATCH", "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE"),
        apply=on(*_BOTH, status=200, change=_other_type),
    ),
    Fault(
        name="manifest-type-only-from-its-member",
        title="A manifest without the member mediaType is labelled application/json.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",),
        apply=labelled_as(_PLAIN, lambda _, response: "mediaType" not in json.loads(response.body)),
    ),
    Fault(
        name="manifest-type-unknown-labelled-json",
        title="A manifest of a type that is not of OCI or Docker is labelled application/json.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",),
        apply=labelled_as(
            _PLAIN, lambda r, a: not labelled(OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)(r, a)
        ),
    ),
    Fault(
        name="type-wrong-for-referrers",
        title="An image with a subject is pulled as an index.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        seldom=True,
        apply=on(
            "manifest.get",
            status=200,
            change=where_answer(has_member("subject"), set_header("Content-Type", OCI_INDEX)),
        ),
    ),
    Fault(
        name="type-wrong-for-artifacts",
        title="A manifest with an artifactType is pulled as JSON.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        seldom=True,
        apply=on(
            "manifest.get",
            status=200,
            change=where_answer(has_member("artifactType"), set_header("Content-Type", "application/json")),
        ),
    ),
)
