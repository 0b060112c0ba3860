"""Faults of the PUT that closes an upload."""

from __future__ import annotations

from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.faults.push.shared import answered_again, other_location, with_body
from reference.faults.push.uploads.shared import (
    around_upload_put,
    digest_asked_for,
    digest_of_any_length,
    where_request,
)
from reference.faults.shared import busy, other_digest
from reference.grammar import is_digest, is_supported
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Apply, Fault, answers, around, drop_header, on, override, set_header, set_status
from reference.storage import Upload
from reference.storage.memory import MemoryContent

_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_LARGE = 200_000
#: Blobs up to this size are shared between repositories, in bytes.
_SMALL = 5


def _unverified(registry: Registry) -> None:
    override(registry.uploads, verified=lambda _claimed, _computed: True)


def _refused_as(code: str, status: int = 400) -> Apply:
    """Another refusal of a wrong digest."""

    def apply(registry: Registry) -> None:
        close = registry.uploads.close

        async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
            try:
                return await close(request, upload, digests, length)
            except errors.RegistryError as error:
                if error.entries and error.entries[0].code == "DIGEST_INVALID":
                    raise errors.RegistryError(status, (errors.ErrorEntry(code),)) from error
                raise

        override(registry.uploads, close=changed)

    return apply


def _kept_though_refused(registry: Registry) -> None:
    discard = registry.storage.discard_upload
    verified = registry.uploads.verified
    wrong: list[str] = []

    def remember(claimed: str, computed: str) -> bool:
        if verified(claimed, computed):
            return True
        wrong.append(computed)
        return False

    def keep(upload: Upload) -> None:
        if wrong:
            registry.storage.commit_upload(upload, [wrong.pop()])
        else:
            discard(upload)

    override(registry.uploads, verified=remember)
    override(registry.storage, discard_upload=keep)


def _without_digest(registry: Registry) -> None:
    digests = registry.uploads.digests
    close = registry.uploads.close

    def changed(request: Request) -> list[str]:
        return digests(request) if request.query.get("digest") is not None else []

    async def any_digest(request: Request, upload: Upload, given: list[str], length: int | None = None) -> Response:
        if given:
            return await close(request, upload, given, length)
        await registry.uploads.receive(request, upload)
        digest = await upload.digest("sha256")
        registry.storage.commit_upload(upload, [digest])
        return registry.uploads.created(request.name, digest)

    override(registry.uploads, digests=changed, close=any_digest)


def _empty_refused(registry: Registry) -> None:
    digests = registry.uploads.digests

    def changed(request: Request) -> list[str]:
        found = digests(request)
        if f"sha256:{_EMPTY}" in found:
            raise errors.digest_invalid(found[0], "empty blobs are not supported")
        return found

    override(registry.uploads, digests=changed)


def _is_large(request: Request) -> bool:
    return (request.content_length or 0) > _LARGE


@around("upload.put")
async def _refused_without_digest_stored(registry: Registry, request: Request, handler: Handler) -> Response:
    """Store what is closed without a digest."""
    if request.query.get("digest") is None:
        upload = registry.uploads.find(request)
        await registry.uploads.receive(request, upload)
        registry.storage.commit_upload(upload, [await upload.digest("sha256")])
        raise errors.digest_invalid("")
    return await handler(request)


def _gzip_ends(registry: Registry) -> None:
    """What follows the beginning of gzip data within a blob is lost."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if not isinstance(content, MemoryContent) or content.size > 1 << 16:
            return content
        data = content.data
        at = data.find(b"\x1f\x8b\x08\x00", 1)
        return MemoryContent(data[:at]) if at > 0 else content

    override(registry.blobs, find=changed)


def _linked_once(registry: Registry) -> None:
    """What another repository has is not stored again, and forgotten for this one."""
    holders: dict[str, str] = {}
    commit = registry.storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        elsewhere = any(holders.setdefault(digest, upload.repository) != upload.repository for digest in digests)
        if elsewhere and upload.size > _SMALL:
            registry.storage.discard_upload(upload)
            return
        commit(upload, digests)

    override(registry.storage, commit_upload=changed)


def _is_malformed(request: Request) -> bool:
    return request.query.get("digest") is not None and not is_digest(digest_asked_for(request))


def _is_unknown(request: Request) -> bool:
    return is_digest(digest_asked_for(request)) and not is_supported(digest_asked_for(request))


def _unknown_accepted(put: Handler) -> Handler:
    async def changed(request: Request) -> Response:
        if not _is_unknown(request):
            return await put(request)
        digest = digest_asked_for(request)
        location = f"/v2/{request.name}/blobs/{digest}"
        return Response(201, [("Location", location), ("Docker-Content-Digest", digest)])

    return changed


def _lower_case(put: Handler) -> Handler:
    async def changed(request: Request) -> Response:
        request.query.pairs = [(k, v.lower() if k == "digest" else v) for k, v in request.query.pairs]
        return await put(request)

    return changed


def _two_digests_500(put: Handler) -> Handler:
    async def changed(request: Request) -> Response:
        if len(request.query.all("digest")) > 1:
            return Response(500)
        return await put(request)

    return changed


FAULTS = (
    Fault(
        name="put-204",
        title="The closing PUT returns 204.",
        breaks=("PUSH-PUT-MONOLITHIC-201",),
        apply=on("upload.put", status=201, change=set_status(204)),
    ),
    Fault(
        name="put-without-location",
        title="The 201 of a blob has no Location.",
        breaks=("PUSH-PUT-LOCATION-PRESENT",),
        apply=on("upload.put", change=drop_header("Location")),
    ),
    Fault(
        name="put-location-wrong",
        title="The Location of a blob leads nowhere.",
        breaks=("PUSH-PUT-LOCATION-PULLABLE",),
        apply=on("upload.put", status=201, change=set_header("Location", f"/v2/gone/blobs/sha256:{'0' * 64}")),
    ),
    Fault(
        name="put-digest-header-wrong",
        title="The 201 of a blob has another digest.",
        breaks=("PUSH-PUT-DIGEST-HEADER-VALUE",),
        apply=on("upload.put", status=201, change=set_header("Docker-Content-Digest", f"sha256:{'0' * 64}")),
    ),
    Fault(
        name="put-without-digest-header",
        title="The 201 of a blob has no Docker-Content-Digest.",
        breaks=("PUSH-PUT-DIGEST-HEADER-PRESENT",),
        apply=on("upload.put", change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="blob-wrong-digest-accepted",
        title="A blob is accepted under a digest that is not its own.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-REJECTED",),
        # Pulled by that digest, the body does not fit it.
        also=("PULL-BLOB-GET-BODY-EXACT",),
        apply=_unverified,
    ),
    Fault(
        name="put-wrong-digest-404",
        title="A wrong digest gets 404.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-400",),
        apply=_refused_as("DIGEST_INVALID", 404),
    ),
    Fault(
        name="put-wrong-digest-code",
        title="A wrong digest has the code BLOB_UNKNOWN.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-CODE",),
        apply=_refused_as("BLOB_UNKNOWN"),
    ),
    Fault(
        name="put-wrong-digest-stored",
        title="A blob with a wrong digest is refused, and stored under its own.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",),
        # The same may be looked at after chunks, after a single POST and after the digest of a
        # part.
        also=("PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED", "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED"),
        apply=_kept_though_refused,
    ),
    Fault(
        name="put-without-digest-accepted",
        title="A closing PUT without digest is accepted.",
        breaks=("PUSH-PUT-DIGEST-MISSING-REJECTED",),
        apply=_without_digest,
    ),
    Fault(
        name="put-empty-refused",
        title="A blob of zero bytes is refused.",
        breaks=("PUSH-BLOB-EMPTY-ACCEPTED",),
        apply=_empty_refused,
    ),
    Fault(
        name="put-digest-of-any-length",
        title="A closing PUT takes a digest of another length for true as far as it goes.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-REJECTED",),
        apply=lambda registry: digest_of_any_length(registry, "upload.put"),
    ),
    Fault(
        name="blob-large-503",
        title="A PUT of more than 200,000 bytes returns 503.",
        breaks=("PUSH-PUT-MONOLITHIC-201",),
        apply=busy(503, "upload.put", when=_is_large),
    ),
    Fault(
        name="refused-without-digest-stored",
        title="A PUT without digest is refused, and the blob is stored.",
        breaks=("PUSH-PUT-DIGEST-MISSING-REJECTED",),
        apply=_refused_without_digest_stored,
    ),
    Fault(
        name="blob-ends-at-gzip",
        title="A blob ends where gzip data begins within it.",
        breaks=("PUSH-BLOB-BINARY-EXACT",),
        apply=_gzip_ends,
    ),
    Fault(
        name="blob-of-two-repositories-lost",
        title="A blob of some bytes that another repository has gets 201 and is not there.",
        breaks=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",),
        # A manifest of such a blob is refused then.
        also=("PUSH-MANIFEST-STATUS-201", "PULL-BLOB-GET-200"),
        apply=_linked_once,
    ),
    Fault(
        name="close-answered-200",
        title="The close of an upload returns 200.",
        breaks=("PUSH-PUT-MONOLITHIC-201",),
        apply=on("upload.put", status=201, change=set_status(200)),
    ),
    Fault(
        name="close-answered-202",
        title="The close of an upload returns 202.",
        breaks=("PUSH-PUT-MONOLITHIC-201",),
        apply=on("upload.put", status=201, change=set_status(202)),
    ),
    Fault(
        name="close-always-203",
        title="The close of an upload returns 203, also where it is refused.",
        breaks=("PUSH-PUT-MONOLITHIC-201",),
        apply=answers("upload.put", change=set_status(203)),
    ),
    Fault(
        name="digest-wrong-for-blobs-pushed-again",
        title="The answer to the second push of a blob has the Docker-Content-Digest of something else.",
        breaks=("PUSH-PUT-DIGEST-HEADER-VALUE",),
        seldom=True,
        apply=answered_again("upload.put", status=201, change=other_digest),
    ),
    Fault(
        name="digest-wrong-for-single-post",
        title="The answer to a blob in one POST has the Docker-Content-Digest of something else.",
        breaks=("PUSH-PUT-DIGEST-HEADER-VALUE",),
        seldom=True,
        apply=on("upload.start-digest", status=201, change=other_digest),
    ),
    Fault(
        name="location-of-another-blob-pushed-again",
        title="The Location of a blob that was pushed twice has another digest.",
        breaks=("PUSH-PUT-LOCATION-PULLABLE",),
        seldom=True,
        apply=answered_again("upload.put", status=201, change=other_location),
    ),
    Fault(
        name="put-with-body",
        title="The 201 that completes an upload has a body.",
        breaks=("PUSH-PUT-BODY-EMPTY",),
        apply=on("upload.put", status=201, change=with_body),
    ),
    Fault(
        name="put-without-digest-404",
        title="A PUT without digest returns 404.",
        breaks=("PUSH-PUT-DIGEST-MISSING-400",),
        apply=answers(
            "upload.put", status=400, change=where_request(lambda r: not digest_asked_for(r), set_status(404))
        ),
    ),
    Fault(
        name="put-digest-malformed-404",
        title="A PUT with a malformed digest returns 404.",
        breaks=("PUSH-PUT-DIGEST-MALFORMED-400",),
        apply=answers("upload.put", status=400, change=where_request(_is_malformed, set_status(404))),
    ),
    Fault(
        name="put-digest-algorithm-unknown-404",
        title="A PUT with a digest of an unknown algorithm returns 404.",
        breaks=("PUSH-PUT-DIGEST-ALGORITHM-UNKNOWN-400",),
        apply=answers("upload.put", status=400, change=where_request(_is_unknown, set_status(404))),
    ),
    Fault(
        name="put-digest-algorithm-unknown-accepted",
        title="A PUT with a digest of an unknown algorithm returns 201, though it cannot be verified.",
        breaks=("PUSH-PUT-DIGEST-ALGORITHM-UNKNOWN-REJECTED",),
        apply=around_upload_put(_unknown_accepted),
    ),
    Fault(
        name="put-digest-folded",
        title="A PUT takes a digest in upper case for the one in lower case.",
        breaks=("PUSH-PUT-DIGEST-UPPERCASE",),
        apply=around_upload_put(_lower_case),
    ),
    Fault(
        name="put-two-digests-500",
        title="A PUT with two digests returns 500.",
        breaks=("PUSH-PUT-DIGEST-MULTIPLE",),
        apply=around_upload_put(_two_digests_500),
    ),
)
