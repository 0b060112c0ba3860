"""Faults of what is strange in a request: references near a true one, types, bodies that are no manifests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from reference.grammar import digest_of, is_digest, is_supported, is_tag
from reference.messages import Content, Request, Response
from reference.modifications import Apply, Fault, override
from reference.storage import Manifest

_LENGTH = len("sha256:") + 64
_SHA256 = re.compile("sha256:[0-9a-f]+")


def _blobs_by_prefix(registry: Registry) -> None:
    """Look for a blob by as many digits as there are."""
    check, find, put = registry.blobs.check_digest, registry.blobs.find, registry.storage.commit_upload
    known: set[str] = set()

    def noted(upload: object, digests: list[str]) -> None:
        known.update(digests)
        put(upload, digests)  # type: ignore[arg-type]  # handed on as it came

    def lenient(digest: str) -> None:
        if not _SHA256.fullmatch(digest):
            check(digest)

    def nearest(name: str, digest: str) -> Content | None:
        near = [full for full in known if len(digest) > len("sha256:abc") and full.startswith(digest[:_LENGTH])]
        return find(name, near[0] if near else digest)

    override(registry.storage, commit_upload=noted)
    override(registry.blobs, check_digest=lenient, find=nearest)


def _manifests_by_prefix(registry: Registry) -> None:
    """Take a digest that is a digit too long for the one before it."""
    resolve = registry.manifests.resolve

    def changed(name: str, reference: str) -> str | None:
        return resolve(name, reference[:_LENGTH] if _SHA256.fullmatch(reference) else reference)

    override(registry.manifests, resolve=changed)


def _is_malformed(reference: str) -> bool:
    return ":" in reference and not is_digest(reference)


def _stored_under_anything(status: int) -> Apply:
    """Refuse a manifest under a malformed digest, and store it there."""

    def apply(registry: Registry) -> None:
        put, find = registry.handlers["manifest.put"], registry.manifests.find
        stored: dict[tuple[str, str], Manifest] = {}

        async def changed(request: Request) -> Response:
            if _is_malformed(request.reference):
                content = await request.body(1 << 22) or b""
                stored[request.name, request.reference] = Manifest(digest_of(content), OCI_MANIFEST, content)
                raise errors.RegistryError(status)
            return await put(request)

        def found(name: str, reference: str) -> Manifest | None:
            return stored.get((name, reference)) or find(name, reference)

        registry.handlers["manifest.put"] = changed
        override(registry.manifests, find=found)

    return apply


def _stored_under_its_own(registry: Registry) -> None:
    """Store a manifest before its reference is looked at, and fail then."""
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        if _is_malformed(request.reference):
            content = await request.body(1 << 22) or b""
            registry.storage.put_manifest(request.name, Manifest(digest_of(content), OCI_MANIFEST, content), None)
            raise errors.digest_invalid(request.reference)
        return await put(request)

    registry.handlers["manifest.put"] = changed


def _failing(fails: Callable[[Request], bool], *operations: str) -> Apply:
    """Fail at some requests, before anything else is looked at."""

    def apply(registry: Registry) -> None:
        def around(operation: str) -> None:
            handler = registry.handlers[operation]

            async def changed(request: Request) -> Response:
                if fails(request):
                    raise errors.RegistryError(500)
                return await handler(request)

            registry.handlers[operation] = changed

        for operation in operations:
            around(operation)

    return apply


def _of_unknown_algorithm(request: Request) -> bool:
    named = (request.reference, request.query.get("digest") or "", request.query.get("mount") or "")
    return any(is_digest(digest) and not is_supported(digest) for digest in named)


def _unread(*kinds: str, status: int = 0) -> Apply:
    """Take what is no manifest of some types, or fail at it."""

    def apply(registry: Registry) -> None:
        put = registry.handlers["manifest.put"]

        async def changed(request: Request) -> Response:
            if request.headers.get("content-type") not in kinds:
                return await put(request)
            content = await request.body(1 << 22) or b""
            override(request, body=_again(content))
            try:
                return await put(request)
            except errors.RegistryError as error:
                if not any(entry.code == "MANIFEST_INVALID" for entry in error.entries):
                    raise
                if status:
                    raise errors.RegistryError(status) from error
                manifest = Manifest(digest_of(content), request.headers.get("content-type"), content)
                registry.storage.put_manifest(request.name, manifest, None)
                if is_tag(request.reference):
                    registry.storage.set_tag(request.name, request.reference, manifest.digest)
                raise

        registry.handlers["manifest.put"] = changed

    return apply


def _again(content: bytes) -> Callable[[int], object]:
    async def body(_limit: int) -> bytes:
        return content

    return body


def _accepting(*kinds: str) -> Apply:
    """Say 201 to what is no manifest of some types."""
    stored = _unread(*kinds)

    def apply(registry: Registry) -> None:
        stored(registry)
        put = registry.handlers["manifest.put"]

        async def changed(request: Request) -> Response:
            try:
                return await put(request)
            except errors.RegistryError as error:
                kind = request.headers.get("content-type")
                if kind in kinds and any(entry.code == "MANIFEST_INVALID" for entry in error.entries):
                    content = await request.body(0) or b""
                    location = f"/v2/{request.name}/manifests/{request.reference}"
                    return Response(201, [("Location", location), ("Docker-Content-Digest", digest_of(content))])
                raise

        registry.handlers["manifest.put"] = changed

    return apply


def _member_twice(registry: Registry) -> None:
    put = registry.handlers["manifest.put"]

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) < len(pairs):
            raise errors.RegistryError(500)
        return dict(pairs)

    async def changed(request: Request) -> Response:
        content = await request.body(1 << 23) or b""
        override(request, body=_again(content))
        with suppress(ValueError, RecursionError):  # the handler says what is wrong with it
            json.loads(content, object_pairs_hook=once)
        return await put(request)

    registry.handlers["manifest.put"] = changed


_MANIFESTS = ("manifest.get", "manifest.head", "manifest.put", "manifest.delete")

FAULTS = (
    Fault(
        name="blob-by-part-of-its-digest",
        title="A blob is found by a part of its digest.",
        breaks=("BASE-DIGEST-MALFORMED",),
        # The answer has the part where a digest belongs.
        also=("BASE-DIGEST-HEADER-GRAMMAR",),
        apply=_blobs_by_prefix,
    ),
    Fault(
        name="manifest-by-digest-with-more-behind",
        title="A manifest is found by its digest with more digits behind.",
        breaks=("PULL-MANIFEST-GET-BAD-REFERENCE",),
        apply=_manifests_by_prefix,
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
        title="A push of a manifest by a malformed digest is answered 500.",
        breaks=("PUSH-MANIFEST-TAG-INVALID-REJECTED",),
        apply=_failing(lambda request: _is_malformed(request.reference), "manifest.put"),
    ),
    Fault(
        name="manifests-by-malformed-digest-500",
        title="Pulls, pushes and deletions of manifests by a malformed digest are answered 500.",
        breaks=("PULL-MANIFEST-GET-BAD-REFERENCE",),
        apply=_failing(lambda request: _is_malformed(request.reference), *_MANIFESTS),
    ),
    Fault(
        name="unknown-algorithm-500",
        title="A digest of an algorithm that is not known is answered 500 by what pushes.",
        breaks=("BASE-ERROR-CLIENT-FAULT-4XX",),
        apply=_failing(_of_unknown_algorithm, "manifest.put", "upload.put", "upload.start-digest"),
    ),
    Fault(
        name="mount-of-unknown-algorithm-500",
        title="A mount by a digest of an algorithm that is not known is answered 500.",
        breaks=("BASE-ERROR-CLIENT-FAULT-4XX",),
        apply=_failing(_of_unknown_algorithm, "upload.mount"),
    ),
    Fault(
        name="patch-type-500",
        title="A chunk of another type than application/octet-stream is answered 500.",
        breaks=("BASE-ERROR-STRANGE-INPUT",),
        apply=_failing(
            lambda request: request.headers.get("content-type") != "application/octet-stream", "upload.patch"
        ),
    ),
    Fault(
        name="tags-last-zero-500",
        title="A last with a zero byte is answered 500.",
        breaks=("BASE-ERROR-STRANGE-INPUT",),
        apply=_failing(lambda request: "\0" in (request.query.get("last") or ""), "tags.list"),
    ),
    Fault(
        name="manifest-member-twice-500",
        title="A manifest that has a member twice is answered 500.",
        breaks=("BASE-ERROR-STRANGE-INPUT",),
        apply=_member_twice,
    ),
    Fault(
        name="index-unread",
        title="An index is not looked into: null is one.",
        breaks=("PUSH-MANIFEST-MALFORMED-REJECTED",),
        apply=_accepting(OCI_INDEX),
    ),
    Fault(
        name="docker-manifests-unread",
        title="Docker images and manifest lists are not looked into.",
        breaks=("PUSH-MANIFEST-MALFORMED-REJECTED",),
        apply=_accepting(DOCKER_MANIFEST, DOCKER_LIST),
    ),
    Fault(
        name="image-unreadable-500",
        title="A Docker image that is none is answered 500.",
        breaks=("PUSH-MANIFEST-MALFORMED-REJECTED",),
        apply=_unread(DOCKER_MANIFEST, status=500),
    ),
    Fault(
        name="index-refused-and-tagged",
        title="What is no index is refused, and has its tag.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        apply=_unread(OCI_INDEX),
    ),
)
