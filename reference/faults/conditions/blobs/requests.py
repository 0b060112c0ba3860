"""Faults of blobs that show with one way of asking."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.conditions.shared import digest_as_written
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage.memory import MemoryContent

_STATE = "_state"
_PULLS = ("blob.get", "blob.head")
_GETS = ("blob.get", "blob.head")


def _encoded_unknown(registry: Registry) -> None:
    """HEAD is answered from a table whose keys are compared with the path as it came."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if "%" in request.path:
                raise errors.blob_unknown(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ["blob.head"], around)


def _digest_as_asked(request: Request, response: Response) -> None:
    """The digest as it stands in the path."""
    raw = request.path.rpartition("/")[2]
    if "%" in raw and ":" in request.reference:
        response.headers.set("Docker-Content-Digest", raw)


def _short_at_location(registry: Registry) -> None:
    """The Location of a push leads to what had come when its last byte had not."""
    created = registry.uploads.created

    def stated(name: str, digest: str) -> Response:
        response = created(name, digest)
        response.headers.set("Location", f"{response.headers.get('Location')}?{_STATE}=done")
        return response

    def changed(request: Request, response: Response) -> None:
        content = response.content
        if request.query.get(_STATE) is not None and content is not None and content.size:
            response.stream(content, [(0, content.size - 1)])

    override(registry.uploads, created=stated)
    on("blob.get", "blob.head", status=200, change=changed)(registry)


def _raw_digest(request: Request, response: Response) -> None:
    raw = request.path.rsplit("/", 1)[1]
    if ":" in request.reference and "%3a" in raw.lower() and response.status < 300:
        response.headers.set("Docker-Content-Digest", raw)


def _kept_by_path(registry: Registry) -> None:
    """Keep blobs by the path as it was written, while a deletion forgets the one that it would write itself."""
    kept: dict[str, bytes] = {}

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if "%" not in request.path:
                return await handler(request)
            content = registry.blobs.find(request.name, request.reference)
            if isinstance(content, MemoryContent) and request.method == "GET":
                kept[request.path] = content.data
            if content is None and request.path in kept:
                headers = registry.blobs.headers(request.reference)
                return registry.blobs.respond(request, MemoryContent(kept[request.path]), headers)
            return await handler(request)

        return changed

    wrap(registry, _PULLS, around)


def _digest_as_in_the_path(request: Request, response: Response) -> None:
    response.headers.set("Docker-Content-Digest", request.path.rpartition("/")[2])


def _raw(request: Request, response: Response) -> None:
    """The digest of the answer is that of the path, as it came."""
    asked = request.path.rpartition("/")[2]
    if "%" in asked and "Docker-Content-Digest" in response.headers:
        response.headers.set("Docker-Content-Digest", asked)


def _unchanged_kept_as_content(registry: Registry) -> None:
    """The cache keeps the body of whatever was answered last, that of a 304 too."""
    empty: set[tuple[str, str]] = set()

    def changed(request: Request, response: Response) -> None:
        key = (request.name, request.reference)
        if response.status == 304:
            empty.add(key)
        elif response.status == 200 and key in empty:
            response.parts = []

    on("blob.get", change=changed)(registry)


FAULTS = (
    Fault(
        name="head-of-encoded-digest-404",
        title="HEAD of a blob whose digest is percent-encoded in the URL returns 404; GET is not.",
        breaks=("PULL-BLOB-HEAD-200",),
        also=("PULL-BLOB-HEAD-GET-AGREE",),
        apply=_encoded_unknown,
    ),
    Fault(
        name="digest-header-percent-encoded",
        title="Docker-Content-Digest is percent-encoded where the digest in the path is.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        also=(
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
        ),
        apply=on("blob.get", "blob.head", "manifest.get", "manifest.head", status=200, change=_digest_as_asked),
    ),
    Fault(
        name="digest-header-as-it-was-written",
        title="Docker-Content-Digest is percent-encoded where the digest in the path is.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        also=(
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PULL-CONSIST-REPEATABLE",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
        ),
        apply=on("blob.get", "blob.head", "manifest.get", "manifest.head", change=digest_as_written),
    ),
    Fault(
        name="blob-short-at-its-location",
        title="At the Location that its push tells a blob lacks its last byte.",
        breaks=("PUSH-PUT-LOCATION-PULLABLE",),
        also=(
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "PULL-BLOB-GET-BODY-EXACT",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=_short_at_location,
    ),
    Fault(
        name="digest-header-as-encoded",
        title="Docker-Content-Digest of what is asked for by a percent-encoded digest is percent-encoded.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        also=(
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
        ),
        apply=on("blob.get", "blob.head", "manifest.get", "manifest.head", change=_raw_digest),
    ),
    Fault(
        name="encoded-path-outlives-deletion",
        title="A deleted blob is still there for who pulled it by a percent-encoded digest.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=("MGMT-BLOB-DELETE-HEAD-404", "PULL-BLOB-GET-UNKNOWN-404", "PULL-BLOB-HEAD-UNKNOWN-404"),
        apply=_kept_by_path,
    ),
    Fault(
        name="blob-digest-header-as-in-path",
        title="Docker-Content-Digest of a blob is percent-encoded where its path is.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        also=("PULL-BLOB-GET-DCD-TRUE", "PULL-BLOB-HEAD-DCD-TRUE"),
        apply=on(*_GETS, status=200, change=_digest_as_in_the_path),
    ),
    Fault(
        name="digest-of-the-raw-path",
        title="Docker-Content-Digest of a blob that is asked for with percent-encoding is encoded, too.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        also=("PULL-BLOB-GET-DCD-TRUE", "PULL-BLOB-HEAD-DCD-TRUE", "PULL-CONSIST-REPEATABLE"),
        apply=on("blob.get", "blob.head", change=_raw),
    ),
    Fault(
        name="blob-empty-after-a-304",
        title="A blob is empty from the time on when its pull was answered 304.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "PULL-CONSIST-REPEATABLE",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-GET-AGREE",
            "PULL-BLOB-GET-CONTENT-LENGTH",
            "PUSH-BLOB-KEPT",
        ),
        apply=_unchanged_kept_as_content,
    ),
)
