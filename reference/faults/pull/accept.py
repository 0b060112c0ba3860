"""Faults of Accept and the choice of a manifest."""

from __future__ import annotations

import json
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, IMAGES, INDEXES, OCI_INDEX
from reference.faults.pull.shared import accepted_types, by_digest, labelled, labelled_as, negotiated
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, on, override
from reference.storage import Manifest

_BOTH = ("manifest.get", "manifest.head")


def _head_of_images(request: Request, manifest: Manifest) -> bool:
    return request.method == "GET" or manifest.media_type != OCI_INDEX or accepted_types(request) != {OCI_INDEX}


def _exact_or_none(request: Request, manifest: Manifest) -> bool:
    accepted = accepted_types(request)
    return not accepted or manifest.media_type in accepted or not any("*" in kind for kind in accepted)


def _child_by_digest(registry: Registry) -> None:
    """Docker's choice of a platform, made for a digest as well."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        if not by_digest(request) or manifest.media_type not in INDEXES or OCI_INDEX in accepted_types(request):
            return manifest
        children = json.loads(manifest.content)["manifests"]
        child = registry.storage.manifest(request.name, children[0]["digest"]) if children else None
        return child if child is not None and child.media_type in accepted_types(request) else manifest

    override(registry.manifests, negotiate=negotiate)


def _accepting(media_types: Callable[[Request], list[str]]) -> Apply:
    """Take Accept literally: a manifest whose type is not among these is unknown."""

    def apply(registry: Registry) -> None:
        def negotiate(request: Request, manifest: Manifest) -> Manifest:
            accepted = media_types(request)
            if not request.headers.get("accept") or {manifest.media_type, "*/*", "application/*"} & set(accepted):
                return manifest
            raise errors.manifest_unknown(request.reference)

        override(registry.manifests, negotiate=negotiate)

    return apply


def _with_weights(request: Request) -> list[str]:
    return [value.strip() for field in request.headers.all("accept") for value in field.split(",")]


def _list(request: Request) -> list[str]:
    return [value.partition(";")[0].strip() for field in request.headers.all("accept") for value in field.split(",")]


def _first_field(request: Request) -> list[str]:
    return [value.partition(";")[0].strip() for value in request.headers.get("accept").split(",")]


def _first_type(request: Request) -> list[str]:
    return _list(request)[:1]


def _asked_type(request: Request, response: Response) -> None:
    asked = request.headers.get("accept").partition(",")[0].partition(";")[0].strip()
    if asked and "*" not in asked:
        response.headers.set("Content-Type", asked)


def _index_to_child(registry: Registry) -> None:
    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        if ":" in request.reference or manifest.media_type not in INDEXES or not set(_list(request)) & set(IMAGES):
            return manifest
        children = json.loads(manifest.content)["manifests"]
        child = registry.storage.manifest(request.name, children[0]["digest"]) if children else None
        return child or manifest

    override(registry.manifests, negotiate=negotiate)


FAULTS = (
    Fault(
        name="index-head-unknown",
        title="HEAD of an index by a client that accepts nothing else returns 404.",
        breaks=(
            "PULL-ACCEPT-EXACT",
            "PULL-MANIFEST-HEAD-200",
        ),
        also=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        apply=negotiated(_head_of_images),
    ),
    Fault(
        name="accept-required",
        title="A pull without Accept returns 404.",
        breaks=("PULL-ACCEPT-ABSENT",),
        apply=negotiated(lambda request, _: request.headers.get("accept")),
    ),
    Fault(
        name="accept-wildcards-not-understood",
        title="A wildcard in Accept admits nothing.",
        breaks=("PULL-ACCEPT-WILDCARD",),
        apply=negotiated(_exact_or_none),
    ),
    Fault(
        name="index-by-digest-replaced-by-child",
        title="An index by digest yields its first manifest to a client that takes images only.",
        breaks=("PULL-ACCEPT-DIGEST-NOT-CONVERTED",),
        apply=_child_by_digest,
    ),
    Fault(
        name="index-by-digest-labelled-list",
        title="An OCI index by digest is labelled as a Docker manifest list.",
        breaks=("PULL-TYPE-OCI-INDEX",),
        apply=labelled_as(DOCKER_LIST, lambda r, a: by_digest(r) and labelled(OCI_INDEX)(r, a)),
    ),
    Fault(
        name="accept-weights-not-parsed",
        title="A type with a weight in Accept does not count.",
        breaks=("PULL-ACCEPT-QVALUE",),
        apply=_accepting(_with_weights),
    ),
    Fault(
        name="accept-case-matters",
        title="A type in Accept counts in the case of the stored one alone.",
        breaks=("PULL-ACCEPT-CASE",),
        apply=_accepting(_list),
    ),
    Fault(
        name="accept-first-field-only",
        title="Only the first Accept field counts.",
        breaks=("PULL-ACCEPT-REPEATED-FIELD",),
        also=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PUSH-MANIFEST-BY-DIGEST-PULLABLE"),
        apply=_accepting(_first_field),
    ),
    Fault(
        name="accept-first-type-only",
        title="Only the first type in Accept counts.",
        breaks=("PULL-ACCEPT-LIST",),
        # Several types in one header are sent for an index and in several fields too.
        also=("PULL-ACCEPT-REPEATED-FIELD", "PULL-ACCEPT-INDEX-INTACT", "PUSH-MANIFEST-BY-TAG-PULLABLE"),
        apply=_accepting(_first_type),
    ),
    Fault(
        name="accept-echoed",
        title="A manifest is labelled with the type that was asked for.",
        breaks=("PULL-ACCEPT-MISMATCH",),
        # Docker's list without a platform is asked for by another type, too.
        also=("PULL-DOCKER-LIST-NO-PLATFORM-404", "PULL-ACCEPT-LIST", "PULL-ACCEPT-INDEX-INTACT"),
        apply=on(*_BOTH, status=200, change=_asked_type),
    ),
    Fault(
        name="index-replaced-by-child",
        title="A tag on an index yields its first manifest to a client that also takes images.",
        breaks=("PULL-ACCEPT-INDEX-INTACT",),
        also=("PUSH-MANIFEST-RETAG-MOVES",),
        apply=_index_to_child,
    ),
)
