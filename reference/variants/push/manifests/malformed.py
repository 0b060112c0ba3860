"""Variants of malformed manifests."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from reference import errors
from reference.app import Registry
from reference.documents import OCI_MANIFEST, Document, parse, read
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Variant, answers, around, override
from reference.modifications.shared import has_unknown_member
from reference.storage import Manifest


def _restated(status: int, *codes: bytes) -> Apply:
    def change(_request: Request, response: Response) -> None:
        if any(code in response.body for code in codes):
            response.status = status

    return answers("manifest.put", status=400, change=change)


def _strict_push(registry: Registry) -> None:
    """The sizes in a manifest must be those of the blobs."""
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        check(name, document)
        if document.media_type != OCI_MANIFEST:
            return
        for part in [document.members["config"], *document.members["layers"]]:
            content = registry.storage.open_blob(name, part["digest"])
            if content is not None and content.size != part["size"]:
                raise errors.manifest_invalid("a size is wrong")

    override(registry.manifests, check_references=changed)


def _stored(registry: Registry, request: Request, body: bytes) -> Response:
    parse(body)
    tags = registry.manifests.tags(request)
    digest = registry.manifests.digest(request.reference, body)
    kind = request.headers.get("content-type") or OCI_MANIFEST
    manifest = Manifest(digest, kind, body)
    registry.storage.put_manifest(request.name, manifest, None)
    for tag in tags:
        registry.storage.set_tag(request.name, tag, digest)
    return registry.manifests.created(request, manifest, Document(kind, {}))


async def _body(registry: Registry, request: Request) -> bytes:
    """Return the body of a push, which can be read once more."""
    body = await request.body(registry.manifests.limit)
    if body is None:
        raise errors.manifest_too_large(registry.manifests.limit)

    async def again(_limit: int) -> bytes:
        return body

    override(request, body=again)
    return body


@around("manifest.put")
async def _lax_push(registry: Registry, request: Request, handler: Handler) -> Response:
    """Any JSON object is stored, under the type that came with it."""
    body = await _body(registry, request)
    try:
        read(body, request.headers.get("content-type"))
    except errors.RegistryError:
        return _stored(registry, request, body)
    return await handler(request)


def _once(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(names) != len({*names}):
        raise errors.manifest_invalid("a member of the manifest comes twice")


@around("manifest.put")
async def _members_once(registry: Registry, request: Request, handler: Handler) -> Response:
    body = await _body(registry, request)
    # What is no JSON the handler refuses.
    with suppress(ValueError, RecursionError):
        json.loads(body, object_pairs_hook=_once)
    return await handler(request)


def _unknown_members_refused(registry: Registry) -> None:
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        if has_unknown_member(document):
            raise errors.manifest_invalid("a member of the manifest is unknown")
        check(name, document)

    override(registry.manifests, check_references=changed)


VARIANTS = (
    Variant(
        name="manifest-invalid-422",
        title="An invalid manifest gets 422.",
        latitude=("ERROR-STATUS-OUTSIDE-TABLE",),
        apply=_restated(422, b"MANIFEST_INVALID"),
    ),
    Variant(
        name="manifest-sizes-checked",
        title="A manifest with a wrong size is refused.",
        latitude=("MANIFEST-VALIDATION-DEPTH",),
        apply=_strict_push,
    ),
    Variant(
        name="manifest-unchecked",
        title="Any JSON object is taken for a manifest.",
        latitude=("MANIFEST-VALIDATION-DEPTH", "CONTENT-TYPE-NOT-DECLARED"),
        warns=("PUSH-MANIFEST-MALFORMED-REJECTED",),
        apply=_lax_push,
    ),
    Variant(
        name="manifest-members-twice-refused",
        title="A manifest that has a member twice is refused.",
        latitude=("MANIFEST-VALIDATION-DEPTH",),
        apply=_members_once,
    ),
    Variant(
        name="manifest-unknown-members-refused",
        title="A manifest with members that nobody knows is refused.",
        latitude=("MANIFEST-MEMBERS-UNKNOWN",),
        warns=("PUSH-MANIFEST-UNKNOWN-MEMBER",),
        apply=_unknown_members_refused,
    ),
)
