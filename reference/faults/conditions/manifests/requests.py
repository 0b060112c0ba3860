"""Faults of manifests that show with one way of pushing or asking."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.conditions.shared import digest_as_written
from reference.grammar import digest_of
from reference.messages import BINARY, Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.resources import matches

_PULLS = ("manifest.get", "manifest.head", "blob.get", "blob.head")
_MANIFEST_PULLS = ("manifest.get", "manifest.head")


def _any_of_a_list(request: Request, response: Response) -> None:
    if "," in request.headers.get("if-none-match"):
        response.status = 304


def _raw_key(registry: Registry) -> None:
    """HEAD is answered from an index whose keys are as in the path."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if ":" not in request.reference and "%" in request.path.rpartition("/")[2]:
                raise errors.manifest_unknown(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ["manifest.head"], around)


def _head_of_any_content(registry: Registry) -> None:
    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            try:
                return await handler(request)
            except errors.RegistryError:
                content = registry.storage.open_blob(request.name, request.reference)
                if content is None:
                    raise
                headers = [("Content-Type", BINARY), ("Docker-Content-Digest", request.reference)]
                return Response(200, headers).stream(content, [(0, content.size)])

        return changed

    wrap(registry, ["manifest.head"], around)


def _length_unknown(registry: Registry) -> None:
    """What came without a length is told to have none."""
    streamed: set[tuple[str, str]] = set()

    def note(request: Request, response: Response) -> None:
        entry = request.name, response.headers.get("docker-content-digest")
        if request.headers.get("transfer-encoding"):
            streamed.add(entry)
        else:
            streamed.discard(entry)

    def change(request: Request, response: Response) -> None:
        if (request.name, response.headers.get("docker-content-digest")) in streamed:
            response.headers.set("Content-Length", "0")

    on("manifest.put", status=201, change=note)(registry)
    on("manifest.head", status=200, change=change)(registry)


def _several_tags_hold(registry: Registry) -> None:
    """That a list of entity tags came to its end is taken for a hit."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if "," in ",".join(request.headers.all("if-none-match")):
                request.headers.set("If-None-Match", "*")
            return await handler(request)

        return changed

    wrap(registry, ["manifest.get", "manifest.head"], around)


def _unannounced_digest(request: Request, response: Response) -> None:
    """Only what is announced is hashed on its way."""
    if request.content_length is None:
        response.headers.set("Docker-Content-Digest", digest_of(b""))


def _known_is_unchanged(registry: Registry) -> None:
    """Whatever the repository knows counts as not changed."""

    def changed(request: Request, response: Response) -> Response | None:
        asked = ",".join(request.headers.all("if-none-match")).split(",")
        digests = [tag.strip().removeprefix("W/").strip('"') for tag in asked]
        if any(registry.storage.manifest(request.name, digest) is not None for digest in digests):
            kept = [
                (name, value) for name, value in response.headers.pairs if name in ("Docker-Content-Digest", "ETag")
            ]
            return Response(304, kept)
        return None

    on("manifest.get", "manifest.head", status=200, change=changed)(registry)


def _head_by_raw_path(registry: Registry) -> None:
    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            request.reference = request.path.rpartition("/")[2]
            return await handler(request)

        return changed

    wrap(registry, ["manifest.head"], around)


def _digest_as_in_url(request: Request, response: Response) -> None:
    last = request.path.rpartition("/")[2]
    if "%3a" in last.lower():
        response.headers.set("Docker-Content-Digest", last)


def _tag_of_deleted_unchanged(registry: Registry) -> None:
    """Which entity tag a tag has is remembered for conditions, and not forgotten when the tag is deleted."""
    etags: dict[tuple[str, str], str] = {}
    set_tag = registry.storage.set_tag

    def noted(name: str, tag: str, digest: str) -> None:
        etags[name, tag] = f'"{digest}"'
        set_tag(name, tag, digest)

    def around(operation: str) -> None:
        handler = registry.handlers[operation]

        async def changed(request: Request) -> Response:
            condition = ",".join(request.headers.all("if-none-match"))
            etag = etags.get((request.name, request.reference))
            if condition and etag is not None and matches(condition, etag):
                return Response(304, [("Docker-Content-Digest", etag.strip('"')), ("ETag", etag)])
            return await handler(request)

        registry.handlers[operation] = changed

    override(registry.storage, set_tag=noted)
    for operation in _MANIFEST_PULLS:
        around(operation)


FAULTS = (
    Fault(
        name="etag-list-always-304",
        title="A list of entity tags in If-None-Match yields 304 for a manifest, whichever they are.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=on("manifest.get", "manifest.head", status=200, change=_any_of_a_list),
    ),
    Fault(
        name="head-of-encoded-tag-404",
        title="HEAD of a tag with a percent-encoded letter returns 404.",
        breaks=("PULL-MANIFEST-HEAD-GET-AGREE", "PULL-MANIFEST-HEAD-200"),
        apply=_raw_key,
    ),
    Fault(
        name="head-of-blob-among-manifests-200",
        title="HEAD of a blob's digest among the manifests returns 200.",
        breaks=("PULL-MANIFEST-NOT-A-BLOB", "PULL-MANIFEST-HEAD-UNKNOWN-404", "PULL-MANIFEST-HEAD-GET-AGREE"),
        apply=_head_of_any_content,
    ),
    Fault(
        name="head-of-streamed-manifest-tells-none",
        title="HEAD of a manifest that came in chunked transfer coding tells the length 0.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE", "PULL-MANIFEST-HEAD-GET-AGREE"),
        apply=_length_unknown,
    ),
    Fault(
        name="several-etags-304",
        title="A pull on the condition of several entity tags returns 304, whatever they are.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=_several_tags_hold,
    ),
    Fault(
        name="streamed-manifest-with-digest-of-nothing",
        title="The 201 to a manifest in chunked transfer coding has the digest of no bytes.",
        breaks=("PUSH-MANIFEST-DIGEST-HEADER-TRUE",),
        also=("PUSH-MANIFEST-DIGEST-HEADER-VALUE", "PUSH-MANIFEST-STREAMED-WHOLE"),
        apply=on("manifest.put", status=201, change=_unannounced_digest),
    ),
    Fault(
        name="etag-of-any-manifest-304",
        title="If-None-Match with the ETag of any manifest of the repository gets 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        also=("PULL-CONSIST-TAG-MOVE", "PUSH-MANIFEST-RETAG-MOVES"),
        apply=_known_is_unchanged,
    ),
    Fault(
        name="encoded-digest-echoed",
        title="Docker-Content-Digest repeats a percent-encoded digest of the request, still encoded.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        also=(
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PULL-CONSIST-REPEATABLE",
            "PULL-MANIFEST-SHA512",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
        ),
        apply=on(*_PULLS, change=digest_as_written),
    ),
    Fault(
        name="head-of-encoded-reference-404",
        title="HEAD does not find a manifest whose reference is percent-encoded; GET does.",
        breaks=("PULL-MANIFEST-HEAD-GET-AGREE", "PULL-MANIFEST-HEAD-200"),
        apply=_head_by_raw_path,
    ),
    Fault(
        name="manifest-digest-header-as-in-url",
        title="Docker-Content-Digest of a manifest repeats the digest of the URL with its percent-encoding.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        also=(
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-CONSIST-REPEATABLE",
        ),
        apply=on(*_MANIFEST_PULLS, status=200, change=_digest_as_in_url),
    ),
    Fault(
        name="deleted-tag-304",
        title="The pull of a deleted tag on the condition of its former ETag returns 304.",
        breaks=("PULL-CACHE-UNKNOWN-NOT-304", "MGMT-TAG-DELETE-HEAD-404"),
        also=("MGMT-TAG-DELETE-GET-404", "MGMT-MANIFEST-DELETE-TAGS-404"),
        apply=_tag_of_deleted_unchanged,
    ),
)
