"""Strange faults of uploads and mounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override
from reference.storage import Mark
from reference.storage.memory import MemoryContent, MemoryUpload

_DIGITS = 10


def _chunks_by_name(registry: Registry) -> None:
    """Parts are put together in the order of their names, of which 10 comes before 2."""
    parts: dict[str, list[int]] = defaultdict(list)
    patch, close = registry.handlers["upload.patch"], registry.handlers["upload.put"]

    async def changed_patch(request: Request) -> Response:
        response = await patch(request)
        if response.status == 202:
            parts[request.reference].append(registry.uploads.find(request).size)
        return response

    async def changed_close(request: Request) -> Response:
        ends = parts.pop(request.reference, [])
        if len(ends) > _DIGITS:
            upload = registry.uploads.find(request)
            if isinstance(upload, MemoryUpload):
                pieces = [bytes(upload.data[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
                data = b"".join(pieces[number] for number in sorted(range(len(pieces)), key=str))
                await upload.rollback(Mark(0, "sha256", None))
                await upload.write(data)
                await upload.flush()
        return await close(request)

    registry.handlers.update({"upload.patch": changed_patch, "upload.put": changed_close})


def _pool_not_cleared(registry: Registry) -> None:
    """A session that is opened after one was cancelled begins with its counter."""
    left: dict[str, int] = {}
    cancel, start = registry.handlers["upload.delete"], registry.handlers["upload.start"]

    async def changed_cancel(request: Request) -> Response:
        size = registry.uploads.find(request).size
        response = await cancel(request)
        if response.status == 204 and size > 1:
            left[request.name] = size
        return response

    async def changed_start(request: Request) -> Response:
        response = await start(request)
        size = left.pop(request.name, 0)
        if size:
            response.headers.set("Range", f"0-{size - 1}")
        return response

    registry.handlers.update({"upload.delete": changed_cancel, "upload.start": changed_start})


def _unannounced_single_empty(registry: Registry) -> None:
    """A single POST reads as many bytes as were announced, and none where nothing was."""
    empty: set[tuple[str, str]] = set()
    find, single = registry.blobs.find, registry.handlers["upload.start-digest"]

    async def changed(request: Request) -> Response:
        response = await single(request)
        digest = request.query.get("digest") or ""
        key = (request.name, digest)
        if response.status == 201:
            (empty.add if request.content_length is None else empty.discard)(key)
        return response

    registry.handlers["upload.start-digest"] = changed
    override(
        registry.blobs,
        find=lambda name, digest: (
            MemoryContent(b"") if (name, digest) in empty and find(name, digest) else find(name, digest)
        ),
    )


@around("upload.put")
async def _unverified_by_range(registry: Registry, request: Request, handler: Handler) -> Response:
    """A closing request with a Content-Range goes the way of a chunk, on which no digest is compared."""
    digests = request.query.all("digest")
    if request.headers.get("content-range") and digests:
        registry.uploads.find(request).digest = _as_claimed(digests)  # type: ignore[method-assign, assignment]  # of this session alone
    return await handler(request)


def _as_claimed(digests: list[str]) -> Callable[[str], Awaitable[str]]:
    async def digest(algorithm: str) -> str:
        return next(each for each in digests if each.startswith(f"{algorithm}:"))

    return digest


def _self_mount_moves(registry: Registry) -> None:
    """A mount is a copy and a removal where both names are one."""
    storage = registry.storage
    mount = storage.mount_blob

    def changed(source: str, name: str, digest: str) -> bool:
        done = mount(source, name, digest)
        if done and source == name:
            storage.delete_blob(name, digest)
        return done

    override(storage, mount_blob=changed)


def _mounts_in_chains(registry: Registry) -> None:
    """What was mounted from a mounted copy hangs on the first repository."""
    storage = registry.storage
    mount, delete = storage.mount_blob, storage.delete_blob
    origin: dict[tuple[str, str], str] = {}

    def changed(source: str, name: str, digest: str) -> bool:
        done = mount(source, name, digest)
        if done and source != name:
            origin[name, digest] = source
        return done

    def deleted(name: str, digest: str) -> bool:
        done = delete(name, digest)
        copies = [each for (each, held), source in origin.items() if held == digest and source == name]
        for far in [each for (each, held), source in origin.items() if held == digest and source in copies]:
            delete(far, digest)
        return done

    override(storage, mount_blob=changed, delete_blob=deleted)


FAULTS = (
    Fault(
        name="more-than-ten-chunks-in-the-order-of-names",
        title="An upload of more than ten chunks is put together with the eleventh before the third.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-PUT-NO-BODY-CLOSES"),
        apply=_chunks_by_name,
    ),
    Fault(
        name="upload-after-a-cancelled-one-has-its-range",
        title="The POST that follows a cancelled upload in its repository tells the Range of that one.",
        breaks=("PUSH-SESSION-FRESH-RANGE-TRUE",),
        apply=_pool_not_cleared,
    ),
    Fault(
        name="single-post-of-unannounced-length-empty",
        title="A single POST without Content-Length is answered 201 and leaves an empty blob.",
        breaks=("PUSH-SINGLE-LOCATION-PULLABLE",),
        also=("PULL-BLOB-GET-BODY-EXACT",),
        apply=_unannounced_single_empty,
    ),
    Fault(
        name="closing-put-with-content-range-not-verified",
        title="An upload that is closed with its last chunk under a Content-Range is taken for any digest.",
        breaks=(
            "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
            "PUSH-PUT-DIGEST-OF-WHOLE",
        ),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-PUT-OUT-OF-ORDER-NO-EFFECT",
        ),
        apply=_unverified_by_range,
    ),
    Fault(
        name="mount-from-the-repository-itself-removes",
        title="A mount of a blob from the repository that it is already in is answered 201 and removes it.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-BLOB-KEPT",),
        apply=_self_mount_moves,
    ),
    Fault(
        name="mount-of-a-mount-goes-with-the-first",
        title="A blob that was mounted from a mounted copy goes when the first repository deletes it.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        apply=_mounts_in_chains,
    ),
)
