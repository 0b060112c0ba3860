"""Faults of malformed requests."""

from __future__ import annotations

import json
from contextlib import suppress

from reference import errors
from reference.app import Registry
from reference.faults.shared import body_of, failing_where
from reference.grammar import is_digest, is_supported
from reference.messages import Request, Response
from reference.modifications import Fault, answers, override


def _encoded_500(request: Request, response: Response) -> Response | None:
    """What percent-encoding holds beyond text makes the server stumble."""
    if "%00" in request.path or "%ff" in request.path.lower():
        return Response(500, [("Content-Type", "text/plain")], b"internal server error")
    return None


def _of_unknown_algorithm(request: Request) -> bool:
    named = (request.reference, request.query.get("digest") or "", request.query.get("mount") or "")
    return any(is_digest(digest) and not is_supported(digest) for digest in named)


def _member_twice(registry: Registry) -> None:
    put = registry.handlers["manifest.put"]

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) < len(pairs):
            raise errors.RegistryError(500)
        return dict(pairs)

    async def changed(request: Request) -> Response:
        content = await request.body(1 << 23) or b""
        override(request, body=body_of(content))
        with suppress(ValueError, RecursionError):  # the handler says what is wrong with it
            json.loads(content, object_pairs_hook=once)
        return await put(request)

    registry.handlers["manifest.put"] = changed


FAULTS = (
    Fault(
        name="encoded-path-500",
        title="Octets in a path that are no text get 500.",
        breaks=("BASE-ERROR-CLIENT-FAULT-4XX",),
        apply=answers(change=_encoded_500),
    ),
    Fault(
        name="unknown-algorithm-500",
        title="Pushes with a digest of an unknown algorithm return 500.",
        breaks=("BASE-ERROR-CLIENT-FAULT-4XX",),
        apply=failing_where(_of_unknown_algorithm, "manifest.put", "upload.put", "upload.start-digest"),
    ),
    Fault(
        name="mount-of-unknown-algorithm-500",
        title="A mount by a digest of an algorithm that is not known returns 500.",
        breaks=("BASE-ERROR-CLIENT-FAULT-4XX",),
        apply=failing_where(_of_unknown_algorithm, "upload.mount"),
    ),
    Fault(
        name="patch-type-500",
        title="A chunk of another type than application/octet-stream returns 500.",
        breaks=("BASE-ERROR-STRANGE-INPUT",),
        apply=failing_where(
            lambda request: request.headers.get("content-type") != "application/octet-stream", "upload.patch"
        ),
    ),
    Fault(
        name="tags-last-zero-500",
        title="A last with a zero byte gets 500.",
        breaks=("BASE-ERROR-STRANGE-INPUT",),
        apply=failing_where(lambda request: "\0" in (request.query.get("last") or ""), "tags.list"),
    ),
    Fault(
        name="manifest-member-twice-500",
        title="A manifest that has a member twice gets 500.",
        breaks=("BASE-ERROR-STRANGE-INPUT",),
        apply=_member_twice,
    ),
)
