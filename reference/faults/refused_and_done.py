"""Faults of what is refused, as it should be, and done all the same."""

from __future__ import annotations

from contextvars import ContextVar

from reference import errors
from reference.app import Registry
from reference.documents import OCI_MANIFEST
from reference.grammar import digest_of
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, moved_tags, override
from reference.storage import Manifest, Upload
from reference.storage.memory import MemoryUpload


def _closing(single: bool = False, chunked: bool = False, last: bool = False) -> Apply:
    """Store under its wrong digest what was refused: sent by one POST, in chunks, or the last of these."""

    def apply(registry: Registry) -> None:
        close, discard = registry.uploads.close, registry.storage.discard_upload
        claimed: dict[str, tuple[list[str], int]] = {}

        async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
            one = request.operation == "upload.start-digest"
            if (single and one) or (chunked and upload.size and not one) or (last and upload.size and not one):
                claimed[upload.identifier] = (digests, upload.size if last else 0)
            return await close(request, upload, digests, length)

        def discarded(upload: Upload) -> None:
            digests, start = claimed.pop(upload.identifier, ([], 0))
            if digests and not upload.closed and isinstance(upload, MemoryUpload) and upload.data[start:]:
                upload.data = upload.data[start:]
                registry.storage.commit_upload(upload, digests)
                return
            discard(upload)

        override(registry.uploads, close=changed)
        override(registry.storage, discard_upload=discarded)

    return apply


def _without_digest(registry: Registry) -> None:
    """Store what is closed without a digest."""
    put = registry.handlers["upload.put"]

    async def changed(request: Request) -> Response:
        if request.query.get("digest") is None:
            upload = registry.uploads.find(request)
            await registry.uploads.receive(request, upload)
            registry.storage.commit_upload(upload, [await upload.digest("sha256")])
            raise errors.digest_invalid("")
        return await put(request)

    registry.handlers["upload.put"] = changed


_content: ContextVar[bytes] = ContextVar("content")


def _manifest(code: str, tags: bool = True, manifests: bool = True) -> Apply:
    """Store a manifest, or move its tag, though it is refused with a code."""

    def apply(registry: Registry) -> None:
        put, digest = registry.handlers["manifest.put"], registry.manifests.digest

        def remembering(reference: str, content: bytes) -> str:
            _content.set(content)
            return digest(reference, content)

        async def changed(request: Request) -> Response:
            try:
                return await put(request)
            except errors.RegistryError as error:
                if any(entry.code == code for entry in error.entries):
                    content, name, reference = _content.get(b""), request.name, request.reference
                    own = reference if ":" in reference else digest_of(content)
                    if manifests:
                        registry.storage.put_manifest(name, Manifest(own, OCI_MANIFEST, content), None)
                    if tags and ":" not in reference:
                        registry.storage.set_tag(name, reference, own)
                raise

        registry.handlers["manifest.put"] = changed
        override(registry.manifests, digest=remembering)

    return apply


def _condition_once(registry: Registry) -> None:
    """Refuse each push on a condition to a tag that was moved."""
    check, moved = registry.manifests.check_condition, moved_tags(registry)

    def changed(request: Request) -> None:
        if request.headers.get("if-match") and (request.name, request.reference) in moved:
            raise errors.condition_failed()
        check(request)

    override(registry.manifests, check_condition=changed)


def _deletion(operation: str) -> Apply:
    """Carry a deletion out that is refused as switched off."""

    def apply(registry: Registry) -> None:
        check = registry.check_allowed

        def changed(request: Request) -> None:
            try:
                check(request)
            except errors.RegistryError:
                if operation == "blob" and request.operation == "blob.delete":
                    registry.blobs.remove(request.name, request.reference)
                if operation == "tag" and request.operation == "manifest.delete" and ":" not in request.reference:
                    registry.manifests.remove_tag(request.name, request.reference)
                raise

        override(registry, check_allowed=changed)

    return apply


FAULTS = (
    Fault(
        name="refused-single-post-stored",
        title="What is pushed with one POST and a wrong digest is refused and stored under that digest.",
        breaks=("PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",),
        apply=_closing(single=True),
    ),
    Fault(
        name="refused-chunks-stored",
        title="Chunks that are closed with a wrong digest are refused and stored under that digest.",
        breaks=("PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",),
        also=("PUSH-PUT-DIGEST-OF-WHOLE",),
        apply=_closing(chunked=True),
    ),
    Fault(
        name="refused-last-chunk-stored",
        title="A close with the digest of the last chunk alone is refused, and that chunk stored.",
        breaks=("PUSH-PUT-DIGEST-OF-WHOLE",),
        also=("PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",),
        apply=_closing(last=True),
    ),
    Fault(
        name="refused-without-digest-stored",
        title="What is closed without a digest is refused and stored.",
        breaks=("PUSH-PUT-DIGEST-MISSING-REJECTED",),
        apply=_without_digest,
    ),
    Fault(
        name="refused-manifest-stored",
        title="A manifest that is pushed by a wrong digest is refused and stored under that digest.",
        breaks=("PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",),
        apply=_manifest("DIGEST_INVALID"),
    ),
    Fault(
        name="refused-nonsense-stored",
        title="A manifest that is no JSON is refused and stored under its digest.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        apply=_manifest("MANIFEST_INVALID", tags=False),
    ),
    Fault(
        name="refused-nonsense-tagged",
        title="A manifest that is no JSON is refused, stored and tagged.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        apply=_manifest("MANIFEST_INVALID"),
    ),
    Fault(
        name="if-match-refused-and-moved",
        title="A push on the condition of a former ETag is refused, and the tag moved.",
        breaks=("PUSH-MANIFEST-IF-MATCH",),
        apply=_manifest("DENIED"),
    ),
    Fault(
        name="if-match-lost-with-move",
        title="No condition holds for a tag that was moved once.",
        breaks=("PUSH-MANIFEST-IF-MATCH",),
        apply=_condition_once,
    ),
    Fault(
        name="refused-blob-deletion-done",
        title="The deletion of a blob is refused and carried out.",
        breaks=("MGMT-DELETE-REFUSED-NO-EFFECT",),
        configuration="delete-off",
        apply=_deletion("blob"),
    ),
    Fault(
        name="refused-tag-deletion-done",
        title="The deletion of a tag is refused and carried out.",
        breaks=("MGMT-DELETE-REFUSED-NO-EFFECT",),
        configuration="delete-off",
        apply=_deletion("tag"),
    ),
)
