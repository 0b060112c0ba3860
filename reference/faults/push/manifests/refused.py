"""Faults of manifests that are refused."""

from __future__ import annotations

import json
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import OCI_INDEX, OCI_MANIFEST, Document
from reference.faults.push.manifests.shared import (
    around_manifest_put,
    fails_where,
    manifests_refused_where,
    refused_and_stored,
    unread_manifests,
)
from reference.faults.shared import failing_where, is_malformed
from reference.grammar import digest_of, is_digest
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, around, override, set_status
from reference.storage import Manifest


def _limited(registry: Registry) -> None:
    registry.manifests.limit = 1 << 20


@around("manifest.put")
async def _parameters_refused(_registry: Registry, request: Request, handler: Handler) -> Response:
    if ";" in request.headers.get("content-type"):
        raise errors.manifest_invalid("the content type is unknown", 415)
    return await handler(request)


@around("manifest.put")
async def _cut_where_unknown(registry: Registry, request: Request, handler: Handler) -> Response:
    """Read no more of a manifest than the limit, and take that for the whole."""
    if request.content_length is None:
        limit, pieces = registry.manifests.limit, request.pieces

        async def body(_limit: int) -> bytes:
            return b"".join([piece async for piece in pieces()])[:limit]

        override(request, body=body)
    return await handler(request)


@around("manifest.put")
async def _malformed_as_tag(_registry: Registry, request: Request, handler: Handler) -> Response:
    """A reference with a colon that is no digest is a tag, so it is stored under one."""
    if ":" in request.reference and not is_digest(request.reference):
        request.reference = request.reference.replace(":", "-")
    return await handler(request)


def _missing_404(_request: Request, response: Response) -> None:
    if b"MANIFEST_BLOB_UNKNOWN" in response.body:
        response.status = 404


def _blob_elsewhere(registry: Registry, name: str, document: Document) -> bool:
    storage = registry.storage
    absent = [blob for blob in document.blobs if not storage.has_blob(name, blob)]
    return any(storage.has_blob(other, blob) for other in storage.repositories() for blob in absent)


def _child_missing(registry: Registry, name: str, document: Document) -> bool:
    return any(not registry.manifests.holds(name, child) for child in document.children)


def _type(request: Request) -> str:
    return request.headers.get("content-type").partition(";")[0].strip()


def _contradicted_500(put: Handler) -> Handler:
    async def changed(request: Request) -> Response:
        try:
            return await put(request)
        except errors.RegistryError as error:
            if any("contradicts" in entry.message for entry in error.entries):
                return Response(500)
            raise

    return changed


def _wrong_digest_accepted(registry: Registry) -> None:
    override(registry.manifests, check_digest=lambda _claimed, _computed: None)


def _code(new: bytes) -> Callable[[Request, Response], None]:
    def change(_request: Request, response: Response) -> None:
        response.body = response.body.replace(b"MANIFEST_BLOB_UNKNOWN", new)

    return change


def _first_only(_request: Request, response: Response) -> None:
    if b"MANIFEST_BLOB_UNKNOWN" in response.body:
        response.body = json.dumps({"errors": json.loads(response.body)["errors"][:1]}).encode()


def _stored_though_refused(registry: Registry) -> None:
    check, created = registry.manifests.check_references, registry.manifests.created
    refused: dict[int, errors.RegistryError] = {}

    def later(name: str, document: Document) -> None:
        try:
            check(name, document)
        except errors.RegistryError as error:
            refused[id(document)] = error

    def changed(request: Request, manifest: Manifest, document: Document) -> Response:
        if (error := refused.pop(id(document), None)) is not None:
            raise error
        return created(request, manifest, document)

    override(registry.manifests, check_references=later, created=changed)


def _too_large_400(_request: Request, response: Response) -> None:
    response.status = 400


def _large_manifest_cut(registry: Registry) -> None:
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        if len(manifest.content) > 1 << 20:
            manifest = Manifest(manifest.digest, manifest.media_type, manifest.content[: 1 << 20])
        put(name, manifest, subject)

    override(registry.storage, put_manifest=changed)


def _stored_under_anything(status: int) -> Apply:
    """Refuse a manifest under a malformed digest, and store it there."""

    def apply(registry: Registry) -> None:
        put, find = registry.handlers["manifest.put"], registry.manifests.find
        stored: dict[tuple[str, str], Manifest] = {}

        async def changed(request: Request) -> Response:
            if is_malformed(request.reference):
                content = await request.body(1 << 22) or b""
                stored[request.name, request.reference] = Manifest(digest_of(content), OCI_MANIFEST, content)
                raise errors.RegistryError(status)
            return await put(request)

        def found(name: str, reference: str) -> Manifest | None:
            return stored.get((name, reference)) or find(name, reference)

        registry.handlers["manifest.put"] = changed
        override(registry.manifests, find=found)

    return apply


@around("manifest.put")
async def _stored_under_its_own(registry: Registry, request: Request, handler: Handler) -> Response:
    """Store a manifest before its reference is looked at, and fail then."""
    if is_malformed(request.reference):
        content = await request.body(1 << 22) or b""
        registry.storage.put_manifest(request.name, Manifest(digest_of(content), OCI_MANIFEST, content), None)
        raise errors.digest_invalid(request.reference)
    return await handler(request)


FAULTS = (
    Fault(
        name="manifest-limit-small",
        title="Manifests above 1 MiB are refused.",
        breaks=("PUSH-MANIFEST-4MB-ACCEPTED",),
        apply=_limited,
    ),
    Fault(
        name="content-type-parameters-refused",
        title="A manifest whose Content-Type has a parameter gets 415.",
        breaks=("PUSH-MANIFEST-TYPE-PARAMETERS-IGNORED",),
        apply=_parameters_refused,
    ),
    Fault(
        name="manifest-cut-where-unannounced",
        title="A manifest of unknown length is cut at the limit and stored.",
        breaks=("PUSH-MANIFEST-STREAMED-WHOLE",),
        apply=_cut_where_unknown,
    ),
    Fault(
        name="manifest-malformed-digest-as-tag",
        title="A push by a malformed digest is taken for one by a tag.",
        breaks=("PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",),
        apply=_malformed_as_tag,
    ),
    Fault(
        name="manifest-missing-blob-404",
        title="A manifest whose blobs are missing gets 404.",
        breaks=("PUSH-MANIFEST-MISSING-BLOB-400",),
        apply=answers("manifest.put", status=400, change=_missing_404),
    ),
    Fault(
        name="manifest-blob-elsewhere-code",
        title="A manifest whose blobs another repository has is refused as MANIFEST_INVALID.",
        breaks=("PUSH-MANIFEST-BLOB-IN-OTHER-REPO",),
        apply=manifests_refused_where(_blob_elsewhere),
    ),
    Fault(
        name="index-missing-child-code",
        title="An index whose child is missing is refused as MANIFEST_INVALID.",
        breaks=("PUSH-MANIFEST-INDEX-MISSING-CHILD",),
        apply=manifests_refused_where(_child_missing),
    ),
    Fault(
        name="manifest-type-unknown-500",
        title="A manifest of an unknown type gets 500.",
        breaks=("PUSH-MANIFEST-TYPE-UNKNOWN",),
        apply=fails_where(lambda request: _type(request).startswith("application/vnd.example.")),
    ),
    Fault(
        name="manifest-type-contradicted-500",
        title="A manifest whose type contradicts its mediaType gets 500.",
        breaks=("PUSH-MANIFEST-TYPE-CONTRADICTS-MEDIATYPE",),
        apply=around_manifest_put(_contradicted_500),
    ),
    Fault(
        name="manifest-wrong-digest-accepted",
        title="A manifest is accepted under a digest that is not its own.",
        breaks=("PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",),
        # Pulled by that digest, the body does not fit it.
        also=("PULL-MANIFEST-GET-DIGEST-BINDS-BODY",),
        apply=_wrong_digest_accepted,
    ),
    Fault(
        name="manifest-wrong-digest-code",
        title="A manifest under a wrong digest is refused with MANIFEST_UNKNOWN.",
        breaks=("PUSH-MANIFEST-DIGEST-MISMATCH-400-CODE",),
        apply=answers(
            "manifest.put",
            status=400,
            change=lambda _request, response: setattr(
                response, "body", response.body.replace(b"DIGEST_INVALID", b"MANIFEST_UNKNOWN")
            ),
        ),
    ),
    Fault(
        name="missing-blob-code",
        title="A manifest with missing blobs is refused with NAME_UNKNOWN.",
        breaks=("PUSH-MANIFEST-MISSING-BLOB-CODE",),
        apply=answers("manifest.put", status=400, change=_code(b"NAME_UNKNOWN")),
    ),
    Fault(
        name="missing-blob-first-only",
        title="The error names one of several missing blobs only.",
        breaks=("PUSH-MANIFEST-MISSING-BLOB-DETAIL",),
        apply=answers("manifest.put", status=400, change=_first_only),
    ),
    Fault(
        name="manifest-stored-though-refused",
        title="A manifest with missing blobs is refused, and stored.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        apply=_stored_though_refused,
    ),
    Fault(
        name="manifest-oversize-400",
        title="A manifest above the limit gets 400.",
        breaks=("PUSH-MANIFEST-OVERSIZE-413",),
        apply=answers("manifest.put", status=413, change=_too_large_400),
    ),
    Fault(
        name="refused-manifest-stored",
        title="A manifest that is pushed by a wrong digest is refused and stored under that digest.",
        breaks=("PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",),
        apply=refused_and_stored("DIGEST_INVALID"),
    ),
    Fault(
        name="malformed-manifest-refused-and-stored",
        title="A manifest that is no JSON is refused and stored under its digest.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        apply=refused_and_stored("MANIFEST_INVALID", tags=False),
    ),
    Fault(
        name="malformed-manifest-refused-and-tagged",
        title="A manifest that is no JSON is refused, stored and tagged.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        apply=refused_and_stored("MANIFEST_INVALID"),
    ),
    Fault(
        name="manifest-cut-at-1-mib",
        title="A manifest is stored up to its first mebibyte.",
        breaks=("PUSH-MANIFEST-4MB-ACCEPTED", "PULL-MANIFEST-GET-DIGEST-BINDS-BODY", "PULL-MANIFEST-GET-BODY-EXACT"),
        # What is cut has no subject that could be read.
        also=("DISC-REFERRERS-COMPLETE",),
        apply=_large_manifest_cut,
    ),
    Fault(
        name="manifest-stored-under-malformed-digest",
        title="A manifest is refused under a malformed digest, and can be pulled by it.",
        breaks=("PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",),
        apply=_stored_under_anything(400),
    ),
    Fault(
        name="manifest-refused-for-its-reference-and-stored",
        title="A manifest is refused under a malformed digest, and stored under its own.",
        breaks=("PUSH-MANIFEST-BAD-REFERENCE-NOT-STORED",),
        apply=_stored_under_its_own,
    ),
    Fault(
        name="manifest-put-by-malformed-digest-500",
        title="A push of a manifest by a malformed digest returns 500.",
        breaks=("PUSH-MANIFEST-TAG-INVALID-REJECTED",),
        apply=failing_where(lambda request: is_malformed(request.reference), "manifest.put"),
    ),
    Fault(
        name="index-refused-and-tagged",
        title="A body that is no index is refused, and the tag is set.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        apply=unread_manifests(OCI_INDEX),
    ),
    Fault(
        name="read-only-manifest-400",
        title="A registry that takes no pushes answers a manifest with 400.",
        breaks=("PUSH-READONLY-405",),
        configuration="pull-only",
        apply=answers("manifest.put", status=405, change=set_status(400)),
    ),
)
