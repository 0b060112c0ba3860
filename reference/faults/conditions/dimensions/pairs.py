"""Faults of routes and operations that influence each other."""

from __future__ import annotations

from reference.app import Registry
from reference.faults.conditions.dimensions.shared import Key
from reference.grammar import digest_of
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override
from reference.storage import Manifest, Upload


@around("tags.list")
async def _etag_of_number(registry: Registry, request: Request, handler: Handler) -> Response:
    """The entity tag of a list is made of how many tags it has."""
    response = await handler(request)
    if response.status == 200 and not request.query.raw:
        etag = f'"tags-{len(registry.storage.tags(request.name))}"'
        if etag in request.headers.get("if-none-match"):
            return Response(304, [("ETag", etag)])
        response.headers.set("ETag", etag)
    return response


@around("upload.delete")
async def _cancel_by_content(registry: Registry, request: Request, handler: Handler) -> Response:
    """The data of an upload is stored by its digest from the beginning, and a cancelling removes it."""
    data = bytes(getattr(registry.uploads.find(request), "data", b""))
    response = await handler(request)
    if data:
        registry.storage.delete_blob(request.name, digest_of(data))
    return response


def _tags_revived(registry: Registry) -> None:
    """A manifest that is deleted is marked, and its tags with it; a push takes the mark away."""
    former: dict[Key, list[str]] = {}
    remove, put = registry.manifests.remove, registry.storage.put_manifest

    def removed(name: str, digest: str) -> None:
        tags = registry.storage.tags_of(name, digest)
        remove(name, digest)
        former[name, digest] = tags

    def pushed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        for tag in former.pop((name, manifest.digest), []):
            if registry.storage.tag(name, tag) is None:
                registry.storage.set_tag(name, tag, manifest.digest)

    override(registry.manifests, remove=removed)
    override(registry.storage, put_manifest=pushed)


def _referrers_of_tag(registry: Registry) -> None:
    """Referrers hang on a tag of their subject, and go with any tag of it."""
    dropped: set[tuple[str, str, str]] = set()
    remove, put, referrers = registry.manifests.remove_tag, registry.storage.put_manifest, registry.storage.referrers

    def removed(name: str, tag: str) -> None:
        subject = registry.storage.tag(name, tag) or ""
        remove(name, tag)
        if registry.storage.tags_of(name, subject):
            dropped.update((name, subject, digest) for digest in referrers(name, subject))

    def pushed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        dropped.discard((name, subject or "", manifest.digest))

    override(registry.manifests, remove_tag=removed)
    override(
        registry.storage,
        put_manifest=pushed,
        referrers=lambda name, subject: [d for d in referrers(name, subject) if (name, subject, d) not in dropped],
    )


def _deletion_ends_uploads(registry: Registry) -> None:
    """The deletion of a blob tidies the folder of its repository."""
    opened: list[Upload] = []
    start, remove = registry.storage.start_upload, registry.blobs.remove

    def remember(name: str) -> Upload:
        opened.append(start(name))
        return opened[-1]

    def changed(name: str, digest: str) -> bool:
        if not remove(name, digest):
            return False
        for upload in opened:
            if upload.repository == name and not upload.closed:
                registry.storage.discard_upload(upload)
        return True

    override(registry.storage, start_upload=remember)
    override(registry.blobs, remove=changed)


FAULTS = (
    Fault(
        name="tag-list-etag-counts",
        title="A list of tags returns 304 where as many tags were pushed as deleted since.",
        breaks=("DISC-TAGS-CONDITION-FRESH",),
        apply=_etag_of_number,
    ),
    Fault(
        name="cancel-takes-blob-of-the-same-bytes",
        title="The cancelling of an upload deletes the blob that has the same bytes.",
        breaks=("PUSH-BLOB-KEPT",),
        apply=_cancel_by_content,
    ),
    Fault(
        name="push-revives-tags-of-the-deleted",
        title="A manifest that is pushed again after its deletion has all its former tags again.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-404", "PULL-MANIFEST-GET-UNKNOWN-404"),
        apply=_tags_revived,
    ),
    Fault(
        name="subject-loses-referrers-with-a-tag",
        title="The deletion of one of the tags of a subject empties its list of referrers.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        apply=_referrers_of_tag,
    ),
    Fault(
        name="blob-delete-ends-open-uploads",
        title="The deletion of a blob ends the uploads that are open in its repository.",
        breaks=("PUSH-PUT-NO-BODY-CLOSES", "PUSH-PUT-MONOLITHIC-201", "PUSH-STATUS-204", "PUSH-STATUS-RESUME"),
        apply=_deletion_ends_uploads,
    ),
)
