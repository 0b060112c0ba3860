"""Variants of Locations."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from urllib.parse import quote

from reference import errors
from reference.app import Registry
from reference.messages import Application, Handler, Receive, Request, Response, Scope, Send
from reference.modifications import Apply, Variant, answers, around, on, override
from reference.storage import Upload
from reference.variants.shared import other_host

_UPLOADS = ("upload.start", "upload.start-digest", "upload.mount", "upload.patch", "upload.put", "upload.get")
_PREFIX = "/objects/"
_STATE = "a%2Bb%2Fc%3D%3D"


@around("upload.patch", "upload.put", "upload.get")
async def _only_there(_registry: Registry, request: Request, handler: Handler) -> Response:
    """Sessions are unknown under the address of the registry, and to who brings a login along."""
    if not request.headers.get("host").startswith("localhost"):
        return Response(404)
    if request.headers.get("authorization"):
        return Response(400)
    return await handler(request)


def _sessions_elsewhere(_registry: Registry) -> None:
    def change(request: Request, response: Response) -> None:
        location = response.headers.get("Location")
        if location.startswith("/"):
            here = request.headers.get("host")
            host = here if here.startswith("localhost") else other_host(request)
            response.headers.set("Location", f"{request.scheme}://{host}{location}")

    answers(*_UPLOADS, change=change)(_registry)
    _only_there(_registry)


def _host_forms(request: Request, response: Response) -> None:
    """A scheme and a host in capitals, and dot segments."""
    location = response.headers.get("Location")
    if location.startswith("/v2/"):
        port = request.headers.get("host").rpartition(":")[2]
        response.headers.set("Location", f"HTTP://LOCALHOST:{port}/v2/x/..{location[3:]}")


def _dots_resolved(application: Application) -> Application:
    """Take dot segments out of paths, for clients that leave them in."""

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path") or b""
        if raw.startswith(b"/v2/x/../"):
            scope = {**scope, "raw_path": b"/v2/" + raw.removeprefix(b"/v2/x/../")}
        await application(scope, receive, send)

    return changed


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


def _absolute(request: Request, response: Response) -> None:
    location = response.headers.get("Location")
    if location.startswith("/"):
        response.headers.set("Location", f"{request.scheme}://{request.headers.get('host')}{location}")


def _alternating(registry: Registry) -> None:
    turns = itertools.count()

    def change(request: Request, response: Response) -> None:
        if next(turns) % 2:
            _absolute(request, response)

    answers(change=change)(registry)


def _with_state(registry: Registry) -> None:
    """A session is only found with the state of its Location, byte for byte."""
    find = registry.uploads.find
    location = registry.uploads.location

    def changed(request: Request) -> Upload:
        if f"_state={_STATE}" not in request.query.raw.split("&"):
            raise errors.RegistryError(400, (errors.ErrorEntry("BLOB_UPLOAD_INVALID", "the state is missing"),))
        return find(request)

    override(registry.uploads, find=changed, location=lambda upload: f"{location(upload)}?_state={_STATE}")


def _single_use(registry: Registry) -> None:
    """Each answer has a new Location, and the one before is unknown."""
    tokens: dict[str, str] = {}
    newest: dict[str, str] = {}
    find, location = registry.storage.find_upload, registry.uploads.location

    def fresh(upload: Upload) -> str:
        token = f"{upload.identifier}.{len(tokens)}"
        tokens[token] = upload.identifier
        newest[upload.identifier] = token
        return location(upload).replace(upload.identifier, token)

    def changed(name: str, token: str) -> Upload | None:
        identifier = tokens.get(token)
        return find(name, identifier) if identifier is not None and newest[identifier] == token else None

    override(registry.uploads, location=fresh)
    override(registry.storage, find_upload=changed)


def _encoded_location(_request: Request, response: Response) -> None:
    head, slash, digest = response.headers.get("Location").rpartition("/")
    if not slash:
        return
    response.headers.set("Location", f"{head}/{quote(digest, safe='')}")


def _by_tag(request: Request, response: Response) -> None:
    response.headers.set("Location", f"/v2/{request.name}/manifests/{request.reference}")


VARIANTS = (
    Variant(
        name="location-other-host",
        title="Sessions are on another host, and only there.",
        latitude=("LOCATION-OTHER-HOST",),
        apply=_sessions_elsewhere,
    ),
    Variant(
        name="host-forms",
        title="Locations have scheme and host in capitals, and dot segments.",
        latitude=("HOST-FORMS", "LOCATION-RELATIVE"),
        apply=answers(change=_host_forms),
        layer=_dots_resolved,
    ),
    Variant(
        name="location-of-content-opaque",
        title="The Location of what was pushed does not tell what it is of.",
        latitude=("CREATED-LOCATION-ANY-PULLABLE-URL",),
        apply=_renamed(_opaque),
        layer=_served,
    ),
    Variant(
        name="location-absolute",
        title="Every Location is an absolute URL.",
        latitude=("LOCATION-RELATIVE",),
        apply=answers(change=_absolute),
    ),
    Variant(
        name="location-alternating",
        title="Locations are absolute and relative by turns.",
        latitude=("LOCATION-RELATIVE",),
        apply=_alternating,
    ),
    Variant(
        name="location-with-query",
        title="The Location of a session has a query, every byte of which matters.",
        latitude=("LOCATION-OWN-QUERY",),
        apply=_with_state,
    ),
    Variant(
        name="location-single-use",
        title="Each Location of a session can be used once.",
        latitude=("LOCATION-SINGLE-USE",),
        warns=("PUSH-STATUS-EARLIER-LOCATION",),
        apply=_single_use,
    ),
    Variant(
        name="location-percent-encoded",
        title="The Location of a blob has its colon percent-encoded.",
        latitude=("PERCENT-ENCODED-DIGEST", "CREATED-LOCATION-ANY-PULLABLE-URL"),
        apply=on("upload.put", "upload.start-digest", "upload.mount", status=201, change=_encoded_location),
    ),
    Variant(
        name="location-by-tag",
        title="The Location of a manifest has the reference that was used.",
        latitude=("CREATED-LOCATION-ANY-PULLABLE-URL",),
        apply=on("manifest.put", status=201, change=_by_tag),
    ),
)
