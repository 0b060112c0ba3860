"""Changes that several modules of faults of conditions/blobs have in common."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from reference.app import Registry
from reference.messages import Content, Request, Response
from reference.modifications import Apply, override
from reference.storage import Upload

_Found = Callable[[str, str, Content | None], Content | None]
#: The upload that a request closes.
closing_upload: ContextVar[Upload] = ContextVar("_closing")


def found_blobs(change: _Found) -> Apply:
    """Change what is found of blobs, or not found."""

    def apply(registry: Registry) -> None:
        find = registry.blobs.find

        def changed(name: str, digest: str) -> Content | None:
            return change(name, digest, find(name, digest))

        override(registry.blobs, find=changed)

    return apply


def size_of(registry: Registry, name: str, digest: str) -> int | None:
    """How many bytes a blob has."""
    content = registry.storage.open_blob(name, digest)
    return content.size if content is not None else None


def noting_uploads(registry: Registry) -> None:
    """Note the upload that a request closes."""
    close = registry.uploads.close

    async def noting(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        closing_upload.set(upload)
        return await close(request, upload, digests, length)

    override(registry.uploads, close=noting)


def parts_of(response: Response) -> list[tuple[int, int]]:
    """Return the first position and the length of each range that an answer has."""
    return [part for part in response.parts if not isinstance(part, bytes)]
