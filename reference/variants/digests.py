"""Variants of the digest that an answer names: of another algorithm than the one that was asked by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Variant, wrap

_HEADER = "Docker-Content-Digest"
_BLOBS = ("blob.get", "blob.head", "upload.put", "upload.start-digest", "upload.mount")
_MANIFESTS = ("manifest.get", "manifest.head", "manifest.put")


def _exact(request: Request) -> bool:
    """Whether the client named the digest that is answered, as it does in a push of a manifest by digest."""
    return request.operation == "manifest.put" and ":" in request.reference


def answering(digest: Callable[[bytes], str]) -> Apply:
    """Name what was pulled or pushed by the tag's or digest's content, by another algorithm."""

    def apply(registry: Registry) -> None:
        async def content(name: str, known: str) -> bytes | None:
            manifest = registry.storage.manifest(name, known)
            if manifest is not None:
                return manifest.content
            blob = registry.storage.open_blob(name, known)
            if blob is None:
                return None
            try:
                return b"".join([piece async for piece in blob.chunks(0, blob.size)])
            finally:
                blob.close()

        def around(handler: Handler) -> Handler:
            async def changed(request: Request) -> Response:
                response = await handler(request)
                known = response.headers.get(_HEADER)
                body = await content(request.name, known) if response.status in (200, 201, 206) and known else None
                if body is not None and not _exact(request):
                    response.headers.set(_HEADER, digest(body))
                return response

            return changed

        wrap(registry, (*_BLOBS, *_MANIFESTS), around)

    return apply


def _named(algorithm: str) -> Callable[[bytes], str]:
    """Digest by an algorithm of the standard library."""
    return lambda content: f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def _own(content: bytes) -> str:
    """Digest by an algorithm that is the registry's own; its name has two components."""
    return f"own+tree1:{hashlib.blake2s(content, person=b'own').hexdigest()}"


VARIANTS = (
    Variant(
        name="digest-header-sha384",
        title="Docker-Content-Digest is a sha384 digest of the content.",
        latitude=("DOCKER-CONTENT-DIGEST-OTHER-ALGORITHM",),
        apply=answering(_named("sha384")),
    ),
    Variant(
        name="digest-header-own-algorithm",
        title="Docker-Content-Digest is a digest of the content by an algorithm that is not registered.",
        latitude=("DOCKER-CONTENT-DIGEST-OTHER-ALGORITHM",),
        apply=answering(_own),
    ),
)
