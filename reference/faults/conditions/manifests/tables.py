"""Faults of manifests that come from what a registry remembers under a wrong key or for too long."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import Document, parse
from reference.faults.conditions.manifests.shared import is_tag, removal
from reference.messages import Disconnected, Handler, Request, Response
from reference.modifications import Apply, Fault, override, wrap
from reference.storage import Manifest

_FOUR_BYTES = re.compile(rb"[\xf0-\xf7][\x80-\xbf]{3}")
_PULLS = ("manifest.get", "manifest.head")
_Key = tuple[str, str]


def _stored_as(change: Callable[[Manifest], bytes]) -> Apply:
    """Store other bytes than those that came."""

    def apply(registry: Registry) -> None:
        put = registry.storage.put_manifest

        def stored(name: str, manifest: Manifest, subject: str | None) -> None:
            content = change(manifest)
            put(name, Manifest(manifest.digest, manifest.media_type, content), subject)

        override(registry.storage, put_manifest=stored)

    return apply


def _three_bytes_a_letter(manifest: Manifest) -> bytes:
    """The column has room for three bytes a letter."""
    return _FOUR_BYTES.sub(b"?", manifest.content)


def _with_its_type(manifest: Manifest) -> bytes:
    """A manifest without mediaType gets one, as the library does that writes them."""
    if "mediaType" in parse(manifest.content):
        return manifest.content
    before, brace, rest = manifest.content.partition(b"{")
    return before + brace + f'"mediaType":{json.dumps(manifest.media_type)},'.encode() + rest


def _row_of_a_tag_uncovered(registry: Registry) -> None:
    """Each move of a tag is a row, the newest counts, and a deletion takes one row."""
    rows: defaultdict[_Key, list[str]] = defaultdict(list)
    set_tag, delete_tag = registry.storage.set_tag, registry.storage.delete_tag
    remove_tag = registry.manifests.remove_tag

    def moved(name: str, tag: str, digest: str) -> None:
        if rows[name, tag][-1:] != [digest]:
            rows[name, tag].append(digest)
        set_tag(name, tag, digest)

    def deleted(name: str, tag: str) -> None:
        rows.pop((name, tag), None)
        delete_tag(name, tag)

    def removed(name: str, tag: str) -> None:
        former = [digest for digest in rows[name, tag][:-1] if registry.storage.manifest(name, digest)]
        if former:
            rows[name, tag] = former
            set_tag(name, tag, former[-1])
            return
        remove_tag(name, tag)

    override(registry.storage, set_tag=moved, delete_tag=deleted)
    override(registry.manifests, remove_tag=removed)


def _tags_by_digest_alone(registry: Registry) -> None:
    """The tags of a deleted manifest are looked for by its digest, in the table of all repositories."""
    remove_tags = registry.manifests.remove_tags_of

    def changed(_name: str, digest: str) -> None:
        for name in registry.storage.repositories():
            remove_tags(name, digest)

    override(registry.manifests, remove_tags_of=changed)


def _types(fields: list[str], separator: str) -> set[str]:
    entries = [entry for field in fields for entry in field.split(separator)]
    return {entry.partition(";")[0].strip().lower() for entry in entries}


def _split_at_comma_and_blank(registry: Registry) -> None:
    """A list in Accept is split where a comma and a blank are."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        fields = request.headers.all("accept")
        read = _types(fields, ", ")
        named = manifest.media_type.lower() in _types(fields, ",")
        if named and not read & {manifest.media_type.lower(), "*/*", "application/*"}:
            raise errors.manifest_unknown(request.reference)
        return negotiate(request, manifest)

    override(registry.manifests, negotiate=changed)


def _weak_tag_is_empty(registry: Registry) -> None:
    """What stands before the first quotation mark is taken for the tag; that of a weak one is no more than W/."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            conditions = [part.strip() for part in ",".join(request.headers.all("if-none-match")).split(",")]
            if response.status != 200 or not any(part.startswith("W/") for part in conditions):
                return response
            kept = ("docker-content-digest", "etag")
            return Response(304, [pair for pair in response.headers.pairs if pair[0].lower() in kept])

        return changed

    wrap(registry, _PULLS, around)


def _subject_goes_too(registry: Registry, name: str, manifest: Manifest, remove: Callable[[str, str], None]) -> None:
    """The key from a referrer to its subject cascades the wrong way."""
    subject = Document(manifest.media_type, parse(manifest.content)).subject
    remove(name, manifest.digest)
    if subject is not None and registry.storage.manifest(name, subject) is not None:
        remove(name, subject)


def _file_names_without_last_dot(registry: Registry) -> None:
    """A tag is a file, and the file system drops dots at the end of a name."""
    storage = registry.storage
    tag_of, set_tag, delete_tag = storage.tag, storage.set_tag, storage.delete_tag
    override(
        storage,
        tag=lambda name, tag: tag_of(name, tag.rstrip(".")),
        set_tag=lambda name, tag, digest: set_tag(name, tag.rstrip("."), digest),
        delete_tag=lambda name, tag: delete_tag(name, tag.rstrip(".")),
    )


def _lock_left_by_a_refusal(registry: Registry) -> None:
    """A refused push leaves the lock of its tag, and who comes next leaves the tag to the holder of that."""
    locked: set[_Key] = set()
    put, set_tag = registry.handlers["manifest.put"], registry.storage.set_tag

    async def changed(request: Request) -> Response:
        try:
            return await put(request)
        except errors.RegistryError:
            if is_tag(request.reference):
                locked.add((request.name, request.reference))
            raise

    def moved(name: str, tag: str, digest: str) -> None:
        if (name, tag) not in locked:
            set_tag(name, tag, digest)

    registry.handlers["manifest.put"] = changed
    override(registry.storage, set_tag=moved)


def _missing_blob_remembered(registry: Registry) -> None:
    """That a blob is missing is remembered, and its push does not take the note away."""
    missing: set[_Key] = set()
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        known = [blob for blob in document.blobs if (name, blob) in missing]
        if known:
            raise errors.references_unknown(known)
        missing.update((name, blob) for blob in document.blobs if not registry.storage.has_blob(name, blob))
        check(name, document)

    override(registry.manifests, check_references=changed)


def _tags_of_an_index_with_it(registry: Registry) -> None:
    """With the tag of an index go the tags of what it lists."""
    remove_tag = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        manifest = registry.manifests.find(name, tag)
        remove_tag(name, tag)
        children = Document(manifest.media_type, parse(manifest.content)).children if manifest is not None else []
        for child in children:
            registry.manifests.remove_tags_of(name, child)

    override(registry.manifests, remove_tag=changed)


def _tag_of_the_repository_above(registry: Registry) -> None:
    """A tag that is not found is looked for in the repository above, as settings are."""
    find = registry.manifests.find

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            name = request.name
            while is_tag(request.reference) and "/" in name and find(name, request.reference) is None:
                name = name.rpartition("/")[0]
                if find(name, request.reference) is not None:
                    request.name = name
            return await handler(request)

        return changed

    wrap(registry, _PULLS, around)


def _unknown_tag_remembered(registry: Registry) -> None:
    """A cache of what tags name also keeps that one names nothing, and a push does not go to it."""
    unknown: set[_Key] = set()

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            key = request.name, request.reference
            if key in unknown:
                raise errors.manifest_unknown(request.reference)
            try:
                return await handler(request)
            except errors.RegistryError as error:
                if error.status == 404 and is_tag(request.reference):
                    unknown.add(key)
                raise

        return changed

    wrap(registry, _PULLS, around)


def _tag_opened_for_writing(registry: Registry) -> None:
    """The file of a tag is opened for writing, and so emptied, before the manifest is there."""
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        try:
            return await put(request)
        except Disconnected:
            if is_tag(request.reference) and registry.storage.tag(request.name, request.reference):
                registry.storage.delete_tag(request.name, request.reference)
            raise

    registry.handlers["manifest.put"] = changed


_OTHER_BYTES = (
    "PUSH-MANIFEST-BYTES-EXACT",
    "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
    "PULL-MANIFEST-GET-DCD-TRUE",
    "PUSH-MANIFEST-LOCATION-PULLABLE",
    "PUSH-MANIFEST-DIGEST-HEADER-TRUE",
    "PUSH-MANIFEST-ANNOTATIONS-KEPT",
    "PULL-TYPE-OCI-IMAGE",
    "PULL-TYPE-OCI-INDEX",
)
_LOST_TAG = (
    "PULL-MANIFEST-GET-TAG-200",
    "BASE-TAG-ACCEPTED-KEPT",
    "PUSH-MANIFEST-KEPT",
)

FAULTS = (
    Fault(
        name="letters-of-four-bytes",
        title="A manifest with letters beyond the first 65,536 of Unicode comes back with question marks for them.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT",),
        also=_OTHER_BYTES,
        apply=_stored_as(_three_bytes_a_letter),
    ),
    Fault(
        name="media-type-written-in",
        title="A manifest without mediaType comes back with that member.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT",),
        also=_OTHER_BYTES,
        apply=_stored_as(_with_its_type),
    ),
    Fault(
        name="deletion-uncovers-former-manifest",
        title="A tag that was moved and is deleted yields the manifest that it named before.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=("MGMT-TAG-DELETE-HEAD-404", "MGMT-TAG-DELETE-NOT-LISTED", "PULL-CONSIST-TAG-MOVE"),
        apply=_row_of_a_tag_uncovered,
    ),
    Fault(
        name="tags-go-in-all-repositories",
        title="The deletion of a manifest takes its tags in the other repositories that have it, too.",
        breaks=("MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",),
        also=(*_LOST_TAG, "PULL-MANIFEST-OTHER-REPO-TAG"),
        apply=_tags_by_digest_alone,
    ),
    Fault(
        name="accept-without-blanks",
        title="A manifest is unknown to a list in Accept that has no blanks behind its commas.",
        breaks=("PULL-ACCEPT-LIST",),
        also=("PULL-ACCEPT-EXACT", "PULL-MANIFEST-GET-TAG-200", "PULL-ACCEPT-QVALUE", "PULL-ACCEPT-CASE"),
        apply=_split_at_comma_and_blank,
    ),
    Fault(
        name="weak-tags-match",
        title="A pull of a manifest on the condition of any weak entity tag returns 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        also=("PULL-CONSIST-TAG-MOVE",),
        apply=_weak_tag_is_empty,
    ),
    Fault(
        name="subject-goes-with-referrer",
        title="The deletion of a referrer deletes its subject.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        also=("PUSH-MANIFEST-KEPT",),
        apply=removal(_subject_goes_too),
    ),
    Fault(
        name="dot-at-the-end-of-a-tag",
        title="A tag that ends in a dot is the one without it.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=(
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PUSH-MANIFEST-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
        ),
        apply=_file_names_without_last_dot,
    ),
    Fault(
        name="tag-locked-by-a-refusal",
        title="A push that is accepted does not set its tag when one to that was refused before.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-CONSIST-TAG-MOVE"),
        also=("PUSH-MANIFEST-RETAG-MOVES", "DISC-TAGS-COMPLETE-AFTER-PUSH"),
        apply=_lock_left_by_a_refusal,
    ),
    Fault(
        name="missing-blob-remembered",
        title="A manifest that was refused for a missing blob is refused when the blob is there, too.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        also=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-MANIFEST-GET-TAG-200"),
        apply=_missing_blob_remembered,
    ),
    Fault(
        name="tag-of-index-takes-others",
        title="The deletion of a tag on an index takes the tags of the manifests that it lists.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=_LOST_TAG,
        apply=_tags_of_an_index_with_it,
    ),
    Fault(
        name="tag-of-the-repository-above",
        title="A tag that a repository lacks yields what it names in a repository above.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG",),
        also=(
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "PULL-MANIFEST-GET-UNKNOWN-REPO-404",
            "MGMT-TAG-DELETE-GET-404",
            "MGMT-TAG-DELETE-HEAD-404",
        ),
        apply=_tag_of_the_repository_above,
    ),
    Fault(
        name="unknown-tag-remembered",
        title="A tag that was asked for before its push stays unknown.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-MANIFEST-GET-TAG-200"),
        also=("MGMT-MANIFEST-DELETE-REPUSH", "PULL-MANIFEST-HEAD-200"),
        apply=_unknown_tag_remembered,
    ),
    Fault(
        name="tag-lost-by-a-broken-push",
        title="A tag no longer exists when a push to it breaks off.",
        breaks=("PUSH-MANIFEST-TRUNCATED-NOT-STORED",),
        also=_LOST_TAG,
        apply=_tag_opened_for_writing,
    ),
)
