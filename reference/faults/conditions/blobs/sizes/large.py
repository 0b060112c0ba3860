"""Faults of blobs that show at a mebibyte and more."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.conditions.blobs.shared import size_of
from reference.grammar import digest_of
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Upload
from reference.storage.memory import MemoryContent, MemoryUpload

_SPILLED = 1 << 20
_PIECE = 1 << 20
_MEGABYTE = 1 << 20
_LARGE = 1 << 20
_PART = 1 << 20


def _refused_and_spilled(registry: Registry) -> None:
    """A refused upload that was large enough for a file is kept as what it really is."""
    close = registry.uploads.close

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        try:
            return await close(request, upload, digests, length)
        except errors.RegistryError:
            if isinstance(upload, MemoryUpload) and upload.closed and upload.size >= _SPILLED:
                data = bytes(upload.data)
                kept = registry.storage.start_upload(upload.repository)
                await kept.write(data)
                await kept.flush()
                registry.storage.commit_upload(kept, [digest_of(data)])
            raise

    override(registry.uploads, close=changed)


def _length_of_a_piece(_request: Request, response: Response) -> None:
    if response.content is not None and response.content.size > _PIECE:
        response.headers.set("Content-Length", str(_PIECE))


def _single_post_cut(registry: Registry) -> None:
    """The buffer of a single POST holds a byte less than a megabyte."""
    cut: set[tuple[str, str]] = set()
    commit, find = registry.storage.commit_upload, registry.blobs.find
    handler = registry.handlers["upload.start-digest"]

    def committed(upload: Upload, digests: list[str]) -> None:
        cut.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    async def posted(request: Request) -> Response:
        response = await handler(request)
        if response.status == 201:
            cut.update((request.name, digest) for digest in request.query.all("digest"))
        return response

    def found(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if isinstance(content, MemoryContent) and content.size >= _MEGABYTE and (name, digest) in cut:
            return MemoryContent(content.data[: _MEGABYTE - 1])
        return content

    registry.handlers["upload.start-digest"] = posted
    override(registry.storage, commit_upload=committed)
    override(registry.blobs, find=found)


def _large_deleted_everywhere(registry: Registry) -> None:
    """Nobody counts who holds what is kept elsewhere."""
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        if (size_of(registry, name, digest) or 0) >= _LARGE:
            for other in registry.storage.repositories():
                if other != name:
                    registry.storage.delete_blob(other, digest)
        return remove(name, digest)

    override(registry.blobs, remove=changed)


def _large_unverified(registry: Registry) -> None:
    """Data of a mebibyte and more is hashed later, which nobody waits for."""
    start, verified = registry.storage.start_upload, registry.uploads.verified
    large = [False]

    def watched(name: str) -> Upload:
        upload = start(name)
        compute = upload.digest

        async def digest(algorithm: str) -> str:
            value = await compute(algorithm)
            large[0] = upload.size >= _LARGE
            return value

        override(upload, digest=digest)
        return upload

    override(registry.storage, start_upload=watched)
    override(registry.uploads, verified=lambda claimed, computed: large[0] or verified(claimed, computed))


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


def _large_in_common(registry: Registry) -> None:
    """Large blobs have a store of their own, which knows of no repositories."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is not None or not registry.storage.exists(name):
            return content
        found = (find(other, digest) for other in registry.storage.repositories())
        return next((other for other in found if other is not None and other.size >= _LARGE), None)

    override(registry.blobs, find=changed)


FAULTS = (
    Fault(
        name="refused-mebibyte-kept",
        title="The content of an upload of 1 MiB or more that is refused for its digest is there under its own.",
        breaks=(
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
        ),
        apply=_refused_and_spilled,
    ),
    Fault(
        name="head-length-of-large-blob-1-mib",
        title="HEAD of a blob of more than a mebibyte tells the length of a mebibyte.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-BLOB-LARGE-EXACT", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=on("blob.head", status=200, change=_length_of_a_piece),
    ),
    Fault(
        name="single-post-of-megabyte-cut",
        title="A blob of a mebibyte or more that came by a single POST ends before the last byte of the mebibyte.",
        breaks=("PUSH-SINGLE-LOCATION-PULLABLE",),
        also=("PULL-BLOB-GET-BODY-EXACT", "PUSH-BLOB-LARGE-EXACT", "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE"),
        apply=_single_post_cut,
    ),
    Fault(
        name="large-blob-deleted-everywhere",
        title="The deletion of a blob of a mebibyte or more takes it from every repository.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-BLOB-KEPT", "PULL-BLOB-GET-200", "PULL-BLOB-HEAD-200"),
        apply=_large_deleted_everywhere,
    ),
    Fault(
        name="large-blob-unverified",
        title="A blob of a mebibyte and more is accepted under a digest that is not its own.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-REJECTED", "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED"),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PULL-BLOB-GET-BODY-EXACT",
        ),
        apply=_large_unverified,
    ),
    Fault(
        name="large-blob-undeleted",
        title="The deletion of a blob of a mebibyte or more returns 202, and the blob stays.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=(
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
        ),
        apply=_large_ones_stay,
    ),
    Fault(
        name="large-blob-everywhere",
        title="A blob of a mebibyte or more is served under every repository.",
        breaks=("PULL-BLOB-OTHER-REPO-404", "MGMT-BLOB-DELETE-GET-404"),
        also=(
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
        ),
        apply=_large_in_common,
    ),
)
