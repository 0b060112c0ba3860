"""Faults of lists that show after something was done before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reference.app import Registry
from reference.documents import Json
from reference.faults.conditions.lists.shared import ListedStorage
from reference.messages import Request, Response
from reference.modifications import Fault, override
from reference.storage import Manifest, Storage


def _again(registry: Registry) -> None:
    """The list of referrers is appended to."""
    twice: set[tuple[str, str]] = set()
    put, delete, collect = registry.storage.put_manifest, registry.storage.delete_manifest, registry.referrers.collect

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        if subject is not None and registry.storage.manifest(name, manifest.digest) is not None:
            twice.add((name, manifest.digest))
        put(name, manifest, subject)

    def deleted(name: str, digest: str, subject: str | None) -> None:
        twice.discard((name, digest))
        delete(name, digest, subject)

    def collected(name: str, subject: str) -> list[Json]:
        found = collect(name, subject)
        return [entry for each in found for entry in [each] * (2 if (name, each["digest"]) in twice else 1)]

    override(registry.storage, put_manifest=changed, delete_manifest=deleted)
    override(registry.referrers, collect=collected)


def _unlisted_since_deletion(registry: Registry) -> None:
    """A deleted referrer is taken from the list by a mark that stays when it is pushed again."""
    marks: set[tuple[str, str]] = set()
    delete, collect = registry.storage.delete_manifest, registry.referrers.collect

    def deleted(name: str, digest: str, subject: str | None) -> None:
        if subject is not None:
            marks.add((name, digest))
        delete(name, digest, subject)

    def changed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if (name, each["digest"]) not in marks]

    override(registry.storage, delete_manifest=deleted)
    override(registry.referrers, collect=changed)


class _Counted:
    """The tags of a storage, kept as long as their number is the same."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._kept: dict[str, Sequence[str]] = {}

    def exists(self, name: str) -> bool:
        """As it is."""
        return self._storage.exists(name)

    def tags(self, name: str) -> Sequence[str]:
        """As they were."""
        fresh = self._storage.tags(name)
        if len(self._kept.get(name, ())) != len(fresh):
            self._kept[name] = fresh
        return self._kept[name] if fresh else fresh


def _cached_by_count(registry: Registry) -> None:
    override(registry.tags, storage=_Counted(registry.storage))


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


def _left_by_its_tag(registry: Registry) -> None:
    """A referrer whose tag goes to another manifest is taken off the list, unless another tag is on it."""
    gone: set[tuple[str, str]] = set()
    storage, collect = registry.storage, registry.referrers.collect
    set_tag, put = storage.set_tag, storage.put_manifest

    def moved(name: str, tag: str, digest: str) -> None:
        before = storage.tag(name, tag)
        set_tag(name, tag, digest)
        if before not in (None, digest) and before not in {storage.tag(name, other) for other in storage.tags(name)}:
            gone.add((name, str(before)))

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        gone.discard((name, manifest.digest))

    def changed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if (name, each["digest"]) not in gone]

    override(storage, set_tag=moved, put_manifest=stored)
    override(registry.referrers, collect=changed)


def _absence_kept(registry: Registry) -> None:
    """That a digest has no referrers is remembered."""
    absent: set[tuple[str, str]] = set()
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        referrers = collect(name, subject)
        if not referrers:
            absent.add((name, subject))
        return [] if (name, subject) in absent else referrers

    override(registry.referrers, collect=changed)


def _untagged_stay_so(registry: Registry) -> None:
    """Whether a manifest is listed is decided when it is first pushed."""
    hidden: set[tuple[str, str]] = set()
    put, storage = registry.handlers["manifest.put"], registry.storage

    async def changed(request: Request) -> Response:
        by_digest = ":" in request.reference
        known = by_digest and storage.manifest(request.name, request.reference) is not None
        response = await put(request)
        if response.status == 201 and by_digest and not known:
            hidden.add((request.name, request.reference))
        return response

    def listed(name: str, tags: Sequence[str]) -> Sequence[str]:
        return [tag for tag in tags if (name, storage.tag(name, tag)) not in hidden]

    registry.handlers["manifest.put"] = changed
    override(registry.tags, storage=ListedStorage(registry, listed))


def _successor_skipped(registry: Registry) -> None:
    """The removal of an entry shifts the next one into its place, which is passed over then."""
    hidden: set[tuple[str, str]] = set()
    remove_tag, set_tag = registry.manifests.remove_tag, registry.storage.set_tag

    def removed(name: str, tag: str) -> None:
        ordered = registry.tags.order(registry.storage.tags(name))
        remove_tag(name, tag)
        hidden.update((name, other) for other in ordered[ordered.index(tag) + 1 :][:1])

    def tagged(name: str, tag: str, digest: str) -> None:
        hidden.discard((name, tag))
        set_tag(name, tag, digest)

    def listed(name: str, tags: Sequence[str]) -> Sequence[str]:
        return [tag for tag in tags if (name, tag) not in hidden]

    override(registry.manifests, remove_tag=removed)
    override(registry.storage, set_tag=tagged)
    override(registry.tags, storage=ListedStorage(registry, listed))


def _empty_remembered(registry: Registry) -> None:
    """An empty list of referrers is kept for the next time, and nothing makes it invalid."""
    empty: set[tuple[str, str]] = set()
    referrers = registry.storage.referrers

    def changed(name: str, subject: str) -> list[str]:
        found = referrers(name, subject) if (name, subject) not in empty else []
        if not found:
            empty.add((name, subject))
        return found

    override(registry.storage, referrers=changed)


def _empty_kept(registry: Registry) -> None:
    """That there is nothing is remembered, and not forgotten at a push."""
    empty: set[tuple[str, str]] = set()
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        found = [] if (name, subject) in empty else collect(name, subject)
        if not found:
            empty.add((name, subject))
        return found

    override(registry.referrers, collect=changed)


def _deleted_for_ever(registry: Registry) -> None:
    """Deletion marks the line of a referrer, and a push leaves a line that is there as it is."""
    marked: set[tuple[str, str]] = set()
    storage, collect = registry.storage, registry.referrers.collect
    delete = storage.delete_manifest

    def noting(name: str, digest: str, subject: str | None) -> None:
        delete(name, digest, subject)
        marked.add((name, digest))

    def changed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if (name, each["digest"]) not in marked]

    override(storage, delete_manifest=noting)
    override(registry.referrers, collect=changed)


def _still_marked(registry: Registry) -> None:
    """The row of a deleted referrer is marked, and stays so when the referrer is inserted again."""
    marked: set[tuple[str, str]] = set()
    delete, collect = registry.storage.delete_manifest, registry.referrers.collect

    def deleted(name: str, digest: str, subject: str | None) -> None:
        delete(name, digest, subject)
        marked.add((name, digest))

    def changed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if (name, each["digest"]) not in marked]

    override(registry.storage, delete_manifest=deleted)
    override(registry.referrers, collect=changed)


def _appended(registry: Registry) -> None:
    """Each push of a referrer appends it to the list of its subject."""
    pushes: Counter[tuple[str, str, str]] = Counter()
    storage = registry.storage
    put, delete, referrers = storage.put_manifest, storage.delete_manifest, storage.referrers

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        if subject is not None:
            pushes[name, subject, manifest.digest] += 1

    def deleted(name: str, digest: str, subject: str | None) -> None:
        pushes.pop((name, subject or "", digest), None)
        delete(name, digest, subject)

    def listed(name: str, subject: str) -> list[str]:
        return [digest for digest in referrers(name, subject) for _ in range(pushes[name, subject, digest])]

    override(storage, put_manifest=stored, delete_manifest=deleted, referrers=listed)


FAULTS = (
    Fault(
        name="referrer-pushed-again-twice",
        title="A referrer that is pushed a second time is listed twice.",
        breaks=("DISC-REFERRERS-COMPLETE", "PUSH-MANIFEST-IDEMPOTENT"),
        apply=_again,
    ),
    Fault(
        name="referrer-unlisted-since-deletion",
        title="A referrer that was deleted and is pushed again is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("MGMT-MANIFEST-DELETE-REPUSH", "DISC-REFERRERS-COMPLETE-INDEX"),
        apply=_unlisted_since_deletion,
    ),
    Fault(
        name="tag-list-stale-at-same-count",
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
        name="referrer-back-from-deletion-unlisted",
        title="A referrer that is pushed again after its deletion is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("MGMT-MANIFEST-DELETE-REPUSH", "PUSH-CONCURRENT-DELETE-REPUSH"),
        apply=_deleted_referrer_barred,
    ),
    Fault(
        name="referrer-unlisted-once-its-tag-moved",
        title="A referrer is no longer listed once its tag has moved to another manifest.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX", "DISC-REFERRERS-BEFORE-SUBJECT", "PUSH-MANIFEST-RETAG-KEEPS-OLD"),
        apply=_left_by_its_tag,
    ),
    Fault(
        name="referrers-absent-for-ever",
        title="A list of referrers that was asked for when it was empty stays empty.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
            "DISC-REFERRERS-STATUS-200",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "DISC-REFERRERS-FILTER-SUPPORTED",
        ),
        apply=_absence_kept,
    ),
    Fault(
        name="tag-of-untagged-not-listed",
        title="A tag on a manifest that was first pushed by its digest is not listed.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "MGMT-MANIFEST-DELETE-REPUSH"),
        apply=_untagged_stay_so,
    ),
    Fault(
        name="tag-behind-deleted-not-listed",
        title="The tag that follows a deleted one in the list is not listed any more.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH", "MGMT-TAG-DELETE-OTHER-TAGS-KEPT"),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-LAST-NOT-A-TAG"),
        apply=_successor_skipped,
    ),
    Fault(
        name="referrers-empty-remembered",
        title="A list of referrers that was empty when it was asked for stays so.",
        breaks=("DISC-REFERRERS-COMPLETE", "DISC-REFERRERS-COMPLETE-INDEX"),
        also=("DISC-REFERRERS-BEFORE-SUBJECT", "DISC-REFERRERS-CONCURRENT-COMPLETE", "MGMT-MANIFEST-DELETE-REPUSH"),
        apply=_empty_remembered,
    ),
    Fault(
        name="empty-referrers-kept",
        title="Referrers that were asked for when there were none stay empty.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "DISC-REFERRERS-ISOLATION-REPO",
        ),
        apply=_empty_kept,
    ),
    Fault(
        name="referrer-deleted-for-ever",
        title="A referrer that was deleted and pushed again is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX", "MGMT-MANIFEST-DELETE-REPUSH"),
        apply=_deleted_for_ever,
    ),
    Fault(
        name="referrer-unlisted-after-deletion",
        title="A referrer that was deleted and pushed again is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX", "MGMT-MANIFEST-DELETE-REPUSH"),
        apply=_still_marked,
    ),
    Fault(
        name="referrer-pushed-again-listed-twice",
        title="A referrer that is pushed again is listed twice.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "DISC-REFERRERS-LINK-PAGES",
        ),
        apply=_appended,
    ),
)
