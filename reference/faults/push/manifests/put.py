"""Faults of PUT of manifests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from reference import errors
from reference.app import Registry
from reference.documents import IMAGES
from reference.faults.push.manifests.shared import KNOWN, fails_where, invalid_manifest, refused_where
from reference.faults.push.shared import capitals_accepted, denied
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, around, on, override
from reference.modifications.shared import has_unknown_member
from reference.storage import Manifest

_MEMBERS = {
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
}


def _stored_as(change: Callable[[dict[str, Any]], bool]) -> Apply:
    """Store a changed text of the manifest under the digest of the text that was sent."""

    def apply(registry: Registry) -> None:
        put = registry.storage.put_manifest

        def changed(name: str, manifest: Manifest, subject: str | None) -> None:
            members = json.loads(manifest.content)
            if isinstance(members, dict) and change(members):
                manifest = Manifest(manifest.digest, manifest.media_type, json.dumps(members).encode())
            put(name, manifest, subject)

        override(registry.storage, put_manifest=changed)

    return apply


def _descriptors(members: dict[str, Any]) -> Iterator[dict[str, Any]]:
    single = [members[key] for key in ("config", "subject") if isinstance(members.get(key), dict)]
    listed = [entry for key in ("layers", "manifests") for entry in members.get(key) or []]
    yield from (entry for entry in [*single, *listed] if isinstance(entry, dict))


def _drop_annotations(members: dict[str, Any]) -> bool:
    nested = [entry.pop("annotations", None) for entry in _descriptors(members)]
    return members.pop("annotations", None) is not None or any(value is not None for value in nested)


def _drop_data(members: dict[str, Any]) -> bool:
    dropped = [entry.pop("data", None) for entry in _descriptors(members)]
    return any(value is not None for value in dropped)


def _pushes(unwanted: Callable[[Registry, Request, str], bool], status: int = 403, code: str = "DENIED") -> Apply:
    """Refuse pushes of manifests by what is there; the digest of what is pushed is known."""

    def apply(registry: Registry) -> None:
        check, digest = registry.manifests.check_condition, registry.manifests.digest
        pushed: list[str] = []

        def noting(reference: str, content: bytes) -> str:
            pushed[:] = [digest(reference, content)]
            return pushed[0]

        def changed(request: Request) -> None:
            if unwanted(registry, request, pushed[0]):
                raise denied(status, code)
            check(request)

        override(registry.manifests, check_condition=changed, digest=noting)

    return apply


def _is_there(registry: Registry, request: Request, digest: str) -> bool:
    """The same manifest is there, under the same tag if it has one."""
    if ":" in request.reference:
        return registry.storage.manifest(request.name, digest) is not None
    return registry.storage.tag(request.name, request.reference) == digest


def _is_anothers(registry: Registry, request: Request, digest: str) -> bool:
    tagged = registry.storage.tag(request.name, request.reference) if ":" not in request.reference else None
    return tagged not in (None, digest)


def _second_tag_spoilt(registry: Registry) -> None:
    """Give other bytes under a tag whose manifest has another tag already."""
    set_tag, find = registry.storage.set_tag, registry.manifests.find
    marked: set[tuple[str, str]] = set()

    def tagged(name: str, tag: str, digest: str) -> None:
        storage = registry.storage
        marked.discard((name, tag))
        if any(storage.tag(name, other) == digest for other in storage.tags(name) if other != tag):
            marked.add((name, tag))
        set_tag(name, tag, digest)

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        if manifest is None or (name, reference) not in marked:
            return manifest
        return Manifest(manifest.digest, manifest.media_type, manifest.content + b" ")

    override(registry.storage, set_tag=tagged)
    override(registry.manifests, find=changed)


def _has_layer_of_its_own(manifest: Manifest) -> bool:
    document = json.loads(manifest.content)
    layers = document.get("layers", []) if manifest.media_type in IMAGES else []
    return any(layer["digest"] != document["config"]["digest"] for layer in layers)


def _tag_lost_by_digest(registry: Registry) -> None:
    """Once an image with a layer was pulled by digest, the tags of it are unknown."""
    get, looked_at = registry.handlers["manifest.get"], set[tuple[str, str]]()

    async def changed(request: Request) -> Response:
        manifest = registry.manifests.find(request.name, request.reference)
        if manifest is None or not _has_layer_of_its_own(manifest):
            return await get(request)
        if ":" in request.reference:
            looked_at.add((request.name, manifest.digest))
        elif (request.name, manifest.digest) in looked_at:
            raise errors.manifest_unknown(request.reference)
        return await get(request)

    registry.handlers["manifest.get"] = changed


def _untagged_lost(registry: Registry) -> None:
    """An image of several layers that never had a tag is unknown by digest."""
    get, set_tag, tagged = registry.handlers["manifest.get"], registry.storage.set_tag, set[str]()

    def remembered(name: str, tag: str, digest: str) -> None:
        tagged.add(digest)
        set_tag(name, tag, digest)

    async def changed(request: Request) -> Response:
        manifest = registry.manifests.find(request.name, request.reference)
        if manifest is not None and manifest.digest not in tagged:
            document = json.loads(manifest.content)
            if len(document.get("layers", ())) > 1:
                raise errors.manifest_unknown(request.reference)
        return await get(request)

    override(registry.storage, set_tag=remembered)
    registry.handlers["manifest.get"] = changed


@around("manifest.put")
async def _latest_by_digest(registry: Registry, request: Request, handler: Handler) -> Response:
    tagged = registry.storage.tags(request.name)
    response = await handler(request)
    if tagged and ":" in request.reference and response.status == 201:
        registry.storage.set_tag(request.name, "latest", request.reference)
    return response


def _without_unknown_members(_request: Request, response: Response) -> None:
    document = json.loads(response.body)
    if set(document) - _MEMBERS and response.headers.get("Content-Type") in KNOWN:
        response.body = json.dumps({key: value for key, value in document.items() if key in _MEMBERS}).encode()


def _others(registry: Registry, name: str, tag: str) -> list[str]:
    """The other tags of the manifest that a tag points to."""
    storage = registry.storage
    digest = storage.tag(name, tag)
    return [other for other in storage.tags(name) if digest and other != tag and storage.tag(name, other) == digest]


def _shared_tag_stays(registry: Registry) -> None:
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        if not _others(registry, name, tag):
            set_tag(name, tag, digest)

    override(registry.storage, set_tag=changed)


def _all_tags_move(registry: Registry) -> None:
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        for each in [tag, *_others(registry, name, tag)]:
            set_tag(name, each, digest)

    override(registry.storage, set_tag=changed)


def _gone_with_the_last_of_several(registry: Registry) -> None:
    """A manifest that had several tags goes when the last one moves away."""
    set_tag, several = registry.storage.set_tag, set[tuple[str, str]]()

    def changed(name: str, tag: str, digest: str) -> None:
        old, others = registry.storage.tag(name, tag), _others(registry, name, tag)
        set_tag(name, tag, digest)
        if _others(registry, name, tag):
            several.add((name, digest))
        if old is not None and old != digest and not others and (name, old) in several:
            registry.storage.delete_manifest(name, old, None)

    override(registry.storage, set_tag=changed)


@around("manifest.put")
async def _again_by_digest_409(registry: Registry, request: Request, handler: Handler) -> Response:
    if ":" in request.reference and registry.storage.manifest(request.name, request.reference):
        raise errors.RegistryError(409)
    return await handler(request)


def _lost_when_pushed_again(registry: Registry) -> None:
    """A reference that took the same manifest twice leads nowhere."""
    pushed: dict[tuple[str, str], list[str]] = {}

    def changed(request: Request, response: Response) -> Response | None:
        where = pushed.setdefault((request.name, request.reference), [])
        if request.method == "PUT" and response.status == 201:
            where.append(response.headers.get("Docker-Content-Digest"))
        twice = len(where) > 1 and where[-1] == where[-2]
        return Response(404) if request.method == "GET" and twice else None

    on("manifest.put", "manifest.get", change=changed)(registry)


FAULTS = (
    Fault(
        name="manifest-annotations-dropped",
        title="Annotations are not stored.",
        breaks=("PUSH-MANIFEST-ANNOTATIONS-KEPT", "PUSH-MANIFEST-BYTES-EXACT", "PULL-MANIFEST-GET-BODY-EXACT"),
        # A manifest with annotations is not what was pushed, and referrers are listed without them.
        also=(
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "DISC-REFERRERS-ANNOTATIONS",
            "DISC-REFERRERS-DESCRIPTOR-FIELDS",
            "PUSH-MANIFEST-4MB-ACCEPTED",
        ),
        apply=_stored_as(_drop_annotations),
    ),
    Fault(
        name="manifest-data-dropped",
        title="The data of descriptors is not stored.",
        breaks=("PUSH-MANIFEST-DATA-FIELD-KEPT",),
        # A manifest with data is not what was pushed.
        also=("PUSH-MANIFEST-BYTES-EXACT", "PULL-MANIFEST-GET-BODY-EXACT", "PULL-MANIFEST-GET-DIGEST-BINDS-BODY"),
        apply=_stored_as(_drop_data),
    ),
    Fault(
        name="manifest-unknown-member-refused",
        title="A manifest with a member that nobody knows is refused.",
        breaks=("PUSH-MANIFEST-UNKNOWN-MEMBER",),
        apply=refused_where(has_unknown_member, invalid_manifest),
    ),
    Fault(
        name="manifest-again-denied",
        title="A manifest that is there already gets 403 DENIED.",
        breaks=("PUSH-MANIFEST-IDEMPOTENT",),
        apply=_pushes(_is_there),
    ),
    Fault(
        name="tag-moved-404",
        title="A manifest that is pushed to the tag of another gets 404.",
        breaks=("PUSH-MANIFEST-RETAG-MOVES",),
        also=("MGMT-MANIFEST-DELETE-REPUSH",),
        apply=_pushes(_is_anothers, 404, "MANIFEST_UNKNOWN"),
    ),
    Fault(
        name="second-tag-spoilt",
        title="A manifest has a byte more under its second tag.",
        # The first tag is such a one when it is pushed again.
        breaks=("PUSH-MANIFEST-KEPT",),
        # Each scenario with a second tag meets it.
        also=(
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-CONCURRENT-REPOSITORIES-APART",
            "PUSH-TAGPARAM-LISTED-TAG-RESOLVES",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
        ),
        apply=_second_tag_spoilt,
    ),
    Fault(
        name="manifest-tag-lost-by-digest",
        title="Once an image with a layer was pulled by digest, its tag is unknown.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PUSH-MANIFEST-KEPT", "PULL-CONSIST-REPEATABLE"),
        apply=_tag_lost_by_digest,
    ),
    Fault(
        name="manifest-untagged-lost",
        title="An image of several layers that has no tag is unknown by digest.",
        breaks=("PUSH-MANIFEST-BY-DIGEST-PULLABLE",),
        apply=_untagged_lost,
    ),
    Fault(
        name="manifest-by-digest-tagged",
        title="A manifest pushed by digest into a repository that has tags gets the tag latest.",
        breaks=("PUSH-MANIFEST-BY-DIGEST-NO-TAG",),
        apply=_latest_by_digest,
    ),
    Fault(
        name="manifest-unknown-members-lost",
        title="A manifest comes back without the members that are not known.",
        breaks=("PUSH-MANIFEST-BYTES-EXACT",),
        apply=on("manifest.get", "manifest.head", status=200, change=_without_unknown_members),
    ),
    Fault(
        name="manifest-name-in-capitals",
        title="A manifest is taken under a name with a component in capitals.",
        breaks=("PUSH-MANIFEST-NAME-INVALID",),
        apply=capitals_accepted("manifest.put"),
    ),
    Fault(
        name="one-of-several-tags-never-moves",
        title="A tag on a manifest that has another tag does not move, though the push gets 201.",
        breaks=("PUSH-MANIFEST-RETAG-MOVES",),
        apply=_shared_tag_stays,
    ),
    Fault(
        name="tags-move-together",
        title="All tags of a manifest move when one of them does.",
        breaks=("PUSH-MANIFEST-MULTIPLE-TAGS",),
        apply=_all_tags_move,
    ),
    Fault(
        name="manifest-gone-with-several-tags",
        title="A manifest that had several tags is gone once the last one has moved.",
        breaks=("PUSH-MANIFEST-RETAG-KEEPS-OLD",),
        apply=_gone_with_the_last_of_several,
    ),
    Fault(
        name="manifest-again-409",
        title="A manifest that is there is refused by digest.",
        breaks=("PUSH-MANIFEST-IDEMPOTENT",),
        apply=_again_by_digest_409,
    ),
    Fault(
        name="manifest-in-unknown-repository-500",
        title="A manifest in a repository that does not exist gets 500.",
        breaks=("PUSH-MANIFEST-REPO-UNKNOWN-404",),
        apply=lambda registry: fails_where(lambda request: not registry.storage.exists(request.name))(registry),
    ),
    Fault(
        name="manifest-lost-when-pushed-again",
        title="A manifest that is pushed again by the same reference is unknown by it.",
        breaks=("PUSH-MANIFEST-KEPT",),
        apply=_lost_when_pushed_again,
    ),
)
