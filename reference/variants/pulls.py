"""Variants of pulls: redirects, ranges, validators, negotiation and types."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, Document
from reference.grammar import digest_of
from reference.messages import Application, Message, Receive, Request, Response, Scope, Send
from reference.modifications import OCI, Apply, Variant, answers, drop_header, on, override, set_header
from reference.storage import Manifest

_STORE = b"/storage/"
_MARK = (b"x-from-storage", b"yes")
_BLOBS = ("blob.get", "blob.head")
_PULLS = (*_BLOBS, "manifest.get", "manifest.head")


def _redirecting(registry: Registry) -> None:
    get = registry.handlers["blob.get"]

    async def redirect(request: Request) -> Response:
        if request.headers.get("x-from-storage"):
            return await get(request)
        response = await get(request)
        if response.status not in (200, 206):
            return response
        if response.content is not None:
            response.content.close()
        location = f"/storage/{request.name}/{request.reference}?signature=a%2Bb"
        return Response(307, [("Location", location), ("Docker-Content-Digest", request.reference)])

    registry.handlers["blob.get"] = registry.handlers["blob.head"] = redirect


def _store(application: Application) -> Application:
    """Serve /storage/NAME/DIGEST beside the API, without the headers of the registry."""

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path") or b""
        if scope["type"] != "http" or not raw.startswith(_STORE):
            await application(scope, receive, send)
            return
        name, _, digest = raw[len(_STORE) :].partition(b"?")[0].rpartition(b"/")
        inner = {
            **scope,
            "raw_path": b"/v2/" + name + b"/blobs/" + digest,
            "query_string": b"",
            "headers": [*scope["headers"], _MARK],
        }

        async def plain(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(key, value) for key, value in message["headers"] if not key.lower().startswith(b"docker-")]
                message = {**message, "headers": kept}
            await send(message)

        await application(inner, receive, plain)

    return changed


def _whole(registry: Registry) -> None:
    override(registry.blobs, ranges=lambda _request, _size: None)
    on(*_BLOBS, change=drop_header("Accept-Ranges"))(registry)


def _malformed_416(registry: Registry) -> None:
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = understood(request, size)
        header = request.headers.get("range")
        malformed = found is None and header.startswith("bytes") and not request.headers.get("if-range")
        return [] if malformed and request.method == "GET" else found

    override(registry.blobs, ranges=changed)


def _several_as_whole(registry: Registry) -> None:
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = understood(request, size)
        return None if found is not None and len(found) > 1 else found

    override(registry.blobs, ranges=changed)


def _unsized_head(request: Request, response: Response) -> None:
    if request.method == "HEAD" and response.status == 200:
        response.sized = False


def _weakly(request: Request, response: Response) -> None:
    """Say that another representation may do as well; a strong comparison then never holds."""
    if "ETag" in response.headers:
        response.headers.set("ETag", "W/" + response.headers.get("ETag"))


def _weak(registry: Registry) -> None:
    """Each ETag is weak; If-Range and If-Match, which compare strongly, never hold."""
    check = registry.check_allowed

    def changed(request: Request) -> None:
        for name in ("if-range", "if-match"):
            if request.headers.get(name).startswith("W/"):
                request.headers.set(name, '"nothing"')
        check(request)

    override(registry, check_allowed=changed)
    on(*_PULLS, change=_weakly)(registry)


def _unvalidated(registry: Registry) -> None:
    """No ETag, and no condition is looked at."""

    def forget(request: Request) -> None:
        for name in ("if-none-match", "if-range"):
            request.headers.drop(name)

    check = registry.check_allowed

    def changed(request: Request) -> None:
        forget(request)
        check(request)

    override(registry, check_allowed=changed)
    on(*_PULLS, change=drop_header("ETag", "Cache-Control"))(registry)


def _sha512_header(_request: Request, response: Response) -> None:
    response.headers.set("Docker-Content-Digest", digest_of(response.body, "sha512"))


def _strict(status: int) -> Apply:
    """A manifest whose type Accept does not name is not sent."""

    def apply(registry: Registry) -> None:
        before = registry.manifests.negotiate

        def negotiate(request: Request, manifest: Manifest) -> Manifest:
            manifest = before(request, manifest)
            fields = ",".join(request.headers.all("accept")).split(",")
            if manifest.media_type in {field.partition(";")[0].strip() for field in fields}:
                return manifest
            if status == 404:
                raise errors.manifest_unknown(request.reference)
            raise errors.RegistryError(status, (errors.ErrorEntry("MANIFEST_UNKNOWN"),))

        override(registry.manifests, negotiate=negotiate)

    return apply


def _no_docker(registry: Registry) -> None:
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        if document.media_type in (DOCKER_MANIFEST, DOCKER_LIST):
            raise errors.manifest_invalid("manifests of Docker are not supported", 415)
        check(name, document)

    override(registry.manifests, check_references=changed)


def _anything_missing(registry: Registry) -> None:
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        try:
            check(name, document)
        except errors.RegistryError as error:
            if "MANIFEST_BLOB_UNKNOWN" not in {entry.code for entry in error.entries}:
                raise

    override(registry.manifests, check_references=changed)


def _missing_as_404(_request: Request, response: Response) -> None:
    if b"MANIFEST_BLOB_UNKNOWN" in response.body:
        response.status, response.body = 404, response.body.replace(b"MANIFEST_BLOB_UNKNOWN", b"BLOB_UNKNOWN")


def _no_sha512(registry: Registry) -> None:
    digests = registry.uploads.digests
    digest = registry.manifests.digest

    def only_sha256(request: Request) -> list[str]:
        found = digests(request)
        if any(each.startswith("sha512:") for each in found):
            raise errors.digest_invalid(found[0], "unsupported digest algorithm")
        return found

    def manifest_sha256(reference: str, content: bytes) -> str:
        if reference.startswith("sha512:"):
            raise errors.digest_invalid(reference, "unsupported digest algorithm")
        return digest(reference, content)

    override(registry.uploads, digests=only_sha256)
    override(registry.manifests, digest=manifest_sha256)
    start = registry.handlers["upload.start"]

    async def refusing(request: Request) -> Response:
        if request.query.get("digest-algorithm") == "sha512":
            raise errors.digest_invalid("sha512", "unsupported digest algorithm")
        return await start(request)

    registry.handlers["upload.start"] = refusing


def _unlimited(registry: Registry) -> None:
    registry.manifests.limit = 1 << 30


VARIANTS = (
    Variant(
        name="blob-redirected",
        title="Blobs are pulled by a 307 to a signed URL of a store.",
        latitude=("REDIRECT-BLOB", "REDIRECT-SIGNED-TARGET", "REDIRECT-HEADER-PLACE"),
        apply=_redirecting,
        layer=_store,
    ),
    Variant(
        name="ranges-ignored",
        title="A Range is answered 200 with the whole blob.",
        latitude=("RANGE-IGNORED",),
        lacks=("ranges",),
        apply=_whole,
    ),
    Variant(
        name="range-malformed-416",
        title="A malformed Range is answered 416.",
        latitude=("RANGE-MALFORMED",),
        apply=_malformed_416,
    ),
    Variant(
        name="range-several-as-whole",
        title="Several ranges are answered 200 with the whole blob.",
        latitude=("RANGE-MULTIPLE",),
        apply=_several_as_whole,
    ),
    Variant(
        name="pulls-without-digest-header",
        title="Pulls have no Docker-Content-Digest.",
        latitude=("DOCKER-CONTENT-DIGEST-ABSENT",),
        profiles=("oci-1.0", "oci-1.1"),
        warns=("PULL-MANIFEST-GET-DCD", "PULL-MANIFEST-HEAD-DCD", "PULL-BLOB-GET-DCD", "PULL-BLOB-HEAD-DCD"),
        apply=answers(*_PULLS, change=drop_header("Docker-Content-Digest")),
    ),
    Variant(
        name="manifest-digest-header-sha512",
        title="Docker-Content-Digest of a manifest is a sha512 digest.",
        latitude=("DOCKER-CONTENT-DIGEST-OTHER-ALGORITHM",),
        apply=on("manifest.get", "manifest.head", status=200, change=_sha512_header),
    ),
    Variant(
        name="head-without-length",
        title="HEAD has no Content-Length.",
        latitude=("HEAD-WITHOUT-LENGTH",),
        profiles=("oci-1.0", "oci-1.1"),
        warns=("PULL-MANIFEST-HEAD-CONTENT-LENGTH", "PULL-BLOB-HEAD-CONTENT-LENGTH"),
        apply=answers("manifest.head", "blob.head", change=_unsized_head),
    ),
    Variant(
        name="etags-weak",
        title="Each ETag is weak.",
        latitude=("CACHE-AND-DATE-HEADERS",),
        apply=_weak,
    ),
    Variant(
        name="pulls-without-validators",
        title="There is no ETag, and conditions are ignored.",
        latitude=("CACHE-AND-DATE-HEADERS", "CONDITIONAL-REQUESTS"),
        warns=("PULL-CACHE-BLOB-VALIDATOR",),
        apply=_unvalidated,
    ),
    Variant(
        name="blob-type-of-store",
        title="Blobs are labelled binary/octet-stream.",
        latitude=("REDIRECT-HEADER-PLACE",),
        warns=("PULL-BLOB-GET-CONTENT-TYPE",),
        apply=on(*_BLOBS, status=200, change=set_header("Content-Type", "binary/octet-stream")),
    ),
    Variant(
        name="accept-unmatched-404",
        title="A manifest whose type is not in Accept is answered 404.",
        latitude=("ACCEPT-UNMATCHED",),
        warns=(
            "PULL-ACCEPT-ABSENT",
            "PULL-ACCEPT-WILDCARD",
            "PULL-ACCEPT-CASE",
        ),
        apply=_strict(404),
    ),
    Variant(
        name="accept-unmatched-406",
        title="A manifest whose type is not in Accept is answered 406.",
        latitude=("ACCEPT-UNMATCHED",),
        warns=(
            "PULL-ACCEPT-ABSENT",
            "PULL-ACCEPT-WILDCARD",
            "PULL-ACCEPT-CASE",
            "PULL-DOCKER-LIST-NO-PLATFORM-404",
        ),
        apply=_strict(406),
    ),
    Variant(
        name="docker-manifests-refused",
        title="Manifests of Docker are answered 415.",
        latitude=("MANIFEST-TYPE-REFUSED",),
        lacks=("docker-manifests",),
        profiles=OCI,
        apply=_no_docker,
    ),
    Variant(
        name="missing-content-accepted",
        title="Manifests are accepted whose content is missing.",
        latitude=("MANIFEST-MISSING-REFERENCES",),
        apply=_anything_missing,
    ),
    Variant(
        name="missing-content-404",
        title="Manifests whose content is missing are answered 404 BLOB_UNKNOWN.",
        latitude=("MISSING-REFERENCE-CODE",),
        profiles=OCI,
        warns=("PUSH-MANIFEST-MISSING-BLOB-400",),
        apply=answers("manifest.put", status=400, change=_missing_as_404),
    ),
    Variant(
        name="sha512-refused",
        title="Digests of sha512 are refused.",
        latitude=("DIGEST-ALGORITHM-REFUSED",),
        lacks=("sha512",),
        apply=_no_sha512,
    ),
    Variant(
        name="manifest-size-unlimited",
        title="Manifests may be of any size.",
        latitude=("MANIFEST-SIZE-LIMIT",),
        apply=_unlimited,
    ),
)
