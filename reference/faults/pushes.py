"""Faults of pushed manifests."""

from __future__ import annotations

import json
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import Document
from reference.grammar import digest_of, is_tag
from reference.messages import Message, Request, Response
from reference.modifications import Fault, answers, drop_header, on, override, set_header, set_status
from reference.storage import Manifest


def _wrong_digest_accepted(registry: Registry) -> None:
    override(registry.manifests, check_digest=lambda _claimed, _computed: None)


def _any_tag(registry: Registry) -> None:
    def check(reference: str) -> None:
        if "/" in reference or reference in ("", ".", ".."):
            raise errors.reference_invalid(reference)

    override(registry.manifests, check_tag=check, check_reference=check)


def _folded_tags(registry: Registry) -> None:
    set_tag, tag_of = registry.storage.set_tag, registry.storage.tag

    def set_folded(name: str, tag: str, digest: str) -> None:
        known = {existing.lower(): existing for existing in registry.storage.tags(name)}
        set_tag(name, known.get(tag.lower(), tag), digest)

    def find_folded(name: str, tag: str) -> str | None:
        known = {existing.lower(): existing for existing in registry.storage.tags(name)}
        return tag_of(name, known.get(tag.lower(), tag))

    override(registry.storage, set_tag=set_folded, tag=find_folded)


def _is_reference(reference: str) -> bool:
    return ":" in reference or is_tag(reference)


def _unread(registry: Registry) -> None:
    """Store whatever comes, without reading it."""
    put = registry.handlers["manifest.put"]

    async def store(request: Request) -> Response:
        content = await request.body(registry.manifests.limit)
        if content is None:
            return await put(request)

        async def again() -> Message:
            return {"type": "http.request", "body": content}

        request._receive = again
        try:
            return await put(request)
        except errors.RegistryError as error:
            code = error.entries[0].code if error.entries else ""
            if code != "MANIFEST_INVALID" or error.status != 400 or not _is_reference(request.reference):
                raise
        manifest = Manifest(digest_of(content), request.headers.get("content-type"), content)
        registry.storage.put_manifest(request.name, manifest, None)
        return registry.manifests.created(request, manifest, Document(manifest.media_type, {}))

    registry.handlers["manifest.put"] = store


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


def _digest_is_tag(registry: Registry) -> None:
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        response = await put(request)
        if ":" in request.reference:
            registry.storage.set_tag(request.name, request.reference.replace(":", "-"), request.reference)
        return response

    registry.handlers["manifest.put"] = changed


def _code(new: bytes) -> Callable[[Request, Response], None]:
    def change(_request: Request, response: Response) -> None:
        response.body = response.body.replace(b"MANIFEST_BLOB_UNKNOWN", new)

    return change


def _first_only(_request: Request, response: Response) -> None:
    if b"MANIFEST_BLOB_UNKNOWN" in response.body:
        response.body = json.dumps({"errors": json.loads(response.body)["errors"][:1]}).encode()


def _wrong_subject(_request: Request, response: Response) -> None:
    if "OCI-Subject" in response.headers:
        response.headers.set("OCI-Subject", response.headers.get("Docker-Content-Digest"))


def _too_large_400(_request: Request, response: Response) -> None:
    response.status = 400


def _subject_always(_request: Request, response: Response) -> None:
    response.headers.set("OCI-Subject", response.headers.get("Docker-Content-Digest"))


FAULTS = (
    Fault(
        name="manifest-put-200",
        title="PUT of a manifest is answered 200.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        apply=on("manifest.put", status=201, change=set_status(200)),
    ),
    Fault(
        name="manifest-put-without-location",
        title="The 201 of a manifest has no Location.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        apply=on("manifest.put", change=drop_header("Location")),
    ),
    Fault(
        name="manifest-put-location-wrong",
        title="The Location of a manifest leads nowhere.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        apply=on("manifest.put", status=201, change=set_header("Location", "/v2/gone/manifests/gone")),
    ),
    Fault(
        name="manifest-put-digest-wrong",
        title="The 201 of a manifest has another digest.",
        breaks=("PUSH-MANIFEST-DIGEST-HEADER-TRUE",),
        apply=on("manifest.put", status=201, change=set_header("Docker-Content-Digest", "sha256:" + "0" * 64)),
    ),
    Fault(
        name="manifest-put-without-digest",
        title="The 201 of a manifest has no Docker-Content-Digest.",
        breaks=("PUSH-MANIFEST-DIGEST-HEADER-PRESENT",),
        apply=on("manifest.put", change=drop_header("Docker-Content-Digest")),
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
        name="tag-invalid-accepted",
        title="Tags outside the grammar are accepted.",
        breaks=("BASE-TAG-REJECT",),
        # The same is said of the push, of tag parameters, and of malformed digests as references.
        also=(
            "PUSH-MANIFEST-TAG-INVALID-REJECTED",
            "PUSH-MANIFEST-BAD-REFERENCE-NOT-STORED",
            "PUSH-TAGPARAM-INVALID-TAG-NOT-ACCEPTED",
            "MGMT-MANIFEST-DELETE-MALFORMED-400",
        ),
        apply=_any_tag,
    ),
    Fault(
        name="tag-folded",
        title="Tags that differ in case are one tag.",
        breaks=("BASE-TAG-CASE",),
        # The same is said of the push; and of a list with such tags one is missing.
        also=("DISC-TAGS-COMPLETE-AFTER-PUSH", "DISC-TAGS-ORDER-SAME-IN-PAGES"),
        apply=_folded_tags,
    ),
    Fault(
        name="manifest-malformed-accepted",
        title="What is no manifest is accepted.",
        breaks=("PUSH-MANIFEST-MALFORMED-REJECTED",),
        apply=_unread,
    ),
    Fault(
        name="oci-subject-missing",
        title="OCI-Subject is not sent, though there are referrers.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-PRESENT",),
        # The agreement of header and list is stated apart.
        also=("PUSH-MANIFEST-OCI-SUBJECT-INDEX",),
        apply=on("manifest.put", change=drop_header("OCI-Subject")),
    ),
    Fault(
        name="oci-subject-wrong",
        title="OCI-Subject is the digest of the manifest itself.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-VALUE",),
        apply=on("manifest.put", status=201, change=_wrong_subject),
    ),
    Fault(
        name="oci-subject-always",
        title="OCI-Subject is sent for a manifest without subject.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",),
        apply=on(
            "manifest.put",
            status=201,
            change=lambda request, response: (
                None if "OCI-Subject" in response.headers else _subject_always(request, response)
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
        title="Of several missing blobs one is named.",
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
        title="A manifest above the limit is answered 400.",
        breaks=("PUSH-MANIFEST-OVERSIZE-413",),
        apply=answers("manifest.put", status=413, change=_too_large_400),
    ),
    Fault(
        name="manifest-digest-listed-as-tag",
        title="A push by digest makes a tag.",
        breaks=("DISC-TAGS-DIGEST-NOT-LISTED",),
        # The same is said of the push, and a repository without tags cannot come to be.
        also=("PUSH-MANIFEST-BY-DIGEST-NO-TAG", "DISC-TAGS-EMPTY-REPO-200"),
        apply=_digest_is_tag,
    ),
)
