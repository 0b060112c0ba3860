"""Faults of manifests of unusual make, of their deletion and of the tags that a push names beside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from reference import errors
from reference.app import Registry
from reference.documents import IMAGES, OCI_INDEX, Json
from reference.faults.shared import body_of
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, Transform, answers, around

_PULLS = ("manifest.get", "manifest.head")
_MOST = 1 << 30
#: What a column of four bytes does not hold.
_TOO_MUCH = 1 << 31
#: Seconds in which requests that were sent at the same time have all come.
_MEETING = 0.03


def _read(body: bytes) -> Json:
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _entries(document: Json, *names: str) -> list[Json]:
    found: list[Json] = []
    for name in names:
        value = document.get(name)
        found += [entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, dict)]
    return found


def _no_location_of_indexes(request: Request, response: Response) -> None:
    if request.headers.get("content-type").startswith(OCI_INDEX):
        response.headers.drop("Location")


def _failing_on(fails: Callable[[Json], bool]) -> Transform:
    def change(_request: Request, response: Response) -> Response | None:
        return Response(500) if fails(_read(response.body)) else None

    return change


def _lacks_platform(document: Json) -> bool:
    images = [entry for entry in _entries(document, "manifests") if entry.get("mediaType") in IMAGES]
    return any(entry.get("platform") is None for entry in images)


def _without_urls(_request: Request, response: Response) -> None:
    document = _read(response.body)
    foreign = [layer for layer in _entries(document, "layers") if "urls" in layer]
    for layer in foreign:
        del layer["urls"]
    if foreign:
        response.body = json.dumps(document).encode()


@around("manifest.put")
async def _sizes_of_four_bytes(_registry: Registry, request: Request, handler: Handler) -> Response:
    content = await request.body(_MOST) or b""
    request.body = body_of(content)  # type: ignore[method-assign, assignment]  # it was read already
    for entry in _entries(_read(content), "config", "layers", "manifests", "subject"):
        size = entry.get("size")
        if isinstance(size, int) and size >= _TOO_MUCH:
            raise errors.RegistryError(500)
    return await handler(request)


@around("blob.delete")
async def _manifests_deleted(registry: Registry, request: Request, handler: Handler) -> Response:
    name, digest = request.name, request.reference
    if registry.storage.has_blob(name, digest) or registry.storage.manifest(name, digest) is None:
        return await handler(request)
    registry.manifests.remove(name, digest)
    return Response(202, [("Docker-Content-Digest", digest)])


@around("manifest.put")
async def _tags_that_are_there_stay(registry: Registry, request: Request, handler: Handler) -> Response:
    if ":" not in request.reference:
        return await handler(request)
    before = {tag: registry.storage.tag(request.name, tag) for tag in request.query.all("tag")}
    response = await handler(request)
    for tag, digest in before.items():
        if digest is not None and response.status == 201:
            registry.storage.set_tag(request.name, tag, digest)
    return response


@around("manifest.delete")
async def _written_back(registry: Registry, request: Request, handler: Handler) -> Response:
    """The tags of a repository are read, and written back without one."""
    if ":" in request.reference:
        return await handler(request)
    name, storage = request.name, registry.storage
    before = {tag: storage.tag(name, tag) for tag in storage.tags(name)}
    await asyncio.sleep(_MEETING)
    response = await handler(request)
    for tag, digest in before.items():
        lost = tag != request.reference and storage.tag(name, tag) is None
        if lost and digest is not None and storage.manifest(name, digest) is not None:
            storage.set_tag(name, tag, digest)
    return response


FAULTS = (
    Fault(
        name="index-without-location",
        title="The 201 to the push of an image index has no Location.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        apply=answers("manifest.put", status=201, change=_no_location_of_indexes),
    ),
    Fault(
        name="entry-without-platform-500",
        title="The pull of an index that lists an image without a platform is answered 500.",
        breaks=("PULL-MANIFEST-GET-TAG-200", "PULL-MANIFEST-GET-DIGEST-200"),
        also=("PULL-TYPE-OCI-INDEX", "PULL-MANIFEST-HEAD-200"),
        apply=answers(*_PULLS, status=200, change=_failing_on(_lacks_platform)),
    ),
    Fault(
        name="urls-of-layers-lost",
        title="A manifest with a layer from elsewhere is pulled without the URLs of that.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT", "PUSH-MANIFEST-BYTES-EXACT"),
        also=("PULL-MANIFEST-GET-DIGEST-BINDS-BODY",),
        apply=answers(*_PULLS, status=200, change=_without_urls),
    ),
    Fault(
        name="sizes-of-four-bytes",
        title="The push of a manifest in which a descriptor tells of 2 GiB or more is answered 500.",
        breaks=("PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED", "PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED"),
        also=("PUSH-MANIFEST-FOREIGN-LAYER",),
        apply=_sizes_of_four_bytes,
    ),
    Fault(
        name="blob-deletion-of-a-manifest",
        title="The deletion of a blob by the digest of a manifest is answered 202, and the manifest is gone.",
        breaks=("MGMT-BLOB-DELETE-UNKNOWN-404",),
        apply=_manifests_deleted,
    ),
    Fault(
        name="tag-parameter-moves-nothing",
        title="A tag parameter that names a tag of another manifest is listed in OCI-Tag, and the tag stays.",
        breaks=("PUSH-TAGPARAM-LISTED-TAG-RESOLVES",),
        apply=_tags_that_are_there_stay,
    ),
    Fault(
        name="two-tags-deleted-at-once",
        title="Of two tags that are deleted at the same time one is still there, though both got 202.",
        breaks=("MGMT-TAG-DELETE-GET-404", "MGMT-TAG-DELETE-HEAD-404"),
        also=("MGMT-TAG-DELETE-NOT-LISTED",),
        apply=_written_back,
    ),
)
