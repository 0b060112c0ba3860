"""Faults of pulled manifests that concern one media type, one kind of reference, or one way to ask."""

from __future__ import annotations

import json
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, INDEXES, OCI_INDEX, OCI_MANIFEST
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, on, override
from reference.storage import Manifest

_BOTH = ("manifest.get", "manifest.head")
_PLAIN = "application/json"
_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"


def _by_digest(request: Request) -> bool:
    return ":" in request.reference


def _typed(media_type: str, where: Callable[[Request, Response], object]) -> Apply:
    """Label some manifests as something else."""

    def change(request: Request, response: Response) -> None:
        if where(request, response):
            response.headers.set("Content-Type", media_type)

    return on(*_BOTH, status=200, change=change)


def _of(*media_types: str) -> Callable[[Request, Response], bool]:
    return lambda _request, response: response.headers.get("Content-Type") in media_types


def _negotiated(choose: Callable[[Request, Manifest], object]) -> Apply:
    """Send what is stored only where it is chosen."""

    def apply(registry: Registry) -> None:
        def negotiate(request: Request, manifest: Manifest) -> Manifest:
            if choose(request, manifest):
                return manifest
            raise errors.manifest_unknown(request.reference)

        override(registry.manifests, negotiate=negotiate)

    return apply


def _accepted(request: Request) -> set[str]:
    values = (value for field in request.headers.all("accept") for value in field.split(","))
    return {value.partition(";")[0].strip() for value in values}


def _exact_or_none(request: Request, manifest: Manifest) -> bool:
    accepted = _accepted(request)
    return not accepted or manifest.media_type in accepted or not any("*" in kind for kind in accepted)


def _head_of_images(request: Request, manifest: Manifest) -> bool:
    return request.method == "GET" or manifest.media_type != OCI_INDEX or _accepted(request) != {OCI_INDEX}


def _child_by_digest(registry: Registry) -> None:
    """Docker's choice of a platform, made for a digest as well."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        if not _by_digest(request) or manifest.media_type not in INDEXES or OCI_INDEX in _accepted(request):
            return manifest
        children = json.loads(manifest.content)["manifests"]
        child = registry.storage.manifest(request.name, children[0]["digest"]) if children else None
        return child if child is not None and child.media_type in _accepted(request) else manifest

    override(registry.manifests, negotiate=negotiate)


def _tabs_by_digest(request: Request, response: Response) -> None:
    if _by_digest(request) and b"\t" in response.body:
        response.body = response.body.replace(b"\t", b" ")


def _second_tag(registry: Registry) -> None:
    """The second tag of a manifest has a line end more, and the first one as it was."""

    def changed(request: Request, response: Response) -> None:
        digest = response.headers.get("Docker-Content-Digest")
        tags = [tag for tag in registry.storage.tags(request.name) if registry.storage.tag(request.name, tag) == digest]
        if request.reference in tags[1:]:
            response.body += b"\n"

    on("manifest.get", status=200, change=changed)(registry)


def _platform_ignored(request: Request, response: Response) -> None:
    if response.headers.get("Content-Type") == DOCKER_LIST and _accepted(request) == {DOCKER_MANIFEST}:
        response.headers.set("Content-Type", DOCKER_MANIFEST)


def _in_name_only(request: Request, response: Response) -> bool:
    """Whether a client that names no type pulls a Docker image by tag."""
    wanted = request.headers.get("accept") or _by_digest(request)
    return not wanted and response.headers.get("Content-Type") == DOCKER_MANIFEST


def _sha512_unknown(request: Request, _manifest: Manifest) -> bool:
    return not request.reference.startswith("sha512:")


FAULTS = (
    Fault(
        name="manifest-by-tag-unknown",
        title="A manifest is found by its digest only; a tag is answered 404 by GET.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        apply=_negotiated(lambda request, _: request.method == "HEAD" or _by_digest(request)),
    ),
    Fault(
        name="manifest-by-digest-with-blanks",
        title="By digest, tabs in a manifest are blanks; by tag they are as pushed.",
        breaks=("PULL-MANIFEST-GET-DIGEST-BINDS-BODY",),
        apply=on(*_BOTH, status=200, change=_tabs_by_digest),
    ),
    Fault(
        name="manifest-type-only-from-its-member",
        title="A manifest without the member mediaType is labelled application/json.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",),
        apply=_typed(_PLAIN, lambda _, response: "mediaType" not in json.loads(response.body)),
    ),
    Fault(
        name="manifest-type-unknown-labelled-json",
        title="A manifest of a type that is not of OCI or Docker is labelled application/json.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",),
        apply=_typed(_PLAIN, lambda r, a: not _of(OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)(r, a)),
    ),
    Fault(
        name="manifest-second-tag-longer",
        title="The second tag of a manifest yields it with a line end more.",
        breaks=("PULL-MANIFEST-TAG-DIGEST-AGREE",),
        # Wherever one manifest is pushed under several tags it shows.
        also=("BASE-TAG-ACCEPTED-KEPT", "PUSH-CONCURRENT-REPOSITORIES-APART", "PUSH-TAGPARAM-LISTED-TAG-RESOLVES"),
        apply=_second_tag,
    ),
    Fault(
        name="index-head-unknown",
        title="HEAD of an index by a client that accepts nothing else is answered 404.",
        breaks=("PULL-ACCEPT-EXACT", "PULL-MANIFEST-HEAD-200"),
        apply=_negotiated(_head_of_images),
    ),
    Fault(
        name="accept-required",
        title="A pull without Accept is answered 404.",
        breaks=("PULL-ACCEPT-ABSENT",),
        apply=_negotiated(lambda request, _: request.headers.get("accept")),
    ),
    Fault(
        name="accept-wildcards-not-understood",
        title="A wildcard in Accept admits nothing.",
        breaks=("PULL-ACCEPT-WILDCARD",),
        apply=_negotiated(_exact_or_none),
    ),
    Fault(
        name="index-by-digest-replaced-by-child",
        title="An index by digest yields its first manifest to a client that takes images only.",
        breaks=("PULL-ACCEPT-DIGEST-NOT-CONVERTED",),
        apply=_child_by_digest,
    ),
    Fault(
        name="image-by-digest-labelled-json",
        title="An OCI image by digest is labelled application/json.",
        breaks=("PULL-TYPE-OCI-IMAGE",),
        # Tag and digest then disagree, and so does what is asked of Accept by digest.
        also=("PULL-MANIFEST-TAG-DIGEST-AGREE", "PULL-ACCEPT-ABSENT", "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE"),
        apply=_typed(
            _PLAIN, lambda r, a: _by_digest(r) and _of(OCI_MANIFEST)(r, a) and "mediaType" in json.loads(a.body)
        ),
    ),
    Fault(
        name="index-by-digest-labelled-list",
        title="An OCI index by digest is labelled as a Docker manifest list.",
        breaks=("PULL-TYPE-OCI-INDEX",),
        apply=_typed(DOCKER_LIST, lambda r, a: _by_digest(r) and _of(OCI_INDEX)(r, a)),
    ),
    Fault(
        name="docker-image-labelled-oci",
        title="A Docker image is labelled as an OCI image.",
        breaks=("PULL-TYPE-DOCKER-V2",),
        apply=_typed(OCI_MANIFEST, _of(DOCKER_MANIFEST)),
    ),
    Fault(
        name="docker-list-labelled-oci",
        title="A Docker manifest list is labelled as an OCI index.",
        breaks=("PULL-TYPE-DOCKER-LIST",),
        apply=_typed(OCI_INDEX, _of(DOCKER_LIST)),
    ),
    Fault(
        name="docker-rewrite-in-name-only",
        title="A Docker image by tag without Accept is labelled as schema 1 and is none.",
        breaks=("PULL-DOCKER-REWRITE",),
        apply=_typed(_SCHEMA1, _in_name_only),
    ),
    Fault(
        name="docker-list-labelled-image",
        title="A manifest list without a fitting platform is labelled as the image that was asked for.",
        breaks=("PULL-DOCKER-LIST-NO-PLATFORM-404", "PULL-MANIFEST-GET-CONTENT-TYPE"),
        apply=on(*_BOTH, status=200, change=_platform_ignored),
    ),
    Fault(
        name="sha512-manifest-lost",
        title="A manifest that was accepted under a sha512 digest is unknown under it.",
        breaks=("PULL-MANIFEST-SHA512",),
        apply=_negotiated(_sha512_unknown),
    ),
)
