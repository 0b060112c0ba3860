"""Faults of lists of referrers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from reference.app import Registry
from reference.documents import INDEXES, OCI_INDEX, Json, parse
from reference.faults.shared import busy, instead, no_content
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, both, drop_header, on, override, set_header, set_status
from reference.storage import Manifest

_REFUSAL = b'{"errors": [{"code": "DENIED"}]}'


def _json_where_asked(request: Request, response: Response) -> None:
    if "*" in request.headers.get("accept"):
        response.headers.set("Content-Type", "application/json")


def _large_left_out(registry: Registry) -> None:
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if each["size"] < 1_000_000]

    override(registry.referrers, collect=changed)


def _forbidden(request: Request) -> Response:
    return Response(403, [("Content-Type", "application/json")], _REFUSAL)


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


def _no_annotations(descriptor: Json, _manifest: Manifest) -> None:
    descriptor.pop("annotations", None)


def _collected(change: Callable[[Registry, str, str, list[Json]], list[Json]]) -> Apply:
    """Collect other referrers."""

    def apply(registry: Registry) -> None:
        collect = registry.referrers.collect
        override(
            registry.referrers,
            collect=lambda name, subject: change(registry, name, subject, collect(name, subject)),
        )

    return apply


def _untagged(registry: Registry, name: str, _subject: str, found: list[Json]) -> list[Json]:
    storage = registry.storage
    tagged = {storage.tag(name, tag) for tag in storage.tags(name)}
    return [descriptor for descriptor in found if descriptor["digest"] not in tagged]


def _null(_request: Request, response: Response) -> None:
    body: dict[str, Any] = json.loads(response.body)
    body["manifests"] = body["manifests"] or None
    response.body = json.dumps(body).encode()


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


def _any_digest(registry: Registry) -> None:
    override(registry.referrers, check_digest=lambda _digest: None)


def _size_of_layers(descriptor: Json, manifest: Manifest) -> None:
    descriptor["size"] = sum(layer["size"] for layer in parse(manifest.content).get("layers", []))


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


def _filled_500(_request: Request, response: Response) -> Response | None:
    return Response(500) if json.loads(response.body)["manifests"] else None


def _unknown_repository_500(registry: Registry) -> None:
    def change(request: Request, _response: Response) -> Response | None:
        return None if registry.storage.exists(request.name) else Response(500)

    on("referrers.list", status=200, change=change)(registry)


FAULTS = (
    Fault(
        name="referrers-json-to-any",
        title="Referrers come as application/json to an Accept that admits everything.",
        breaks=("DISC-REFERRERS-CONTENT-TYPE",),
        apply=on("referrers.list", status=200, change=_json_where_asked),
    ),
    Fault(
        name="referrers-without-large",
        title="A referrer of more than a million bytes is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        apply=_large_left_out,
    ),
    Fault(
        name="referrers-403-with-subject",
        title="Lists of referrers return 403, though a push with a subject says that they are kept.",
        breaks=("DISC-REFERRERS-STATUS-200",),
        apply=instead("referrers.list", when=lambda _: True, answer=_forbidden),
    ),
    Fault(
        name="referrers-without-annotations-of-existing",
        title="Referrers that were there before are listed without their annotations.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        configuration="read-only",
        apply=_described(_no_annotations),
    ),
    Fault(
        name="referrers-without-tagged-of-existing",
        title="A referrer that was there before under a tag is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        configuration="read-only",
        apply=_collected(_untagged),
    ),
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
        title="A digest that nothing refers to gets 404 where others are referred to.",
        breaks=("DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",),
        # The last referrer is deleted, and its subject is answered so.
        also=(
            "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",
            "DISC-REFERRERS-SUBJECT-DELETED",
            "DISC-REFERRERS-STATUS-200",
        ),
        apply=_existing_only,
    ),
    Fault(
        name="referrers-bad-digest-200",
        title="The list of referrers of a malformed digest returns 200.",
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
        also=("MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",),
        apply=_collected(_everywhere),
    ),
    Fault(
        name="referrers-transitive",
        title="The referrers of referrers are listed.",
        breaks=("DISC-REFERRERS-ONLY-MATCHING-SUBJECT",),
        apply=_collected(_transitive),
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
        title="The referrers of a manifest that has some get 500.",
        breaks=("DISC-REFERRERS-STATUS-200",),
        apply=on("referrers.list", status=200, change=_filled_500),
    ),
    Fault(
        name="referrers-unknown-repository-500",
        title="Referrers in an unknown repository return 500.",
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
        name="referrers-503",
        title="Lists of referrers return 503.",
        breaks=("DISC-REFERRERS-STATUS-200",),
        apply=busy(503, "referrers.list"),
    ),
    Fault(
        name="referrers-answered-203",
        title="The list of referrers returns 203.",
        breaks=("DISC-REFERRERS-STATUS-200",),
        apply=on("referrers.list", status=200, change=set_status(203)),
    ),
    Fault(
        name="referrers-answered-204",
        title="The list of referrers returns 204.",
        breaks=("DISC-REFERRERS-STATUS-200",),
        apply=on("referrers.list", status=200, change=no_content),
    ),
    Fault(
        name="referrers-always-203",
        title="The list of referrers returns 203, also where it is refused.",
        breaks=("DISC-REFERRERS-STATUS-200",),
        apply=answers("referrers.list", change=set_status(203)),
    ),
)
