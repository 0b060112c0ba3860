"""Changes that several modules of faults of push/manifests have in common."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import ContextVar

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Document
from reference.faults.push.shared import denied
from reference.faults.shared import body_of, where_answer
from reference.grammar import digest_of, is_tag
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Transform, around, on, override, wrap
from reference.storage import Manifest

KNOWN = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)
_content: ContextVar[bytes] = ContextVar("content")


def refused_where(condition: Callable[[Document], bool], error: Callable[[], errors.RegistryError]) -> Apply:
    """Refuse what should be accepted."""

    def apply(registry: Registry) -> None:
        check = registry.manifests.check_references

        def changed(name: str, document: Document) -> None:
            if condition(document):
                raise error()
            check(name, document)

        override(registry.manifests, check_references=changed)

    return apply


def invalid_manifest() -> errors.RegistryError:
    """The error MANIFEST_INVALID."""
    return errors.manifest_invalid("refused")


def denied_where(unwanted: Callable[[Registry, str, Document], bool]) -> Apply:
    """Refuse manifests by what they say."""

    def apply(registry: Registry) -> None:
        check = registry.manifests.check_references

        def changed(name: str, document: Document) -> None:
            if unwanted(registry, name, document):
                raise denied()
            check(name, document)

        override(registry.manifests, check_references=changed)

    return apply


def manifests_refused_where(
    condition: Callable[[Registry, str, Document], object], code: str = "MANIFEST_INVALID"
) -> Apply:
    """Refuse what should be accepted, or refused with another code."""

    def apply(registry: Registry) -> None:
        check = registry.manifests.check_references

        def changed(name: str, document: Document) -> None:
            if condition(registry, name, document):
                raise errors.RegistryError(400, (errors.ErrorEntry(code),))
            check(name, document)

        override(registry.manifests, check_references=changed)

    return apply


def around_manifest_put(around: Callable[[Handler], Handler]) -> Apply:
    """Put something around the push of a manifest."""
    return lambda registry: wrap(registry, ["manifest.put"], around)


def fails_where(condition: Callable[[Request], object]) -> Apply:
    """Answer some pushes with 500."""

    def around(put: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            return Response(500) if condition(request) else await put(request)

        return changed

    return around_manifest_put(around)


def refused_and_stored(code: str, tags: bool = True, manifests: bool = True) -> Apply:
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


def unread_manifests(*kinds: str, status: int = 0) -> Apply:
    """Take what is no manifest of some types, or fail at it."""

    @around("manifest.put")
    async def apply(registry: Registry, request: Request, handler: Handler) -> Response:
        if request.headers.get("content-type") not in kinds:
            return await handler(request)
        content = await request.body(1 << 22) or b""
        override(request, body=body_of(content))
        try:
            return await handler(request)
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

    return apply


def answer_to_pushed(condition: Callable[[dict[str, object]], object], change: Transform) -> Apply:
    """Change the 201 to some manifests."""

    def apply(registry: Registry) -> None:
        put = registry.storage.put_manifest
        last: dict[str, object] = {}

        def noting(name: str, manifest: object, subject: str | None) -> None:
            put(name, manifest, subject)  # type: ignore[arg-type]  # handed on as it is
            last.clear()
            last.update(json.loads(getattr(manifest, "content", b"{}")))

        registry.storage.put_manifest = noting  # type: ignore[method-assign]  # as `override` does
        on("manifest.put", status=201, change=where_answer(lambda *_: condition(last), change))(registry)

    return apply
