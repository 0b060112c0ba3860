"""Faults that show with some numbers of tags, referrers and uploads."""

from __future__ import annotations

from collections import defaultdict

from reference.app import Registry
from reference.documents import Json
from reference.faults.conditions.lists.shared import listed_tags
from reference.modifications import Fault, override
from reference.storage import Manifest, Upload

_SLOTS = 20
_MANY = 100


def _empty_list_not_written(registry: Registry) -> None:
    """The list of referrers is written back after a deletion, unless it is empty by then."""
    written: dict[tuple[str, str], list[Json]] = {}
    collect, put, remove = (
        registry.referrers.collect,
        registry.storage.put_manifest,
        registry.storage.delete_manifest,
    )

    def removed(name: str, digest: str, subject: str | None) -> None:
        if subject is not None and registry.storage.referrers(name, subject) == [digest]:
            written[name, subject] = collect(name, subject)
        remove(name, digest, subject)

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        if subject is not None:
            written.pop((name, subject), None)
        put(name, manifest, subject)

    override(registry.storage, delete_manifest=removed, put_manifest=stored)
    override(
        registry.referrers,
        collect=lambda name, subject: written.get((name, subject)) or collect(name, subject),
    )


def _ring_of_uploads(registry: Registry) -> None:
    """The uploads of a repository are in a ring of twenty, and behind the last one the first is next."""
    ring: defaultdict[str, list[Upload]] = defaultdict(list)
    start = registry.storage.start_upload

    def started(name: str) -> Upload:
        uploads = ring[name] = [upload for upload in ring[name] if not upload.closed]
        if len(uploads) < _SLOTS:
            uploads.append(start(name))
        else:
            uploads.append(uploads.pop(0))
        return uploads[-1]

    override(registry.storage, start_upload=started)


def _long_list_not_made_again(registry: Registry) -> None:
    """The list of more than a hundred tags is dear, and not made again before the next push."""
    gone: defaultdict[str, set[str]] = defaultdict(set)
    set_tag, delete_tag = registry.storage.set_tag, registry.storage.delete_tag

    def tagged(name: str, tag: str, digest: str) -> None:
        gone.pop(name, None)
        set_tag(name, tag, digest)

    def untagged(name: str, tag: str) -> None:
        if len(registry.storage.tags(name)) > _MANY:
            gone[name].add(tag)
        delete_tag(name, tag)

    override(registry.storage, set_tag=tagged, delete_tag=untagged)
    listed_tags(registry, lambda name, tags: [*tags, *gone[name]] if gone.get(name) else tags)


FAULTS = (
    Fault(
        name="only-referrer-listed-when-deleted",
        title="The only referrer of a manifest is still listed when it was deleted.",
        breaks=("MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",),
        also=("DISC-REFERRERS-DESCRIPTOR-FIELDS", "DISC-REFERRERS-ABSENT-SUBJECT-EMPTY"),
        apply=_empty_list_not_written,
    ),
    Fault(
        name="twenty-first-upload-is-the-oldest",
        title="The start of an upload where a repository has twenty open ones gives the Location of the oldest.",
        breaks=("PUSH-START-LOCATION-UNIQUE-ID",),
        also=(
            "PUSH-SESSION-PARALLEL-ISOLATED",
            "PUSH-UPLOAD-UUID-TRUE",
            "PUSH-SESSION-FRESH-RANGE-TRUE",
            "PUSH-CONCURRENT-BLOB-WHOLE",
        ),
        apply=_ring_of_uploads,
    ),
    Fault(
        name="deleted-tag-of-a-hundred-listed",
        title="A tag that is deleted where there are more than a hundred stays in the list until the next push.",
        breaks=("MGMT-TAG-DELETE-NOT-LISTED",),
        also=("MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",),
        apply=_long_list_not_made_again,
    ),
)
