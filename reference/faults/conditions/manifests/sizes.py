"""Faults of manifests that show at some sizes."""

from __future__ import annotations

import json
from collections import Counter

from reference import errors
from reference.app import Registry
from reference.faults.conditions.manifests.shared import is_tag
from reference.messages import BINARY, JSON, Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Manifest

_READ_LIMIT = 1 << 20
_CACHED = 1 << 20
#: From which size a manifest is kept elsewhere, and how many tags go with one, in one batch.
_LARGE = 3_500_000
_SAMPLE = 2 << 20
_PULLS = ("manifest.get", "manifest.head")
_SNIFFED = 1 << 16
#: What the cache takes, in bytes.
_CACHED_3_MIB = 3 << 20
_BUFFER = 1 << 20


def _too_long_to_delete(registry: Registry) -> None:
    """A deletion reads the first mebibyte, to know the subject; what is then no JSON is taken for absent."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            manifest = registry.manifests.find(request.name, request.reference) if ":" in request.reference else None
            if manifest is not None and len(manifest.content) > _READ_LIMIT:
                raise errors.manifest_unknown(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ["manifest.delete"], around)


def _cache_cuts(registry: Registry) -> None:
    """The second answer comes from a cache whose entries have a mebibyte at most."""
    answered: Counter[str] = Counter()

    def change(request: Request, response: Response) -> None:
        if len(response.body) <= _CACHED:
            return
        answered[request.path] += 1
        if answered[request.path] > 1:
            response.body = response.body[:_CACHED]

    on("manifest.get", status=200, change=change)(registry)


def _large_labelled_binary(_request: Request, response: Response) -> None:
    if response.length > _LARGE:
        response.headers.set("Content-Type", BINARY)


def _length_of_a_sample(_request: Request, response: Response) -> None:
    """Read as much as is mostly enough, and take its length."""
    response.headers.set("Content-Length", str(min(response.length, _SAMPLE)))


def _type_by_sniffing(_request: Request, response: Response) -> None:
    """Look for the type in the first 64 KiB; what is no JSON there has none."""
    try:
        json.loads(response.body[:_SNIFFED])
    except ValueError:
        response.headers.set("Content-Type", JSON)


def _too_large_for_the_cache(registry: Registry) -> None:
    """A tag that moves is written to a cache, which refuses what is large and keeps what it has."""
    cached: dict[tuple[str, str], str] = {}
    set_tag, delete_tag, find = registry.storage.set_tag, registry.storage.delete_tag, registry.manifests.find

    def moved(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None and len(manifest.content) <= _CACHED:
            cached[name, tag] = digest

    def deleted(name: str, tag: str) -> None:
        cached.pop((name, tag), None)
        delete_tag(name, tag)

    def changed(name: str, reference: str) -> Manifest | None:
        known = cached.get((name, reference))
        return (registry.storage.manifest(name, known) if known else None) or find(name, reference)

    override(registry.storage, set_tag=moved, delete_tag=deleted)
    override(registry.manifests, find=changed)


def _from_the_cache(registry: Registry) -> None:
    """By digest manifests come from a cache that takes none beyond a size."""
    find = registry.manifests.find

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        too_large = manifest is not None and len(manifest.content) > _CACHED_3_MIB
        return None if too_large and not is_tag(reference) else manifest

    override(registry.manifests, find=changed)


def _length_of_buffer(_request: Request, response: Response) -> None:
    response.headers.set("Content-Length", str(min(response.length, _BUFFER)))


FAULTS = (
    Fault(
        name="large-manifest-not-deleted",
        title="The deletion of a manifest of more than a mebibyte returns 404.",
        breaks=("MGMT-MANIFEST-DELETE-202",),
        also=("MGMT-MANIFEST-DELETE-GET-404", "MGMT-MANIFEST-DELETE-HEAD-404"),
        apply=_too_long_to_delete,
    ),
    Fault(
        name="second-pull-of-large-manifest-cut",
        title="A manifest of more than a mebibyte ends there from the second GET of the same URL on.",
        breaks=("PULL-CONSIST-REPEATABLE",),
        also=(
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PUSH-MANIFEST-BYTES-EXACT",
        ),
        apply=_cache_cuts,
    ),
    Fault(
        name="large-manifest-labelled-binary",
        title="A manifest of more than 3.5 million bytes is labelled application/octet-stream.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE", "PUSH-MANIFEST-4MB-ACCEPTED"),
        also=(
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-TYPE-OCI-IMAGE",
            "PULL-TYPE-DOCKER-V2",
            "PULL-ACCEPT-EXACT",
            "PULL-TYPE-OCI-INDEX",
            "PULL-TYPE-DOCKER-LIST",
        ),
        apply=on("manifest.get", "manifest.head", status=200, change=_large_labelled_binary),
    ),
    Fault(
        name="head-length-of-large-manifests",
        title="HEAD of a manifest above 2 MiB says that it has 2 MiB.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=on("manifest.head", status=200, change=_length_of_a_sample),
    ),
    Fault(
        name="long-manifests-labelled-json",
        title="A manifest above 64 KiB is labelled application/json.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        also=(
            "PULL-ACCEPT-EXACT",
            "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
            "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-TYPE-DOCKER-LIST",
            "PULL-TYPE-DOCKER-V2",
            "PULL-TYPE-OCI-IMAGE",
            "PULL-TYPE-OCI-INDEX",
        ),
        apply=on(*_PULLS, status=200, change=_type_by_sniffing),
    ),
    Fault(
        name="large-manifest-tag-not-moved",
        title="A tag that moves to a manifest of more than a mebibyte still yields the former one.",
        breaks=("PULL-CONSIST-TAG-MOVE",),
        also=(
            "PUSH-MANIFEST-RETAG-MOVES",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-BODY-EXACT",
        ),
        apply=_too_large_for_the_cache,
    ),
    Fault(
        name="large-manifest-unknown-by-digest",
        title="A manifest of more than 3 MiB is unknown by its digest.",
        breaks=("PULL-MANIFEST-GET-DIGEST-200", "PUSH-MANIFEST-4MB-ACCEPTED"),
        also=(
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-HEAD-200",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
        ),
        apply=_from_the_cache,
    ),
    Fault(
        name="head-of-large-manifest-cut",
        title="The HEAD of a manifest above 1 MiB has the Content-Length of 1 MiB.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE", "PUSH-MANIFEST-4MB-ACCEPTED"),
        apply=on("manifest.head", status=200, change=_length_of_buffer),
    ),
)
