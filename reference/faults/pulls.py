"""Faults of pulls: statuses, codes, redirects, conditions, and what was just pushed."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Content, Request, Response
from reference.modifications import Fault, answers, drop_header, on, override, set_header

_BLOBS = ("blob.get", "blob.head")


def _always_partial(_request: Request, response: Response) -> None:
    """What a cache of slices answers: a part that is the whole."""
    size = response.length
    if size:
        response.status = 206
        response.headers.set("Content-Range", f"bytes 0-{size - 1}/{size}")


def _another_code(_request: Request, response: Response) -> None:
    response.body = response.body.replace(b"NAME_UNKNOWN", b"UNSUPPORTED")


def _unconditional(registry: Registry) -> None:
    get = registry.handlers["blob.get"]

    async def changed(request: Request) -> Response:
        if not request.headers.get("range"):
            request.headers.drop("if-none-match")
        return await get(request)

    registry.handlers["blob.get"] = registry.handlers["blob.head"] = changed


def _absent_at_first(registry: Registry) -> None:
    """A blob is found from the second look on, as where a cache remembers that it was not there."""
    check, find = registry.check_allowed, registry.blobs.find
    seen: set[tuple[str, str]] = set()
    heading = False

    def changed(request: Request) -> None:
        nonlocal heading
        heading = request.method == "HEAD"
        check(request)

    def found(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is None or not heading or (name, digest) in seen:
            return content
        seen.add((name, digest))
        content.close()
        return None

    override(registry, check_allowed=changed)
    override(registry.blobs, find=found)


def _namespace(request: Request, response: Response) -> None:
    if request.query.get("ns") is not None:
        response.headers.set("OCI-Namespace", "registry.example")


FAULTS = (
    Fault(
        name="blob-always-partial",
        title="A whole blob is answered 206.",
        breaks=("PULL-BLOB-GET-200",),
        apply=on("blob.get", status=200, change=_always_partial),
    ),
    Fault(
        name="blob-labelled-text",
        title="A blob is labelled text/plain.",
        breaks=("PULL-BLOB-GET-CONTENT-TYPE",),
        apply=on(*_BLOBS, status=200, change=set_header("Content-Type", "text/plain")),
    ),
    Fault(
        name="unknown-repository-code-wrong",
        title="A pull from an unknown repository has the code UNSUPPORTED.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-REPO-CODE",),
        apply=answers("manifest.get", "blob.get", status=404, change=_another_code),
    ),
    Fault(
        name="redirect-without-location",
        title="The pull of a blob is redirected without saying where to.",
        breaks=("PULL-REDIRECT-STATUS",),
        # A client that cannot follow does not get the blob.
        also=("PULL-BLOB-GET-200",),
        variants=("blob-redirected",),
        apply=answers(*_BLOBS, status=307, change=drop_header("Location")),
    ),
    Fault(
        name="redirect-without-digest",
        title="The redirect of a blob has no Docker-Content-Digest.",
        breaks=("PULL-REDIRECT-DCD",),
        # It stands nowhere else, as the store that is redirected to knows of no such header.
        also=("PULL-BLOB-GET-DCD",),
        variants=("blob-redirected",),
        apply=answers(*_BLOBS, status=307, change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="blob-without-validators",
        title="A blob has neither ETag nor Cache-Control.",
        breaks=("PULL-CACHE-BLOB-VALIDATOR",),
        apply=on(*_BLOBS, change=drop_header("ETag", "Cache-Control")),
    ),
    Fault(
        name="blob-never-304",
        title="The ETag of a blob is not looked at in If-None-Match.",
        breaks=("PULL-CACHE-BLOB-304",),
        apply=_unconditional,
    ),
    Fault(
        name="blob-absent-at-first",
        title="The first HEAD of a new blob is answered 404, the second 200.",
        breaks=("PULL-CONSIST-AT-ONCE",),
        options=("--settle", "2"),
        apply=_absent_at_first,
    ),
    Fault(
        name="namespace-of-another-host",
        title="A pull with ns names another host in OCI-Namespace.",
        breaks=("PULL-PROXY-NS-TRUE",),
        apply=answers("blob.get", "manifest.get", status=200, change=_namespace),
    ),
)
