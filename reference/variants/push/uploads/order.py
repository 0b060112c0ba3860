"""Variants of chunks out of order."""

from __future__ import annotations

from reference.messages import Request, Response
from reference.modifications import OCI, Variant, answers


def _bare_416(_request: Request, response: Response) -> None:
    for name in ("Location", "Range", "Docker-Upload-UUID"):
        response.headers.drop(name)


def _put_416_as_400(request: Request, response: Response) -> None:
    if request.operation == "upload.put" and response.status == 416:
        response.status = 400


VARIANTS = (
    Variant(
        name="chunk-416-without-headers",
        title="The 416 to a chunk has no header and no body.",
        latitude=("CHUNK-REFUSED-BARE-416",),
        profiles=OCI,
        warns=("PUSH-PATCH-416-HEADERS", "PUSH-PATCH-416-RANGE-PRESENT"),
        apply=answers("upload.patch", status=416, change=_bare_416),
    ),
    Variant(
        name="put-out-of-order-400",
        title="A last chunk behind a gap gets 400.",
        latitude=("PUT-FINAL-CHUNK-VARIES",),
        profiles=("docker-v2", "oci-1.0", "oci-1.1"),
        warns=("PUSH-PUT-OUT-OF-ORDER-416",),
        apply=answers("upload.put", status=416, change=_put_416_as_400),
    ),
)
