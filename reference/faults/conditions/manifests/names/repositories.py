"""Faults of manifests that show in repositories with some names."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, on, override
from reference.resources import url
from reference.storage import Manifest

_BUFFER = 255
#: The column that holds repository and tag together.
_COLUMN = 256
_LONGEST = 255
_DEPTH = 4
_COMPONENTS = 6


def _below_too(registry: Registry) -> None:
    remove = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        for repository in registry.storage.repositories():
            if repository == name or repository.startswith(f"{name}/"):
                remove(repository, tag)

    override(registry.manifests, remove_tag=changed)


def _location_in_a_buffer(_request: Request, response: Response) -> None:
    response.headers.set("Location", response.headers.get("Location")[:_BUFFER])


def _tags_of_full_names_collide(registry: Registry) -> None:
    """The key of a tag, its repository in front, is cut at the width of a column."""
    rows: dict[str, str] = {}
    tag, set_tag = registry.storage.tag, registry.storage.set_tag

    def key(name: str, reference: str) -> str:
        return f"{name}:{reference}"[:_COLUMN]

    def written(name: str, reference: str, digest: str) -> None:
        rows[key(name, reference)] = digest
        set_tag(name, reference, digest)

    def found(name: str, reference: str) -> str | None:
        right = tag(name, reference)
        cut = right is not None and len(name) == _COLUMN - 1
        return rows.get(key(name, reference)) if cut else right

    override(registry.storage, tag=found, set_tag=written)


def _one_tag_in_long_names(registry: Registry) -> None:
    """The key of a tag is cut behind the name of its repository, where that is as long as can be."""
    latest: dict[str, str] = {}
    lookup, set_tag = registry.storage.tag, registry.storage.set_tag

    def noting(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        latest[name] = digest

    def changed(name: str, tag: str) -> str | None:
        if len(name) < _LONGEST:
            return lookup(name, tag)
        return latest.get(name) if registry.storage.tags(name) else None

    override(registry.storage, tag=changed, set_tag=noting)


def _dotted_kept(registry: Registry) -> None:
    """What looks like a file is cached for ever, unless it goes."""
    kept: dict[tuple[str, str], Manifest] = {}
    find = registry.manifests.find

    def changed(name: str, reference: str) -> Manifest | None:
        present = find(name, reference)
        if present is None:
            kept.pop((name, reference), None)
        elif "." in name and ":" not in reference:
            return kept.setdefault((name, reference), present)
        return present

    override(registry.manifests, find=changed)


def _tag_with_manifest(registry: Registry) -> None:
    """Four components deep a path to a tag is taken for one to its manifest."""
    remove_tag, remove = registry.manifests.remove_tag, registry.manifests.remove

    def changed(name: str, tag: str) -> None:
        digest = registry.storage.tag(name, tag)
        remove_tag(name, tag)
        if name.count("/") == 3 and digest is not None:
            remove(name, digest)

    override(registry.manifests, remove_tag=changed)


def _by_group(registry: Registry) -> None:
    """Keep what tags name by the group of a repository, which is four levels deep at most, and the tag."""
    kept: dict[tuple[str, str], Manifest] = {}
    storage, find = registry.storage, registry.manifests.find
    set_tag, delete_tag = storage.set_tag, storage.delete_tag

    def key(name: str, tag: str) -> tuple[str, str] | None:
        parts = name.split("/")
        return ("/".join(parts[:_DEPTH]), tag) if len(parts) > _DEPTH else None

    def moved(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        manifest, where = storage.manifest(name, digest), key(name, tag)
        if manifest is not None and where is not None:
            kept[where] = manifest

    def deleted(name: str, tag: str) -> None:
        where = key(name, tag)
        if where is not None:
            kept.pop(where, None)
        delete_tag(name, tag)

    def changed(name: str, reference: str) -> Manifest | None:
        found, where = find(name, reference), key(name, reference)
        return kept.get(where, found) if where is not None and storage.exists(name) else found

    override(storage, set_tag=moved, delete_tag=deleted)
    override(registry.manifests, find=changed)


def _location_of_some_components(request: Request, response: Response) -> None:
    """The pattern of the path that a Location is made with takes six components."""
    parts = request.name.split("/")
    if len(parts) > _COMPONENTS:
        last = response.headers.get("Location").rpartition("/")[2]
        response.headers.set("Location", f"/v2/{'/'.join(parts[:_COMPONENTS])}/manifests/{last}")


def _in_the_library(registry: Registry) -> Apply:
    """A name of one component is short for one of the library, as at Docker Hub."""

    def change(request: Request, response: Response) -> None:
        digest = response.headers.get("Location").rpartition("/")[2]
        if "/" not in request.name:
            place = f"/v2/library/{request.name}/manifests/{digest}"
            response.headers.set("Location", url(registry.options.host, place))

    return on("manifest.put", status=201, change=change)


FAULTS = (
    Fault(
        name="tag-deletion-reaches-below",
        title="The deletion of a tag takes it in the repositories below, too.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG", "MGMT-TAG-DELETE-OTHER-TAGS-KEPT"),
        apply=_below_too,
    ),
    Fault(
        name="manifest-location-of-255-characters",
        title="The Location of a manifest ends after 255 characters.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        apply=on("manifest.put", status=201, change=_location_in_a_buffer),
    ),
    Fault(
        name="tags-collide-in-longest-name",
        title="In a repository whose name has 255 characters every tag leads to what was pushed last.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PUSH-MANIFEST-KEPT"),
        also=(
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "BASE-TAG-ACCEPTED-KEPT",
            "BASE-NAME-ACCEPTED-KEPT",
            "BASE-NAME-LENGTH-MAX",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
        ),
        apply=_tags_of_full_names_collide,
    ),
    Fault(
        name="long-name-with-one-tag",
        title="In a repository whose name has 255 characters each tag yields what was tagged last.",
        breaks=("PUSH-MANIFEST-KEPT", "PULL-MANIFEST-GET-UNKNOWN-404"),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-CONSIST-TAG-MOVE",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "MGMT-TAG-DELETE-GET-404",
            "MGMT-TAG-DELETE-HEAD-404",
        ),
        apply=_one_tag_in_long_names,
    ),
    Fault(
        name="dotted-name-keeps-former-manifest",
        title="In a repository with a dot in its name a tag that was pulled stays where it was when it moves.",
        breaks=("PULL-CONSIST-TAG-MOVE", "PUSH-MANIFEST-RETAG-MOVES"),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "MGMT-MANIFEST-DELETE-REPUSH",
        ),
        apply=_dotted_kept,
    ),
    Fault(
        name="tag-delete-four-deep",
        title="In a repository of four components the deletion of a tag deletes its manifest.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=("MGMT-TAG-DELETE-REFERRER-LISTED", "MGMT-MANIFEST-DELETE-OTHERS-KEPT", "PUSH-MANIFEST-KEPT"),
        apply=_tag_with_manifest,
    ),
    Fault(
        name="tags-shared-by-four-components",
        title="Repositories that have their first four components in common, of more, share their tags.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG",),
        also=(
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_by_group,
    ),
    Fault(
        name="manifest-location-of-six-components",
        title="The Location of a manifest in a repository of more than six components names the first six.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        apply=on("manifest.put", status=201, change=_location_of_some_components),
    ),
    Fault(
        name="manifest-location-in-library",
        title="The Location of a manifest in a repository of one component has library/ before the name.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        apply=lambda registry: _in_the_library(registry)(registry),
    ),
)
