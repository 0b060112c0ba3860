"""Faults of manifests and their tags, after public reports."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, INDEXES, OCI_INDEX, OCI_MANIFEST, Document, Json, parse
from reference.faults.push.manifests.shared import manifests_refused_where
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, on, override
from reference.storage import Manifest

_TAG_OF_DIGEST = re.compile(r"(sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})")
_WIDE = ("*/*", "application/*")
#: Seconds in which a tag moves once.
_TICK = 1.0


def _accepted(request: Request) -> set[str]:
    """The types of Accept, without parameters."""
    values = ",".join(request.headers.all("accept")).split(",")
    return {value.partition(";")[0].strip().lower() for value in values} - {""}


def _common_child(registry: Registry, name: str, manifest: Manifest) -> Manifest | None:
    """The image of a list for linux/amd64."""
    for child in parse(manifest.content)["manifests"]:
        platform: Any = child.get("platform")
        if isinstance(platform, dict) and (platform.get("os"), platform.get("architecture")) == ("linux", "amd64"):
            return registry.storage.manifest(name, child["digest"])
    return None


@around("manifest.get", "manifest.head")
async def _tag_as_digest(registry: Registry, request: Request, handler: Handler) -> Response:
    """The tag of the referrers that nobody pushed is read as the digest that it is made of."""
    unknown = registry.storage.tag(request.name, request.reference) is None
    if unknown and _TAG_OF_DIGEST.fullmatch(request.reference):
        request.reference = request.reference.replace("-", ":", 1)
    return await handler(request)


def _list_as_image(registry: Registry) -> None:
    """Who takes images alone gets one, and the digest of what was asked for."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        accepted = _accepted(request)
        if ":" in request.reference or manifest.media_type != DOCKER_LIST or DOCKER_MANIFEST not in accepted:
            return manifest
        child = None if accepted & {DOCKER_LIST, *_WIDE} else _common_child(registry, request.name, manifest)
        return replace(manifest, media_type=child.media_type, content=child.content) if child is not None else manifest

    override(registry.manifests, negotiate=negotiate)


def _head_of_child(registry: Registry) -> None:
    """HEAD picks the platform, which GET leaves to the client."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        accepted = _accepted(request)
        if request.operation != "manifest.head" or ":" in request.reference or manifest.media_type not in INDEXES:
            return manifest
        if not accepted or accepted & {*INDEXES, *_WIDE}:
            return manifest
        return _common_child(registry, request.name, manifest) or manifest

    override(registry.manifests, negotiate=negotiate)


def _is_attestation(child: Json) -> bool:
    platform: Any = child.get("platform")
    if not isinstance(platform, dict):
        return False
    return (platform.get("os"), platform.get("architecture")) == ("unknown", "unknown")


@around("manifest.get")
async def _attestation_unknown(registry: Registry, request: Request, handler: Handler) -> Response:
    """An entry for no platform that there is was never indexed for pulls."""
    for digest in registry.storage.manifests(request.name):
        manifest = registry.storage.manifest(request.name, digest)
        if manifest is None or manifest.media_type not in INDEXES:
            continue
        children: list[Json] = parse(manifest.content)["manifests"]
        if any(child["digest"] == request.reference and _is_attestation(child) for child in children):
            raise errors.manifest_unknown(request.reference)
    return await handler(request)


def _untyped(request: Request, response: Response) -> None:
    typed = response.headers.get("content-type") != OCI_MANIFEST or "mediaType" in parse(response.body)
    if ":" not in request.reference and not typed:
        raise errors.RegistryError(500)


def _short_name_length(request: Request, response: Response) -> None:
    if "/" not in request.name:
        response.headers.set("Content-Length", "0")


def _stale_to_get(registry: Registry) -> None:
    """What a tag led to when it was pulled first is kept, until it is deleted."""
    known: dict[tuple[str, str], str] = {}
    get, delete_tag = registry.handlers["manifest.get"], registry.storage.delete_tag

    async def pulled(request: Request) -> Response:
        key = request.name, request.reference
        digest = registry.storage.tag(*key)
        if digest is not None:
            kept = known.setdefault(key, digest)
            if registry.storage.manifest(request.name, kept) is None:
                known[key] = kept = digest
            if kept != digest:
                request.reference = kept
        return await get(request)

    def deleted(name: str, tag: str) -> None:
        known.pop((name, tag), None)
        delete_tag(name, tag)

    override(registry.storage, delete_tag=deleted)
    registry.handlers["manifest.get"] = pulled


def _quick_moves_lost(registry: Registry) -> None:
    """Versions of a tag are told apart by the second, and a second one of the same second is dropped."""
    moved: dict[tuple[str, str], float] = {}
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        before, now = registry.storage.tag(name, tag), time.monotonic()
        if before == digest:
            return
        if before is not None and now - moved.get((name, tag), now - _TICK) < _TICK:
            return
        if before is not None:
            moved[name, tag] = now
        set_tag(name, tag, digest)

    override(registry.storage, set_tag=changed)


def _entries_counted(registry: Registry) -> None:
    """As many manifests must be found as the list has entries."""
    check = registry.manifests.check_references

    def counted(name: str, document: Document) -> None:
        check(name, document)
        if document.media_type in INDEXES and len(document.children) < len(document.members["manifests"]):
            raise errors.manifest_unknown(document.children[0])

    override(registry.manifests, check_references=counted)


_LAYERS = "application/vnd.oci.image.layer.v1."


def _entries(document: Document) -> list[dict[str, Any]]:
    """What an OCI index lists."""
    return document.members["manifests"] if document.media_type == OCI_INDEX else []


def _lists_layers(_registry: Registry, _name: str, document: Document) -> bool:
    return any(entry["mediaType"].startswith(_LAYERS) for entry in _entries(document))


FAULTS = (
    # oras-project/oras-go issue 1396: GitLab finds the subject under the tag of the referrers schema.
    Fault(
        name="referrers-tag-gives-the-subject",
        title="An unknown tag sha256-HEX gives the manifest whose digest is sha256:HEX.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-404",),
        also=("PULL-MANIFEST-HEAD-UNKNOWN-404",),
        apply=_tag_as_digest,
    ),
    # distribution/distribution issue 2395: the digest of the list comes with the manifest for amd64.
    Fault(
        name="image-of-list-with-digest-of-list",
        title="A client that takes no lists gets the image for linux/amd64 with the digest of the list.",
        breaks=("PULL-MANIFEST-GET-DCD-TRUE",),
        also=("PULL-MANIFEST-HEAD-DCD-TRUE", "PULL-DOCKER-LIST-NO-PLATFORM-404"),
        apply=_list_as_image,
    ),
    # opencontainers/distribution-spec issue 207, comment: Docker Hub, HEAD and GET choose otherwise.
    Fault(
        name="head-of-index-picks-a-platform",
        title="HEAD of an index whose type is not in Accept tells of its image for linux/amd64, GET gives it.",
        breaks=("PULL-MANIFEST-HEAD-GET-AGREE",),
        also=("PULL-MANIFEST-HEAD-DCD-TRUE", "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE"),
        apply=_head_of_child,
    ),
    # sonatype/nexus-public issue 1070: attestations of an index 404 by GET, HEAD finds them.
    Fault(
        name="attestation-unknown-to-get",
        title="A manifest that an index lists for platform unknown/unknown gets 404 by GET, and 200 by HEAD.",
        breaks=("PULL-MANIFEST-GET-DIGEST-200",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE", "PUSH-MANIFEST-BY-DIGEST-PULLABLE"),
        apply=_attestation_unknown,
    ),
    # uber/kraken issue 288: manifests of podman, which have no mediaType, cannot be pulled by tag.
    Fault(
        name="untyped-image-500-by-tag",
        title="GET by tag of an image manifest that has no member mediaType gets 500, by digest it works.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE", "PUSH-MANIFEST-BY-TAG-PULLABLE"),
        apply=on("manifest.get", status=200, change=_untyped),
    ),
    # getnora-io/nora pull request 337: HEAD says 0, one route of several.
    Fault(
        name="head-length-0-for-short-names",
        title="HEAD of a manifest says Content-Length 0 where the name of the repository has one component.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=on("manifest.head", status=200, change=_short_name_length),
    ),
    # goharbor/harbor issue 19429: after a pull the tag goes on giving the old manifest, HEAD the new one.
    Fault(
        name="pulled-tag-stays-for-get",
        title="GET of a tag that was pulled before gives the old manifest after a move, HEAD tells of the new one.",
        breaks=("PULL-CONSIST-TAG-MOVE",),
        also=("PUSH-MANIFEST-RETAG-MOVES", "PULL-MANIFEST-HEAD-GET-AGREE"),
        apply=_stale_to_get,
    ),
    # pnpm/pnpm pull request 14629: of two pushes to a tag in the same second one is lost.
    Fault(
        name="second-move-within-a-second-lost",
        title="A tag that moved less than a second ago does not move again, though the push gets 201.",
        breaks=("PUSH-MANIFEST-RETAG-MOVES",),
        also=("PULL-CONSIST-TAG-MOVE",),
        apply=_quick_moves_lost,
    ),
    # distribution/distribution issue 4005: Harbor has no list with two entries of the same digest.
    Fault(
        name="index-with-entry-twice-404",
        title="An index or list that names a manifest for two platforms gets 404.",
        breaks=("PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED",),
        also=("PUSH-MANIFEST-INDEX-ACCEPTED",),
        apply=_entries_counted,
    ),
    # docker-library/python issue 953: quay, and an index that is half of OCI and half of Docker.
    Fault(
        name="oci-index-of-layers-refused",
        title="An OCI index that lists layers is refused as invalid, though they are there.",
        breaks=("PUSH-MANIFEST-INDEX-CHILD-TYPE-UNKNOWN",),
        apply=manifests_refused_where(_lists_layers),
    ),
    # singularity pull 3782: quay, and an image of Docker with a config of its own kind.
)
