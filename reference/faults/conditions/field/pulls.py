"""Faults of pulls and of the deletion of blobs, after public reports of bugs."""

from __future__ import annotations

from reference.app import Registry
from reference.errors import RegistryError
from reference.messages import BINARY, Content, Handler, Request, Response
from reference.modifications import Fault, around, on, override


def _takes_gzip(request: Request) -> bool:
    return "gzip" in ",".join(request.headers.all("accept-encoding"))


def _unsized_for_gzip(request: Request, response: Response) -> None:
    """What packs answers as they go cannot know how long they become, and says nothing."""
    if _takes_gzip(request):
        response.sized = False
        response.headers.drop("Content-Length")


def _first_range_is_whole(registry: Registry) -> None:
    """A range is cut from what is in the cache, and the first one brings the blob there."""
    cached: set[tuple[str, str]] = set()
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        key = request.name, request.reference
        if not found or key in cached:
            return found
        cached.add(key)
        return None

    override(registry.blobs, ranges=changed)


def _no_several_ranges(registry: Registry) -> None:
    """The bucket behind takes one range."""

    def refused(content: Content, _wanted: object, _headers: object) -> Response:
        content.close()
        raise RegistryError(400)

    override(registry.blobs, multipart=refused)


def _part_of_what_is_gone(registry: Registry) -> None:
    """The description of a deleted blob is still there, and what it describes is not."""
    described: dict[tuple[str, str], int] = {}
    remove = registry.blobs.remove

    def removed(name: str, digest: str) -> bool:
        content = registry.storage.open_blob(name, digest)
        if content is not None:
            described[name, digest] = content.size
            content.close()
        return remove(name, digest)

    @around("blob.get")
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        size = described.get((request.name, request.reference))
        if size is None or registry.storage.has_blob(request.name, request.reference):
            return await handler(request)
        parts = registry.blobs.ranges(request, size)
        if not parts:
            return await handler(request)
        start, length = parts[0]
        return Response(
            206, [("Content-Type", BINARY), ("Content-Range", f"bytes {start}-{start + length - 1}/{size}")]
        )

    override(registry.blobs, remove=removed)
    changed(registry)


def _duplicate_not_recorded(registry: Registry) -> None:
    """The cache knows the first path of a blob alone; with that the others cannot be deleted."""
    unrecorded: set[tuple[str, str]] = set()
    remove = registry.blobs.remove

    def removed(name: str, digest: str) -> bool:
        if (name, digest) in unrecorded:
            return False
        if registry.storage.has_blob(name, digest):
            others = [other for other in registry.storage.repositories() if other != name]
            unrecorded.update((other, digest) for other in others if registry.storage.has_blob(other, digest))
        return remove(name, digest)

    override(registry.blobs, remove=removed)


FAULTS = (
    Fault(
        # https://github.com/cloudflare/serverless-registry/issues/134
        name="manifest-unsized-for-gzip",
        title="A manifest has no Content-Length for a client that takes gzip, at GET and at HEAD.",
        breaks=("PULL-MANIFEST-GET-CONTENT-LENGTH", "PULL-MANIFEST-HEAD-CONTENT-LENGTH"),
        apply=on("manifest.get", "manifest.head", status=200, change=_unsized_for_gzip),
    ),
    Fault(
        # https://github.com/distribution/distribution/issues/4667
        name="first-range-of-a-blob-is-whole",
        title="The first range of each blob gets the whole with 200 and Accept-Ranges, each later one gets the part.",
        breaks=("PULL-BLOB-RANGE-ADVERTISED-TRUE",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-MULTI",
            "PULL-BLOB-RANGE-IF-RANGE",
            "PULL-CONSIST-REPEATABLE",
        ),
        apply=_first_range_is_whole,
    ),
    Fault(
        # https://github.com/containerd/stargz-snapshotter/pull/81
        name="several-ranges-400",
        title="Several ranges of a blob that all lie within it are answered 400.",
        breaks=("PULL-BLOB-RANGE-MULTI", "PULL-BLOB-RANGE-UNSUPPORTED-200"),
        apply=_no_several_ranges,
    ),
    Fault(
        # https://github.com/openshift/image-registry/issues/70
        name="range-of-deleted-blob-206-of-no-bytes",
        title="A range of a deleted blob is answered 206 with no bytes, the whole blob 404.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=(
            "PULL-BLOB-RANGE-TRUE",
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
            "PULL-BLOB-GET-UNKNOWN-404",
        ),
        apply=_part_of_what_is_gone,
    ),
    Fault(
        # https://github.com/project-zot/zot/pull/1461
        name="duplicate-blob-cannot-be-deleted",
        title="DELETE of a blob returns 404, and the blob stays, if another repository had it and deleted it first.",
        breaks=("MGMT-BLOB-DELETE-202",),
        also=(
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
        apply=_duplicate_not_recorded,
    ),
)
