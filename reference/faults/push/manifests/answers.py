"""Faults of the answer to the push of a manifest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from reference.app import Registry
from reference.faults.push.manifests.shared import answer_to_pushed
from reference.faults.push.shared import answered_again, other_location, with_body
from reference.faults.shared import busy, no_content, other_digest
from reference.grammar import digest_of
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, around, drop_header, on, override, set_header, set_status


def _throttled_at_first(*operations: str) -> Apply:
    """Answer the first request for a URL with 503, to come again at once."""

    def apply(registry: Registry) -> None:
        seen: set[str] = set()

        def first(request: Request) -> bool:
            known = request.path in seen
            seen.add(request.path)
            return not known

        busy(503, *operations, when=first, after="0")(registry)

    return apply


def _given(body: bytes) -> Callable[[int], Awaitable[bytes | None]]:
    async def read(limit: int) -> bytes | None:
        return body if len(body) <= limit else None

    return read


@around("manifest.put")
async def _other_algorithm(_registry: Registry, request: Request, handler: Handler) -> Response:
    body = await request.body(1 << 26) or b""
    override(request, body=_given(body))
    response = await handler(request)
    if response.status == 201 and request.reference.startswith("sha256:"):
        response.headers.set("Docker-Content-Digest", digest_of(body, "sha512"))
    return response


FAULTS = (
    Fault(
        name="manifest-put-with-body",
        title="The 201 to a manifest has a body.",
        breaks=("PUSH-MANIFEST-BODY-EMPTY",),
        apply=on("manifest.put", status=201, change=with_body),
    ),
    Fault(
        name="manifest-put-200",
        title="PUT of a manifest returns 200.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        apply=on("manifest.put", status=201, change=set_status(200)),
    ),
    Fault(
        name="manifest-put-without-location",
        title="The 201 of a manifest has no Location.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        apply=on("manifest.put", change=drop_header("Location")),
    ),
    Fault(
        name="manifest-put-location-wrong",
        title="The Location of a manifest leads nowhere.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        apply=on("manifest.put", status=201, change=set_header("Location", "/v2/gone/manifests/gone")),
    ),
    Fault(
        name="manifest-put-digest-wrong",
        title="The 201 of a manifest has another digest.",
        breaks=("PUSH-MANIFEST-DIGEST-HEADER-TRUE",),
        apply=on("manifest.put", status=201, change=set_header("Docker-Content-Digest", "sha256:" + "0" * 64)),
    ),
    Fault(
        name="manifest-put-without-digest",
        title="The 201 of a manifest has no Docker-Content-Digest.",
        breaks=("PUSH-MANIFEST-DIGEST-HEADER-PRESENT",),
        apply=on("manifest.put", change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="manifest-put-503-at-first",
        title="The first push of a manifest to a URL returns 503 with Retry-After 0.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        apply=_throttled_at_first("manifest.put"),
    ),
    Fault(
        name="manifest-put-answered-202",
        title="The push of a manifest returns 202.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        apply=on("manifest.put", status=201, change=set_status(202)),
    ),
    Fault(
        name="manifest-put-answered-204",
        title="The push of a manifest returns 204.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        apply=on("manifest.put", status=201, change=no_content),
    ),
    Fault(
        name="manifest-put-always-203",
        title="The push of a manifest returns 203, also where it is refused.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        apply=answers("manifest.put", change=set_status(203)),
    ),
    Fault(
        name="manifest-put-other-algorithm",
        title="The 201 of a manifest pushed by sha256 names its sha512.",
        breaks=("PUSH-MANIFEST-DIGEST-HEADER-VALUE",),
        apply=_other_algorithm,
    ),
    Fault(
        name="digest-wrong-for-pushed-indexes",
        title="The answer to the push of an index has the Docker-Content-Digest of something else.",
        breaks=("PUSH-MANIFEST-DIGEST-HEADER-VALUE", "PUSH-MANIFEST-DIGEST-HEADER-TRUE"),
        seldom=True,
        apply=answer_to_pushed(lambda members: "manifests" in members, other_digest),
    ),
    Fault(
        name="digest-wrong-for-manifests-pushed-again",
        title="The answer to the second push of a manifest has the Docker-Content-Digest of something else.",
        breaks=("PUSH-MANIFEST-DIGEST-HEADER-VALUE", "PUSH-MANIFEST-DIGEST-HEADER-TRUE"),
        seldom=True,
        apply=answered_again("manifest.put", status=201, change=other_digest),
    ),
    Fault(
        name="location-of-another-index",
        title="The Location of an index that was pushed has another digest.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        seldom=True,
        apply=answer_to_pushed(lambda members: "manifests" in members, other_location),
    ),
    Fault(
        name="location-of-another-manifest-pushed-again",
        title="The Location of a manifest that was pushed twice has another digest.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        seldom=True,
        apply=answered_again("manifest.put", status=201, change=other_location),
    ),
)
