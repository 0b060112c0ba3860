"""Faults of blobs that show with one way of the push."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Upload


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


def _streamed_blob_head_length_0(registry: Registry) -> None:
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


def _size_as_announced(registry: Registry) -> None:
    """Know the size of a blob by the Content-Length of what brought it."""
    announced: Counter[str] = Counter()
    sizes: dict[str, int] = {}
    receive, commit = registry.uploads.receive, registry.storage.commit_upload

    async def noting(request: Request, upload: Upload) -> None:
        before = upload.size
        await receive(request, upload)
        announced[upload.identifier] += min(request.content_length or 0, upload.size - before)

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        sizes.update(dict.fromkeys(digests, announced.pop(upload.identifier, 0)))
        commit(upload, digests)

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.status == 200 and request.reference in sizes:
                response.headers.set("Content-Length", str(sizes[request.reference]))
            return response

        return changed

    override(registry.uploads, receive=noting)
    override(registry.storage, commit_upload=committed)
    wrap(registry, ["blob.head"], around)


def _range_of_unannounced_length_refused(registry: Registry) -> None:
    """The size by which ranges are measured is the sum of the lengths that requests announced."""
    announced: dict[str, int] = defaultdict(int)
    sizes: dict[str, int] = {}
    receive, commit, measured = registry.uploads.receive, registry.storage.commit_upload, registry.blobs.ranges

    async def received(request: Request, upload: Upload) -> None:
        await receive(request, upload)
        announced[upload.identifier] += request.content_length or 0

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        size = announced.pop(upload.identifier, 0)
        sizes.update((digest, size) for digest in digests)
        commit(upload, digests)

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        return measured(request, sizes.get(request.reference, size))

    override(registry.uploads, receive=received)
    override(registry.storage, commit_upload=committed)
    override(registry.blobs, ranges=changed)


def _undescribed(registry: Registry) -> None:
    """HEAD reads descriptors, which a blob of one request is stored without."""
    bare: set[tuple[str, str]] = set()
    head, single, commit = registry.blobs.get, registry.handlers["upload.start-digest"], registry.storage.commit_upload
    storage = registry.storage

    async def pushed(request: Request) -> Response:
        digest = request.query.get("digest") or ""
        new = not storage.has_blob(request.name, digest) or (request.name, digest) in bare
        response = await single(request)
        if new and response.status == 201:
            bare.add((request.name, digest))
        return response

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        bare.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    async def asked(request: Request) -> Response:
        if (request.name, request.reference) in bare:
            raise errors.blob_unknown(request.reference)
        return await head(request)

    registry.handlers["upload.start-digest"] = pushed
    registry.handlers["blob.head"] = asked
    override(storage, commit_upload=committed)


FAULTS = (
    Fault(
        name="streamed-blob-without-length",
        title="HEAD of a blob that came in chunked transfer coding has Content-Length: 0.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-KEPT",
            "PULL-CONSIST-REPEATABLE",
        ),
        apply=_streamed_without_length,
    ),
    Fault(
        name="streamed-blob-head-length-0",
        title="HEAD of a blob that came in chunked transfer coding has Content-Length: 0.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=_streamed_blob_head_length_0,
    ),
    Fault(
        name="head-length-as-announced",
        title="HEAD tells of a blob whose length was not announced by its push that it has none.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=_size_as_announced,
    ),
    Fault(
        name="range-of-unannounced-length-refused",
        title="Any range of a blob that came in requests of no announced length returns 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-IF-RANGE",
            "PULL-BLOB-RANGE-MULTI",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
        ),
        apply=_range_of_unannounced_length_refused,
    ),
    Fault(
        name="head-of-single-post-404",
        title="HEAD of a blob that was pushed with one POST returns 404; GET is not.",
        breaks=("PULL-BLOB-HEAD-200",),
        also=(
            "PULL-BLOB-GET-200",
            "PULL-BLOB-HEAD-GET-AGREE",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
        ),
        apply=_undescribed,
    ),
)
