"""Faults of manifests that show with one form of tag, digest or Accept, or for the newest alone."""

from __future__ import annotations

from collections import defaultdict

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, override, wrap
from reference.storage import Manifest

_DESCRIPTORS = 20


def _is_tag(reference: str) -> bool:
    return ":" not in reference


def _types(fields: list[str], separator: str) -> set[str]:
    return {part.partition(";")[0].strip().lower() for field in fields for part in field.split(separator)}


def _accepted(types: set[str], media_type: str) -> bool:
    media_type = media_type.lower()
    return bool(types & {media_type, f"{media_type.partition('/')[0]}/*", "*/*"})


def _format_of_route(registry: Registry) -> None:
    """What follows the last dot of a path is the format of the answer."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if _is_tag(request.reference):
                request.reference = request.reference.rpartition(".")[0] or request.reference
            return await handler(request)

        return changed

    wrap(registry, ("manifest.get", "manifest.head", "manifest.put", "manifest.delete"), around)


def _split_at_comma_and_blank(registry: Registry) -> None:
    """Accept is split where a comma and a blank are."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        fields = request.headers.all("accept")
        if _accepted(_types(fields, ","), manifest.media_type) and not _accepted(
            _types(fields, ", "), manifest.media_type
        ):
            raise errors.manifest_unknown(request.reference)
        return negotiate(request, manifest)

    override(registry.manifests, negotiate=changed)


def _raw_digest_is_a_tag(registry: Registry) -> None:
    """Whether tag or manifest is to be deleted is told by a colon in the path as it came."""
    delete = registry.handlers["manifest.delete"]

    async def changed(request: Request) -> Response:
        raw = request.path.rpartition("/")[2]
        if not _is_tag(request.reference) and ":" not in raw:
            found = registry.manifests.find(request.name, request.reference)
            if found is not None:
                registry.manifests.remove_tag(request.name, raw)
                return Response(202)
        return await delete(request)

    registry.handlers["manifest.delete"] = changed


def _cached_without_accept(registry: Registry) -> None:
    """Whoever does not accept the type is answered 404, and that is kept for the URL."""
    kept: set[tuple[str, str]] = set()
    negotiate, put = registry.manifests.negotiate, registry.handlers["manifest.put"]

    def changed(request: Request, manifest: Manifest) -> Manifest:
        fields = request.headers.all("accept")
        if fields and not _accepted(_types(fields, ","), manifest.media_type):
            kept.add((request.name, request.reference))
        if (request.name, request.reference) in kept:
            raise errors.manifest_unknown(request.reference)
        return negotiate(request, manifest)

    async def pushed(request: Request) -> Response:
        response = await put(request)
        kept.discard((request.name, request.reference))
        return response

    override(registry.manifests, negotiate=changed)
    registry.handlers["manifest.put"] = pushed


def _no_way_up(registry: Registry) -> None:
    """Two dots in a row are taken for a way out of the directory where something is read."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if ".." in request.reference:
                raise errors.manifest_unknown(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ("manifest.get", "manifest.head"), around)


def _newest_descriptors(registry: Registry) -> None:
    """HEAD is answered from descriptors, of which the newest of a repository are kept."""
    newest: defaultdict[str, dict[str, None]] = defaultdict(dict)
    put, head = registry.storage.put_manifest, registry.handlers["manifest.head"]

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        newest[name].pop(manifest.digest, None)
        newest[name][manifest.digest] = None
        if len(newest[name]) > _DESCRIPTORS:
            del newest[name][next(iter(newest[name]))]

    async def changed(request: Request) -> Response:
        found = registry.manifests.find(request.name, request.reference)
        if found is not None and found.digest not in newest[request.name]:
            raise errors.manifest_unknown(request.reference)
        return await head(request)

    override(registry.storage, put_manifest=stored)
    registry.handlers["manifest.head"] = changed


FAULTS = (
    Fault(
        name="tag-without-what-follows-its-dot",
        title="A tag with a dot in it is the tag that ends before its last dot.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH", "PULL-MANIFEST-GET-UNKNOWN-404"),
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "BASE-TAG-ACCEPT",
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
            "DISC-TAGS-LINK-WALK-COMPLETE",
        ),
        apply=_format_of_route,
    ),
    Fault(
        name="accept-split-at-blanks",
        title="Types in Accept that have commas and no blanks between them are one type, and that is not there.",
        breaks=("PULL-ACCEPT-LIST",),
        also=(
            "PULL-ACCEPT-QVALUE",
            "PULL-ACCEPT-WILDCARD",
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-ACCEPT-REPEATED-FIELD",
        ),
        apply=_split_at_comma_and_blank,
    ),
    Fault(
        name="encoded-digest-not-deleted",
        title="The deletion of a manifest by a percent-encoded digest is answered 202, and the manifest stays.",
        breaks=("MGMT-MANIFEST-DELETE-GET-404",),
        also=(
            "MGMT-MANIFEST-DELETE-HEAD-404",
            "MGMT-MANIFEST-DELETE-TAGS-404",
            "MGMT-MANIFEST-DELETE-TWICE-404",
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",
        ),
        apply=_raw_digest_is_a_tag,
    ),
    Fault(
        name="not-acceptable-to-anybody",
        title="A manifest is answered 404 to everybody once one asked for it whose Accept does not admit it.",
        breaks=("PULL-CONSIST-REPEATABLE", "PULL-ACCEPT-DOCKER-LIST"),
        also=(
            "PULL-ACCEPT-EXACT",
            "PULL-ACCEPT-LIST",
            "PULL-ACCEPT-ABSENT",
            "PULL-ACCEPT-WILDCARD",
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-GET-DIGEST-200",
            "PULL-MANIFEST-HEAD-200",
            "PULL-ACCEPT-INDEX-INTACT",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_cached_without_accept,
    ),
    Fault(
        name="tag-with-two-dots-not-pulled",
        title="A manifest is accepted under a tag with two dots in a row, and its pull by that is answered 404.",
        breaks=("BASE-TAG-ACCEPTED-KEPT",),
        also=(
            "BASE-TAG-ACCEPT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-GET-TAG-200",
        ),
        apply=_no_way_up,
    ),
    Fault(
        name="head-of-the-newest-alone",
        title="In a repository of more than twenty manifests HEAD finds the newest twenty alone.",
        breaks=("PULL-MANIFEST-HEAD-200",),
        also=(
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
        ),
        apply=_newest_descriptors,
    ),
)
