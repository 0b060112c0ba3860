"""Faults of pulled manifests: what Accept means, where tags lead, what is still current."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import IMAGES, INDEXES
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, on, override, wrap
from reference.storage import Manifest

BOTH = ("manifest.get", "manifest.head")


def _asked_type(request: Request, response: Response) -> None:
    asked = request.headers.get("accept").partition(",")[0].partition(";")[0].strip()
    if asked and "*" not in asked:
        response.headers.set("Content-Type", asked)


def _accepting(media_types: Callable[[Request], list[str]]) -> Apply:
    """Take Accept literally: a manifest whose type is not among these is unknown."""

    def apply(registry: Registry) -> None:
        def negotiate(request: Request, manifest: Manifest) -> Manifest:
            accepted = media_types(request)
            if not request.headers.get("accept") or {manifest.media_type, "*/*", "application/*"} & set(accepted):
                return manifest
            raise errors.manifest_unknown(request.reference)

        override(registry.manifests, negotiate=negotiate)

    return apply


def _list(request: Request) -> list[str]:
    return [value.partition(";")[0].strip() for field in request.headers.all("accept") for value in field.split(",")]


def _with_weights(request: Request) -> list[str]:
    return [value.strip() for field in request.headers.all("accept") for value in field.split(",")]


def _first_field(request: Request) -> list[str]:
    return [value.partition(";")[0].strip() for value in request.headers.get("accept").split(",")]


def _first_type(request: Request) -> list[str]:
    return _list(request)[:1]


def _index_to_child(registry: Registry) -> None:
    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        if ":" in request.reference or manifest.media_type not in INDEXES or not set(_list(request)) & set(IMAGES):
            return manifest
        children = json.loads(manifest.content)["manifests"]
        child = registry.storage.manifest(request.name, children[0]["digest"]) if children else None
        return child or manifest

    override(registry.manifests, negotiate=negotiate)


def _wearing_out(registry: Registry) -> None:
    get, pulls = registry.handlers["manifest.get"], Counter[str]()

    async def worn(request: Request) -> Response:
        response = await get(request)
        if response.status == 200 and ":" in request.reference:
            pulls[request.reference] += 1
            if pulls[request.reference] > 8:
                response.body += b"\n"
        return response

    registry.handlers["manifest.get"] = worn


def _tag_stays(registry: Registry) -> None:
    set_tag, tag_of = registry.storage.set_tag, registry.storage.tag

    def only_once(name: str, tag: str, digest: str) -> None:
        if tag_of(name, tag) is None:
            set_tag(name, tag, digest)

    override(registry.storage, set_tag=only_once)


def _old_is_gone(registry: Registry) -> None:
    set_tag, storage = registry.storage.set_tag, registry.storage

    def replace(name: str, tag: str, digest: str) -> None:
        old = storage.tag(name, tag)
        set_tag(name, tag, digest)
        if old is not None and old != digest and old not in {storage.tag(name, other) for other in storage.tags(name)}:
            storage.delete_manifest(name, old, None)

    override(storage, set_tag=replace)


def _tag_etag(registry: Registry) -> None:
    """An ETag of the tag's name stays the same when the tag moves."""
    get = registry.handlers["manifest.get"]

    async def by_name(request: Request) -> Response:
        etag, condition = f'"{request.name}:{request.reference}"', request.headers.get("if-none-match")
        response = await get(request)
        if ":" in request.reference or response.status != 200:
            return response
        if condition == etag:
            return Response(304, [("ETag", etag)])
        response.headers.set("ETag", etag)
        return response

    registry.handlers["manifest.get"] = registry.handlers["manifest.head"] = by_name


def _always_304(request: Request, response: Response) -> Response | None:
    return Response(304, [("ETag", response.headers.get("ETag"))]) if request.headers.get("if-none-match") else None


def _without_conditions(registry: Registry) -> None:
    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            request.headers.drop("if-none-match")
            return await handler(request)

        return changed

    wrap(registry, BOTH, around)


def _no_wildcard(request: Request, _response: Response) -> Response | None:
    return Response(404) if request.headers.get("accept") == "*/*" else None


FAULTS = (
    Fault(
        name="accept-weights-not-parsed",
        title="A type with a weight in Accept does not count.",
        breaks=("PULL-ACCEPT-QVALUE",),
        apply=_accepting(_with_weights),
    ),
    Fault(
        name="accept-case-matters",
        title="A type in Accept counts in the case of the stored one alone.",
        breaks=("PULL-ACCEPT-CASE",),
        apply=_accepting(_list),
    ),
    Fault(
        name="accept-first-field-only",
        title="Only the first Accept field counts.",
        breaks=("PULL-ACCEPT-REPEATED-FIELD",),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
        ),
        apply=_accepting(_first_field),
    ),
    Fault(
        name="accept-first-type-only",
        title="Only the first type in Accept counts.",
        breaks=("PULL-ACCEPT-LIST",),
        # Several types in one header are sent for an index and in several fields too.
        also=(
            "PULL-ACCEPT-REPEATED-FIELD",
            "PULL-ACCEPT-INDEX-INTACT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
        ),
        apply=_accepting(_first_type),
    ),
    Fault(
        name="accept-echoed",
        title="A manifest is labelled with the type that was asked for.",
        breaks=("PULL-ACCEPT-MISMATCH",),
        # Docker's list without a platform is asked for by another type, too.
        also=("PULL-DOCKER-LIST-NO-PLATFORM-404", "PULL-ACCEPT-LIST", "PULL-ACCEPT-INDEX-INTACT"),
        apply=on(*BOTH, status=200, change=_asked_type),
    ),
    Fault(
        name="index-replaced-by-child",
        title="A tag on an index yields its first manifest to a client that also takes images.",
        breaks=("PULL-ACCEPT-INDEX-INTACT",),
        also=("PUSH-MANIFEST-RETAG-MOVES",),
        apply=_index_to_child,
    ),
    Fault(
        name="manifest-wears-out",
        title="From the ninth pull of a digest on a byte is added.",
        breaks=("PULL-CONSIST-REPEATABLE",),
        # The body no longer fits its digest then, nor its length that of HEAD.
        also=("PULL-MANIFEST-GET-DIGEST-BINDS-BODY",),
        apply=_wearing_out,
    ),
    Fault(
        name="tag-move-lost",
        title="A tag that exists stays where it is, though the push is answered 201.",
        breaks=("PULL-CONSIST-TAG-MOVE",),
        # The same is said of the push, of the digests of tags that differ in case, and of several tags.
        also=(
            "PUSH-MANIFEST-RETAG-MOVES",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "MGMT-MANIFEST-DELETE-TAGS-404",
        ),
        apply=_tag_stays,
    ),
    Fault(
        name="tag-move-deletes",
        title="A manifest that its last tag left is gone.",
        breaks=("PULL-CONSIST-OLD-DIGEST",),
        # The same is said of the push.
        also=("PUSH-MANIFEST-RETAG-KEEPS-OLD",),
        apply=_old_is_gone,
    ),
    Fault(
        name="manifest-304-after-move",
        title="The ETag of a tag stays when the tag moves, and yields 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        # Nor does a push on the condition of the ETag that was given go through.
        also=("PUSH-MANIFEST-IF-MATCH",),
        apply=_tag_etag,
    ),
    Fault(
        name="manifest-always-304",
        title="Any If-None-Match on a manifest is answered 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=on(*BOTH, status=200, change=_always_304),
    ),
    Fault(
        name="manifest-condition-ignored",
        title="A manifest has an ETag, and no condition on it is looked at.",
        breaks=("PULL-CACHE-MANIFEST-304",),
        apply=_without_conditions,
    ),
    Fault(
        name="manifest-head-takes-no-wildcard",
        title="HEAD of a manifest is answered 404 where Accept has a wildcard alone; GET is not.",
        breaks=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=on("manifest.head", status=200, change=_no_wildcard),
    ),
)
