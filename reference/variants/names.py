"""Variants of how answers name content: digests by another algorithm, and Locations in forms of the registry's own."""

from __future__ import annotations

from collections.abc import Callable

from reference.app import Registry
from reference.grammar import digest_of
from reference.messages import Application, Handler, Receive, Request, Response, Scope, Send
from reference.modifications import Apply, Variant, answers, both, on, wrap
from reference.storage.memory import MemoryContent

_PREFIX = "/objects/"


def _other(content: bytes, digest: str) -> str:
    return digest_of(content, "sha256" if digest.startswith("sha512:") else "sha512")


def _pulled(_request: Request, response: Response) -> None:
    """Name a pulled blob by the algorithm that was not asked for."""
    if isinstance(response.content, MemoryContent):
        told = response.headers.get("Docker-Content-Digest")
        response.headers.set("Docker-Content-Digest", _other(response.content.data, told))


def _part(_request: Request, response: Response) -> None:
    """Name a part by a digest of its own."""
    if isinstance(response.content, MemoryContent) and len(response.parts) == 1:
        start, length = map(int, response.parts[0])
        own = digest_of(response.content.data[start : start + length])
        response.headers.set("Docker-Content-Digest", own)


def _pushed(*operations: str) -> Apply:
    """Name what was pushed by the algorithm that was not used."""

    def apply(registry: Registry) -> None:
        def around(handler: Handler) -> Handler:
            async def changed(request: Request) -> Response:
                response = await handler(request)
                told = response.headers.get("Docker-Content-Digest")
                if response.status == 201:  # Created
                    content = registry.storage.open_blob(request.name, told)
                    if isinstance(content, MemoryContent):
                        response.headers.set("Docker-Content-Digest", _other(content.data, told))
                return response

            return changed

        wrap(registry, operations, around)

    return apply


def _renamed(change: Callable[[str], str]) -> Apply:
    def changed(_request: Request, response: Response) -> None:
        place = response.headers.get("Location")
        if place.startswith("/v2/"):
            response.headers.set("Location", change(place))

    return answers("manifest.put", "upload.put", "upload.start-digest", "upload.mount", status=201, change=changed)


def _opaque(place: str) -> str:
    return _PREFIX + place.encode().hex()


def _served(application: Application) -> Application:
    """Serve what such a Location names."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith(_PREFIX):
            real = bytes.fromhex(path.removeprefix(_PREFIX))
            scope = {**scope, "path": real.decode(), "raw_path": real}
        await application(scope, receive, send)

    return served


VARIANTS = (
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
        name="part-with-its-own-digest",
        title="Docker-Content-Digest of a part of a blob is the digest of that part.",
        latitude=("DOCKER-CONTENT-DIGEST-OF-PART",),
        apply=on("blob.get", status=206, change=_part),
    ),
    Variant(
        name="location-of-content-opaque",
        title="The Location of what was pushed does not tell what it is of.",
        latitude=("CREATED-LOCATION-ANY-PULLABLE-URL",),
        apply=_renamed(_opaque),
        layer=_served,
    ),
)
