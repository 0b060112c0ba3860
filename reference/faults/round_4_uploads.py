"""Faults of uploads that show under one condition alone: a size, a way of coming, or what went ahead."""

from __future__ import annotations

import re

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Fault, override
from reference.storage import Upload

_LARGE = 1 << 20
_UNDERSCORE = re.compile(r"(?<!_)_(?!_)")


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


def _mounts_are_links(registry: Registry) -> None:
    """A mounted blob is a link to the repository that it was mounted from."""
    links: dict[tuple[str, str], str] = {}
    storage = registry.storage
    mount, find, has, commit = storage.mount_blob, storage.open_blob, storage.has_blob, storage.commit_upload

    def mounted(source: str, name: str, digest: str) -> bool:
        there = has(name, digest)
        done = mount(source, name, digest)
        if done and not there and source != name:
            links[name, digest] = source
        return done

    def dangling(name: str, digest: str) -> bool:
        source = links.get((name, digest))
        return source is not None and not has(source, digest)

    def committed(upload: Upload, digests: list[str]) -> None:
        commit(upload, digests)
        for digest in digests:
            links.pop((upload.repository, digest), None)

    override(
        storage,
        mount_blob=mounted,
        commit_upload=committed,
        open_blob=lambda name, digest: None if dangling(name, digest) else find(name, digest),
        has_blob=lambda name, digest: has(name, digest) and not dangling(name, digest),
    )


def _counted(registry: Registry) -> None:
    """Each push counts one more holder, and a deletion takes one away."""
    holders: dict[tuple[str, str], int] = {}
    commit, remove = registry.storage.commit_upload, registry.storage.delete_blob

    def committed(upload: Upload, digests: list[str]) -> None:
        commit(upload, digests)
        for digest in digests:
            key = upload.repository, digest
            holders[key] = holders.get(key, 0) + 1

    def removed(name: str, digest: str) -> bool:
        count = holders.pop((name, digest), 1)
        if count > 1:
            holders[name, digest] = count - 1
            return True
        return remove(name, digest)

    override(registry.storage, commit_upload=committed, delete_blob=removed)


def _refused_kept(registry: Registry) -> None:
    """What was refused lies under the claimed digest, and a later push finds it there."""
    staged: dict[str, bytes] = {}
    storage = registry.storage
    verified, discard, commit = registry.uploads.verified, storage.discard_upload, storage.commit_upload
    refused: list[str] = []

    def watched(claimed: str, computed: str) -> bool:
        good = verified(claimed, computed)
        if not good:
            refused.append(claimed)
        return good

    def discarded(upload: Upload) -> None:
        if refused:
            staged[refused.pop()] = bytes(getattr(upload, "data", b""))
        discard(upload)

    def committed(upload: Upload, digests: list[str]) -> None:
        data = getattr(upload, "data", None)
        if isinstance(data, bytearray) and digests[0] in staged and not storage.has_blob(upload.repository, digests[0]):
            data[:] = staged.pop(digests[0])
        commit(upload, digests)

    override(registry.uploads, verified=watched)
    override(storage, discard_upload=discarded, commit_upload=committed)


def _parts_by_name(registry: Registry) -> None:
    """The fifth part and the sixth change places when the parts are put together."""
    ends: dict[str, list[int]] = {}
    patch, commit = registry.handlers["upload.patch"], registry.storage.commit_upload

    async def patched(request: Request) -> Response:
        response = await patch(request)
        upload = registry.storage.find_upload(request.name, request.reference)
        if response.status == 202 and upload is not None:
            ends.setdefault(upload.identifier, [0]).append(upload.size)
        return response

    def committed(upload: Upload, digests: list[str]) -> None:
        marks, data = ends.pop(upload.identifier, []), getattr(upload, "data", None)
        if len(marks) > 6 and isinstance(data, bytearray):
            first, middle, last = marks[4:7]
            data[first:last] = data[middle:last] + data[first:middle]
        commit(upload, digests)

    registry.handlers["upload.patch"] = patched
    override(registry.storage, commit_upload=committed)


def _streamed_without_length(registry: Registry) -> None:
    """The length of a blob is what Content-Length told; where nothing did, it is nothing."""
    streamed: set[str] = set()
    unsized: set[tuple[str, str]] = set()
    receive, commit, head = registry.uploads.receive, registry.storage.commit_upload, registry.handlers["blob.head"]

    async def received(request: Request, upload: Upload) -> None:
        if "transfer-encoding" in request.headers:
            streamed.add(upload.identifier)
        await receive(request, upload)

    def committed(upload: Upload, digests: list[str]) -> None:
        for digest in digests:
            (unsized.add if upload.identifier in streamed else unsized.discard)((upload.repository, digest))
        commit(upload, digests)

    async def told(request: Request) -> Response:
        response = await head(request)
        if response.status == 200 and (request.name, request.reference) in unsized:
            response.headers.set("Content-Length", "0")
        return response

    override(registry.uploads, receive=received)
    override(registry.storage, commit_upload=committed)
    registry.handlers["blob.head"] = told


def _counted_by_connection(registry: Registry) -> None:
    """Each connection knows of the chunks alone that came by it."""
    before: dict[tuple[str, str], int] = {}
    patch = registry.handlers["upload.patch"]

    async def changed(request: Request) -> Response:
        upload = registry.uploads.find(request)
        start = before.setdefault((upload.identifier, request.address), upload.size)
        response = await patch(request)
        if response.status == 202:
            response.headers.set("Range", registry.uploads.range(upload.size - start))
        return response

    registry.handlers["upload.patch"] = changed


def _cancelled_elsewhere(registry: Registry) -> None:
    """The files of an upload are removed below a name in which the underscore stands for something else."""
    cancel = registry.handlers["upload.delete"]

    async def changed(request: Request) -> Response:
        if _UNDERSCORE.search(request.name):
            registry.uploads.check_open(registry.uploads.find(request))
            return Response(204)
        return await cancel(request)

    registry.handlers["upload.delete"] = changed


FAULTS = (
    Fault(
        name="large-blob-unverified",
        title="A blob of a mebibyte and more is accepted under a digest that is not its own.",
        breaks=(
            "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
        ),
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
        name="mounted-blob-is-a-link",
        title="A blob that was mounted is unknown once it is deleted where it was mounted from.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=(
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "PUSH-BLOB-KEPT",
        ),
        apply=_mounts_are_links,
    ),
    Fault(
        name="blob-counted-by-push",
        title="A blob that was pushed twice stays when it is deleted.",
        breaks=(
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
        also=("MGMT-BLOB-DELETE-TWICE-404",),
        apply=_counted,
    ),
    Fault(
        name="refused-upload-found-again",
        title="A blob whose digest was claimed for other data before, and refused, has that data.",
        breaks=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
        ),
        also=(
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-BLOB-KEPT",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PULL-BLOB-GET-DCD-TRUE",
        ),
        apply=_refused_kept,
    ),
    Fault(
        name="fifth-chunk-behind-sixth",
        title="The fifth chunk of an upload and the sixth change places.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-KEPT",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PUT-DIGEST-OF-WHOLE",
        ),
        apply=_parts_by_name,
    ),
    Fault(
        name="streamed-blob-head-length-0",
        title="HEAD of a blob that came in chunked transfer coding has Content-Length: 0.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
        ),
        apply=_streamed_without_length,
    ),
    Fault(
        name="range-counted-by-connection",
        title="The Range of a chunk does not count what came before by another connection.",
        breaks=(
            "PUSH-PATCH-RANGE-VALUE",
            "PUSH-PATCH-STREAM-RANGE-VALUE",
        ),
        also=("PUSH-STATUS-RESUME",),
        apply=_counted_by_connection,
    ),
    Fault(
        name="cancel-with-underscore-in-name",
        title="An upload goes on after it was cancelled in a repository with an underscore in its name.",
        breaks=("PUSH-CANCEL-SESSION-GONE",),
        also=(
            "PUSH-CANCEL-NO-BLOB",
            "PUSH-SESSION-UNKNOWN-404",
            "PUSH-CANCEL-UNKNOWN-404",
        ),
        apply=_cancelled_elsewhere,
    ),
)
