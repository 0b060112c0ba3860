"""Faults that show with what came before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.documents import Document, parse
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, on, override, wrap
from reference.storage import Manifest, Upload


@around("manifest.put")
async def _subject_of_the_former(registry: Registry, request: Request, handler: Handler) -> Response:
    """The subject of a tag is kept beside it, and only one that is there replaces it."""
    tag = "" if ":" in request.reference else request.reference
    digest = registry.storage.tag(request.name, tag) if tag else None
    former = registry.storage.manifest(request.name, digest) if digest is not None else None
    response = await handler(request)
    if response.status == 201 and former is not None and "OCI-Subject" not in response.headers:
        subject = Document(former.media_type, parse(former.content)).subject
        if subject is not None:
            response.headers.set("OCI-Subject", subject)
    return response


def _not_cut_to_length(registry: Registry) -> None:
    """What a tag names is copied over the file of the tag, which stays as long as it was."""
    files: dict[tuple[str, str], bytes] = {}
    set_tag, delete_tag = registry.storage.set_tag, registry.storage.delete_tag

    def tagged(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None:
            former = files.get((name, tag), b"")
            files[name, tag] = manifest.content + former[len(manifest.content) :]

    def untagged(name: str, tag: str) -> None:
        delete_tag(name, tag)
        files.pop((name, tag), None)

    def served(request: Request, response: Response) -> None:
        response.body = files.get((request.name, request.reference), response.body)

    override(registry.storage, set_tag=tagged, delete_tag=untagged)
    on("manifest.get", "manifest.head", status=200, change=served)(registry)


def _filter_not_in_the_key(registry: Registry) -> None:
    """A filtered list is kept by repository and digest until something is pushed or deleted there."""
    kept: dict[tuple[str, str], tuple[list[tuple[str, str]], bytes]] = {}
    listing, put, remove = (
        registry.handlers["referrers.list"],
        registry.storage.put_manifest,
        registry.storage.delete_manifest,
    )

    def forget(name: str) -> None:
        for key in [key for key in kept if key[0] == name]:
            del kept[key]

    async def listed(request: Request) -> Response:
        key = request.name, request.reference
        if request.query.get("artifactType") is None or request.query.get("last") is not None:
            return await listing(request)
        if key not in kept:
            response = await listing(request)
            if response.status != 200:
                return response
            kept[key] = list(response.headers.pairs), response.body
        return Response(200, *kept[key])

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        forget(name)
        put(name, manifest, subject)

    def removed(name: str, digest: str, subject: str | None) -> None:
        forget(name)
        remove(name, digest, subject)

    registry.handlers["referrers.list"] = listed
    override(registry.storage, put_manifest=stored, delete_manifest=removed)


def _index_dropped_by_a_deletion(registry: Registry) -> None:
    """The index that HEAD looks into is dropped when a blob of it goes, and made again by the next push."""
    dropped: set[str] = set()
    head, remove, commit, mount = (
        registry.handlers["blob.head"],
        registry.blobs.remove,
        registry.storage.commit_upload,
        registry.storage.mount_blob,
    )

    async def looked_up(request: Request) -> Response:
        response = await head(request)
        if request.name in dropped and response.status == 200:
            if response.content is not None:
                response.content.close()
            raise errors.blob_unknown(request.reference)
        return response

    def removed(name: str, digest: str) -> bool:
        done = remove(name, digest)
        if done:
            dropped.add(name)
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        dropped.discard(upload.repository)
        commit(upload, digests)

    def mounted(source: str, name: str, digest: str) -> bool:
        dropped.discard(name)
        return mount(source, name, digest)

    registry.handlers["blob.head"] = looked_up
    override(registry.blobs, remove=removed)
    override(registry.storage, commit_upload=committed, mount_blob=mounted)


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


FAULTS = (
    Fault(
        name="oci-subject-of-the-tags-former",
        title="The push of a manifest without a subject to the tag of one that has one gets the OCI-Subject of that.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",),
        also=("PUSH-MANIFEST-OCI-SUBJECT-VALUE",),
        apply=_subject_of_the_former,
    ),
    Fault(
        name="tag-ends-with-longer-former",
        title="A tag that moves to a shorter manifest yields that with the end of the longer one behind it.",
        breaks=("PULL-CONSIST-TAG-MOVE",),
        also=(
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BYTES-EXACT",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-CONCURRENT-TAG-WHOLE",
            "PUSH-CONCURRENT-RETAG-ONE",
            "PUSH-MANIFEST-KEPT",
            "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",
        ),
        apply=_not_cut_to_length,
    ),
    Fault(
        name="second-filter-gets-the-first",
        title="A list of referrers that is filtered by a second type is the one of the first.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        also=("DISC-REFERRERS-FILTER-SUPPORTED", "DISC-REFERRERS-ARTIFACTTYPE-CONFIG"),
        apply=_filter_not_in_the_key,
    ),
    Fault(
        name="neighbours-of-a-deleted-blob-404",
        title="HEAD of each blob of a repository returns 404 from a deletion of a blob there to the next push of one.",
        breaks=("PUSH-BLOB-KEPT",),
        also=(
            "PULL-BLOB-HEAD-200",
            "PULL-BLOB-HEAD-GET-AGREE",
            "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
            "MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT",
        ),
        apply=_index_dropped_by_a_deletion,
    ),
    Fault(
        name="second-last-revision-of-tag-purged",
        title="A manifest that a tag left two moves ago is deleted, even if another tag names it.",
        breaks=("PUSH-CONCURRENT-MANIFESTS-KEPT",),
        also=(
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PUSH-MANIFEST-RETAG-KEEPS-OLD",
            "PULL-CONSIST-OLD-DIGEST",
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
)
