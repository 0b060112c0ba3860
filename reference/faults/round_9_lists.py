"""Faults of the lists of tags, referrers and repositories that show under one condition."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from reference.app import Registry
from reference.documents import INDEXES, Json, parse
from reference.messages import Request, Response
from reference.modifications import Fault, override
from reference.storage import Manifest

_TAG_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{1,127}")
_SUBJECT_COLUMN = len("sha256:") + 64
_NAME_COLUMN = 128
_QUERY_LIMIT = 100


def _two_characters(registry: Registry) -> None:
    """The names of entries that are tags are found by a pattern that wants two characters."""
    order = registry.tags.order
    override(registry.tags, order=lambda tags: order([tag for tag in tags if _TAG_PATTERN.fullmatch(tag)]))


def _joined_with_images(registry: Registry) -> None:
    """The list of tags is a join of tags and images."""
    storage = registry.storage
    listing = registry.handlers["tags.list"]

    async def changed(request: Request) -> Response:
        def of_images(tags: list[str]) -> list[str]:
            found = [(tag, storage.manifest(request.name, storage.tag(request.name, tag) or "")) for tag in tags]
            return order([tag for tag, manifest in found if manifest and manifest.media_type not in INDEXES])

        override(registry.tags, order=of_images)
        return await listing(request)

    order = registry.tags.order
    registry.handlers["tags.list"] = changed


def _one_more_looked_for(registry: Registry) -> None:
    """One more than asked for is looked up, to see whether more follow; a single one of two is not split off."""
    cut = registry.tags.cut
    override(registry.tags, cut=lambda tags, size: cut(tags, 2 if size == 1 else size))


def _name_in_column(registry: Registry) -> None:
    """The name comes from a column, not from the request."""
    document = registry.tags.document
    override(registry.tags, document=lambda name, tags: document(name[:_NAME_COLUMN], tags))


def _subject_in_column(registry: Registry) -> None:
    """The column of subjects has the length of a sha256 digest."""
    put, delete = registry.storage.put_manifest, registry.storage.delete_manifest

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject and subject[:_SUBJECT_COLUMN])

    def deleted(name: str, digest: str, subject: str | None) -> None:
        delete(name, digest, subject and subject[:_SUBJECT_COLUMN])

    override(registry.storage, put_manifest=stored, delete_manifest=deleted)


def _typed_within(registry: Registry) -> None:
    """Which manifests may have a subject is decided by the member mediaType, not by the Content-Type."""
    put = registry.storage.put_manifest

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject if "mediaType" in parse(manifest.content) else None)

    override(registry.storage, put_manifest=stored)


def _first_hundred(registry: Registry) -> None:
    """The query for referrers has a limit, and nobody asks for the rest."""
    collect = registry.referrers.collect
    override(registry.referrers, collect=lambda name, subject: collect(name, subject)[:_QUERY_LIMIT])


def _decoded_twice(registry: Registry) -> None:
    """The filter is decoded once by the server and once more by its handler."""
    select = registry.referrers.select

    def changed(found: list[Json], artifact_type: str) -> list[Json]:
        return select(found, unquote_plus(artifact_type))

    override(registry.referrers, select=changed)


def _union_of_all(registry: Registry) -> None:
    """The catalog is the union, repetitions included, of where was pushed to and where was mounted to."""
    mounted: set[str] = set()
    storage = registry.storage
    mount, repositories = storage.mount_blob, storage.repositories

    def noted(source: str, name: str, digest: str) -> bool:
        done = mount(source, name, digest)
        if done:
            mounted.add(name)
        return done

    listing = registry.handlers["catalog.list"]

    async def changed(request: Request) -> Response:
        override(storage, repositories=lambda: [*repositories(), *mounted])
        try:
            return await listing(request)
        finally:
            override(storage, repositories=repositories)

    override(storage, mount_blob=noted)
    registry.handlers["catalog.list"] = changed


FAULTS = (
    Fault(
        name="ninth-tags-of-one-character-unlisted",
        title="A tag of one character is not listed.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "PUSH-TAGPARAM-LISTED-TAG-RESOLVES",
        ),
        apply=_two_characters,
    ),
    Fault(
        name="ninth-tags-of-indexes-unlisted",
        title="The tag of an index is not listed.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "PUSH-TAGPARAM-LISTED-TAG-RESOLVES",
        ),
        apply=_joined_with_images,
    ),
    Fault(
        name="ninth-page-of-one-has-two",
        title="A page of one tag has two.",
        breaks=("DISC-TAGS-N-AT-MOST",),
        also=(
            "DISC-TAGS-N-FULL-PAGE",
            "DISC-TAGS-N-FROM-START",
            "DISC-TAGS-LAST-EXCLUSIVE",
        ),
        apply=_one_more_looked_for,
    ),
    Fault(
        name="ninth-name-of-tags-in-a-column",
        title="The name in the list of tags ends after 128 characters.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_name_in_column,
    ),
    Fault(
        name="ninth-referrers-of-sha512-lost",
        title="A manifest whose subject has a sha512 digest is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "BASE-DIGEST-SHA512",
        ),
        apply=_subject_in_column,
    ),
    Fault(
        name="ninth-referrers-without-media-type-lost",
        title="A manifest with a subject and without the member mediaType is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_typed_within,
    ),
    Fault(
        name="ninth-referrers-beyond-100-lost",
        title="The list of referrers ends after 100 of them, without a Link.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-LINK-PAGES",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "DISC-REFERRERS-COMPLETE-INDEX",
        ),
        apply=_first_hundred,
    ),
    Fault(
        name="ninth-filter-decoded-twice",
        title="A plus sign in the type by which referrers are filtered counts as a blank.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_decoded_twice,
    ),
    Fault(
        name="ninth-catalog-names-mounted-twice",
        title="A repository that something was mounted into stands in the catalog twice.",
        breaks=("DISC-CATALOG-ORDER",),
        also=(
            "DISC-CATALOG-LINK-WALK",
            "DISC-CATALOG-N-LAST",
        ),
        apply=_union_of_all,
    ),
)
