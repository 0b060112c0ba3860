"""Faults of manifests of Docker and digests by sha512."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, parse
from reference.faults.pull.shared import (
    accepted_types,
    by_digest,
    by_sha512,
    changed_if,
    is_docker,
    labelled,
    labelled_as,
    negotiated,
)
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest

_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
_BOTH = ("manifest.get", "manifest.head")


def _first_entry(registry: Registry) -> None:
    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        takes_images_alone = request.headers.get("accept") == DOCKER_MANIFEST
        if ":" in request.reference or manifest.media_type != DOCKER_LIST or not takes_images_alone:
            return manifest
        entries = parse(manifest.content)["manifests"]
        if len(entries) < 2:
            raise errors.manifest_unknown(request.reference)
        return registry.storage.manifest(request.name, entries[0]["digest"]) or manifest

    override(registry.manifests, negotiate=negotiate)


def _lists_by_name(registry: Registry) -> None:
    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        if ":" in request.reference or manifest.media_type != DOCKER_LIST:
            return manifest
        if DOCKER_LIST not in request.headers.get("accept"):
            raise errors.manifest_unknown(request.reference)
        return manifest

    override(registry.manifests, negotiate=negotiate)


def _body(response: Response) -> None:
    """Another byte, of the same number."""
    response.body = response.body[:-1] + bytes([response.body[-1] ^ 1])


def _digest_of_another(response: Response) -> None:
    response.headers.set("Docker-Content-Digest", "sha512:" + "0" * 128)


def _spoilt_without_digest(response: Response) -> None:
    _body(response)
    response.headers.drop("Docker-Content-Digest")


def _in_name_only(request: Request, response: Response) -> bool:
    """Whether a client that names no type pulls a Docker image by tag."""
    wanted = request.headers.get("accept") or by_digest(request)
    return not wanted and response.headers.get("Content-Type") == DOCKER_MANIFEST


def _platform_ignored(request: Request, response: Response) -> None:
    if response.headers.get("Content-Type") == DOCKER_LIST and accepted_types(request) == {DOCKER_MANIFEST}:
        response.headers.set("Content-Type", DOCKER_MANIFEST)


def _sha512_unknown(request: Request, _manifest: Manifest) -> bool:
    return not request.reference.startswith("sha512:")


FAULTS = (
    Fault(
        name="list-gives-its-first-entry",
        title="A client that accepts no lists gets the first entry of one, whatever its platform.",
        breaks=("PULL-DOCKER-LIST-NO-PLATFORM-404",),
        apply=_first_entry,
    ),
    Fault(
        name="docker-lists-by-name-only",
        title="The tag of a Docker list gets 404 where Accept does not name its type.",
        breaks=("PULL-ACCEPT-DOCKER-LIST",),
        apply=_lists_by_name,
    ),
    Fault(
        name="sha512-manifest-spoilt",
        title="The last byte of a manifest that is pulled by sha512 is another.",
        breaks=("PULL-MANIFEST-SHA512",),
        apply=on("manifest.get", status=200, change=changed_if(by_sha512, _body)),
    ),
    Fault(
        name="sha512-manifest-with-another-digest",
        title="A manifest that is pulled by sha512 has the digest of another.",
        breaks=("PULL-MANIFEST-SHA512",),
        apply=on("manifest.get", status=200, change=changed_if(by_sha512, _digest_of_another)),
    ),
    Fault(
        name="sha512-manifest-spoilt-without-digest",
        title="The last byte of a manifest that is pulled by sha512 is another, and no digest tells.",
        breaks=("PULL-MANIFEST-SHA512",),
        also=("PULL-MANIFEST-GET-DCD",),
        apply=on("manifest.get", status=200, change=changed_if(by_sha512, _spoilt_without_digest)),
    ),
    Fault(
        name="docker-manifest-spoilt",
        title="The last byte of a Docker manifest is another.",
        breaks=("PULL-TYPE-DOCKER-V2", "PULL-TYPE-DOCKER-LIST"),
        also=("PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED",),
        apply=on("manifest.get", status=200, change=changed_if(is_docker, _body)),
    ),
    Fault(
        name="docker-image-labelled-oci",
        title="A Docker image is labelled as an OCI image.",
        breaks=("PULL-TYPE-DOCKER-V2",),
        apply=labelled_as(OCI_MANIFEST, labelled(DOCKER_MANIFEST)),
    ),
    Fault(
        name="docker-list-labelled-oci",
        title="A Docker manifest list is labelled as an OCI index.",
        breaks=("PULL-TYPE-DOCKER-LIST",),
        apply=labelled_as(OCI_INDEX, labelled(DOCKER_LIST)),
    ),
    Fault(
        name="docker-rewrite-in-name-only",
        title="A Docker image by tag without Accept is labelled as schema 1 and is none.",
        breaks=("PULL-DOCKER-REWRITE",),
        apply=labelled_as(_SCHEMA1, _in_name_only),
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
        apply=negotiated(_sha512_unknown),
    ),
)
