"""Faults of refusals that come too late, not everywhere, or tell too much."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from contextlib import suppress

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, override

READ = "AUTH-NO-LEAK-READ"
HEAD = "AUTH-NO-LEAK-HEAD"
EXISTENCE = "AUTH-NO-LEAK-EXISTENCE"
SESSION = "AUTH-UPLOAD-SESSION-PROTECTED"
NO_EFFECT = "AUTH-REFUSED-WRITE-NO-EFFECT"
SOURCE = "AUTH-MOUNT-SOURCE-SCOPE"
ECHO = "AUTH-CREDENTIALS-NOT-ECHOED"
CATALOG = "AUTH-CATALOG-FILTERED"
Check = Callable[[Request], Awaitable[None]]
When = Callable[[Request], bool]


def checking(around: Callable[[Registry, Check], Check]) -> Apply:
    """Put something around the look at credentials."""

    def apply(registry: Registry) -> None:
        if registry.authenticator is None:
            raise AttributeError("this registry has no logins")
        override(registry.authenticator, check=around(registry, registry.authenticator.check))

    return apply


def unchecked(*operations: str, when: When = lambda _request: True) -> Apply:
    """Let everybody do some operations."""

    def around(_registry: Registry, check: Check) -> Check:
        async def changed(request: Request) -> None:
            if request.operation not in operations or not when(request):
                await check(request)

        return changed

    return checking(around)


def _done_before(*operations: str) -> Apply:
    """Do an operation, and look at credentials then."""

    def around(registry: Registry, check: Check) -> Check:
        async def changed(request: Request) -> None:
            try:
                await check(request)
            except errors.RegistryError:
                if request.operation in operations:
                    with suppress(errors.RegistryError):
                        await registry.handlers[request.operation](request)
                raise

        return changed

    return checking(around)


Tell = Callable[[errors.RegistryError, Request, Response], None]


def _telling(tell: Tell, *operations: str) -> Apply:
    """Let refusals of what is there tell something of it."""

    def around(registry: Registry, check: Check) -> Check:
        async def changed(request: Request) -> None:
            try:
                await check(request)
            except errors.RegistryError as error:
                if request.operation in operations:
                    with suppress(errors.RegistryError):
                        tell(error, request, await registry.handlers[request.operation](request))
                raise

        return changed

    return checking(around)


def _digest(error: errors.RegistryError, _request: Request, response: Response) -> None:
    error.headers = [*error.headers, ("Docker-Content-Digest", response.headers.get("Docker-Content-Digest"))]


def _content(error: errors.RegistryError, _request: Request, response: Response) -> None:
    error.entries = (errors.ErrorEntry("UNAUTHORIZED", detail=response.body.decode("latin-1")),)


def _size(error: errors.RegistryError, _request: Request, response: Response) -> None:
    error.headers = [*error.headers, ("Content-Length", str(len(response.body)))]


def _tags(error: errors.RegistryError, _request: Request, response: Response) -> None:
    error.entries = (errors.ErrorEntry("UNAUTHORIZED", detail=response.body.decode("latin-1")),)


def _looked_for_first(status: int, *operations: str) -> Apply:
    """Look for the content before the credentials: what is not there is answered at once, or with another status."""

    def around(registry: Registry, check: Check) -> Check:
        async def changed(request: Request) -> None:
            try:
                await check(request)
            except errors.RegistryError as refusal:
                if request.operation in operations:
                    try:
                        await registry.handlers[request.operation](request)
                    except errors.RegistryError as missing:
                        raise missing if status == missing.status else refusal from None
                    if status == 403:
                        raise errors.RegistryError(status, (errors.ErrorEntry("DENIED"),)) from None
                raise

        return changed

    return checking(around)


def _echoing(spell: Callable[[str], str]) -> Apply:
    """Let refusals repeat the credentials, in some spelling."""

    def around(_registry: Registry, check: Check) -> Check:
        async def changed(request: Request) -> None:
            try:
                await check(request)
            except errors.RegistryError as error:
                if given := request.headers.get("authorization"):
                    error.entries = (errors.ErrorEntry("UNAUTHORIZED", detail=spell(given)),)
                raise

        return changed

    return checking(around)


def _password(given: str) -> str:
    try:
        return base64.b64decode(given.partition(" ")[2]).decode()
    except ValueError:
        return ""


def _in_location(registry: Registry) -> None:
    """The Location of an upload has the credentials that opened it."""
    finish = registry.finish

    def changed(request: Request, response: Response) -> Response:
        response = finish(request, response)
        location, given = response.headers.get("Location"), request.headers.get("authorization").partition(" ")[2]
        if request.operation == "upload.start" and location and given:
            response.headers.set("Location", f"{location}{'&' if '?' in location else '?'}login={given.rstrip('=')}")
        return response

    override(registry, finish=changed)


def _fault(name: str, title: str, breaks: str | tuple[str, ...], apply: Apply, *also: str) -> Fault:
    named = (breaks,) if isinstance(breaks, str) else breaks
    return Fault(name=name, title=title, breaks=named, also=also, configuration="htpasswd", apply=apply)


FAULTS = (
    _fault(
        "refusal-with-digest",
        "The refusal of a pull by tag has the digest of what is there.",
        READ,
        _telling(_digest, "manifest.get"),
        EXISTENCE,
    ),
    _fault(
        "refusal-with-content",
        "The refusal of a pull has the manifest in the detail of its error.",
        READ,
        _telling(_content, "manifest.get"),
        EXISTENCE,
    ),
    _fault(
        "refusal-with-tags",
        "The refusal of a list of tags has the tags in the detail of its error.",
        READ,
        _telling(_tags, "tags.list"),
    ),
    _fault("tags-for-everybody", "The list of tags needs no login.", READ, unchecked("tags.list")),
    _fault(
        "ranges-for-everybody",
        "A part of a blob is given without a login.",
        READ,
        unchecked("blob.get", when=lambda request: "range" in request.headers),
    ),
    _fault(
        "conditions-for-everybody",
        "A condition is answered without a login.",
        READ,
        unchecked("manifest.get", when=lambda request: "if-none-match" in request.headers),
    ),
    _fault(
        "heads-for-everybody",
        "HEAD needs no login.",
        HEAD,
        unchecked("manifest.head", "blob.head"),
        EXISTENCE,
    ),
    _fault(
        "refusal-of-head-with-digest",
        "The refusal of a HEAD by tag has the digest of what is there.",
        HEAD,
        _telling(_digest, "manifest.head"),
        EXISTENCE,
    ),
    _fault(
        "refusal-of-head-with-size",
        "The refusal of a HEAD has the size of what is there.",
        HEAD,
        _telling(_size, "manifest.head"),
    ),
    _fault(
        "missing-content-told-to-everybody",
        "Who has no login is told that a manifest is not there.",
        EXISTENCE,
        _looked_for_first(404, "manifest.get", "manifest.head"),
    ),
    _fault(
        "present-blobs-denied",
        "Who has no login is answered 403 where a blob is there, and 401 where it is not.",
        EXISTENCE,
        _looked_for_first(403, "blob.get", "blob.head"),
        "AUTH-CHALLENGE-401",
    ),
    _fault(
        "catalog-for-everybody",
        "The catalogue names everything to everybody.",
        CATALOG,
        unchecked("catalog.list"),
    ),
    _fault(
        "chunks-from-everybody",
        "Who knows the Location of an upload sends chunks without a login.",
        SESSION,
        unchecked("upload.patch"),
    ),
    _fault(
        "closing-by-everybody",
        "Who knows the Location of an upload closes it without a login.",
        SESSION,
        unchecked("upload.put"),
    ),
    _fault(
        "status-for-everybody",
        "Who knows the Location of an upload asks for its status without a login.",
        SESSION,
        unchecked("upload.get"),
    ),
    _fault(
        "cancelled-by-everybody",
        "Who knows the Location of an upload cancels it without a login.",
        SESSION,
        unchecked("upload.delete"),
    ),
    _fault(
        "refused-cancel-cancels",
        "The cancellation of an upload is refused, and done.",
        SESSION,
        _done_before("upload.delete"),
    ),
    _fault(
        "refused-push-pushes", "A push of a manifest is refused, and done.", NO_EFFECT, _done_before("manifest.put")
    ),
    _fault("refused-deletion-deletes", "A deletion is refused, and done.", NO_EFFECT, _done_before("manifest.delete")),
    _fault(
        "refused-upload-uploads",
        "An upload in one request is refused, and done.",
        NO_EFFECT,
        _done_before("upload.start-digest"),
    ),
    _fault("mounts-for-everybody", "A mount needs no login.", SOURCE, unchecked("upload.mount")),
    _fault("refused-mount-mounts", "A mount is refused, and done.", SOURCE, _done_before("upload.mount")),
    _fault("credentials-in-refusal", "A refusal repeats the credentials.", ECHO, _echoing(lambda given: given)),
    _fault("password-in-refusal", "A refusal repeats name and password.", ECHO, _echoing(_password)),
    _fault("credentials-in-location", "The Location of an upload has the credentials in it.", ECHO, _in_location),
)
