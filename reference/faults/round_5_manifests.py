"""Faults of manifests and their tags that show under one condition: of their kind, tag, way or past."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, IMAGES, parse
from reference.grammar import is_tag
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, on, override, wrap
from reference.storage import Manifest

_PARAMETERS = 999
_WIDTH = 128
_PULLS = ("manifest.get", "manifest.head", "blob.get", "blob.head")


def _removal(change: Callable[[Registry, str, Manifest, Callable[[str, str], None]], None]) -> Apply:
    """Remove manifests otherwise."""

    def apply(registry: Registry) -> None:
        remove = registry.manifests.remove

        def changed(name: str, digest: str) -> None:
            manifest = registry.storage.manifest(name, digest)
            if manifest is not None:
                change(registry, name, manifest, remove)

        override(registry.manifests, remove=changed)

    return apply


def _with_children(_registry: Registry, name: str, manifest: Manifest, remove: Callable[[str, str], None]) -> None:
    """What a list lists goes with it."""
    remove(name, manifest.digest)
    if manifest.media_type == DOCKER_LIST:
        for child in parse(manifest.content)["manifests"]:
            remove(name, child["digest"])


def _not_with_many(_registry: Registry, name: str, manifest: Manifest, remove: Callable[[str, str], None]) -> None:
    """A statement has 999 parameters at most; one that fails is rolled back."""
    members = parse(manifest.content)
    parts = len(members.get("manifests") or ()) + len(members.get("layers") or ())
    if parts + (manifest.media_type in IMAGES) <= _PARAMETERS:
        remove(name, manifest.digest)


def _narrow_subject(_request: Request, response: Response) -> None:
    subject = response.headers.get("OCI-Subject")
    if len(subject) > _WIDTH:
        response.headers.set("OCI-Subject", subject[:_WIDTH])


def _longest_tag_stays(registry: Registry) -> None:
    """The condition of the update is cut, and no row fits it."""
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        if len(tag) < _WIDTH or registry.storage.tag(name, tag) is None:
            set_tag(name, tag, digest)

    override(registry.storage, set_tag=changed)


def _latest_follows(registry: Registry) -> None:
    """The latest is what came last."""
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        if registry.storage.tag(name, "latest") is not None:
            set_tag(name, "latest", digest)

    override(registry.storage, set_tag=changed)


def _tags_come_back(registry: Registry) -> None:
    """A manifest that comes back has the rows of its tags still."""
    former: dict[tuple[str, str], list[str]] = {}
    remove, put = registry.manifests.remove, registry.storage.put_manifest

    def removing(name: str, digest: str) -> None:
        storage = registry.storage
        former[name, digest] = [tag for tag in storage.tags(name) if storage.tag(name, tag) == digest]
        remove(name, digest)

    def putting(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        for tag in former.pop((name, manifest.digest), []):
            if registry.storage.tag(name, tag) is None:
                registry.storage.set_tag(name, tag, manifest.digest)

    override(registry.manifests, remove=removing)
    override(registry.storage, put_manifest=putting)


def _digest_as_written(request: Request, response: Response) -> None:
    """The header has the segment of the path as it came."""
    written = request.path.rpartition("/")[2]
    if "%" in written and ":" in request.reference and "Docker-Content-Digest" in response.headers:
        response.headers.set("Docker-Content-Digest", written)


def _refused_tag_listed(registry: Registry) -> None:
    """The index of tags is written before the manifest is looked at."""
    noted: set[tuple[str, str]] = set()
    tags = registry.storage.tags

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            key = request.name, request.reference
            try:
                response = await handler(request)
            except errors.RegistryError:
                if is_tag(request.reference):
                    noted.add(key)
                raise
            noted.discard(key)
            return response

        return changed

    def listed(name: str) -> list[str]:
        return list(dict.fromkeys([*tags(name), *(tag for owner, tag in noted if owner == name)]))

    wrap(registry, ["manifest.put"], around)
    override(registry.storage, tags=listed)


def _tag_revived(registry: Registry) -> None:
    """A deleted row is made valid again, and its digest not looked at."""
    buried: dict[tuple[str, str], str] = {}
    remove_tag, set_tag = registry.manifests.remove_tag, registry.storage.set_tag

    def removing(name: str, tag: str) -> None:
        digest = registry.storage.tag(name, tag)
        if digest is not None:
            buried[name, tag] = digest
        remove_tag(name, tag)

    def changed(name: str, tag: str, digest: str) -> None:
        former = buried.pop((name, tag), None)
        there = former is not None and registry.storage.manifest(name, former) is not None
        set_tag(name, tag, former if there and former is not None else digest)

    override(registry.manifests, remove_tag=removing)
    override(registry.storage, set_tag=changed)


def _twenty_tags_removed(registry: Registry) -> None:
    """A manifest goes with the first page of its tags; the others keep it."""
    kept: dict[tuple[str, str], Manifest] = {}
    find, page = registry.manifests.find, 20

    def removing(name: str, digest: str) -> None:
        storage = registry.storage
        tags = sorted(tag for tag in storage.tags(name) if storage.tag(name, tag) == digest)
        manifest = storage.manifest(name, digest)
        for tag in tags[:page]:
            storage.delete_tag(name, tag)
        if tags[page:] and manifest is not None:
            kept[name, digest] = manifest

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        if manifest is not None or ":" in reference:
            return manifest
        return kept.get((name, registry.storage.tag(name, reference) or ""))

    override(registry.manifests, remove_tags_of=removing, find=changed)


def _fault(name: str, title: str, *breaks: str, apply: Apply, also: tuple[str, ...] = ()) -> Fault:
    return Fault(name=name, title=title, breaks=breaks, also=also, apply=apply)


FAULTS = (
    _fault(
        "fifth-docker-list-deleted-with-children",
        "With a Docker manifest list the images that it lists are deleted.",
        "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
        also=(
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-GET-DIGEST-200",
            "PULL-MANIFEST-GET-TAG-200",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
        ),
        apply=_removal(_with_children),
    ),
    _fault(
        "fifth-thousand-descriptors-undeleted",
        "The deletion of a manifest with a thousand descriptors is answered 202, and the manifest stays.",
        "MGMT-MANIFEST-DELETE-GET-404",
        also=(
            "MGMT-MANIFEST-DELETE-HEAD-404",
            "MGMT-MANIFEST-DELETE-TAGS-404",
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "MGMT-MANIFEST-DELETE-TWICE-404",
            "PULL-MANIFEST-GET-UNKNOWN-404",
        ),
        apply=_removal(_not_with_many),
    ),
    _fault(
        "fifth-sha512-subject-short",
        "OCI-Subject ends after 128 characters, and a subject by sha512 has more.",
        "PUSH-MANIFEST-OCI-SUBJECT-VALUE",
        also=(
            "PUSH-MANIFEST-OCI-SUBJECT-PRESENT",
            "PUSH-MANIFEST-OCI-SUBJECT-INDEX",
            "BASE-DIGEST-SHA512",
        ),
        apply=on("manifest.put", status=201, change=_narrow_subject),
    ),
    _fault(
        "fifth-longest-tag-unmoved",
        "A tag of 128 characters stays with its first manifest, though each push is answered 201.",
        "PUSH-MANIFEST-RETAG-MOVES",
        "PULL-CONSIST-TAG-MOVE",
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "BASE-TAG-ACCEPT",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
        ),
        apply=_longest_tag_stays,
    ),
    _fault(
        "fifth-latest-follows",
        "The tag latest moves to whatever is pushed by another tag of its repository.",
        "PUSH-MANIFEST-KEPT",
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "BASE-TAG-ACCEPT",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-CONSIST-TAG-MOVE",
        ),
        apply=_latest_follows,
    ),
    _fault(
        "fifth-tags-come-back",
        "A manifest that is pushed after its deletion has all the tags again that it had before.",
        "MGMT-MANIFEST-DELETE-TAGS-404",
        also=(
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "DISC-TAGS-DIGEST-NOT-LISTED",
            "PUSH-MANIFEST-BY-DIGEST-NO-TAG",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
        ),
        apply=_tags_come_back,
    ),
    _fault(
        "fifth-encoded-digest-echoed",
        "What is asked for by a percent-encoded digest has that digest, encoded, as Docker-Content-Digest.",
        "BASE-DIGEST-HEADER-GRAMMAR",
        also=(
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PULL-CONSIST-REPEATABLE",
            "PULL-MANIFEST-SHA512",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
        ),
        apply=on(*_PULLS, change=_digest_as_written),
    ),
    _fault(
        "fifth-refused-tag-listed",
        "A tag stands in the list of tags after a push to it that was refused.",
        "PUSH-MANIFEST-REFUSED-NOT-STORED",
        also=(
            "PUSH-MANIFEST-MALFORMED-REJECTED",
            "PUSH-MANIFEST-TRUNCATED-NOT-STORED",
            "PUSH-MANIFEST-OVERSIZE-413",
            "DISC-TAGS-ISOLATION-REPO",
            "DISC-TAGS-LINK-WALK-COMPLETE",
        ),
        apply=_refused_tag_listed,
    ),
    _fault(
        "fifth-deleted-tag-revived",
        "A tag that was deleted leads to its former manifest when another one is pushed to it.",
        "PUSH-MANIFEST-BY-TAG-PULLABLE",
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-CONSIST-TAG-MOVE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "MGMT-TAG-DELETE-GET-404",
        ),
        apply=_tag_revived,
    ),
    _fault(
        "fifth-twenty-tags-deleted",
        "Of the tags of a deleted manifest those behind the twentieth still deliver it.",
        "MGMT-MANIFEST-DELETE-TAGS-404",
        "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
        also=(
            "MGMT-MANIFEST-DELETE-GET-404",
            "MGMT-MANIFEST-DELETE-HEAD-404",
            "PULL-MANIFEST-GET-UNKNOWN-404",
        ),
        apply=_twenty_tags_removed,
    ),
)
