"""Faults of the lists of tags and of referrers that show at one name, kind, number or order of events alone."""

from __future__ import annotations

import json

from reference.app import Registry
from reference.documents import Json, parse
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest, Storage

_LAST_COMPONENT = 7
#: The width of the column for the digest of a subject.
_SUBJECT = 128
#: The least page behind which a single tag is passed over.
_PAGE = 10
_SCANNED = 100


def _library_in_front(registry: Registry) -> None:
    """A name without a slash is told with the namespace that it is kept in."""
    document = registry.tags.document

    def changed(name: str, tags: list[str]) -> dict[str, object]:
        return document(name if "/" in name else f"library/{name}", tags)

    override(registry.tags, document=changed)


def _seven_components_linked(request: Request, response: Response) -> None:
    """The pattern of the link has seven groups."""
    parts = request.name.split("/")
    if len(parts) > _LAST_COMPONENT and "Link" in response.headers:
        cut = "/".join(parts[:_LAST_COMPONENT])
        response.headers.set("Link", response.headers.get("Link").replace(f"/{request.name}/", f"/{cut}/", 1))


def _two_underscores_decoded(registry: Registry) -> None:
    """Two underscores are read as the slash that they stand for in file names."""
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        return collect(name.replace("__", "/"), subject)

    override(registry.referrers, collect=changed)


def _underscore_no_position(registry: Registry) -> None:
    """A position that begins with an underscore is taken for a cursor of the registry's own, and is none."""
    after = registry.tags.after

    def changed(tags: list[str], last: str | None) -> list[str]:
        return after(tags, None if last is not None and last.startswith("_") else last)

    override(registry.tags, after=changed)


class _Counted:
    """The tags of a storage, kept as long as their number is the same."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._kept: dict[str, list[str]] = {}

    def exists(self, name: str) -> bool:
        """As it is."""
        return self._storage.exists(name)

    def tags(self, name: str) -> list[str]:
        """As they were."""
        fresh = self._storage.tags(name)
        if len(self._kept.get(name, ())) != len(fresh):
            self._kept[name] = fresh
        return self._kept[name] if fresh else fresh


def _cached_by_count(registry: Registry) -> None:
    override(registry.tags, storage=_Counted(registry.storage))


def _single_rest_passed_over(registry: Registry) -> None:
    """Whether more follows is looked up two behind the page."""

    def change(request: Request, response: Response) -> None:
        page = json.loads(response.body)["tags"]
        if "Link" in response.headers and len(page) >= _PAGE:
            ordered = registry.tags.order(registry.storage.tags(request.name))
            if len(registry.tags.after(ordered, page[-1])) == 1:
                response.headers.drop("Link")

    on("tags.list", status=200, change=change)(registry)


def _filter_of_a_hundred(registry: Registry) -> None:
    """The filter looks through the first hundred."""
    select = registry.referrers.select

    def changed(found: list[Json], artifact_type: str) -> list[Json]:
        return select(found[:_SCANNED], artifact_type)

    override(registry.referrers, select=changed)


def _type_of_member(registry: Registry) -> None:
    """The type of a referrer is read from its member, which need not be there."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        return {**describe(manifest), "mediaType": parse(manifest.content).get("mediaType") or ""}

    override(registry.referrers, describe=changed)


def _long_subject_cut(registry: Registry) -> None:
    """The digest of a subject is cut at the width of its column."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject[:_SUBJECT] if subject is not None else None)

    override(registry.storage, put_manifest=changed)


def _deleted_referrer_barred(registry: Registry) -> None:
    """A referrer that was deleted has a tombstone in the index of referrers."""
    tombstones: set[tuple[str, str]] = set()
    put, delete = registry.storage.put_manifest, registry.storage.delete_manifest

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, None if (name, manifest.digest) in tombstones else subject)

    def deleted(name: str, digest: str, subject: str | None) -> None:
        tombstones.add((name, digest))
        delete(name, digest, subject)

    override(registry.storage, put_manifest=stored, delete_manifest=deleted)


FAULTS = (
    Fault(
        name="tags-of-single-component-in-library",
        title="The tag list of a repository whose name has one component calls it library/NAME.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_library_in_front,
    ),
    Fault(
        name="link-of-eight-components-cut",
        title="The Link of a tag list leaves out the eighth component of the repository's name.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=(
            "DISC-TAGS-LINK-SYNTAX",
            "DISC-TAGS-N-SHORT-PAGE",
        ),
        apply=on("tags.list", status=200, change=_seven_components_linked),
    ),
    Fault(
        name="referrers-behind-two-underscores",
        title="A repository with two underscores in its name lists the referrers of the one with a slash there.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-ISOLATION-REPO",
            "DISC-REFERRERS-COMPLETE-INDEX",
            "BASE-NAME-REPEATED-SEPARATOR",
        ),
        apply=_two_underscores_decoded,
    ),
    Fault(
        name="last-with-leading-underscore-ignored",
        title="A last that begins with an underscore leads back to the first tag.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-LAST-WITHOUT-N",
            "DISC-TAGS-LAST-NOT-A-TAG",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
        ),
        apply=_underscore_no_position,
    ),
    Fault(
        name="tag-list-kept-while-as-many",
        title="The tag list stays as it was when a tag goes and another comes.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=(
            "MGMT-TAG-DELETE-NOT-LISTED",
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "DISC-TAGS-CONDITION-FRESH",
        ),
        apply=_cached_by_count,
    ),
    Fault(
        name="link-to-a-single-tag-missing",
        title="A page of ten tags or more has no Link where one tag alone is left.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=(
            "DISC-TAGS-LINK-PRESENT-WHEN-MORE",
            "DISC-TAGS-N-SHORT-PAGE",
        ),
        apply=_single_rest_passed_over,
    ),
    Fault(
        name="filter-of-hundred-referrers",
        title="A filtered list of referrers lacks those that stand behind the first hundred.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        also=(
            "DISC-REFERRERS-COMPLETE",
            "DISC-REFERRERS-LINK-PAGES",
        ),
        apply=_filter_of_a_hundred,
    ),
    Fault(
        name="referrer-without-media-type-nameless",
        title="A referrer without the member mediaType is listed with an empty one.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        also=("DISC-REFERRERS-INDEX-SHAPE",),
        apply=_type_of_member,
    ),
    Fault(
        name="referrers-of-sha512-unlisted",
        title="A manifest whose subject is named by sha512 is in no list of referrers.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
        ),
        apply=_long_subject_cut,
    ),
    Fault(
        name="referrer-back-from-deletion-unlisted",
        title="A referrer that is pushed again after its deletion is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "MGMT-MANIFEST-DELETE-REPUSH",
            "PUSH-CONCURRENT-DELETE-REPUSH",
        ),
        apply=_deleted_referrer_barred,
    ),
)
