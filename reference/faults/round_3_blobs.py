"""Faults of blobs that show under one condition: a kind of content, a size, a way of the push or of the pull."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from reference import errors
from reference.app import Registry
from reference.documents import IMAGES, parse
from reference.messages import Content, Request, Response
from reference.modifications import Apply, Fault, on, override
from reference.storage import Manifest, Upload
from reference.storage.memory import MemoryContent, MemoryUpload

#: The size of a buffer, and the size from which content is kept elsewhere, in bytes.
_BUFFER = 1 << 16
_LARGE = 1 << 20
_STATE = "_state"

Found = Callable[[str, str, Content | None], Content | None]


def found(change: Found) -> Apply:
    """Change what is found of blobs, or not found."""

    def apply(registry: Registry) -> None:
        find = registry.blobs.find

        def changed(name: str, digest: str) -> Content | None:
            return change(name, digest, find(name, digest))

        override(registry.blobs, find=changed)

    return apply


def when_refused(registry: Registry, act: Callable[[MemoryUpload, str], None]) -> None:
    """Do something with the content that was refused under a wrong digest, before it is forgotten."""
    verified, discard = registry.uploads.verified, registry.storage.discard_upload
    pending: list[str] = []

    def noting(claimed: str, computed: str) -> bool:
        right = verified(claimed, computed)
        if not right:
            pending.append(claimed)
        return right

    def discarded(upload: Upload) -> None:
        claimed = pending.pop() if pending else None
        if claimed is not None and isinstance(upload, MemoryUpload):
            act(upload, claimed)
        discard(upload)

    override(registry.uploads, verified=noting)
    override(registry.storage, discard_upload=discarded)


def _size(registry: Registry, name: str, digest: str) -> int | None:
    content = registry.storage.open_blob(name, digest)
    return content.size if content is not None else None


def _configs_with_line_feed(registry: Registry) -> None:
    """What a manifest names as its config is kept as a line of text."""
    configs: set[tuple[str, str]] = set()
    put = registry.storage.put_manifest

    def noting(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        if manifest.media_type in IMAGES:
            configs.add((name, parse(manifest.content)["config"]["digest"]))

    def changed(name: str, digest: str, content: Content | None) -> Content | None:
        if (name, digest) not in configs or not isinstance(content, MemoryContent):
            return content
        return MemoryContent(bytes(content.data) + b"\n")

    override(registry.storage, put_manifest=noting)
    found(changed)(registry)


def _empty_stays(registry: Registry) -> None:
    """The empty blob is taken for one that everybody needs."""
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        return _size(registry, name, digest) == 0 or remove(name, digest)

    override(registry.blobs, remove=changed)


def _byte_of_others(registry: Registry) -> None:
    """A blob of one byte is kept beside its digest, and not beside its repository."""

    def changed(name: str, digest: str, content: Content | None) -> Content | None:
        storage = registry.storage
        if content is not None or not storage.exists(name):
            return content
        others = [storage.open_blob(other, digest) for other in storage.repositories()]
        return next((other for other in others if other is not None and other.size == 1), None)

    found(changed)(registry)


def _full_buffer_twice(_name: str, _digest: str, content: Content | None) -> Content | None:
    """A buffer that is full at the end of the data is written twice."""
    if isinstance(content, MemoryContent) and content.size == _BUFFER:
        return MemoryContent(bytes(content.data) * 2)
    return content


def _unknown_size(request: Request, response: Response) -> None:
    """The greatest length of sixteen bits stands for a length that is not known yet."""
    if response.content is not None and response.content.size == _BUFFER - 1:
        raise errors.blob_unknown(request.reference)


def _large_deleted_everywhere(registry: Registry) -> None:
    """Nobody counts who holds what is kept elsewhere."""
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        if (_size(registry, name, digest) or 0) >= _LARGE:
            for other in registry.storage.repositories():
                if other != name:
                    registry.storage.delete_blob(other, digest)
        return remove(name, digest)

    override(registry.blobs, remove=changed)


def _sha512_stays(registry: Registry) -> None:
    """The second name of the content is not taken away."""
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        if digest.startswith("sha512:") and registry.storage.has_blob(name, digest):
            return True
        return remove(name, digest)

    override(registry.blobs, remove=changed)


def _refused_sha512_kept(registry: Registry) -> None:
    """What is refused under a sha512 digest has been moved to its place before."""

    def keep(upload: MemoryUpload, claimed: str) -> None:
        if claimed.startswith("sha512:"):
            registry.storage.commit_upload(upload, [claimed])

    when_refused(registry, keep)


def _refused_comes_back(registry: Registry) -> None:
    """What was refused under a digest stays in a cache for it."""
    refused: dict[tuple[str, str], bytes] = {}
    served: dict[tuple[str, str], bytes] = {}
    commit = registry.storage.commit_upload

    def keep(upload: MemoryUpload, claimed: str) -> None:
        refused[upload.repository, claimed] = bytes(upload.data)

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        keys = [(upload.repository, digest) for digest in digests]
        commit(upload, [digest for _, digest in keys])
        served.update({key: refused.pop(key) for key in keys if key in refused})

    def changed(name: str, digest: str, content: Content | None) -> Content | None:
        if content is None or (name, digest) not in served:
            return content
        return MemoryContent(served[name, digest])

    when_refused(registry, keep)
    override(registry.storage, commit_upload=committed)
    found(changed)(registry)


def _streamed_without_length(registry: Registry) -> None:
    """The length of a blob is that which was announced."""
    streamed: set[str] = set()
    unmeasured: set[tuple[str, str]] = set()
    receive, commit = registry.uploads.receive, registry.storage.commit_upload

    async def received(request: Request, upload: Upload) -> None:
        before = upload.size
        await receive(request, upload)
        if request.content_length is None and upload.size > before:
            streamed.add(upload.identifier)

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        keys = {(upload.repository, digest) for digest in digests}
        commit(upload, [digest for _, digest in keys])
        if upload.identifier in streamed:
            unmeasured.update(keys)
        else:
            unmeasured.difference_update(keys)

    def changed(request: Request, response: Response) -> None:
        if (request.name, request.reference) in unmeasured:
            response.headers.set("Content-Length", "0")

    override(registry.uploads, receive=received)
    override(registry.storage, commit_upload=committed)
    on("blob.head", status=200, change=changed)(registry)


def _mounts_are_links(registry: Registry) -> None:
    """A mounted blob is a link to the repository that it is from."""
    links: dict[tuple[str, str], str] = {}
    mount, remove, commit = registry.storage.mount_blob, registry.blobs.remove, registry.storage.commit_upload

    def mounted(source: str, name: str, digest: str) -> bool:
        held = registry.storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and not held:
            links[name, digest] = source
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        commit(upload, kept := [*digests])
        for digest in kept:
            links.pop((upload.repository, digest), None)

    def changed(name: str, digest: str) -> bool:
        for target in [key[0] for key, source in links.items() if source == name and key[1] == digest]:
            del links[target, digest]
            registry.storage.delete_blob(target, digest)
        return remove(name, digest)

    override(registry.storage, mount_blob=mounted, commit_upload=committed)
    override(registry.blobs, remove=changed)


def _digest_as_written(request: Request, response: Response) -> None:
    """The digest header repeats the end of the path."""
    written = request.path.rpartition("/")[2]
    if "%" in written and ":" in request.reference and "Docker-Content-Digest" in response.headers:
        response.headers.set("Docker-Content-Digest", written)


def _seam_spoilt(_request: Request, response: Response) -> None:
    """The second buffer begins with the last byte of the first."""
    parts = [part for part in response.parts if not isinstance(part, bytes)]
    across = any(start < _BUFFER < start + length for start, length in parts)
    if across and isinstance(response.content, MemoryContent):
        data = bytearray(response.content.data)
        data[_BUFFER] = data[_BUFFER] ^ 0xFF
        response.stream(MemoryContent(bytes(data)), response.parts)


def _short_at_location(registry: Registry) -> None:
    """The Location of a push leads to what had come when its last byte had not."""
    created = registry.uploads.created

    def stated(name: str, digest: str) -> Response:
        response = created(name, digest)
        response.headers.set("Location", f"{response.headers.get('Location')}?{_STATE}=done")
        return response

    def changed(request: Request, response: Response) -> None:
        content = response.content
        if request.query.get(_STATE) is not None and content is not None and content.size:
            response.stream(content, [(0, content.size - 1)])

    override(registry.uploads, created=stated)
    on("blob.get", "blob.head", status=200, change=changed)(registry)


def _fault(name: str, title: str, *breaks: str, apply: Apply, also: tuple[str, ...] = ()) -> Fault:
    others = tuple(each for each in dict.fromkeys(also) if each not in breaks)
    return Fault(name=name, title=title, breaks=breaks, also=others, apply=apply)


#: What may be found beside several of the faults: each is true of what they send.
_BESIDE_1 = (
    "BASE-DIGEST-SHA512",
    "BASE-NAME-ACCEPTED-KEPT",
    "PULL-BLOB-GET-DCD-TRUE",
    "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
    "PULL-BLOB-HEAD-DCD-TRUE",
    "PULL-BLOB-HEAD-GET-AGREE",
    "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
    "PULL-BLOB-RANGE-TRUE",
    "PULL-CONSIST-REPEATABLE",
    "PUSH-BLOB-BINARY-EXACT",
    "PUSH-BLOB-KEPT",
    "PUSH-BLOB-LARGE-EXACT",
    "PUSH-BLOB-ODD-CONTENT-EXACT",
    "PUSH-MOUNT-BLOB-AVAILABLE",
    "PUSH-MOUNT-LOCATION-PULLABLE",
    "PUSH-PATCH-CHUNKS-CONCATENATED",
    "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
    "PUSH-PUT-LOCATION-PULLABLE",
    "PUSH-SINGLE-LOCATION-PULLABLE",
)

FAULTS = (
    _fault(
        "config-blob-with-line-feed",
        "A blob that a manifest names as its config has a line feed more from then on.",
        "PULL-BLOB-GET-BODY-EXACT",
        apply=_configs_with_line_feed,
        also=_BESIDE_1,
    ),
    _fault(
        "empty-blob-cannot-be-deleted",
        "The deletion of the empty blob is answered 202, and it stays.",
        "MGMT-BLOB-DELETE-GET-404",
        "MGMT-BLOB-DELETE-HEAD-404",
        apply=_empty_stays,
        also=(
            "MGMT-BLOB-DELETE-TWICE-404",
            "MGMT-BLOB-DELETE-202",
        ),
    ),
    _fault(
        "one-byte-blob-in-every-repository",
        "A blob of one byte is served under every repository.",
        "PULL-BLOB-OTHER-REPO-404",
        "PULL-BLOB-HEAD-OTHER-REPO-404",
        apply=_byte_of_others,
        also=(
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
    ),
    _fault(
        "blob-of-one-buffer-twice",
        "A blob of exactly 64 KiB comes back twice over.",
        "PULL-BLOB-GET-BODY-EXACT",
        apply=found(_full_buffer_twice),
        also=_BESIDE_1,
    ),
    _fault(
        "blob-of-65535-unknown-by-head",
        "A blob of 65,535 bytes is unknown by HEAD.",
        "PULL-BLOB-HEAD-200",
        apply=on("blob.head", status=200, change=_unknown_size),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-LARGE-EXACT",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-BLOB-KEPT",
        ),
    ),
    _fault(
        "large-blob-deleted-everywhere",
        "The deletion of a blob of a mebibyte or more takes it from every repository.",
        "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
        apply=_large_deleted_everywhere,
        also=(
            "PUSH-BLOB-KEPT",
            "PULL-BLOB-GET-200",
            "PULL-BLOB-HEAD-200",
        ),
    ),
    _fault(
        "blob-by-sha512-cannot-be-deleted",
        "The deletion of a blob by its sha512 digest is answered 202, and it stays.",
        "MGMT-BLOB-DELETE-GET-404",
        "MGMT-BLOB-DELETE-HEAD-404",
        apply=_sha512_stays,
        also=(
            "MGMT-BLOB-DELETE-TWICE-404",
            "MGMT-BLOB-DELETE-202",
        ),
    ),
    _fault(
        "refused-sha512-stored",
        "What is refused under a wrong sha512 digest is served under it.",
        "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
        "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
        apply=_refused_sha512_kept,
        also=(
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-KEPT",
            "BASE-DIGEST-SHA512",
        ),
    ),
    _fault(
        "refused-bytes-come-back",
        "A blob under whose digest other bytes were refused before comes back as those.",
        "PULL-BLOB-GET-BODY-EXACT",
        apply=_refused_comes_back,
        also=_BESIDE_1,
    ),
    _fault(
        "streamed-blob-without-length",
        "HEAD of a blob that came in chunked transfer coding has Content-Length: 0.",
        "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
        apply=_streamed_without_length,
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-KEPT",
            "PULL-CONSIST-REPEATABLE",
        ),
    ),
    _fault(
        "mounted-blob-goes-with-its-source",
        "A blob that was mounted is gone once the one that it was mounted from is deleted.",
        "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
        apply=_mounts_are_links,
        also=(
            "PUSH-BLOB-KEPT",
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PULL-BLOB-GET-200",
            "PULL-BLOB-HEAD-200",
        ),
    ),
    _fault(
        "digest-header-as-it-was-written",
        "Where the digest in the path is percent-encoded, it is so in Docker-Content-Digest.",
        "BASE-DIGEST-HEADER-GRAMMAR",
        apply=on("blob.get", "blob.head", "manifest.get", "manifest.head", change=_digest_as_written),
        also=(
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PULL-CONSIST-REPEATABLE",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
        ),
    ),
    _fault(
        "range-across-buffers-spoilt",
        "A range that goes across the first 64 KiB has another byte behind them.",
        "PULL-BLOB-RANGE-TRUE",
        apply=on("blob.get", status=206, change=_seam_spoilt),
        also=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-MULTI",
        ),
    ),
    _fault(
        "blob-short-at-its-location",
        "At the Location that its push tells a blob lacks its last byte.",
        "PUSH-PUT-LOCATION-PULLABLE",
        apply=_short_at_location,
        also=(
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "PULL-BLOB-GET-BODY-EXACT",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
        ),
    ),
)
