"""Faults of completed uploads: the closing PUT, the single POST, and mounts."""

from __future__ import annotations

from collections.abc import AsyncIterator

from reference import errors
from reference.app import Registry
from reference.messages import Disconnected, Request, Response
from reference.modifications import Apply, Fault, drop_header, on, override, set_header, set_status
from reference.storage import Upload

_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def _unverified(registry: Registry) -> None:
    override(registry.uploads, verified=lambda _claimed, _computed: True)


def _unverified_sha512(registry: Registry) -> None:
    override(registry.uploads, verified=lambda claimed, computed: claimed == computed or claimed.startswith("sha512:"))


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


def _last_chunk_lost(registry: Registry) -> None:
    put = registry.handlers["upload.put"]

    async def nothing() -> AsyncIterator[bytes]:
        for piece in list[bytes]():
            yield piece

    async def changed(request: Request) -> Response:
        if registry.uploads.find(request).size:
            async for _ in request.pieces():
                pass
            request.headers.drop("content-range")
            override(request, pieces=nothing)
        return await put(request)

    registry.handlers["upload.put"] = changed


def _last_chunk_alone(registry: Registry) -> None:
    """Verify the digest of the last chunk where it is not that of the whole."""
    close = registry.uploads.close

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        if not upload.size or not request.content_length:
            return await close(request, upload, digests, length)
        await registry.uploads.receive(request, upload)
        whole = await upload.digest("sha256")
        if whole in digests:
            registry.storage.commit_upload(upload, digests)
        else:
            # The digest of the last chunk is not worth computing: any other is taken for it.
            registry.storage.commit_upload(upload, [whole, *digests])
        return registry.uploads.created(request.name, digests[0])

    override(registry.uploads, close=changed)


def _truncated_kept(registry: Registry) -> None:
    receive = registry.uploads.receive

    async def keep(request: Request, upload: Upload) -> None:
        try:
            await receive(request, upload)
        except Disconnected:
            if request.operation != "upload.put":
                raise
            await upload.flush()
            digests = [*registry.uploads.digests(request), await upload.digest("sha256")]
            registry.storage.commit_upload(upload, digests)
            raise errors.upload_interrupted() from None

    override(registry.uploads, receive=keep)


def _out_of_order_put(registry: Registry) -> None:
    put = registry.handlers["upload.put"]

    async def changed(request: Request) -> Response:
        request.headers.drop("content-range")
        return await put(request)

    registry.handlers["upload.put"] = changed


def _again_409(registry: Registry) -> None:
    digests = registry.uploads.digests

    def changed(request: Request) -> list[str]:
        found = digests(request)
        if any(registry.storage.has_blob(request.name, digest) for digest in found):
            raise errors.RegistryError(409, (errors.ErrorEntry("BLOB_UPLOAD_INVALID"),))
        return found

    override(registry.uploads, digests=changed)


def _empty_refused(registry: Registry) -> None:
    digests = registry.uploads.digests

    def changed(request: Request) -> list[str]:
        found = digests(request)
        if f"sha256:{_EMPTY}" in found:
            raise errors.digest_invalid(found[0], "empty blobs are not supported")
        return found

    override(registry.uploads, digests=changed)


FAULTS = (
    Fault(
        name="put-204",
        title="The closing PUT is answered 204.",
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
        title="A wrong digest is answered 404.",
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
        # The same may be looked at after chunks, after a single POST and after the digest of a part.
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
        name="put-last-chunk-lost",
        title="The body of the PUT that closes a chunked upload is ignored.",
        breaks=("PUSH-PUT-FINAL-CHUNK-CLOSES",),
        apply=_last_chunk_lost,
    ),
    Fault(
        name="put-digest-of-last-chunk",
        title="The PUT that closes with a chunk does not verify the whole.",
        breaks=("PUSH-PUT-DIGEST-OF-WHOLE",),
        # A body under a digest that does not fit can then be pulled.
        also=("PULL-BLOB-GET-BODY-EXACT",),
        apply=_last_chunk_alone,
    ),
    Fault(
        name="put-out-of-order-accepted",
        title="The Content-Range of the closing PUT is ignored.",
        breaks=("PUSH-PUT-OUT-OF-ORDER-REJECTED",),
        # The status of the refusal is stated apart.
        also=("PUSH-PUT-OUT-OF-ORDER-416",),
        apply=_out_of_order_put,
    ),
    Fault(
        name="put-truncated-stored",
        title="What came of a PUT that broke off is stored.",
        breaks=("PUSH-PUT-TRUNCATED-NO-BLOB",),
        apply=_truncated_kept,
    ),
    Fault(
        name="put-again-409",
        title="A blob that is already there is answered 409.",
        breaks=("PUSH-BLOB-REUPLOAD-IDEMPOTENT",),
        # Two uploads of the same content at the same time are such a case.
        also=("PUSH-BLOB-PARALLEL-SAME-DIGEST",),
        apply=_again_409,
    ),
    Fault(
        name="put-empty-refused",
        title="A blob of zero bytes is refused.",
        breaks=("PUSH-BLOB-EMPTY-ACCEPTED",),
        apply=_empty_refused,
    ),
    Fault(
        name="put-sha512-unverified",
        title="A sha512 digest is not verified.",
        breaks=("PUSH-BLOB-SHA512-MISMATCH-REJECTED",),
        # Pulled by that digest, the body does not fit it.
        also=("PULL-BLOB-GET-BODY-EXACT",),
        apply=_unverified_sha512,
    ),
)
