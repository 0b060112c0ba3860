"""Faults of what a refusal reveals."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from reference import errors
from reference.app import Registry
from reference.faults.auth.shared import Check, checking, unchecked
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, override
from reference.modifications.shared import tokens_of

if TYPE_CHECKING:
    from reference.auth.token import Scope

_Tell = Callable[[errors.RegistryError, Request, Response], None]


def _telling(tell: _Tell, *operations: str) -> Apply:
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


def _looked_for_first(status: int, *operations: str) -> Apply:
    """Look for the content before the credentials: absent content is answered without a login."""

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


def _blobs_of_all(registry: Registry) -> None:
    """A blob is read by the name of any repository."""
    find, storage = registry.blobs.find, registry.storage

    def changed(name: str, digest: str) -> Any:
        return find(name, digest) or next(filter(None, (find(other, digest) for other in storage.repositories())), None)

    override(registry.blobs, find=changed)


def _denied_otherwise(registry: Registry) -> None:
    """A pull with a token for another repository is answered 403 with the code UNSUPPORTED."""
    tokens = tokens_of(registry)
    refusal = tokens.refusal

    def changed(request: Request, scopes: list[Scope], error: str = "") -> errors.RegistryError:
        refused = refusal(request, scopes, error)
        if error == "insufficient_scope" and request.method in ("GET", "HEAD"):
            refused.status, refused.entries, refused.headers = 403, (errors.ErrorEntry("UNSUPPORTED"),), []
        return refused

    override(tokens, refusal=changed)


FAULTS = (
    Fault(
        name="refusal-with-digest",
        title="The refusal of a pull by tag has the digest of what is there.",
        breaks=("AUTH-NO-LEAK-READ",),
        also=("AUTH-NO-LEAK-EXISTENCE",),
        configuration="htpasswd",
        apply=_telling(_digest, "manifest.get"),
    ),
    Fault(
        name="refusal-with-content",
        title="The refusal of a pull has the manifest in the detail of its error.",
        breaks=("AUTH-NO-LEAK-READ",),
        also=("AUTH-NO-LEAK-EXISTENCE",),
        configuration="htpasswd",
        apply=_telling(_content, "manifest.get"),
    ),
    Fault(
        name="refusal-with-tags",
        title="The refusal of a list of tags has the tags in the detail of its error.",
        breaks=("AUTH-NO-LEAK-READ",),
        configuration="htpasswd",
        apply=_telling(_content, "tags.list"),
    ),
    Fault(
        name="tags-for-everybody",
        title="The list of tags needs no login.",
        breaks=("AUTH-NO-LEAK-READ",),
        configuration="htpasswd",
        apply=unchecked("tags.list"),
    ),
    Fault(
        name="ranges-for-everybody",
        title="A part of a blob is given without a login.",
        breaks=("AUTH-NO-LEAK-READ",),
        configuration="htpasswd",
        apply=unchecked("blob.get", when=lambda request: "range" in request.headers),
    ),
    Fault(
        name="conditions-for-everybody",
        title="A conditional request gets an answer without a login.",
        breaks=("AUTH-NO-LEAK-READ",),
        configuration="htpasswd",
        apply=unchecked("manifest.get", when=lambda request: "if-none-match" in request.headers),
    ),
    Fault(
        name="heads-for-everybody",
        title="HEAD needs no login.",
        breaks=("AUTH-NO-LEAK-HEAD",),
        also=("AUTH-NO-LEAK-EXISTENCE",),
        configuration="htpasswd",
        apply=unchecked("manifest.head", "blob.head"),
    ),
    Fault(
        name="refusal-of-head-with-digest",
        title="The refusal of a HEAD by tag has the digest of what is there.",
        breaks=("AUTH-NO-LEAK-HEAD",),
        also=("AUTH-NO-LEAK-EXISTENCE",),
        configuration="htpasswd",
        apply=_telling(_digest, "manifest.head"),
    ),
    Fault(
        name="refusal-of-head-with-size",
        title="The refusal of a HEAD has the size of what is there.",
        breaks=("AUTH-NO-LEAK-HEAD",),
        configuration="htpasswd",
        apply=_telling(_size, "manifest.head"),
    ),
    Fault(
        name="missing-content-told-to-everybody",
        title="A client without a login learns that a manifest is not there.",
        breaks=("AUTH-NO-LEAK-EXISTENCE",),
        configuration="htpasswd",
        apply=_looked_for_first(404, "manifest.get", "manifest.head"),
    ),
    Fault(
        name="present-blobs-denied",
        title="A client without a login gets 403 where a blob is there, and 401 where it is not.",
        breaks=("AUTH-NO-LEAK-EXISTENCE",),
        also=("AUTH-CHALLENGE-401",),
        configuration="htpasswd",
        apply=_looked_for_first(403, "blob.get", "blob.head"),
    ),
    Fault(
        name="catalog-for-everybody",
        title="The catalogue lists every repository without a login.",
        breaks=("AUTH-CATALOG-FILTERED",),
        configuration="htpasswd",
        apply=unchecked("catalog.list"),
    ),
    Fault(
        name="blobs-of-all-repositories",
        title="A blob is read by the name of any repository.",
        breaks=("AUTH-NO-LEAK-BLOB-BY-OTHER-REPO",),
        also=("PULL-BLOB-OTHER-REPO-404", "PULL-BLOB-HEAD-OTHER-REPO-404"),
        configuration="token",
        apply=_blobs_of_all,
    ),
    Fault(
        name="pull-denied-otherwise",
        title="A pull with a token for another repository returns 403 with the code UNSUPPORTED.",
        breaks=("BASE-ERROR-403-DENIED",),
        configuration="token",
        apply=_denied_otherwise,
    ),
)
