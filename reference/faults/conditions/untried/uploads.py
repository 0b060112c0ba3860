"""Faults of uploads: digests that nobody verifies, and what a deletion beside them or a late cancellation does."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, both, override
from reference.storage import Upload


def _algorithm_announced(registry: Registry) -> None:
    announced: dict[str, str] = {}

    @around("upload.start")
    async def start(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        if algorithm := request.query.get("digest-algorithm"):
            announced[response.headers.get("Docker-Upload-UUID")] = algorithm
        return response

    @around("upload.put")
    async def put(registry: Registry, request: Request, handler: Handler) -> Response:
        upload: Any = registry.storage.find_upload(request.name, request.reference)
        claimed = request.query.get("digest") or ""
        if upload is not None and claimed.startswith(f"{announced.get(request.reference)}:"):

            async def believed(_algorithm: str) -> str:
                return claimed

            override(upload, digest=believed)
        return await handler(request)

    both(start, put)(registry)


def _first_digest_alone(registry: Registry) -> None:
    others: dict[str, list[str]] = {}
    close, commit = registry.uploads.close, registry.storage.commit_upload

    async def closed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        others[upload.identifier] = digests[1:]
        return await close(request, upload, digests[:1], length)

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        commit(upload, [*digests, *others.pop(upload.identifier, [])])

    override(registry.uploads, close=closed)
    override(registry.storage, commit_upload=committed)


def _cancelled_when_finished(registry: Registry) -> None:
    finished: dict[tuple[str, str], str] = {}

    @around("upload.put")
    async def put(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        if response.status == 201:
            finished[request.name, request.reference] = response.headers.get("Docker-Content-Digest")
        return response

    @around("upload.delete")
    async def cancel(registry: Registry, request: Request, handler: Handler) -> Response:
        try:
            return await handler(request)
        except errors.RegistryError:
            digest = finished.pop((request.name, request.reference), None)
            if digest is None:
                raise
            registry.storage.delete_blob(request.name, digest)
        return Response(204)

    both(put, cancel)(registry)


def _tombstone(registry: Registry) -> None:
    deleted: dict[tuple[str, str], float] = {}
    storage = registry.storage
    commit, delete = storage.commit_upload, storage.delete_blob

    def gone(name: str, digest: str) -> bool:
        there = delete(name, digest)
        if there:
            deleted[name, digest] = time.time()
        return there

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        kept = list(digests)
        commit(upload, kept)
        for digest in kept:
            if upload.started < deleted.get((upload.repository, digest), 0.0):
                delete(upload.repository, digest)

    override(storage, commit_upload=committed, delete_blob=gone)


FAULTS = (
    Fault(
        name="upload-for-an-algorithm-not-verified",
        title="An upload that was opened with digest-algorithm=sha512 is closed with any sha512 digest.",
        breaks=("PUSH-BLOB-SHA512-MISMATCH-REJECTED",),
        also=("PUSH-PUT-DIGEST-MISMATCH-REJECTED",),
        apply=_algorithm_announced,
    ),
    Fault(
        name="second-digest-parameter-believed",
        title="Of two digest parameters of a closing PUT the first is verified; the blob is served by both.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-REJECTED", "PULL-BLOB-GET-BODY-EXACT"),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PULL-BLOB-GET-DCD-TRUE",
        ),
        apply=_first_digest_alone,
    ),
    Fault(
        name="cancellation-of-a-finished-upload-takes-its-blob",
        title="A DELETE of an upload that was completed is answered 204, and its blob is gone.",
        breaks=("PUSH-BLOB-KEPT",),
        also=("PUSH-CANCEL-UNKNOWN-404",),
        apply=_cancelled_when_finished,
    ),
    Fault(
        name="blob-deleted-while-its-like-was-under-way",
        title="A blob is accepted and unknown if its like was deleted after the upload of it had been started.",
        breaks=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "MGMT-BLOB-DELETE-REUPLOAD"),
        also=("PUSH-BLOB-KEPT",),
        apply=_tombstone,
    ),
)
