"""Faults of conditional requests, of the filters of a list, and of content that is large or has two names."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, Json, parse
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, drop_header, on, override
from reference.storage import Manifest

_PULLS = ("manifest.get", "manifest.head", "blob.get", "blob.head")


def _before(change: Callable[[Request], Response | None], *operations: str) -> Apply:
    """Answer some requests otherwise, or change them before they are answered."""

    def apply(registry: Registry) -> None:
        def around(operation: str) -> None:
            handler = registry.handlers[operation]

            async def changed(request: Request) -> Response:
                return change(request) or await handler(request)

            registry.handlers[operation] = changed

        for operation in operations:
            around(operation)

    return apply


def _one_tag_alone(request: Request) -> None:
    condition = request.headers.get("if-none-match")
    if "," in condition or condition == "*":
        request.headers.drop("if-none-match")


def _asterisk_passed_over(request: Request) -> None:
    if request.headers.get("if-none-match") == "*":
        request.headers.drop("if-none-match")


def _any_time(request: Request) -> Response | None:
    return Response(304) if request.headers.get("if-modified-since") else None


def _condition_first(registry: Registry) -> None:
    """Take Accept literally, but look at a condition before."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        accept = ",".join(request.headers.all("accept"))
        if request.headers.get("if-none-match") or not accept or "*" in accept or manifest.media_type in accept.lower():
            return manifest
        raise errors.manifest_unknown(request.reference)

    override(registry.manifests, negotiate=negotiate)


def _part_on_head(request: Request, response: Response) -> None:
    if response.status == 200 and request.headers.get("range"):
        response.status = 206
        response.headers.set("Content-Length", "1")
        response.headers.set("Content-Range", f"bytes 0-0/{len(response.body)}")


def _lists_kept(registry: Registry) -> None:
    """Keep the list of a repository for who asks on a condition."""
    known: set[str] = set()
    listing = registry.handlers["tags.list"]

    async def changed(request: Request) -> Response:
        conditional = request.headers.get("if-modified-since") or request.headers.get("if-none-match")
        if conditional and request.name in known:
            return Response(304)
        known.add(request.name)
        return await listing(request)

    registry.handlers["tags.list"] = changed


def _filter_told_once(registry: Registry) -> None:
    asked: set[str] = set()
    listing = registry.handlers["referrers.list"]

    async def changed(request: Request) -> Response:
        response = await listing(request)
        key = f"{request.name} {request.reference} {request.query.get('artifactType')}"
        if key in asked:
            response.headers.drop("OCI-Filters-Applied")
        asked.add(key)
        return response

    registry.handlers["referrers.list"] = changed


def _json_where_asked(request: Request, response: Response) -> None:
    if "*" in request.headers.get("accept"):
        response.headers.set("Content-Type", "application/json")


def _large_left_out(registry: Registry) -> None:
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if each["size"] < 1_000_000]

    override(registry.referrers, collect=changed)


def _unlisted_with_a_tag(registry: Registry) -> None:
    gone: set[tuple[str, str]] = set()
    storage, collect = registry.storage, registry.referrers.collect
    delete_tag = storage.delete_tag

    def noted(name: str, tag: str) -> None:
        digest = storage.tag(name, tag)
        if digest is not None:
            gone.add((name, digest))
        delete_tag(name, tag)

    def changed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if (name, each["digest"]) not in gone]

    override(storage, delete_tag=noted)
    override(registry.referrers, collect=changed)


def _subject_once(registry: Registry) -> None:
    known: set[tuple[str, str]] = set()
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        response = await put(request)
        key = (request.name, response.headers.get("Docker-Content-Digest"))
        if key in known:
            response.headers.drop("OCI-Subject")
        known.add(key)
        return response

    registry.handlers["manifest.put"] = changed


def _cut_where_unknown(registry: Registry) -> None:
    """Read no more of a manifest than the limit, and take that for the whole."""
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        if request.content_length is None:
            limit, pieces = registry.manifests.limit, request.pieces

            async def body(_limit: int) -> bytes:
                return b"".join([piece async for piece in pieces()])[:limit]

            override(request, body=body)
        return await put(request)

    registry.handlers["manifest.put"] = changed


def _first_entry(registry: Registry) -> None:
    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        takes_images_alone = request.headers.get("accept") == DOCKER_MANIFEST
        if ":" in request.reference or manifest.media_type != DOCKER_LIST or not takes_images_alone:
            return manifest
        entries = parse(manifest.content)["manifests"]
        if len(entries) < 2:
            raise errors.manifest_unknown(request.reference)
        return registry.storage.manifest(request.name, entries[0]["digest"]) or manifest

    override(registry.manifests, negotiate=negotiate)


def _lists_by_name(registry: Registry) -> None:
    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        if ":" in request.reference or manifest.media_type != DOCKER_LIST:
            return manifest
        if DOCKER_LIST not in request.headers.get("accept"):
            raise errors.manifest_unknown(request.reference)
        return manifest

    override(registry.manifests, negotiate=negotiate)


FAULTS = (
    Fault(
        name="condition-of-one-tag",
        title="A condition that names several tags, or any, is passed over.",
        breaks=("PULL-CACHE-CONDITION-FORMS",),
        apply=_before(_one_tag_alone, *_PULLS),
    ),
    Fault(
        name="condition-asterisk-of-blobs",
        title="The condition * on blobs is passed over.",
        breaks=("PULL-CACHE-CONDITION-FORMS",),
        apply=_before(_asterisk_passed_over, "blob.get", "blob.head"),
    ),
    Fault(
        name="manifest-304-without-etag",
        title="The 304 of a manifest has no ETag.",
        breaks=("PULL-CACHE-304-ETAG",),
        apply=on("manifest.get", "manifest.head", status=304, change=drop_header("ETag")),
    ),
    Fault(
        name="blob-304-to-any-time",
        title="A blob is answered 304 whenever a time is named.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=_before(_any_time, "blob.get"),
    ),
    Fault(
        name="manifest-head-304-to-any-time",
        title="The HEAD of a manifest is answered 304 whenever a time is named.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=_before(_any_time, "manifest.head"),
    ),
    Fault(
        name="condition-before-accept",
        title="A condition is looked at before Accept.",
        breaks=("PULL-CACHE-REFUSAL-NOT-304",),
        apply=_condition_first,
    ),
    Fault(
        name="manifest-head-range-206",
        title="The HEAD of a manifest with a Range is answered 206.",
        breaks=("PULL-MANIFEST-RANGE-HEAD-IGNORED",),
        apply=on("manifest.head", change=_part_on_head),
    ),
    Fault(
        name="tags-kept-on-condition",
        title="A tag list that is asked for on a condition is the former one.",
        breaks=("DISC-TAGS-CONDITION-FRESH",),
        apply=_lists_kept,
    ),
    Fault(
        name="referrers-filter-told-once",
        title="OCI-Filters-Applied comes with the first of the same lists.",
        breaks=("DISC-REFERRERS-FILTER-HEADER",),
        apply=_filter_told_once,
    ),
    Fault(
        name="referrers-json-to-any",
        title="Referrers come as application/json to an Accept that admits everything.",
        breaks=("DISC-REFERRERS-CONTENT-TYPE",),
        apply=on("referrers.list", status=200, change=_json_where_asked),
    ),
    Fault(
        name="referrers-without-large",
        title="A referrer of more than a million bytes is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        apply=_large_left_out,
    ),
    Fault(
        name="referrer-unlisted-with-a-tag",
        title="A referrer is taken from the list when any of its tags is deleted.",
        # What was taken from the list once does not come back with a push.
        breaks=("MGMT-TAG-DELETE-REFERRER-LISTED", "DISC-REFERRERS-COMPLETE"),
        apply=_unlisted_with_a_tag,
    ),
    Fault(
        name="oci-subject-once",
        title="OCI-Subject comes with the first push of a manifest alone.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-PRESENT",),
        apply=_subject_once,
    ),
    Fault(
        name="manifest-cut-where-unannounced",
        title="A manifest of unknown length is cut at the limit and stored.",
        breaks=("PUSH-MANIFEST-STREAMED-WHOLE",),
        apply=_cut_where_unknown,
    ),
    Fault(
        name="list-gives-its-first-entry",
        title="Who takes no lists gets the first entry of one, whatever its platform.",
        breaks=("PULL-DOCKER-LIST-NO-PLATFORM-404",),
        apply=_first_entry,
    ),
    Fault(
        name="docker-lists-by-name-only",
        title="The tag of a Docker list is answered 404 where Accept does not name its type.",
        breaks=("PULL-ACCEPT-DOCKER-LIST",),
        apply=_lists_by_name,
    ),
)
