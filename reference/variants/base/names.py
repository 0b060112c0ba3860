"""Variants of names of repositories."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.messages import Application, Receive, Request, Response, Scope, Send
from reference.modifications import OCI, Variant, answers, override
from reference.variants.shared import denied

_DEEPEST = 3


def _only_slashed(application: Application) -> Application:
    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        raw = (scope.get("raw_path") or b"").partition(b"?")[0]
        if raw == b"/v2":
            await Response(301, [("Location", "/v2/")]).send(send, head=scope["method"] == "HEAD")
        elif raw.endswith((b"/blobs/uploads", b"/tags/list/")):
            await Response(404).send(send, head=scope["method"] == "HEAD")
        else:
            await application(scope, receive, send)

    return changed


def _shallow(registry: Registry) -> None:
    """Names have so many components at most."""
    check = registry.check_allowed

    def changed(request: Request) -> None:
        check(request)
        if request.method == "POST" and request.name.count("/") >= _DEEPEST:
            raise denied(f"names have {_DEEPEST} components at most")

    override(registry, check_allowed=changed)


def _hidden(registry: Registry) -> None:
    """What is in no repository of one's own is not talked about."""
    check = registry.check_allowed

    def changed(request: Request) -> None:
        check(request)
        if request.name and request.method != "POST" and not registry.storage.exists(request.name):
            if request.operation.startswith("upload."):
                return
            raise errors.RegistryError(403, (errors.ErrorEntry("DENIED"),))

    override(registry, check_allowed=changed)


def _name_404(_request: Request, response: Response) -> None:
    if b"NAME_INVALID" in response.body:
        response.status, response.body = 404, b"404 page not found\n"
        response.headers.set("Content-Type", "text/plain")


VARIANTS = (
    Variant(
        name="slashes-matter",
        title="A path without its slash, or with one more, is another path.",
        latitude=("TRAILING-SLASH",),
        layer=_only_slashed,
    ),
    Variant(
        name="names-not-deep",
        title="Repositories whose names have many components get 403.",
        latitude=("REPOSITORY-NOT-CREATED-ON-PUSH",),
        apply=_shallow,
    ),
    Variant(
        name="unknown-repository-403",
        title="Reads and deletions in an unknown repository get 403.",
        latitude=("LOGIN-401-403-404",),
        apply=_hidden,
    ),
    Variant(
        name="name-invalid-as-by-router",
        title="An invalid name gets 404 as by a router.",
        latitude=("NAME-OR-TAG-INVALID-STATUS",),
        profiles=OCI,
        warns=("BASE-NAME-INVALID-400",),
        apply=answers(status=400, change=_name_404),
    ),
)
