"""Faults of blobs that come from how a registry keeps and finds them, and show under one condition."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from reference.app import Registry
from reference.faults.conditions.blobs.shared import found_blobs, parts_of
from reference.messages import Content, Request, Response
from reference.modifications import Fault, override
from reference.storage import PIECE, Upload
from reference.storage.memory import MemoryContent, MemoryUpload

_SEPARATORS = re.compile(r"[._-]+")
_ZSTD = b"\x28\xb5\x2f\xfd"
_CHANGED = frozenset({"content-length", "content-type"})


def _posted_in_a_table_of_their_own(registry: Registry) -> None:
    """What comes in one POST is held in a table that deletions do not go to."""
    posted: set[tuple[str, str]] = set()
    post, commit, remove = (
        registry.handlers["upload.start-digest"],
        registry.storage.commit_upload,
        registry.blobs.remove,
    )

    async def single(request: Request) -> Response:
        response = await post(request)
        if response.status == 201:
            posted.update((request.name, digest) for digest in request.query.all("digest"))
        return response

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        posted.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    def removed(name: str, digest: str) -> bool:
        return registry.storage.has_blob(name, digest) if (name, digest) in posted else remove(name, digest)

    registry.handlers["upload.start-digest"] = single
    override(registry.storage, commit_upload=committed)
    override(registry.blobs, remove=removed)


def _condition_of_head_not_read(registry: Registry) -> None:
    """HEAD takes it that content by digest never changes, whatever the client has of it."""
    head = registry.handlers["blob.head"]

    async def changed(request: Request) -> Response:
        response = await head(request)
        if response.status != 200 or "If-None-Match" not in request.headers:
            return response
        if response.content is not None:
            response.content.close()
        return Response(304, [pair for pair in response.headers.pairs if pair[0].lower() not in _CHANGED])

    registry.handlers["blob.head"] = changed


def _link_to_itself(registry: Registry) -> None:
    """A mount replaces what is there by a link to its source, though that may be the same place."""
    mounted = registry.uploads.mounted

    def changed(source: str | None, name: str, digest: str) -> bool:
        done = mounted(source, name, digest)
        if done and source == name:
            registry.storage.delete_blob(name, digest)
        return done

    override(registry.uploads, mounted=changed)


def _link_followed_by_deletion(registry: Registry) -> None:
    """The deletion of a link takes what it leads to."""
    links: dict[tuple[str, str], str] = {}
    mounted, remove, commit = registry.uploads.mounted, registry.blobs.remove, registry.storage.commit_upload

    def linked(source: str | None, name: str, digest: str) -> bool:
        done = mounted(source, name, digest)
        if done and source and source != name:
            links[name, digest] = source
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        for digest in digests:
            links.pop((upload.repository, digest), None)
        commit(upload, digests)

    def removed(name: str, digest: str) -> bool:
        source = links.pop((name, digest), None)
        done = remove(name, digest)
        if source is not None:
            registry.storage.delete_blob(source, digest)
        return done

    override(registry.uploads, mounted=linked)
    override(registry.storage, commit_upload=committed)
    override(registry.blobs, remove=removed)


def _places_by_number(registry: Registry) -> None:
    """The place of a part is its number times the length of the first part."""
    ends: defaultdict[str, list[int]] = defaultdict(list)
    patch, commit = registry.handlers["upload.patch"], registry.storage.commit_upload

    async def patched(request: Request) -> Response:
        response = await patch(request)
        upload = registry.storage.find_upload(request.name, request.reference)
        if response.status == 202 and upload is not None:
            ends[upload.identifier].append(upload.size)
        return response

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        if isinstance(upload, MemoryUpload):
            upload.data = _placed(bytes(upload.data), [*ends.pop(upload.identifier, []), upload.size])
        commit(upload, digests)

    registry.handlers["upload.patch"] = patched
    override(registry.storage, commit_upload=committed)


def _placed(data: bytes, ends: list[int]) -> bytearray:
    starts = [0, *ends]
    parts = [data[start:end] for start, end in zip(starts, ends, strict=False) if end > start]
    placed = bytearray()
    for number, part in enumerate(parts):
        place = number * len(parts[0])
        placed.extend(bytes(max(place - len(placed), 0)))
        placed[place : place + len(part)] = part
    return placed


def _deleted_already(registry: Registry) -> None:
    """What is noted as deleted is not deleted again, and no push takes the note away."""
    deleted: set[tuple[str, str]] = set()
    remove = registry.blobs.remove

    def removed(name: str, digest: str) -> bool:
        if (name, digest) in deleted:
            return registry.storage.has_blob(name, digest)
        done = remove(name, digest)
        if done:
            deleted.add((name, digest))
        return done

    override(registry.blobs, remove=removed)


def _separators_alike(registry: Registry) -> None:
    """The folder of a repository has a dash for whatever separates the words of its name."""

    def found(name: str, digest: str, content: Content | None) -> Content | None:
        if content is not None or not _SEPARATORS.search(name):
            return content
        folder = _SEPARATORS.sub("-", name)
        for other in registry.storage.repositories():
            if _SEPARATORS.sub("-", other) == folder and registry.storage.has_blob(other, digest):
                return registry.storage.open_blob(other, digest)
        return None

    found_blobs(found)(registry)


def _zstd_kept_for_conversion(registry: Registry) -> None:
    """What is zstd data is also kept where conversions look for it, and deletions do not go there."""
    kept: dict[tuple[str, str], bytes] = {}
    commit = registry.storage.commit_upload

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        if isinstance(upload, MemoryUpload) and upload.data.startswith(_ZSTD):
            kept.update(((upload.repository, digest), bytes(upload.data)) for digest in digests)
        commit(upload, digests)

    def found(name: str, digest: str, content: Content | None) -> Content | None:
        data = kept.get((name, digest))
        return MemoryContent(data) if content is None and data is not None else content

    override(registry.storage, commit_upload=committed)
    found_blobs(found)(registry)


def _range_of_the_link(registry: Registry) -> None:
    """What was pushed by sha512 is a link to the content by sha256, and a range is read from the link."""
    links: dict[tuple[str, str], bytes] = {}
    close, respond = registry.uploads.close, registry.blobs.respond

    async def closed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        response = await close(request, upload, digests, length)
        if digests[0].startswith("sha512:"):
            links[request.name, digests[0]] = (await upload.digest("sha256")).encode()
        return response

    def changed(request: Request, content: Content, headers: list[tuple[str, str]]) -> Response:
        response = respond(request, content, headers)
        link = links.get((request.name, request.reference))
        if link is not None and response.status == 206 and "Content-Range" in response.headers:
            start, length = parts_of(response)[0]
            response.parts = [link[start : start + length]]
        return response

    override(registry.uploads, close=closed)
    override(registry.blobs, respond=changed)


def _deletion_by_the_raw_path(registry: Registry) -> None:
    """The row to delete is named by the path as it was sent; that there is none is no error."""
    delete = registry.handlers["blob.delete"]

    async def changed(request: Request) -> Response:
        raw = request.path.rpartition("/")[2]
        if raw == request.reference or not registry.storage.has_blob(request.name, request.reference):
            return await delete(request)
        return Response(202, [("Docker-Content-Digest", request.reference)])

    registry.handlers["blob.delete"] = changed


def _folder_of_uploads_removed(registry: Registry) -> None:
    """A cancelled upload is removed with the folder that it is in, which is that of its repository."""
    sessions: defaultdict[str, list[Upload]] = defaultdict(list)
    start, cancel = registry.storage.start_upload, registry.handlers["upload.delete"]

    def started(name: str) -> Upload:
        upload = start(name)
        sessions[name].append(upload)
        return upload

    async def cancelled(request: Request) -> Response:
        response = await cancel(request)
        for upload in sessions.pop(request.name, []):
            registry.storage.discard_upload(upload)
        return response

    override(registry.storage, start_upload=started)
    registry.handlers["upload.delete"] = cancelled


def _part_cached_as_the_whole(registry: Registry) -> None:
    """The cache keeps what came by its URL; the range that was asked for is no part of the key."""
    cached: dict[tuple[str, str], tuple[int, int]] = {}
    get, delete = registry.handlers["blob.get"], registry.storage.delete_blob

    async def changed(request: Request) -> Response:
        response = await get(request)
        key = request.name, request.reference
        if response.status == 206 and "Content-Range" in response.headers:
            cached[key] = parts_of(response)[0]
        elif response.status == 200 and "Range" not in request.headers and key in cached:
            response.parts = [cached[key]]
        return response

    def deleted(name: str, digest: str) -> bool:
        cached.pop((name, digest), None)
        return delete(name, digest)

    registry.handlers["blob.get"] = changed
    override(registry.storage, delete_blob=deleted)


def _whole_pieces_counted(registry: Registry) -> None:
    """The progress counts what was handed on, in pieces of a mebibyte, and not what waits in the last one."""
    progress = registry.uploads.range

    def changed(size: int) -> str:
        return progress(size - size % PIECE if size > PIECE else size)

    override(registry.uploads, range=changed)


_STAYS = ("MGMT-BLOB-DELETE-HEAD-404", "MGMT-BLOB-DELETE-TWICE-404")

FAULTS = (
    Fault(
        name="posted-blob-undeleted",
        title="The deletion of a blob that came in one POST returns 202, and the blob stays.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=_STAYS,
        apply=_posted_in_a_table_of_their_own,
    ),
    Fault(
        name="head-unchanged-on-any-condition",
        title="HEAD of a blob with any If-None-Match returns 304; GET is not.",
        breaks=("PULL-CACHE-FALSE-304",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PULL-BLOB-HEAD-200"),
        apply=_condition_of_head_not_read,
    ),
    Fault(
        name="mount-from-itself-loses-blob",
        title="A blob that is mounted from the repository that it is mounted into gets 201 and is gone.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-BLOB-KEPT", "PUSH-MOUNT-LOCATION-PULLABLE"),
        apply=_link_to_itself,
    ),
    Fault(
        name="deletion-follows-the-mount",
        title="The deletion of a blob that was mounted takes it from the repository that it came from, too.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-BLOB-KEPT",),
        apply=_link_followed_by_deletion,
    ),
    Fault(
        name="chunks-placed-by-number",
        title="A blob is put together wrongly where a chunk that is not the last has another length than the first.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-STATUS-RESUME",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-BLOB-LARGE-EXACT",
            "PUSH-SESSION-PARALLEL-ISOLATED",
        ),
        apply=_places_by_number,
    ),
    Fault(
        name="second-deletion-of-a-blob",
        title="A blob that was deleted and pushed again stays when it is deleted the second time.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=_STAYS,
        apply=_deleted_already,
    ),
    Fault(
        name="separators-of-a-name-alike",
        title="A blob is served under each repository whose name differs from its own in the separators alone.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        also=("PULL-BLOB-HEAD-OTHER-REPO-404", "PULL-BLOB-GET-UNKNOWN-404", "PULL-BLOB-GET-UNKNOWN-REPO-404"),
        apply=_separators_alike,
    ),
    Fault(
        name="zstd-outlives-deletion",
        title="A blob that is zstd data is still served when it was deleted.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=("MGMT-BLOB-DELETE-HEAD-404",),
        apply=_zstd_kept_for_conversion,
    ),
    Fault(
        name="range-of-the-sha512-link",
        title="A range of a blob that was pushed by sha512 has bytes of its sha256 digest.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-206", "BASE-DIGEST-SHA512", "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE"),
        apply=_range_of_the_link,
    ),
    Fault(
        name="deletion-by-encoded-digest",
        title="The deletion of a blob by a percent-encoded digest returns 202, and the blob stays.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=_STAYS,
        apply=_deletion_by_the_raw_path,
    ),
    Fault(
        name="cancel-ends-all-uploads",
        title="The cancellation of an upload ends the other uploads of its repository, too.",
        breaks=("PUSH-SESSION-PARALLEL-ISOLATED",),
        apply=_folder_of_uploads_removed,
    ),
    Fault(
        name="part-cached-as-the-whole",
        title="The pull of a whole blob has the part alone that was pulled before by a range.",
        breaks=("PULL-CONSIST-REPEATABLE", "PULL-BLOB-GET-BODY-EXACT"),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-BLOB-KEPT", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=_part_cached_as_the_whole,
    ),
    Fault(
        name="progress-in-whole-mebibytes",
        title="The Range of an upload of more than a mebibyte counts whole mebibytes.",
        breaks=("PUSH-PATCH-RANGE-VALUE", "PUSH-STATUS-RANGE-VALUE"),
        also=(
            "PUSH-PATCH-STREAM-RANGE-VALUE",
            "PUSH-PATCH-416-RANGE-TRUE",
            "PUSH-STATUS-RESUME",
            "PUSH-INTERRUPTED-RANGE",
            "PUSH-INTERRUPTED-RESUME",
        ),
        apply=_whole_pieces_counted,
    ),
)
