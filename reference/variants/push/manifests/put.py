"""Variants of PUT of manifests."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.documents import read
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Variant, around, override
from reference.variants.shared import denied


def _immutable(status: int, code: str) -> Apply:
    """A tag stays where it was first."""

    def apply(registry: Registry) -> None:
        check = registry.manifests.check_condition
        digest = registry.manifests.digest
        named: list[tuple[str, str]] = []

        def noting(reference: str, content: bytes) -> str:
            named[:] = [(reference, found := digest(reference, content))]
            return found

        def changed(request: Request) -> None:
            check(request)
            tagged = registry.storage.tag(request.name, request.reference) if ":" not in request.reference else None
            if tagged is not None and (request.reference, tagged) != named[0]:
                raise denied("the tag is immutable", status, code)

        override(registry.manifests, check_condition=changed, digest=noting)

    return apply


@around("manifest.put")
async def _tag_immutable(registry: Registry, request: Request, handler: Handler) -> Response:
    tagged = registry.storage.tag(request.name, request.reference) if ":" not in request.reference else None
    body = await request.body(registry.manifests.limit) if tagged is not None else None
    if body is not None:
        read(body, request.headers.get("content-type"))
        if registry.manifests.digest(request.reference, body) != tagged:
            raise errors.RegistryError(409, (errors.ErrorEntry("DENIED", "the tag is immutable"),))

        async def again(_limit: int) -> bytes:
            return body

        override(request, body=again)
    return await handler(request)


VARIANTS = (
    Variant(
        name="tag-immutable-403",
        title="A tag cannot be moved: 403.",
        latitude=("TAG-IMMUTABLE",),
        apply=_immutable(403, "DENIED"),
    ),
    Variant(
        name="tag-immutable-412",
        title="A tag cannot be moved: 412.",
        latitude=("TAG-IMMUTABLE",),
        apply=_immutable(412, "UNSUPPORTED"),
    ),
    Variant(
        name="tag-immutable-400",
        title="A tag cannot be moved: 400.",
        latitude=("TAG-IMMUTABLE",),
        apply=_immutable(400, "MANIFEST_INVALID"),
    ),
    Variant(name="tag-immutable", title="A tag cannot be moved.", latitude=("TAG-IMMUTABLE",), apply=_tag_immutable),
)
