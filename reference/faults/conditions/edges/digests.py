"""Faults that show with digests by sha512."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.documents import Document, Json, read
from reference.faults.conditions.edges.shared import data_of, digest_trusted
from reference.faults.shared import DIGEST_LENGTH, body_of
from reference.grammar import digest_of
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, around, override, wrap
from reference.storage import Manifest, Upload

_SHA512 = "sha512:"


def _column_of_a_sha256(registry: Registry) -> None:
    """The digest that was computed is kept in a column that is as long as one by sha256."""
    verified = registry.uploads.verified
    override(
        registry.uploads,
        verified=lambda claimed, computed: verified(claimed[:DIGEST_LENGTH], computed[:DIGEST_LENGTH]),
    )


@around("manifest.put")
async def _stored_before_the_link(registry: Registry, request: Request, handler: Handler) -> Response:
    """Content is stored by sha256, and another digest is a link to it that is made, or refused, afterwards."""
    if not request.reference.startswith(_SHA512):
        return await handler(request)
    content = await request.body(registry.options.manifest_limit)
    override(request, body=body_of(content or b""))
    try:
        return await handler(request)
    except errors.RegistryError as error:
        if content and [entry.code for entry in error.entries] == ["DIGEST_INVALID"]:
            document = read(content, request.headers.get("content-type"))
            manifest = Manifest(digest_of(content), document.media_type, content)
            registry.storage.put_manifest(request.name, manifest, None)
        raise


def _parts_by_sha256(registry: Registry) -> None:
    """The parts of an image are looked up by the digits of a sha256."""
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        check(name, document)
        unfound = [digest for digest in document.blobs if digest.startswith(_SHA512)]
        if unfound:
            raise errors.references_unknown(unfound)

    override(registry.manifests, check_references=changed)


_SHA512 = "sha512:"
_LOOSE = re.compile(r"sha512:[a-f0-9]{64,128}")


def _status_of_announced(registry: Registry) -> None:
    """Uploads for another algorithm than the usual one have a table of their own, and the status looks in one."""
    announced: set[str] = set()

    def start(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if request.query.get("digest-algorithm") == "sha512":
                announced.add(response.headers.get("Docker-Upload-UUID"))
            return response

        return changed

    def status(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.reference in announced:
                raise errors.upload_unknown(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ["upload.start"], start)
    wrap(registry, ["upload.get"], status)


@around("referrers.list")
async def _none_is_unknown(registry: Registry, request: Request, handler: Handler) -> Response:
    """Subjects by sha512 are in a table that was added later, where no row is an error."""
    if request.reference.startswith(_SHA512):
        registry.referrers.check_digest(request.reference)
        if not registry.storage.referrers(request.name, request.reference):
            raise errors.manifest_unknown(request.reference)
    return await handler(request)


def _length_of_either(registry: Registry) -> None:
    """The pattern for sha512 takes any number of digits from that of sha256 on."""
    check = registry.referrers.check_digest

    def changed(digest: str) -> None:
        if _LOOSE.fullmatch(digest) is None:
            check(digest)

    override(registry.referrers, check_digest=changed)


_SHA512_too = "sha512:"
_HALF = len(_SHA512_too) + 64


def _alias_of_everybody(registry: Registry) -> None:
    """Other digests than sha256 are aliases in one table, which knows no repositories."""
    find = registry.blobs.find

    def found(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is None and digest.startswith(_SHA512_too):
            holders = (registry.storage.open_blob(other, digest) for other in registry.storage.repositories())
            return next((held for held in holders if held is not None), None)
        return content

    override(registry.blobs, find=found)


def _compared_by_half(registry: Registry) -> None:
    """Room for 64 digits, as sha256 has."""
    override(
        registry.uploads,
        verified=lambda claimed, computed: claimed[:_HALF] == computed[:_HALF],
    )


def _listed_for_ever(registry: Registry) -> None:
    """The lines of the list of referrers have sha256 digests, and are looked for by the one of the deletion."""
    kept: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
    delete, collect = registry.storage.delete_manifest, registry.referrers.collect

    def deleted(name: str, digest: str, subject: str | None) -> None:
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None and subject is not None and digest.startswith(_SHA512_too):
            kept[name, subject].append(manifest)
        delete(name, digest, subject)

    def collected(name: str, subject: str) -> list[Json]:
        found = {entry["digest"]: entry for entry in collect(name, subject)}
        for manifest in kept.get((name, subject), ()):
            found.setdefault(manifest.digest, registry.referrers.describe(manifest))
        return [found[digest] for digest in sorted(found)]

    override(registry.storage, delete_manifest=deleted)
    override(registry.referrers, collect=collected)


_SHA512_too = "sha512:"
#: A column for an algorithm of seven letters and 64 digits.
_COLUMN = len(_SHA512_too) + 64


def _half_compared(registry: Registry) -> None:
    whole: dict[tuple[str, str], str] = {}
    storage, find = registry.storage, registry.blobs.find
    commit = storage.commit_upload

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        commit(upload, digests)
        whole.update(((upload.repository, digest[:_COLUMN]), digest) for digest in digests if len(digest) > _COLUMN)

    def changed(name: str, digest: str) -> Content | None:
        known = whole.get((name, digest[:_COLUMN])) if digest.startswith(_SHA512_too) else None
        return find(name, known or digest)

    override(storage, commit_upload=committed)
    override(registry.blobs, find=changed)


@around("upload.start-digest")
async def _kept_as_sha256(registry: Registry, request: Request, handler: Handler) -> Response:
    """Verify by the algorithm that was named, and keep by the usual one."""
    digest = request.query.get("digest") or ""
    held = registry.storage.has_blob(request.name, digest)
    response = await handler(request)
    data = data_of(registry.storage.open_blob(request.name, digest))
    if response.status != 201 or held or data is None or not digest.startswith(_SHA512_too):
        return response
    upload = registry.storage.start_upload(request.name)
    await upload.write(data)
    await upload.flush()
    registry.storage.commit_upload(upload, [digest_of(data)])
    registry.storage.delete_blob(request.name, digest)
    return response


def _chunked_sha512_trusted(registry: Registry) -> None:
    """Have no state of sha512 that lasts from one chunk to the next."""
    chunks: dict[str, int] = {}

    @around("upload.patch")
    async def counted(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        chunks[request.reference] = chunks.get(request.reference, 0) + 1
        return response

    def trusts(_request: Request, upload: Upload, digests: list[str]) -> bool:
        return chunks.get(upload.identifier, 0) > 1 and digests[0].startswith(_SHA512_too)

    counted(registry)
    digest_trusted(trusts)(registry)


FAULTS = (
    Fault(
        name="sha512-verified-by-its-first-half",
        title="A blob is accepted under a sha512 digest whose first 64 digits alone are right.",
        breaks=("PUSH-BLOB-SHA512-MISMATCH-REJECTED",),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-SINGLE-DIGEST-INVALID-400",
            "PULL-BLOB-GET-BODY-EXACT",
            "PULL-BLOB-GET-DCD-TRUE",
        ),
        apply=_column_of_a_sha256,
    ),
    Fault(
        name="refused-by-sha512-kept-by-sha256",
        title="A manifest that is refused under a wrong sha512 digest is there under its sha256.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        also=("PUSH-MANIFEST-BAD-REFERENCE-NOT-STORED", "PULL-MANIFEST-GET-UNKNOWN-404"),
        apply=_stored_before_the_link,
    ),
    Fault(
        name="layer-by-sha512-missing",
        title="An image is refused for want of a config or layer that is there and named by sha512.",
        breaks=(
            "PUSH-MANIFEST-STATUS-201",
            "BASE-DIGEST-SHA512",
        ),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
        ),
        apply=_parts_by_sha256,
    ),
    Fault(
        name="status-of-upload-for-sha512-unknown",
        title="The status of an upload that was opened with digest-algorithm=sha512 is answered 404.",
        breaks=("PUSH-START-DIGEST-ALGORITHM-PARAM",),
        also=(
            "PUSH-STATUS-204",
            "PUSH-STATUS-RESUME",
            "PUSH-STATUS-RANGE-VALUE",
        ),
        apply=_status_of_announced,
    ),
    Fault(
        name="no-referrers-by-sha512-is-404",
        title="The referrers of a sha512 digest that has none are answered 404.",
        breaks=("DISC-REFERRERS-STATUS-200",),
        also=(
            "DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",
            "DISC-REFERRERS-SUBJECT-DELETED",
            "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",
            "DISC-REFERRERS-UNSUPPORTED-404",
            "DISC-REFERRERS-ISOLATION-REPO",
            "DISC-REFERRERS-INDEX-SHAPE",
        ),
        apply=_none_is_unknown,
    ),
    Fault(
        name="referrers-of-half-a-sha512-answered",
        title="The referrers of a sha512 digest that has 64 digits are an empty list, and no error.",
        breaks=("DISC-REFERRERS-INVALID-DIGEST-400", "BASE-DIGEST-MALFORMED"),
        apply=_length_of_either,
    ),
    Fault(
        name="sha512-alias-of-every-repository",
        title="A blob that a repository holds under a sha512 digest is served under it in every other one.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        also=(
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
        apply=_alias_of_everybody,
    ),
    Fault(
        name="sha512-compared-by-its-first-half",
        title="An upload is accepted where its sha512 digest is wrong in the second half only.",
        breaks=("PUSH-BLOB-SHA512-MISMATCH-REJECTED",),
        also=("PUSH-PUT-DIGEST-MISMATCH-REJECTED", "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB", "BASE-DIGEST-SHA512"),
        apply=_compared_by_half,
    ),
    Fault(
        name="sha512-referrer-outlives-its-deletion",
        title="A referrer that was pushed by a sha512 digest is still listed after its deletion.",
        breaks=("MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",),
        also=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        apply=_listed_for_ever,
    ),
    Fault(
        name="sha512-compared-by-its-half",
        title="A blob is found by every sha512 digest that begins with the same 64 digits as its own.",
        breaks=("PULL-BLOB-GET-UNKNOWN-404",),
        also=(
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
        ),
        apply=_half_compared,
    ),
    Fault(
        name="single-post-sha512-kept-as-sha256",
        title="A blob of a single POST with a sha512 digest is there under its sha256 digest alone.",
        breaks=("PUSH-SINGLE-LOCATION-PULLABLE",),
        also=(
            "BASE-DIGEST-SHA512",
            "PUSH-BLOB-KEPT",
        ),
        apply=_kept_as_sha256,
    ),
    Fault(
        name="chunked-sha512-unverified",
        title="A sha512 digest that closes an upload of several chunks is not verified.",
        breaks=("PUSH-BLOB-SHA512-MISMATCH-REJECTED",),
        also=(
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
            "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PUSH-PUT-DIGEST-HEADER-VALUE",
        ),
        apply=_chunked_sha512_trusted,
    ),
)
