"""Changes that several modules of faults at one value have in common."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.messages import BINARY, Content, Handler, Notice, Request, Response
from reference.modifications import Apply, around, override
from reference.storage import Upload
from reference.storage.memory import MemoryContent

KIB_64 = 1 << 16
MIB = 1 << 20


def refused(
    *operations: str, when: Callable[[Request], object], error: Callable[[Request], errors.RegistryError]
) -> Apply:
    """Refuse some requests of operations, and do nothing of what they ask."""

    @around(*operations)
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        if when(request):
            raise error(request)
        return await handler(request)

    return changed


def no_such_manifest(request: Request) -> errors.RegistryError:
    """Why a manifest is not found."""
    return errors.manifest_unknown(request.reference)


#: Whether the digest that closes an upload is taken as it is, after everything was received.
Trusts = Callable[[Request, Upload, list[str]], object]


def data_of(content: Content | None) -> bytes | None:
    """The bytes of a blob in memory."""
    return bytes(content.data) if isinstance(content, MemoryContent) else None


def digest_trusted(trusts: Trusts) -> Apply:
    """Take the digest of some uploads as it is."""

    def apply(registry: Registry) -> None:
        uploads, storage = registry.uploads, registry.storage

        async def close(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
            upload.expect(digests[0].split(":", 1)[0])
            mark = upload.mark()
            await uploads.receive(request, upload)
            await uploads.check_received(upload, mark, length)
            trusted = trusts(request, upload, digests)
            for digest in digests:
                if not trusted and digest != await upload.digest(digest.split(":", 1)[0]):
                    storage.discard_upload(upload)
                    raise errors.digest_invalid(digest)
            size = upload.size
            await storage.settle(upload, digests)
            storage.commit_upload(upload, digests)
            notice = Notice("push", digests[0], "blobs", BINARY, size)
            return uploads.created(request.name, digests[0]).tells(notice)

        override(uploads, close=close)

    return apply


def mounts_lost(loses: Callable[[Registry, str, str], object]) -> Apply:
    """Answer some mounts as done, and hold nothing; by source and digest of a blob that is there."""

    def apply(registry: Registry) -> None:
        mounted = registry.uploads.mounted

        def changed(source: str | None, name: str, digest: str) -> bool:
            if source and registry.storage.has_blob(source, digest) and loses(registry, source, digest):
                return True
            return mounted(source, name, digest)

        override(registry.uploads, mounted=changed)

    return apply
