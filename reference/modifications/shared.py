"""Changes that faults and variants have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reference.app import Registry
from reference.documents import OCI_INDEX, OCI_MANIFEST, Document
from reference.messages import Handler, Notice, Request, Response
from reference.modifications import Apply, override, wrap
from reference.notifications import Notifications
from reference.notifications.events import Event

if TYPE_CHECKING:
    from reference.auth.token import Tokens

MEMBERS = frozenset(
    {"schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations"}
)
#: What is done to an event; nothing is told where it gives None.
EditEvent = Callable[[Event, Request, Notice], Event | None]
_HEADER = "Docker-Content-Digest"
_BLOBS = ("blob.get", "blob.head", "upload.put", "upload.start-digest", "upload.mount")
_MANIFESTS = ("manifest.get", "manifest.head", "manifest.put")


def has_unknown_member(document: Document) -> bool:
    """Whether a manifest has a member that the specification does not have."""
    return document.media_type in (OCI_MANIFEST, OCI_INDEX) and not MEMBERS.issuperset(document.members)


def tokens_of(registry: Registry) -> Tokens:
    """The part of a registry that checks tokens."""
    found: Any = registry.authenticator
    if found is None or not hasattr(found, "trust"):
        raise AttributeError("this registry has no logins by token")
    tokens: Tokens = found
    return tokens


def edited_events(edit: EditEvent) -> Apply:
    """Change the events before they are queued."""

    def apply(registry: Registry) -> None:
        notifications = registry.notifications
        if notifications is None:
            raise AttributeError("this registry sends no notifications")
        make = notifications.events.make

        def tell(request: Request, response: Response) -> None:
            for notice in notifications.notices(request, response):
                event = edit(make(request, notice), request, notice)
                if event is not None:
                    notifications.publish(event)

        override(notifications, tell=tell)

    return apply


def notifications_of(registry: Registry) -> Notifications:
    """The part of a registry that sends notifications."""
    if registry.notifications is None:
        raise AttributeError("this registry sends no notifications")
    return registry.notifications


def capitals_first(registry: Registry) -> None:
    """List tags in the order of their bytes."""
    override(
        registry.tags,
        order=sorted,
        after=lambda tags, last: tags if last is None else [tag for tag in tags if tag > last],
    )


def names_its_digest(request: Request) -> bool:
    """Whether the client named the digest of the answer, as in a push by digest."""
    return request.operation == "manifest.put" and ":" in request.reference


def digests_by(digest: Callable[[bytes], str]) -> Apply:
    """Name what was pulled or pushed by the tag's or digest's content, by another algorithm."""

    def apply(registry: Registry) -> None:
        async def content(name: str, known: str) -> bytes | None:
            manifest = registry.storage.manifest(name, known)
            if manifest is not None:
                return manifest.content
            blob = registry.storage.open_blob(name, known)
            if blob is None:
                return None
            try:
                return b"".join([piece async for piece in blob.chunks(0, blob.size)])
            finally:
                blob.close()

        def around(handler: Handler) -> Handler:
            async def changed(request: Request) -> Response:
                response = await handler(request)
                known = response.headers.get(_HEADER)
                body = await content(request.name, known) if response.status in (200, 201, 206) and known else None
                if body is not None and not names_its_digest(request):
                    response.headers.set(_HEADER, digest(body))
                return response

            return changed

        wrap(registry, (*_BLOBS, *_MANIFESTS), around)

    return apply
