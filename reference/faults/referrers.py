"""Faults of the referrers API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from reference import errors
from reference.app import Registry
from reference.documents import INDEXES, OCI_INDEX, Json, parse
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, both, drop_header, on, override, set_header, set_status
from reference.storage import Manifest

_PAGE = 2
_REFERRERS_TAG = re.compile("sha256-[0-9a-f]{64}")


def _described(change: Callable[[Json, Manifest], None]) -> Apply:
    """Describe referrers otherwise."""

    def apply(registry: Registry) -> None:
        describe = registry.referrers.describe

        def changed(manifest: Manifest) -> Json:
            descriptor = describe(manifest)
            change(descriptor, manifest)
            return descriptor

        override(registry.referrers, describe=changed)

    return apply


def _config_always(descriptor: Json, manifest: Manifest) -> None:
    config = parse(manifest.content).get("config")
    if config is not None:
        descriptor["artifactType"] = config["mediaType"]


def _never_config(descriptor: Json, manifest: Manifest) -> None:
    if not parse(manifest.content).get("artifactType"):
        descriptor.pop("artifactType", None)


def _index_type(descriptor: Json, manifest: Manifest) -> None:
    if manifest.media_type in INDEXES:
        descriptor.setdefault("artifactType", OCI_INDEX)


def _no_annotations(descriptor: Json, _manifest: Manifest) -> None:
    descriptor.pop("annotations", None)


def _size_of_layers(descriptor: Json, manifest: Manifest) -> None:
    descriptor["size"] = sum(layer["size"] for layer in parse(manifest.content).get("layers", []))


def _collected(change: Callable[[Registry, str, str, list[Json]], list[Json]]) -> Apply:
    """Collect other referrers."""

    def apply(registry: Registry) -> None:
        collect = registry.referrers.collect
        override(
            registry.referrers,
            collect=lambda name, subject: change(registry, name, subject, collect(name, subject)),
        )

    return apply


def _without_indexes(_registry: Registry, _name: str, _subject: str, found: list[Json]) -> list[Json]:
    return [descriptor for descriptor in found if descriptor["mediaType"] not in INDEXES]


def _if_subject(registry: Registry, name: str, subject: str, found: list[Json]) -> list[Json]:
    return found if registry.storage.manifest(name, subject) is not None else []


def _everywhere(registry: Registry, name: str, subject: str, found: list[Json]) -> list[Json]:
    storage, describe = registry.storage, registry.referrers.describe
    held = {descriptor["digest"] for descriptor in found}
    for other in storage.repositories():
        manifests = [storage.manifest(other, digest) for digest in storage.referrers(other, subject)]
        found = found + [describe(each) for each in manifests if each is not None and each.digest not in held]
        held |= {descriptor["digest"] for descriptor in found}
    return found


def _transitive(registry: Registry, name: str, _subject: str, found: list[Json]) -> list[Json]:
    deeper = [each for descriptor in found for each in registry.referrers.collect(name, descriptor["digest"])]
    return list({descriptor["digest"]: descriptor for descriptor in [*found, *deeper]}.values())


def _null(_request: Request, response: Response) -> None:
    body: dict[str, Any] = json.loads(response.body)
    body["manifests"] = body["manifests"] or None
    response.body = json.dumps(body).encode()


def _unknown_subject_404(registry: Registry) -> None:
    listing = registry.handlers["referrers.list"]
    deleted: set[tuple[str, str]] = set()
    remove = registry.manifests.remove

    def remember(name: str, digest: str) -> None:
        remove(name, digest)
        deleted.add((name, digest))

    async def changed(request: Request) -> Response:
        if (request.name, request.reference) in deleted:
            return Response(404)
        return await listing(request)

    registry.handlers["referrers.list"] = changed
    override(registry.manifests, remove=remember)


def _existing_only(registry: Registry) -> None:
    """404 for a digest that nothing refers to, in a repository where something is referred to."""
    listing = registry.handlers["referrers.list"]
    active: set[str] = set()

    async def changed(request: Request) -> Response:
        response = await listing(request)
        if response.status != 200 or request.query.raw:
            return response
        if json.loads(response.body)["manifests"]:
            active.add(request.name)
        elif request.name in active:
            return Response(404)
        return response

    registry.handlers["referrers.list"] = changed


def _value_of_filter(request: Request, response: Response) -> None:
    if "OCI-Filters-Applied" in response.headers:
        response.headers.set("OCI-Filters-Applied", request.query.get("artifactType") or "")


def _unfiltered(registry: Registry) -> None:
    override(registry.referrers, select=lambda found, _artifact_type: found)


def _any_digest(registry: Registry) -> None:
    override(registry.referrers, check_digest=lambda _digest: None)


def _not_offered(_request: Request, response: Response) -> Response:
    return Response(404)


def _filled_500(_request: Request, response: Response) -> Response | None:
    return Response(500) if json.loads(response.body)["manifests"] else None


def _unknown_repository_500(registry: Registry) -> None:
    def change(request: Request, _response: Response) -> Response | None:
        return None if registry.storage.exists(request.name) else Response(500)

    on("referrers.list", status=200, change=change)(registry)


def _untagged(registry: Registry, name: str, _subject: str, found: list[Json]) -> list[Json]:
    storage = registry.storage
    tagged = {storage.tag(name, tag) for tag in storage.tags(name)}
    return [descriptor for descriptor in found if descriptor["digest"] not in tagged]


def _pages_overlap(registry: Registry) -> None:
    """Pages of two; the next one begins with the last of the one before."""

    def page(found: list[Json], last: str | None) -> tuple[list[Json], str | None]:
        rest = [descriptor for descriptor in found if last is None or descriptor["digest"] > last]
        return (rest[:_PAGE], rest[0]["digest"]) if len(rest) > _PAGE else (rest, None)

    override(registry.referrers, page=page)


def _by_own_type(registry: Registry) -> None:
    """Filter by the artifactType of the manifest itself, where the list shows another one."""
    own: dict[str, object] = {}
    describe = registry.referrers.describe

    def remember(manifest: Manifest) -> Json:
        own[manifest.digest] = parse(manifest.content).get("artifactType")
        return describe(manifest)

    override(
        registry.referrers,
        describe=remember,
        select=lambda found, wanted: [each for each in found if own[each["digest"]] == wanted],
    )


def _tag_reserved(registry: Registry) -> None:
    check = registry.manifests.check_tag

    def changed(tag: str) -> None:
        if _REFERRERS_TAG.fullmatch(tag):
            raise errors.manifest_invalid("tags of this form are kept for the registry")
        check(tag)

    override(registry.manifests, check_tag=changed)


FAULTS = (
    Fault(
        name="referrers-content-type-json",
        title="The referrers are labelled application/json.",
        breaks=("DISC-REFERRERS-CONTENT-TYPE",),
        apply=on("referrers.list", status=200, change=set_header("Content-Type", "application/json")),
    ),
    Fault(
        name="referrers-null",
        title="An empty list of referrers is null.",
        breaks=("DISC-REFERRERS-INDEX-SHAPE",),
        # The list for a digest that nothing refers to is an empty array.
        also=("DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",),
        apply=on("referrers.list", status=200, change=_null),
    ),
    Fault(
        name="referrers-absent-404",
        title="A digest that nothing refers to is answered 404 where others are referred to.",
        breaks=("DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",),
        # The last referrer is deleted, and its subject is answered so.
        also=("MGMT-MANIFEST-DELETE-REFERRER-UNLISTED", "DISC-REFERRERS-SUBJECT-DELETED"),
        apply=_existing_only,
    ),
    Fault(
        name="referrers-bad-digest-200",
        title="The referrers of what is no digest are answered 200.",
        breaks=("DISC-REFERRERS-INVALID-DIGEST-400",),
        apply=_any_digest,
    ),
    Fault(
        name="referrers-size-of-layers",
        title="The size of a referrer is that of its layers.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        apply=_described(_size_of_layers),
    ),
    Fault(
        name="referrers-artifact-type-of-config",
        title="The artifactType of a referrer is the type of its config, though it has its own.",
        breaks=("DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",),
        # Nor is it found by its own type.
        also=("DISC-REFERRERS-FILTER-ONLY-MATCHING", "DISC-REFERRERS-FILTER-SUPPORTED"),
        apply=_described(_config_always),
    ),
    Fault(
        name="referrers-artifact-type-missing",
        title="A referrer without artifactType is listed without.",
        breaks=("DISC-REFERRERS-ARTIFACTTYPE-CONFIG",),
        # Nor is it found by the type of its config.
        also=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_described(_never_config),
    ),
    Fault(
        name="referrers-artifact-type-invented",
        title="An index without artifactType is listed with one.",
        breaks=("DISC-REFERRERS-ARTIFACTTYPE-INDEX-OMITTED",),
        apply=_described(_index_type),
    ),
    Fault(
        name="referrers-without-annotations",
        title="Referrers are listed without their annotations.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        apply=_described(_no_annotations),
    ),
    Fault(
        name="referrers-without-indexes",
        title="An index is no referrer.",
        breaks=("DISC-REFERRERS-COMPLETE-INDEX",),
        # What is said of indexes among referrers fails with it.
        also=(
            "DISC-REFERRERS-ARTIFACTTYPE-INDEX-OMITTED",
            "DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",
            "DISC-REFERRERS-ANNOTATIONS",
        ),
        apply=_collected(_without_indexes),
    ),
    Fault(
        name="referrers-only-of-present",
        title="A digest whose manifest is absent has no referrers.",
        breaks=("DISC-REFERRERS-BEFORE-SUBJECT",),
        # What was pushed with OCI-Subject is not listed.
        also=("DISC-REFERRERS-COMPLETE",),
        apply=_collected(_if_subject),
    ),
    Fault(
        name="referrers-of-other-repositories",
        title="Referrers of the same digest in other repositories are listed.",
        breaks=("DISC-REFERRERS-ISOLATION-REPO",),
        apply=_collected(_everywhere),
    ),
    Fault(
        name="referrers-transitive",
        title="The referrers of referrers are listed.",
        breaks=("DISC-REFERRERS-ONLY-MATCHING-SUBJECT",),
        apply=_collected(_transitive),
    ),
    Fault(
        name="referrers-filter-claimed",
        title="The filter is ignored, but said to be applied.",
        breaks=("DISC-REFERRERS-FILTER-HEADER-HONEST",),
        # What a filtered list holds is stated apart, and that it is filtered at all.
        also=("DISC-REFERRERS-FILTER-ONLY-MATCHING", "DISC-REFERRERS-FILTER-SUPPORTED"),
        apply=_unfiltered,
    ),
    Fault(
        name="referrers-filter-header-missing",
        title="A filtered list does not say so.",
        breaks=("DISC-REFERRERS-FILTER-HEADER",),
        apply=on("referrers.list", change=drop_header("OCI-Filters-Applied")),
    ),
    Fault(
        name="referrers-filter-header-wrong",
        title="OCI-Filters-Applied has the type that was asked for.",
        breaks=("DISC-REFERRERS-FILTER-HEADER",),
        apply=on("referrers.list", status=200, change=_value_of_filter),
    ),
    Fault(
        name="referrers-filter-header-always",
        title="OCI-Filters-Applied comes without a filter.",
        breaks=("DISC-REFERRERS-FILTER-HEADER-HONEST",),
        apply=on("referrers.list", status=200, change=set_header("OCI-Filters-Applied", "artifactType")),
    ),
    Fault(
        name="referrers-subject-deleted-404",
        title="The referrers of a deleted manifest are answered 404.",
        breaks=("DISC-REFERRERS-SUBJECT-DELETED",),
        apply=_unknown_subject_404,
    ),
    Fault(
        name="referrers-404-with-oci-subject",
        title="There are no referrers, but OCI-Subject is sent.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-ONLY-IF-REFERRERS",),
        apply=answers("referrers.list", change=_not_offered),
    ),
    Fault(
        name="referrers-unsupported-406",
        title="There are no referrers: 406.",
        breaks=("DISC-REFERRERS-UNSUPPORTED-404",),
        apply=both(
            answers("referrers.list", change=set_status(406)), on("manifest.put", change=drop_header("OCI-Subject"))
        ),
    ),
    Fault(
        name="referrers-filled-500",
        title="The referrers of a manifest that has some are answered 500.",
        breaks=("DISC-REFERRERS-STATUS-200",),
        apply=on("referrers.list", status=200, change=_filled_500),
    ),
    Fault(
        name="referrers-unknown-repository-500",
        title="Referrers in an unknown repository are answered 500.",
        breaks=("DISC-REFERRERS-UNKNOWN-REPO",),
        apply=_unknown_repository_500,
    ),
    Fault(
        name="referrers-without-tagged",
        title="A referrer that was pushed by tag is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        apply=_collected(_untagged),
    ),
    Fault(
        name="referrers-pages-overlap",
        title="The last referrer of a page stands on the next page again.",
        breaks=("DISC-REFERRERS-LINK-PAGES",),
        apply=_pages_overlap,
    ),
    Fault(
        name="referrers-filter-ignored",
        title="The filter of referrers is ignored.",
        breaks=("DISC-REFERRERS-FILTER-SUPPORTED",),
        apply=both(_unfiltered, on("referrers.list", change=drop_header("OCI-Filters-Applied"))),
    ),
    Fault(
        name="referrers-filter-by-own-type",
        title="The filter does not find a referrer by the type of its config.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_by_own_type,
    ),
    Fault(
        name="referrers-tag-reserved",
        title="The tag in place of referrers cannot be pushed.",
        breaks=("DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",),
        apply=_tag_reserved,
    ),
)
