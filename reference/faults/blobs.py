"""Faults of pulled blobs."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.grammar import is_digest
from reference.messages import Content, Request, Response
from reference.modifications import Apply, Fault, answers, drop_header, on, override, set_header, set_status

_LARGE = 64 << 10


def _truncated(_request: Request, response: Response) -> None:
    if response.content is not None and response.length > _LARGE:
        response.parts = [(0, _LARGE)]


def _wrong_digest(_request: Request, response: Response) -> None:
    response.headers.set("Docker-Content-Digest", "sha256:" + "0" * 64)


def _unsized(_request: Request, response: Response) -> None:
    response.sized = False


def _found_elsewhere(methods: tuple[str, ...]) -> Apply:
    """Serve what any repository holds."""

    def apply(registry: Registry) -> None:
        get = registry.handlers["blob.get"]

        async def anywhere(request: Request) -> Response:
            storage, name = registry.storage, request.name
            if request.method in methods and storage.exists(name) and not storage.has_blob(name, request.reference):
                holders = [other for other in storage.repositories() if storage.has_blob(other, request.reference)]
                request.name = holders[0] if holders else name
            return await get(request)

        registry.handlers["blob.get"] = registry.handlers["blob.head"] = anywhere

    return apply


def _unknown_as(status: int, head: bool = False) -> Apply:
    """Another status where a blob is unknown to an existing repository."""

    def change(_request: Request, response: Response) -> None:
        if not response.body or b"BLOB_UNKNOWN" in response.body:
            response.status = status

    return answers("blob.head" if head else "blob.get", status=404, change=change)


def _error_as_content(request: Request, response: Response) -> None:
    if b"BLOB_UNKNOWN" in response.body:
        response.status, response.body = 200, b"<html>not found</html>"
        response.headers.set("Content-Type", "text/html")
        response.headers.set("Docker-Content-Digest", request.reference)


def _unknown_code(_request: Request, response: Response) -> None:
    response.body = response.body.replace(b'"BLOB_UNKNOWN"', b'"MANIFEST_UNKNOWN"')


def _always_304(request: Request, response: Response) -> Response | None:
    if not request.headers.get("if-none-match"):
        return None
    if response.content is not None:
        response.content.close()
    return Response(304, [("ETag", response.headers.get("ETag"))])


def _unknown_304(request: Request, response: Response) -> Response | None:
    if response.status != 404 or not request.headers.get("if-none-match"):
        return None
    return Response(304, [("ETag", request.headers.get("if-none-match"))])


def _empty_unknown(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return content if content is None or content.size else None

    override(registry.blobs, find=changed)


def _newlines(registry: Registry) -> None:
    get = registry.handlers["blob.get"]

    async def converted(request: Request) -> Response:
        response = await get(request)
        if response.content is None or response.status != 200 or response.length > (1 << 20):
            return response
        body = b"".join([chunk async for chunk in response.content.chunks(0, response.content.size)])
        response.content.close()
        return Response(200, response.headers.pairs, body.replace(b"\r\n", b"\n"))

    registry.handlers["blob.get"] = converted


async def _first_bytes(content: Content, count: int) -> bytes:
    return b"".join([chunk async for chunk in content.chunks(0, count)])


def _coded(registry: Registry) -> None:
    get = registry.handlers["blob.get"]

    async def coded(request: Request) -> Response:
        response = await get(request)
        if response.content is not None and await _first_bytes(response.content, 2) == b"\x1f\x8b":
            response.headers.add("Content-Encoding", "gzip")
        return response

    registry.handlers["blob.get"] = coded


def _closed(response: Response) -> bool:
    if response.content is not None:
        response.content.close()
    return True


def _refuse_as_name(digest: str) -> None:

    if not is_digest(digest):
        raise errors.name_invalid(digest)


def _gone_once_pulled(registry: Registry) -> None:
    before: dict[tuple[str, str], str] = {}

    def changed(request: Request, response: Response) -> Response | None:
        what = (request.name, request.reference)
        if response.status != 200:
            return None
        before[what] = f"{before.get(what, '')}{request.method} "
        return Response(404) if before[what].startswith("HEAD GET HEAD ") else None

    on("blob.get", "blob.head", change=changed)(registry)


FAULTS = (
    Fault(
        name="blob-head-405",
        title="HEAD of a blob is answered 405.",
        breaks=("PULL-BLOB-HEAD-200",),
        apply=on(
            "blob.head",
            status=200,
            change=lambda _request, response: Response(405, [("Allow", "GET, DELETE")]) if _closed(response) else None,
        ),
    ),
    Fault(
        name="blob-truncated",
        title="A blob above 64 KiB ends there.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        apply=on("blob.get", status=200, change=_truncated),
    ),
    Fault(
        name="blob-newlines-converted",
        title="CRLF in a blob becomes LF.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        apply=_newlines,
    ),
    Fault(
        name="blob-gzip-declared",
        title="A blob of gzip data is labelled Content-Encoding: gzip.",
        breaks=("PULL-BLOB-GET-NO-FALSE-CODING",),
        # A client that undoes the coding sees other bytes, whatever blob of gzip it looks at.
        also=("PUSH-BLOB-BINARY-EXACT",),
        apply=_coded,
    ),
    Fault(
        name="blob-head-length-zero",
        title="HEAD of a blob has Content-Length: 0.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        apply=on("blob.head", status=200, change=set_header("Content-Length", "0")),
    ),
    Fault(
        name="blob-head-without-length",
        title="HEAD of a blob has no Content-Length.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH",),
        apply=on("blob.head", status=200, change=_unsized),
    ),
    Fault(
        name="blob-get-without-length",
        title="GET of a blob has no Content-Length.",
        breaks=("PULL-BLOB-GET-CONTENT-LENGTH",),
        apply=on("blob.get", status=200, change=_unsized),
    ),
    Fault(
        name="blob-digest-header-wrong",
        title="Docker-Content-Digest of a blob is another digest.",
        breaks=("PULL-BLOB-GET-DCD-TRUE",),
        apply=on("blob.get", "blob.head", change=_wrong_digest),
    ),
    Fault(
        name="blob-without-digest-header",
        title="A pulled blob has no Docker-Content-Digest.",
        breaks=("PULL-BLOB-GET-DCD",),
        # HEAD lacks it as well, which is a statement of its own.
        also=("PULL-BLOB-HEAD-DCD",),
        apply=on("blob.get", "blob.head", change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="blob-unknown-200",
        title="An unknown blob is answered 200 with a page that says so.",
        breaks=("PULL-BLOB-GET-UNKNOWN-404",),
        apply=answers("blob.get", status=404, change=_error_as_content),
    ),
    Fault(
        name="blob-unknown-500",
        title="An unknown blob is answered 500.",
        breaks=("PULL-BLOB-GET-UNKNOWN-404",),
        apply=_unknown_as(500),
    ),
    Fault(
        name="blob-head-unknown-200",
        title="HEAD of an unknown blob is answered 200.",
        breaks=("PULL-BLOB-HEAD-UNKNOWN-404",),
        apply=_unknown_as(200, head=True),
    ),
    Fault(
        name="blob-unknown-code",
        title="An unknown blob has the code MANIFEST_UNKNOWN.",
        breaks=("PULL-BLOB-GET-UNKNOWN-CODE",),
        # The same answer is given to a DELETE only where that code is changed as well, which it is not.
        apply=answers("blob.get", status=404, change=_unknown_code),
    ),
    Fault(
        name="blob-from-other-repository",
        title="A blob is served under every repository.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        # HEAD does the same, which a catalogue may list apart.
        also=("PULL-BLOB-HEAD-OTHER-REPO-404",),
        apply=_found_elsewhere(("GET", "HEAD")),
    ),
    Fault(
        name="blob-head-from-other-repository",
        title="HEAD finds a blob that only another repository holds; GET does not.",
        breaks=("PULL-BLOB-HEAD-OTHER-REPO-404",),
        apply=_found_elsewhere(("HEAD",)),
    ),
    Fault(
        name="blob-head-404-once-pulled",
        title="HEAD of a blob is answered 404 where the blob was pulled since the HEAD before.",
        breaks=("PULL-BLOB-HEAD-GET-AGREE",),
        apply=_gone_once_pulled,
    ),
    Fault(
        name="blob-empty-unknown",
        title="A blob of zero bytes is accepted, and then unknown.",
        breaks=("PULL-BLOB-GET-EMPTY",),
        apply=_empty_unknown,
    ),
    Fault(
        name="blob-always-304",
        title="Any If-None-Match on a blob is answered 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=on("blob.get", status=200, change=_always_304),
    ),
    Fault(
        name="blob-unknown-304",
        title="An unknown blob with If-None-Match is answered 304.",
        breaks=("PULL-CACHE-UNKNOWN-NOT-304",),
        apply=answers("blob.get", "blob.head", change=_unknown_304),
    ),
    Fault(
        name="blob-unknown-repository-400",
        title="A blob in an unknown repository is answered 400.",
        breaks=("PULL-BLOB-GET-UNKNOWN-REPO-404",),
        apply=answers(
            "blob.get",
            "blob.head",
            status=404,
            change=lambda request, response: (
                set_status(400)(request, response) if b"NAME_UNKNOWN" in response.body else None
            ),
        ),
    ),
    Fault(
        name="blob-bad-digest-code",
        title="A malformed digest in a blob's path has the code NAME_INVALID.",
        breaks=("PULL-BLOB-GET-BAD-DIGEST-400",),
        apply=lambda registry: override(registry.blobs, check_digest=_refuse_as_name),
    ),
)
