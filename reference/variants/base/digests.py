"""Variants of digests and their grammar."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.grammar import digest_of
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Apply, Variant, answers, around, both, drop_header, on, override
from reference.modifications.shared import digests_by
from reference.storage.memory import MemoryContent
from reference.variants.shared import PULLS


def _named(algorithm: str) -> Callable[[bytes], str]:
    """Digest by an algorithm of the standard library."""
    return lambda content: f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def _own(content: bytes) -> str:
    """Digest by an algorithm that is the registry's own; its name has two components."""
    return f"own+tree1:{hashlib.blake2s(content, person=b'own').hexdigest()}"


def _other(content: bytes, digest: str) -> str:
    return digest_of(content, "sha256" if digest.startswith("sha512:") else "sha512")


def _pulled(_request: Request, response: Response) -> None:
    """Name a pulled blob by the algorithm that was not asked for."""
    if isinstance(response.content, MemoryContent):
        told = response.headers.get("Docker-Content-Digest")
        response.headers.set("Docker-Content-Digest", _other(response.content.data, told))


def _pushed(*operations: str) -> Apply:
    """Name what was pushed by the algorithm that was not used."""

    @around(*operations)
    async def apply(registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        told = response.headers.get("Docker-Content-Digest")
        if response.status == 201:  # Created
            content = registry.storage.open_blob(request.name, told)
            if isinstance(content, MemoryContent):
                response.headers.set("Docker-Content-Digest", _other(content.data, told))
        return response

    return apply


def _sha512_header(_request: Request, response: Response) -> None:
    response.headers.set("Docker-Content-Digest", digest_of(response.body, "sha512"))


def _no_sha512(registry: Registry) -> None:
    digests = registry.uploads.digests
    digest = registry.manifests.digest

    def only_sha256(request: Request) -> list[str]:
        found = digests(request)
        if any(each.startswith("sha512:") for each in found):
            raise errors.digest_invalid(found[0], "unsupported digest algorithm")
        return found

    def manifest_sha256(reference: str, content: bytes) -> str:
        if reference.startswith("sha512:"):
            raise errors.digest_invalid(reference, "unsupported digest algorithm")
        return digest(reference, content)

    override(registry.uploads, digests=only_sha256)
    override(registry.manifests, digest=manifest_sha256)
    start = registry.handlers["upload.start"]

    async def refusing(request: Request) -> Response:
        if request.query.get("digest-algorithm") == "sha512":
            raise errors.digest_invalid("sha512", "unsupported digest algorithm")
        return await start(request)

    registry.handlers["upload.start"] = refusing


def _any_case(registry: Registry) -> None:
    """Digests are looked up in small letters."""
    find, check = registry.blobs.find, registry.blobs.check_digest

    def lower(name: str, digest: str) -> Content | None:
        return find(name, digest.lower())

    override(registry.blobs, find=lower, check_digest=lambda digest: check(digest.lower()))


def _digest_404(request: Request, response: Response) -> None:
    if b"DIGEST_INVALID" in response.body and request.method in ("GET", "HEAD"):
        response.status = 404
        response.body = response.body.replace(b"DIGEST_INVALID", b"BLOB_UNKNOWN")


VARIANTS = (
    Variant(
        name="digest-header-sha384",
        title="Docker-Content-Digest is a sha384 digest of the content.",
        latitude=("DOCKER-CONTENT-DIGEST-OTHER-ALGORITHM",),
        apply=digests_by(_named("sha384")),
    ),
    Variant(
        name="digest-header-own-algorithm",
        title="Docker-Content-Digest is a digest of the content by an algorithm that is not registered.",
        latitude=("DOCKER-CONTENT-DIGEST-OTHER-ALGORITHM",),
        apply=digests_by(_own),
    ),
    Variant(
        name="blob-digest-header-other",
        title="Docker-Content-Digest of a blob is by the algorithm that the client did not use.",
        latitude=("DOCKER-CONTENT-DIGEST-OTHER-ALGORITHM",),
        apply=both(
            on("blob.get", "blob.head", status=200, change=_pulled),
            _pushed("upload.put", "upload.start-digest", "upload.mount"),
        ),
    ),
    Variant(
        name="pulls-without-digest-header",
        title="Pulls have no Docker-Content-Digest.",
        latitude=("DOCKER-CONTENT-DIGEST-ABSENT",),
        profiles=("oci-1.0", "oci-1.1"),
        warns=("PULL-MANIFEST-GET-DCD", "PULL-MANIFEST-HEAD-DCD", "PULL-BLOB-GET-DCD", "PULL-BLOB-HEAD-DCD"),
        apply=answers(*PULLS, change=drop_header("Docker-Content-Digest")),
    ),
    Variant(
        name="manifest-digest-header-sha512",
        title="Docker-Content-Digest of a manifest is a sha512 digest.",
        latitude=("DOCKER-CONTENT-DIGEST-OTHER-ALGORITHM",),
        apply=on("manifest.get", "manifest.head", status=200, change=_sha512_header),
    ),
    Variant(
        name="sha512-refused",
        title="Digests of sha512 are refused.",
        latitude=("DIGEST-ALGORITHM-REFUSED",),
        lacks=("sha512",),
        apply=_no_sha512,
    ),
    Variant(
        name="digest-any-case",
        title="A digest in capitals names the same blob.",
        latitude=("DIGEST-HEX-CASE",),
        profiles=("docker-v2",),
        warns=("BASE-DIGEST-UPPERCASE-HEX",),
        apply=_any_case,
    ),
    Variant(
        name="digest-malformed-404",
        title="A malformed digest in a pull gets 404.",
        latitude=("DIGEST-MALFORMED-STATUS",),
        profiles=("oci-1.0",),
        warns=("PULL-BLOB-GET-BAD-DIGEST-400",),
        apply=answers("blob.get", "blob.head", "manifest.get", "manifest.head", status=400, change=_digest_404),
    ),
)
