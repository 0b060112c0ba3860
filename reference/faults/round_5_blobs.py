"""Faults of blobs that show under one condition: of their content, size, digest, way or past."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar

from reference.app import Registry
from reference.documents import IMAGES, parse
from reference.grammar import digest_of
from reference.messages import Content, Request, Response
from reference.modifications import Apply, Fault, on, override
from reference.resources import url
from reference.storage import Manifest, Upload
from reference.storage.memory import MemoryContent, MemoryUpload

_BUFFER = 1 << 16
_PART = 1 << 20
_EMPTY = (digest_of(b""), digest_of(b"", "sha512"))
_PULLS = ("blob.get", "blob.head")
_DIGEST = "Docker-Content-Digest"
#: The upload that a request closes.
_closing: ContextVar[Upload] = ContextVar("_closing")


def _config_as_image(registry: Registry) -> None:
    """A config is known by the identity of its image."""
    images: dict[tuple[str, str], str] = {}
    put = registry.storage.put_manifest

    def noting(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        if manifest.media_type in IMAGES:
            images[name, parse(manifest.content)["config"]["digest"]] = manifest.digest

    def changed(request: Request, response: Response) -> None:
        image = images.get((request.name, request.reference))
        if image is not None and _DIGEST in response.headers:
            response.headers.set(_DIGEST, image)

    override(registry.storage, put_manifest=noting)
    on(*_PULLS, change=changed)(registry)


def _noting_uploads(registry: Registry) -> None:
    close = registry.uploads.close

    async def noting(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        _closing.set(upload)
        return await close(request, upload, digests, length)

    override(registry.uploads, close=noting)


def _full_buffer_unverified(registry: Registry) -> None:
    """What fills the buffer was flushed, and an empty buffer has nothing to verify."""
    _noting_uploads(registry)
    verified = registry.uploads.verified

    def changed(claimed: str, computed: str) -> bool:
        return verified(claimed, computed) or _closing.get().size == _BUFFER

    override(registry.uploads, verified=changed)


def _large_ones_stay(registry: Registry) -> None:
    """The store of large objects is not told of deletions."""
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        content = registry.storage.open_blob(name, digest)
        if content is None:
            return False
        content.close()
        return True if content.size >= _PART else remove(name, digest)

    override(registry.blobs, remove=changed)


def _empty_everywhere(registry: Registry) -> None:
    """Nothing need not be looked for."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        if digest in _EMPTY and registry.storage.exists(name):
            return MemoryContent(b"")
        return find(name, digest)

    override(registry.blobs, find=changed)


def _sha512_from_anywhere(registry: Registry) -> None:
    """The second algorithm has a table of its own, which does not know of repositories."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        names = [name, *registry.storage.repositories()] if digest.startswith("sha512:") else [name]
        return next((content for each in names if (content := find(each, digest)) is not None), None)

    override(registry.blobs, find=changed)


def _location_of_64_digits(registry: Registry) -> None:
    created, width = registry.uploads.created, 64

    def changed(name: str, digest: str) -> Response:
        response = created(name, digest)
        algorithm, _, encoded = digest.partition(":")
        location = url(registry.uploads.host, f"/v2/{name}/blobs/{algorithm}:{encoded[:width]}")
        response.headers.set("Location", location)
        return response

    override(registry.uploads, created=changed)


def _deleted_everywhere_behind_dashes(registry: Registry) -> None:
    """What stands behind two dashes is no part of the statement, the rest of its condition neither."""
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        removed = remove(name, digest)
        if removed and "--" in name:
            for other in registry.storage.repositories():
                registry.storage.delete_blob(other, digest)
        return removed

    override(registry.blobs, remove=changed)


def _mounted_without_size(registry: Registry) -> None:
    """The row of a mount has no size."""
    mounted: set[tuple[str, str]] = set()
    mount, commit = registry.storage.mount_blob, registry.storage.commit_upload

    def mounting(source: str, name: str, digest: str) -> bool:
        here = registry.storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and not here:
            mounted.add((name, digest))
        return done

    def committing(upload: Upload, digests: Iterable[str]) -> None:
        kept = tuple(digests)
        commit(upload, kept)
        mounted.difference_update((upload.repository, digest) for digest in kept)

    def changed(request: Request, response: Response) -> None:
        if (request.name, request.reference) in mounted:
            response.headers.set("Content-Length", "0")

    override(registry.storage, mount_blob=mounting, commit_upload=committing)
    on("blob.head", status=200, change=changed)(registry)


def _counted_by_connection(registry: Registry) -> None:
    """The Range counts what came over the connection of the chunk."""
    seen: dict[str, tuple[str, int]] = {}
    patch = registry.handlers["upload.patch"]

    async def changed(request: Request) -> Response:
        upload = registry.storage.find_upload(request.name, request.reference)
        before = upload.size if upload is not None else 0
        address, base = seen.get(request.reference, (request.address, before))
        if address != request.address:
            base = before
        seen[request.reference] = request.address, base
        response = await patch(request)
        if upload is not None and response.status == 202:
            response.headers.set("Range", registry.uploads.range(upload.size - base))
        return response

    registry.handlers["upload.patch"] = changed


def _again_at_the_buffer(request: Request, response: Response) -> None:
    """The second buffer of a range is filled from the beginning."""
    if response.content is None or len(response.parts) != 1 or not request.headers.get("range"):
        return
    part = response.parts[0]
    if isinstance(part, bytes):
        return
    start, length = part
    if start < _BUFFER < start + length:
        response.stream(response.content, [(start, _BUFFER - start), (0, start + length - _BUFFER)])


def _beyond_is_last(registry: Registry) -> None:
    """A position behind the end is taken for the last one."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        return [(size - 1, 1)] if found == [] and size else found

    override(registry.blobs, ranges=changed)


def _refused_bytes_kept(registry: Registry) -> None:
    """A refused upload has its file under the digest already, and what is there is not written again."""
    _noting_uploads(registry)
    verified, find, delete = registry.uploads.verified, registry.blobs.find, registry.storage.delete_blob
    refused: dict[str, bytes] = {}

    def verifying(claimed: str, computed: str) -> bool:
        upload, storage = _closing.get(), registry.storage
        held = any(storage.has_blob(name, claimed) for name in storage.repositories())
        right = verified(claimed, computed)
        if not right and not held and isinstance(upload, MemoryUpload):
            refused.setdefault(claimed, bytes(upload.data))
        return right

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return MemoryContent(refused[digest]) if content is not None and digest in refused else content

    def deleting(name: str, digest: str) -> bool:
        refused.pop(digest, None)
        return delete(name, digest)

    override(registry.uploads, verified=verifying)
    override(registry.blobs, find=changed)
    override(registry.storage, delete_blob=deleting)


def _fault(name: str, title: str, *breaks: str, apply: Apply, also: tuple[str, ...] = ()) -> Fault:
    return Fault(name=name, title=title, breaks=breaks, also=also, apply=apply)


FAULTS = (
    _fault(
        "fifth-config-digest-of-image",
        "Docker-Content-Digest of a blob that an image names as its config is that of the image.",
        "PULL-BLOB-GET-DCD-TRUE",
        also=(
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-CONSIST-REPEATABLE",
            "PULL-BLOB-HEAD-GET-AGREE",
        ),
        apply=_config_as_image,
    ),
    _fault(
        "fifth-full-buffer-unverified",
        "A blob of exactly 64 KiB is accepted under any digest.",
        "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PUSH-PUT-DIGEST-HEADER-VALUE",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-SINGLE-DIGEST-INVALID-400",
            "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
            "PUSH-BLOB-KEPT",
            "PULL-BLOB-GET-BODY-EXACT",
        ),
        apply=_full_buffer_unverified,
    ),
    _fault(
        "fifth-large-blob-undeleted",
        "The deletion of a blob of a mebibyte or more is answered 202, and the blob stays.",
        "MGMT-BLOB-DELETE-GET-404",
        also=(
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
        ),
        apply=_large_ones_stay,
    ),
    _fault(
        "fifth-empty-blob-everywhere",
        "The empty blob is there in every repository, though nobody pushed it.",
        "PULL-BLOB-OTHER-REPO-404",
        also=(
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
        apply=_empty_everywhere,
    ),
    _fault(
        "fifth-sha512-blob-from-anywhere",
        "A blob is served under every repository, if it is asked for by sha512.",
        "PULL-BLOB-OTHER-REPO-404",
        also=(
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
        ),
        apply=_sha512_from_anywhere,
    ),
    _fault(
        "fifth-sha512-location-short",
        "The Location of a blob that is pushed by sha512 ends after 64 digits.",
        "PUSH-PUT-LOCATION-PULLABLE",
        also=(
            "PUSH-PUT-LOCATION-PRESENT",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "PUSH-BLOB-SHA512-ACCEPTED",
            "BASE-DIGEST-SHA512",
        ),
        apply=_location_of_64_digits,
    ),
    _fault(
        "fifth-dashes-delete-everywhere",
        "A blob that is deleted in a repository with two dashes in a row in its name goes from all repositories.",
        "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
        also=(
            "PUSH-BLOB-KEPT",
            "PULL-BLOB-GET-200",
            "PULL-BLOB-HEAD-200",
        ),
        apply=_deleted_everywhere_behind_dashes,
    ),
    _fault(
        "fifth-mounted-head-empty",
        "HEAD of a blob that was mounted has Content-Length: 0.",
        "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PUSH-CONCURRENT-MOUNT-AVAILABLE",
        ),
        apply=_mounted_without_size,
    ),
    _fault(
        "fifth-range-by-connection",
        "The Range of a chunk counts only what came over the same connection.",
        "PUSH-PATCH-RANGE-VALUE",
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-PATCH-STREAM-RANGE-VALUE",
            "PUSH-INTERRUPTED-RESUME",
        ),
        apply=_counted_by_connection,
    ),
    _fault(
        "fifth-range-again-at-buffer",
        "A range that goes on behind the first 64 KiB of a blob has the first bytes of the blob from there on.",
        "PULL-BLOB-RANGE-TRUE",
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
            "PULL-BLOB-RANGE-IF-RANGE",
        ),
        apply=on("blob.get", status=206, change=_again_at_the_buffer),
    ),
    _fault(
        "fifth-range-behind-end-last-byte",
        "A range that begins behind the end of a blob is answered with its last byte.",
        "PULL-BLOB-RANGE-TRUE",
        also=(
            "PULL-BLOB-RANGE-416",
            "PULL-BLOB-RANGE-416-SIZE",
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
        ),
        apply=_beyond_is_last,
    ),
    _fault(
        "fifth-refused-bytes-kept",
        "A blob under whose digest something else was refused before is served as what was refused.",
        "PULL-BLOB-GET-BODY-EXACT",
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-KEPT",
            "PUSH-BLOB-BINARY-EXACT",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=_refused_bytes_kept,
    ),
)
