"""Faults of manifests that show with some kinds of manifests."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, parse
from reference.faults.conditions.manifests.shared import is_tag
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Manifest


def _type_from_the_member(_request: Request, response: Response) -> None:
    if "mediaType" not in parse(response.body):
        response.headers.set("Content-Type", "application/json")


def _type_of_a_summary(_request: Request, response: Response) -> None:
    """Take the type from the member, or for that of most manifests."""
    if not parse(response.body).get("mediaType"):
        response.headers.set("Content-Type", DOCKER_MANIFEST)


def _type_of_the_text(_request: Request, response: Response) -> None:
    """The type of a HEAD is read from the manifest."""
    response.headers.set("Content-Type", parse(response.body).get("mediaType") or "application/json")


def _head_of_the_first(registry: Registry) -> None:
    """HEAD of a list by tag looks for an image, as the rewrite for old clients does."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if ":" in request.reference or response.headers.get("Content-Type") != DOCKER_LIST:
                return response
            for entry in parse(response.body)["manifests"]:
                child = registry.storage.manifest(request.name, entry["digest"])
                if child is not None:
                    headers = [("Content-Type", child.media_type), ("Docker-Content-Digest", child.digest)]
                    return Response(200, [*headers, ("ETag", f'"{child.digest}"')], child.content)
            return response

        return changed

    wrap(registry, ["manifest.head"], around)


def _older_table(registry: Registry) -> None:
    """The tags of Docker images are in a table of their own, which a deletion by digest passes over."""
    deleted: dict[tuple[str, str], Manifest] = {}
    find, remove_tags_of, put = (
        registry.manifests.find,
        registry.manifests.remove_tags_of,
        registry.storage.put_manifest,
    )

    def kept(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None and manifest.media_type == DOCKER_MANIFEST:
            deleted[name, digest] = manifest
        else:
            remove_tags_of(name, digest)

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        deleted.pop((name, manifest.digest), None)
        put(name, manifest, subject)

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        if manifest is None and is_tag(reference):
            return deleted.get((name, registry.storage.tag(name, reference) or ""))
        return manifest

    override(registry.manifests, find=changed, remove_tags_of=kept)
    override(registry.storage, put_manifest=stored)


def _characters(_request: Request, response: Response) -> None:
    """The length is that of the text."""
    response.headers.set("Content-Length", str(len(response.body.decode())))


def _lists_stay(registry: Registry) -> None:
    """Deletion knows the tables of images and of OCI indexes."""
    remove, storage = registry.manifests.remove, registry.storage

    def changed(name: str, digest: str) -> None:
        manifest = storage.manifest(name, digest)
        if manifest is not None and manifest.media_type == DOCKER_LIST:
            registry.manifests.remove_tags_of(name, digest)
            return
        remove(name, digest)

    override(registry.manifests, remove=changed)


FAULTS = (
    Fault(
        name="head-of-untyped-manifest-json",
        title="HEAD of a manifest without mediaType is labelled application/json; GET is not.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        apply=on("manifest.head", status=200, change=_type_from_the_member),
    ),
    Fault(
        name="head-of-untyped-manifest-docker",
        title="HEAD of a manifest without mediaType labels it as a Docker image.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        apply=on("manifest.head", status=200, change=_type_of_a_summary),
    ),
    Fault(
        name="head-type-without-media-type-json",
        title="HEAD of a manifest without mediaType has the type application/json.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=on("manifest.head", status=200, change=_type_of_the_text),
    ),
    Fault(
        name="head-of-docker-list-of-first-image",
        title="HEAD of the tag of a Docker manifest list tells of its first image.",
        breaks=("PULL-MANIFEST-HEAD-GET-AGREE", "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE"),
        also=(
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-TYPE-DOCKER-LIST",
        ),
        apply=_head_of_the_first,
    ),
    Fault(
        name="deleted-docker-image-keeps-tags",
        title="The tags of a Docker image that was deleted by its digest still yield it.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-404",),
        also=("MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED", "MGMT-MANIFEST-DELETE-GET-404", "PULL-MANIFEST-GET-UNKNOWN-404"),
        apply=_older_table,
    ),
    Fault(
        name="head-length-in-characters",
        title="HEAD of a manifest with letters beyond ASCII has the number of its characters for its length.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=on("manifest.head", status=200, change=_characters),
    ),
    Fault(
        name="docker-list-not-deleted",
        title="The deletion of a Docker manifest list by its digest returns 202, and the list stays.",
        breaks=("MGMT-MANIFEST-DELETE-GET-404",),
        also=("MGMT-MANIFEST-DELETE-HEAD-404", "MGMT-MANIFEST-DELETE-TWICE-404"),
        apply=_lists_stay,
    ),
)
