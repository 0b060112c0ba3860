"""Faults of pulls after reports about registries and caches that are in use."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, OCI_INDEX
from reference.faults.shared import answered_500
from reference.messages import BINARY, Content, Handler, Request, Response
from reference.modifications import Fault, answers, on, override, wrap

_DIGEST = "Docker-Content-Digest"
#: From this many bytes on a blob is kept elsewhere.
_REDIRECTED = 1 << 16


def _takes_docker_list_first(request: Request) -> bool:
    accept = ",".join(request.headers.all("accept"))
    return DOCKER_LIST in accept and OCI_INDEX in accept.partition(DOCKER_LIST)[2]


def _index_as_list(request: Request, response: Response) -> None:
    is_index = response.headers.get("Content-Type") == OCI_INDEX
    if is_index and ":" not in request.reference and _takes_docker_list_first(request):
        response.headers.set("Content-Type", DOCKER_LIST)


def _without_length_at_first(registry: Registry) -> None:
    """HEAD tells the length of what was fetched, and that is nothing until a GET."""
    fetched: set[tuple[str, str]] = set()

    def get(request: Request, response: Response) -> None:
        fetched.add((request.name, response.headers.get(_DIGEST)))

    def head(request: Request, response: Response) -> None:
        if (request.name, response.headers.get(_DIGEST)) not in fetched:
            response.headers.set("Content-Length", "0")

    on("manifest.get", status=200, change=get)(registry)
    on("manifest.head", status=200, change=head)(registry)


def _manifest_by_head(registry: Registry) -> None:
    def change(request: Request, _response: Response) -> Response | None:
        manifest = registry.storage.manifest(request.name, request.reference)
        if manifest is None:
            return None
        length = str(len(manifest.content))
        headers = [("Content-Type", BINARY), ("Content-Length", length), (_DIGEST, manifest.digest)]
        return Response(200, headers)

    answers("blob.head", status=404, change=change)(registry)


def _unmarked_once_pulled(registry: Registry) -> None:
    """The parts of what a cache has whole come without their place."""
    whole: set[tuple[str, str]] = set()

    def change(request: Request, response: Response) -> None:
        place = request.name, request.reference
        if response.status == 200:
            whole.add(place)
        elif response.status == 206 and place in whole and len(response.parts) == 1:
            response.headers.drop("Content-Range")

    on("blob.get", change=change)(registry)


def _unsized_for_gzip(request: Request, response: Response) -> None:
    if "gzip" in request.headers.get("accept-encoding"):
        response.sized = False


def _cached_for_everybody(registry: Registry) -> None:
    """A cache has the digest for its key: what was pulled from one repository is in all of them."""
    pulled: dict[str, str] = {}
    find = registry.blobs.find

    def note(request: Request, _response: Response) -> None:
        pulled.setdefault(request.reference, request.name)

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is None and digest in pulled and registry.storage.exists(name):
            return find(pulled[digest], digest)
        return content

    override(registry.blobs, find=changed)
    on("blob.get", status=200, change=note)(registry)


def _failing_with_namespace(request: Request, _response: Response) -> Response | None:
    return answered_500(request) if request.query.get("ns") is not None else None


def _unknown_after_head(registry: Registry) -> None:
    """A peer tells of a tag by HEAD, and gives the manifest by digest as soon as its tag was pulled."""
    told: set[tuple[str, str]] = set()
    given: set[tuple[str, str]] = set()

    def head(request: Request, response: Response) -> None:
        if ":" not in request.reference:
            told.add((request.name, response.headers.get(_DIGEST)))

    def wrapped(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            place = request.name, request.reference
            if place in told and place not in given:
                raise errors.manifest_unknown(request.reference)
            response = await handler(request)
            if response.status == 200:
                given.add((request.name, response.headers.get(_DIGEST)))
            return response

        return changed

    on("manifest.head", status=200, change=head)(registry)
    wrap(registry, ["manifest.get"], wrapped)


def _signed_for_get(request: Request, response: Response) -> Response | None:
    """A HEAD goes where a GET would, and what is there was signed for a GET."""
    if request.query.get("signed") is not None:
        return Response(403)
    if response.content is None or response.length < _REDIRECTED:
        return None
    response.content.close()
    location = f"/v2/{request.name}/blobs/{request.reference}?signed=GET"
    return Response(307, [("Location", location), (_DIGEST, request.reference)])


FAULTS = (
    Fault(
        name="redirected-blob-head-forbidden",
        title="HEAD of a blob of 64 KiB or more is redirected to where a GET alone is answered; HEAD gets 403 there.",
        breaks=("PULL-BLOB-HEAD-200",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=on("blob.head", status=200, change=_signed_for_get),
    ),
    Fault(
        name="index-as-docker-list-where-that-comes-first",
        title="The tag of an OCI index gives it as a Docker manifest list, if Accept names that type ahead of its own.",
        breaks=(
            "PULL-MANIFEST-GET-CONTENT-TYPE",
            "PULL-TYPE-OCI-INDEX",
        ),
        also=(
            "PULL-ACCEPT-LIST",
            "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
            "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-ACCEPT-INDEX-INTACT",
        ),
        apply=on("manifest.get", status=200, change=_index_as_list),
    ),
    Fault(
        name="manifest-head-length-zero-at-first",
        title="HEAD of a manifest has Content-Length: 0 until somebody gets it.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        also=(
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PULL-MANIFEST-RANGE-HEAD-IGNORED",
        ),
        apply=_without_length_at_first,
    ),
    Fault(
        name="manifest-found-among-blobs-by-head",
        title="The digest of a manifest gets 200 among the blobs by HEAD, and 404 by GET.",
        breaks=("PULL-BLOB-HEAD-GET-AGREE",),
        apply=_manifest_by_head,
    ),
    Fault(
        name="range-unmarked-once-pulled-whole",
        title="A range of a blob that was pulled whole before comes as 206 without Content-Range.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE",),
        also=("PULL-BLOB-RANGE-TRUE",),
        apply=_unmarked_once_pulled,
    ),
    Fault(
        name="blob-head-unsized-for-gzip",
        title="HEAD of a blob by a client that takes gzip has no Content-Length.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH",),
        apply=on("blob.head", status=200, change=_unsized_for_gzip),
    ),
    Fault(
        name="pulled-blob-in-every-repository",
        title="A blob that was pulled from one repository is found in all others from then on.",
        breaks=("PULL-BLOB-OTHER-REPO-404", "PULL-BLOB-HEAD-OTHER-REPO-404"),
        also=("PULL-BLOB-GET-UNKNOWN-404", "MGMT-BLOB-DELETE-GET-404", "AUTH-NO-LEAK-BLOB-BY-OTHER-REPO"),
        apply=_cached_for_everybody,
    ),
    Fault(
        name="unknown-manifest-with-ns-500",
        title="An unknown manifest that is asked for with the parameter ns gets 500.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-404",),
        also=("PULL-MANIFEST-HEAD-UNKNOWN-404", "PULL-PROXY-NS"),
        apply=answers("manifest.get", "manifest.head", status=404, change=_failing_with_namespace),
    ),
    Fault(
        name="digest-unknown-between-head-and-get-of-tag",
        title="After the HEAD of a tag its manifest is unknown by digest, until the tag itself is pulled.",
        breaks=("PULL-MANIFEST-GET-DIGEST-200",),
        also=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-MANIFEST-HEAD-GET-AGREE", "PUSH-MANIFEST-LOCATION-PULLABLE"),
        apply=_unknown_after_head,
    ),
)
