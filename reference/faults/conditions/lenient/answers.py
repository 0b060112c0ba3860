"""Faults in answers of a form that is passed over where it cannot be read, or counts as an overload."""

from __future__ import annotations

import uuid

from reference import errors
from reference.app import Registry
from reference.faults.shared import busy, is_malformed
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, answers, around, both, drop_header, override

_UNDERFLOW = f"0-{(1 << 64) - 1}"


def _underflow(registry: Registry) -> None:
    told = registry.uploads.range
    override(registry.uploads, range=lambda size: told(size) if size else _UNDERFLOW)


def _counted_from_one(_request: Request, response: Response) -> None:
    start, dash, end = response.headers.get("Range").partition("-")
    if dash and start == "0" and end.isdigit() and int(end):
        response.headers.set("Range", f"1-{int(end) + 1}")


def _fresh_uuid(_request: Request, response: Response) -> None:
    if "Docker-Upload-UUID" in response.headers:
        response.headers.set("Docker-Upload-UUID", str(uuid.uuid4()))


def _absent(registry: Registry) -> None:
    @around("manifest.delete")
    async def changed(registry: Registry, request: Request, handler: Handler) -> Response:
        unknown = ":" in request.reference and registry.storage.manifest(request.name, request.reference) is None
        if unknown and not is_malformed(request.reference):
            return Response(503)
        return await handler(request)

    changed(registry)


def _former_by_digest(registry: Registry) -> None:
    former: dict[tuple[str, str], set[str]] = {}

    @around("manifest.put")
    async def put(registry: Registry, request: Request, handler: Handler) -> Response:
        before = registry.storage.tag(request.name, request.reference) if ":" not in request.reference else None
        response = await handler(request)
        if before is not None:
            former.setdefault((request.name, request.reference), set()).add(before)
        return response

    @around("manifest.get", "manifest.head")
    async def get(_registry: Registry, request: Request, handler: Handler) -> Response:
        condition = request.headers.get("if-none-match").strip(' "')
        if condition in former.get((request.name, request.reference), ()):
            return Response(304, [("Docker-Content-Digest", condition)])
        response = await handler(request)
        response.headers.drop("ETag")
        return response

    both(put, get)(registry)


def _last_components(registry: Registry) -> None:
    repositories = registry.storage.repositories
    override(registry.storage, repositories=lambda: sorted({name.rpartition("/")[2] for name in repositories()}))


@around("blob.delete")
async def _elsewhere_too(registry: Registry, request: Request, handler: Handler) -> Response:
    try:
        return await handler(request)
    except errors.RegistryError as error:
        held = any(registry.storage.has_blob(name, request.reference) for name in registry.storage.repositories())
        if error.status != 404 or not held:
            raise
    return Response(202, [("Docker-Content-Digest", request.reference)])


FAULTS = (
    Fault(
        name="malformed-digest-503",
        title="The pull or deletion of a blob by a malformed digest gets 503, as from a backend that broke down.",
        breaks=("BASE-DIGEST-MALFORMED", "BASE-ERROR-CLIENT-FAULT-4XX", "MGMT-BLOB-DELETE-MALFORMED-REFUSED"),
        apply=busy(503, "blob.get", "blob.head", "blob.delete", when=lambda r: is_malformed(r.reference)),
    ),
    Fault(
        name="deletion-of-unknown-manifest-503",
        title="The deletion of a manifest that is not there, or was deleted before, gets 503 in place of 404.",
        breaks=(
            "MGMT-MANIFEST-DELETE-UNKNOWN-404",
            "MGMT-MANIFEST-DELETE-TWICE-404",
            "MGMT-MANIFEST-DELETE-REPO-UNKNOWN-404",
        ),
        apply=_absent,
    ),
    Fault(
        name="range-without-data-underflows",
        title="The Range of an upload that has received nothing ends at 18,446,744,073,709,551,615.",
        breaks=("PUSH-SESSION-FRESH-RANGE-TRUE",),
        apply=_underflow,
    ),
    Fault(
        name="range-of-416-counted-from-one",
        title="The Range of a 416 to a chunk counts the bytes from one, 1-40 for the first forty.",
        breaks=("PUSH-PATCH-416-RANGE-TRUE",),
        apply=answers("upload.patch", status=416, change=_counted_from_one),
    ),
    Fault(
        name="uuid-of-each-answer-but-the-first",
        title="The start of an upload has no Docker-Upload-UUID, and each later answer another one.",
        breaks=(
            "PUSH-UPLOAD-UUID-TRUE",
            "PUSH-START-UPLOAD-UUID-HEADER",
        ),
        apply=both(
            answers("upload.start", "upload.mount", change=drop_header("Docker-Upload-UUID")),
            answers("upload.patch", "upload.get", "upload.put", change=_fresh_uuid),
        ),
    ),
    Fault(
        name="moved-tag-304-to-former-digest",
        title="Manifests have no ETag, and a tag that moved gets 304 where If-None-Match has its former digest.",
        breaks=("PULL-CACHE-FALSE-304", "PULL-CONSIST-TAG-MOVE"),
        apply=_former_by_digest,
    ),
    Fault(
        name="catalog-of-last-components",
        title="The catalogue lists the last component alone of each name, where there is no such repository.",
        breaks=(
            "DISC-CATALOG-SHAPE",
            "DISC-CATALOG-LISTED-EXISTS",
        ),
        apply=_last_components,
    ),
    Fault(
        name="deletion-of-blob-of-others-202",
        title="The deletion of a blob that another repository alone holds is answered 202, and does nothing.",
        breaks=("MGMT-BLOB-DELETE-UNKNOWN-404",),
        apply=_elsewhere_too,
    ),
)
