"""Faults that show after something else happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reference.app import Registry
from reference.documents import Json
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, override, wrap
from reference.storage import Manifest, Upload

#: As many former manifests of a tag are kept.
_FORMER = 1


def _two_revisions(registry: Registry) -> None:
    """A tag keeps its present revision and the one before; older ones are deleted, whoever else names them."""
    former: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        before = registry.storage.tag(name, tag)
        set_tag(name, tag, digest)
        if before in (None, digest):
            return
        revisions = former[name, tag]
        revisions.append(str(before))
        if len(revisions) > _FORMER:
            oldest = revisions.pop(0)
            if oldest not in (digest, before):
                registry.manifests.remove(name, oldest)

    override(registry.storage, set_tag=changed)


def _late_sweep(registry: Registry) -> None:
    """A deletion leaves a mark by digest alone; the next push in another repository is swept for it."""
    storage = registry.storage
    marks: dict[str, set[str]] = {}
    delete, commit = storage.delete_blob, storage.commit_upload

    def deleted(name: str, digest: str) -> bool:
        done = delete(name, digest)
        if done:
            marks.setdefault(digest, set()).add(name)
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        held = {digest for digest in digests if storage.has_blob(upload.repository, digest)}
        commit(upload, digests)
        for digest in digests:
            places = marks.pop(digest, None)
            if places is not None and upload.repository not in places and digest not in held:
                delete(upload.repository, digest)

    override(storage, delete_blob=deleted, commit_upload=committed)


def _absence_known_to_head(registry: Registry) -> None:
    """A deletion tells the cache of HEAD that a tag is gone, and a push where it leads to, if that is new."""
    gone: dict[tuple[str, str], str | None] = {}
    storage = registry.storage
    set_tag, delete_tag = storage.set_tag, storage.delete_tag

    def deleted(name: str, tag: str) -> None:
        gone[name, tag] = storage.tag(name, tag)
        delete_tag(name, tag)

    def moved(name: str, tag: str, digest: str) -> None:
        if gone.get((name, tag)) != digest:
            gone.pop((name, tag), None)
        set_tag(name, tag, digest)

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if (request.name, request.reference) in gone:
                raise registry.manifests.unknown(request)
            return await handler(request)

        return changed

    override(storage, set_tag=moved, delete_tag=deleted)
    wrap(registry, ["manifest.head"], around)


def _selected_once(registry: Registry) -> None:
    """The descriptors of a list are kept by subject, as they were selected for who asked first since a push."""
    kept: dict[tuple[str, str], list[Json]] = {}
    storage, referrers = registry.storage, registry.referrers
    put, delete = storage.put_manifest, storage.delete_manifest
    collect, select = referrers.collect, referrers.select

    def forget(name: str) -> None:
        for key in [key for key in kept if key[0] == name]:
            del kept[key]

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        forget(name)
        put(name, manifest, subject)

    def deleted(name: str, digest: str, subject: str | None) -> None:
        forget(name)
        delete(name, digest, subject)

    class Kept(list[Json]):
        """Descriptors that were kept."""

    def collected(name: str, subject: str) -> list[Json]:
        if (name, subject) in kept:
            return Kept(kept[name, subject])
        return collect(name, subject)

    def selected(found: list[Json], artifact_type: str) -> list[Json]:
        return list(found) if isinstance(found, Kept) else select(found, artifact_type)

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            place = request.name, request.reference
            if response.status == 200 and place not in kept and "Link" not in response.headers:
                found = collect(*place)
                wanted = request.query.get("artifactType")
                if found and request.query.get("last") is None:
                    kept[place] = found if wanted is None else select(found, wanted)
            return response

        return changed

    override(storage, put_manifest=stored, delete_manifest=deleted)
    override(referrers, collect=collected, select=selected)
    wrap(registry, ["referrers.list"], around)


FAULTS = (
    Fault(
        name="second-last-revision-of-tag-purged",
        title="A manifest that a tag left two moves ago is deleted, even if another tag names it.",
        breaks=("PUSH-MANIFEST-KEPT",),
        also=(
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PUSH-MANIFEST-RETAG-KEEPS-OLD",
            "PULL-CONSIST-OLD-DIGEST",
            "PUSH-CONCURRENT-MANIFESTS-KEPT",
            "PULL-CONCURRENT-TAG-WHOLE",
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-GET-DIGEST-200",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
        ),
        apply=_two_revisions,
    ),
    Fault(
        name="push-swept-for-deletion-elsewhere",
        title="A blob that was deleted in one repository and is then pushed to another gets 201, and is unknown there.",
        breaks=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",),
        also=(
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-BLOB-KEPT",
            "PULL-BLOB-GET-200",
            "PULL-BLOB-HEAD-200",
            "PULL-CONSIST-AT-ONCE",
            "BASE-NAME-ACCEPTED-KEPT",
            "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
            "PUSH-BLOB-EMPTY-ACCEPTED",
            "PULL-BLOB-GET-EMPTY",
        ),
        apply=_late_sweep,
    ),
    Fault(
        name="head-misses-tag-that-came-back",
        title="HEAD of a tag that was deleted and pushed again with the same manifest is answered 404; GET is not.",
        breaks=("PULL-MANIFEST-HEAD-GET-AGREE", "PULL-MANIFEST-HEAD-200"),
        also=("MGMT-MANIFEST-DELETE-REPUSH", "PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-CONSIST-AT-ONCE"),
        apply=_absence_known_to_head,
    ),
    Fault(
        name="referrers-selected-for-who-asked-first",
        title="A list of referrers that is asked for again has the filter that it was first asked for with, or none.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        also=(
            "DISC-REFERRERS-FILTER-SUPPORTED",
            "DISC-REFERRERS-FILTER-HEADER-HONEST",
            "DISC-REFERRERS-COMPLETE",
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-ARTIFACTTYPE-CONFIG",
            "DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",
        ),
        apply=_selected_once,
    ),
)
