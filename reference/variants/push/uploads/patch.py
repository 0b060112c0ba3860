"""Variants of PATCH of an upload."""

from __future__ import annotations

import itertools

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import OCI, Apply, Variant, around, drop_header, on, set_header, set_status

_MINIMUM = "OCI-Chunk-Min-Length"
_MIB = 1 << 20
_SMALLEST = 64


def _minimum(*sizes: int) -> Apply:
    """Each session takes no chunk below a length that it was opened with; they take turns."""

    def apply(registry: Registry) -> None:
        turns = itertools.cycle(sizes)
        announced: dict[str, int] = {}
        start, patch = registry.handlers["upload.start"], registry.handlers["upload.patch"]

        async def opened(request: Request) -> Response:
            response = await start(request)
            if response.status == 202:
                least = announced[response.headers.get("Docker-Upload-UUID")] = next(turns)
                response.headers.set(_MINIMUM, str(least))
            return response

        async def changed(request: Request) -> Response:
            upload = registry.uploads.find(request)
            length = request.content_length
            # How long a stream gets nobody knows before.
            if length is not None and length < announced.get(upload.identifier, 0):
                raise registry.uploads.out_of_order(upload)
            return await patch(request)

        registry.handlers["upload.start"], registry.handlers["upload.patch"] = opened, changed

    return apply


@around("upload.patch")
async def _unstreamed(_registry: Registry, request: Request, handler: Handler) -> Response:
    """A PATCH without Content-Range is refused."""
    if not request.headers.get("content-range"):
        raise errors.RegistryError(400, (errors.ErrorEntry("BLOB_UPLOAD_INVALID"),))
    return await handler(request)


def _announced(_request: Request, response: Response) -> None:
    response.headers.set("OCI-Chunk-Min-Length", str(_SMALLEST))


def _minimum_enforced(announced: bool) -> Apply:
    """Chunks below the minimum are refused in any place; so the last one goes into the PUT."""

    def apply(registry: Registry) -> None:
        patch = registry.handlers["upload.patch"]

        async def changed(request: Request) -> Response:
            upload = registry.uploads.find(request)
            length = request.content_length
            # How long a stream gets nobody knows before.
            if length is not None and length < _SMALLEST:
                raise registry.uploads.out_of_order(upload)
            return await patch(request)

        registry.handlers["upload.patch"] = changed
        if announced:
            on("upload.start", change=_announced)(registry)

    return apply


VARIANTS = (
    Variant(
        name="chunk-minimum-large",
        title="A minimum of 5 MiB for chunks is announced, and smaller ones get 416.",
        latitude=("CHUNK-MINIMUM",),
        profiles=("oci-1.1", "oci-1.2-dev"),
        apply=_minimum(5 * _MIB),
    ),
    Variant(
        name="chunk-minimum-changing",
        title="Each session announces another minimum for chunks, and takes none below it.",
        latitude=("CHUNK-MINIMUM",),
        profiles=("oci-1.1", "oci-1.2-dev"),
        apply=_minimum(1000, 70_000, 1, 300),
    ),
    Variant(
        name="chunk-without-range",
        title="The answer to a chunk has no Range.",
        latitude=("PATCH-RANGE-OPTIONAL",),
        profiles=("oci-1.0",),
        warns=("PUSH-PATCH-RANGE-PRESENT",),
        apply=on("upload.patch", status=202, change=drop_header("Range")),
    ),
    Variant(
        name="stream-refused",
        title="A PATCH without Content-Range is refused.",
        latitude=("PATCH-STREAMED-EITHER",),
        profiles=OCI,
        warns=("PUSH-PATCH-STREAM-202",),
        apply=_unstreamed,
    ),
    Variant(
        name="chunk-minimum-enforced",
        title="Chunks below the announced length get 416.",
        latitude=("CHUNK-MINIMUM",),
        profiles=("oci-1.1", "oci-1.2-dev"),
        apply=_minimum_enforced(announced=True),
    ),
    Variant(
        name="chunk-minimum-unannounced",
        title="Chunks below a length that is not announced get 416.",
        latitude=("CHUNK-MINIMUM",),
        profiles=("docker-v2", "oci-1.1", "oci-1.2-dev"),
        warns=("PUSH-CHUNK-MIN-LENGTH-ANNOUNCED",),
        undecided=True,
        apply=_minimum_enforced(announced=False),
    ),
    Variant(
        name="patch-204",
        title="A chunk returns 204.",
        latitude=("PATCH-204",),
        profiles=("docker-v2",),
        warns=("PUSH-PATCH-STATUS-202",),
        undecided=True,
        apply=on("upload.patch", status=202, change=set_status(204)),
    ),
    Variant(
        name="chunk-minimum",
        title="A minimum length of chunks is announced.",
        latitude=("CHUNK-MINIMUM",),
        apply=on("upload.start", status=202, change=set_header("OCI-Chunk-Min-Length", "4096")),
    ),
)
