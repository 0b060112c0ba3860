"""Faults that show with some depths and lengths of a repository's name."""

from __future__ import annotations

import json

from reference import errors
from reference.app import Registry
from reference.faults.conditions.blobs.shared import found_blobs
from reference.faults.conditions.edges.shared import no_such_manifest, refused
from reference.faults.conditions.shared import kept_under
from reference.grammar import is_supported
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, answers, around, on, override, wrap

_COLUMN = 250
_LEVELS = 3


def _walk_of_three_levels(registry: Registry) -> None:
    """The catalogue is a walk through the folders that goes three levels down."""
    storage = registry.catalog.storage

    class Walked:
        """What the walk finds."""

        def repositories(self) -> list[str]:
            """The names, as far as the walk goes."""
            return sorted({"/".join(name.split("/")[:_LEVELS]) for name in storage.repositories()})

    registry.catalog.storage = Walked()  # type: ignore[assignment]  # the catalogue asks for nothing else


def _name_column_too_short(registry: Registry) -> None:
    """The column for the name of a repository that holds a blob takes 250 characters."""

    def found(name: str, digest: str, content: Content | None) -> Content | None:
        if content is not None or len(name) <= _COLUMN:
            return content
        for other in registry.storage.repositories():
            if other[:_COLUMN] == name[:_COLUMN] and registry.storage.has_blob(other, digest):
                return registry.storage.open_blob(other, digest)
        return None

    found_blobs(found)(registry)


_KEY = 255
#: A source of more components is out of reach of the link.
_DEEPEST = 3


def _dangling_link(registry: Registry) -> None:
    """A mount is a relative link, which goes as many folders up as a name of three components has."""
    mounted = registry.uploads.mounted

    def changed(source: str | None, name: str, digest: str) -> bool:
        if source and len(source.split("/")) > _DEEPEST:
            return is_supported(digest) and registry.storage.has_blob(source, digest)
        return mounted(source, name, digest)

    override(registry.uploads, mounted=changed)


def _heads_by_base_name(registry: Registry) -> None:
    """The answers to HEAD of a tag are kept by the base name of the repository until a tag there changes."""
    kept: dict[tuple[str, str], list[tuple[str, str]]] = {}
    storage = registry.storage
    set_tag, delete_tag = storage.set_tag, storage.delete_tag

    def key(name: str, tag: str) -> tuple[str, str]:
        return name.rpartition("/")[2], tag

    def moved(name: str, tag: str, digest: str) -> None:
        kept.pop(key(name, tag), None)
        set_tag(name, tag, digest)

    def deleted(name: str, tag: str) -> None:
        kept.pop(key(name, tag), None)
        delete_tag(name, tag)

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if ":" in request.reference or "if-none-match" in request.headers:
                return await handler(request)
            place = key(request.name, request.reference)
            if place in kept:
                return Response(200, kept[place])
            response = await handler(request)
            if response.status == 200:
                kept[place] = [*response.headers.pairs, ("Content-Length", str(response.length))]
            return response

        return changed

    override(storage, set_tag=moved, delete_tag=deleted)
    wrap(registry, ["manifest.head"], around)


def _key_of_referrers_cut(registry: Registry) -> None:
    """The key of a list of referrers is name and digest, in a column of 255 characters."""
    storage = registry.storage
    put, referrers = storage.put_manifest, storage.referrers
    subjects: dict[str, set[tuple[str, str]]] = {}

    def key(name: str, subject: str) -> str:
        return f"{name}/{subject}"[:_KEY]

    def stored(name: str, manifest: object, subject: str | None) -> None:
        put(name, manifest, subject)  # type: ignore[arg-type]  # it is handed on as it comes
        if subject is not None:
            subjects.setdefault(key(name, subject), set()).add((name, subject))

    def found(name: str, subject: str) -> list[str]:
        alike = {(name, subject), *subjects.get(key(name, subject), ())}
        return sorted({digest for place in alike for digest in referrers(*place)})

    override(storage, put_manifest=stored, referrers=found)


_DEPTH = 8
_BUFFER = 255


def _link_cut(_request: Request, response: Response) -> None:
    """The header is put together in a buffer."""
    if "Link" in response.headers:
        response.headers.set("Link", response.headers.get("Link")[:_BUFFER])


def _in_the_library(request: Request, response: Response) -> None:
    """A name of one component is that of an official image."""
    if "/" not in request.name:
        document = json.loads(response.body)
        response.body = json.dumps({**document, "name": f"library/{request.name}"}).encode()


@around("upload.delete")
async def _cleaned_seven_levels_deep(registry: Registry, request: Request, handler: Handler) -> Response:
    """What is cancelled is looked for in so many levels of folders."""
    if request.name.count("/") + 1 >= _DEPTH:
        registry.uploads.find(request)
        return Response(204)
    return await handler(request)


_ROUTE_DEPTH = 3
_COLUMNS = 7


@around("referrers.list")
async def _shallow_route(_registry: Registry, request: Request, handler: Handler) -> Response:
    """Have a pattern for the newest endpoint that was written for names of other registries."""
    if len(request.name.split("/")) > _ROUTE_DEPTH:
        raise errors.no_such_endpoint(request.path)
    return await handler(request)


def _seven_columns(registry: Registry) -> None:
    """Have a column for each component, and seven of them."""
    kept_under(registry, lambda name: "/".join(name.split("/")[:_COLUMNS]))


FAULTS = (
    Fault(
        name="tag-of-single-component-not-routed",
        title="DELETE of a tag in a repository of one component returns 404, and the tag stays.",
        breaks=("MGMT-TAG-DELETE-202",),
        also=(
            "MGMT-TAG-DELETE-GET-404",
            "MGMT-TAG-DELETE-HEAD-404",
            "MGMT-TAG-DELETE-NOT-LISTED",
            "MGMT-TAG-DELETE-DISABLED-400-405",
        ),
        apply=refused(
            "manifest.delete",
            when=lambda request: "/" not in request.name and ":" not in request.reference,
            error=no_such_manifest,
        ),
    ),
    Fault(
        name="catalog-walks-three-levels",
        title="The catalogue lists a repository of four or more components by its first three, where there is none.",
        breaks=("DISC-CATALOG-LISTED-EXISTS",),
        apply=_walk_of_three_levels,
    ),
    Fault(
        name="blobs-of-names-alike-in-250-characters",
        title="A repository with a name of more than 250 characters has the blobs of others with the same first 250.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        also=("PULL-BLOB-HEAD-OTHER-REPO-404", "PULL-BLOB-GET-UNKNOWN-404", "PULL-BLOB-GET-UNKNOWN-REPO-404"),
        apply=_name_column_too_short,
    ),
    Fault(
        name="mount-from-below-three-dangles",
        title="A mount from a repository of four or more components gets 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE", "PUSH-MOUNT-LOCATION-PULLABLE"),
        also=("PUSH-MOUNT-STATUS", "PUSH-CONCURRENT-MOUNT-AVAILABLE", "PUSH-MOUNT-DIGEST-HEADER-TRUE"),
        apply=_dangling_link,
    ),
    Fault(
        name="head-of-tag-by-base-name",
        title="HEAD of a tag tells of the same tag in another repository whose name ends with the same component.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG",),
        also=(
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-200",
            "PULL-CONSIST-AT-ONCE",
        ),
        apply=_heads_by_base_name,
    ),
    Fault(
        name="referrers-key-of-255-characters",
        title="In a repository whose name has 250 characters or more, each digest has the referrers of all subjects.",
        breaks=("DISC-REFERRERS-ONLY-MATCHING-SUBJECT",),
        also=(
            "DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",
            "DISC-REFERRERS-COMPLETE",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",
        ),
        apply=_key_of_referrers_cut,
    ),
    Fault(
        name="tags-link-cut-behind-255-bytes",
        title="The Link of a page of tags ends after 255 bytes, in the middle of a long name.",
        breaks=("DISC-TAGS-LINK-SYNTAX",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-LINK-PRESENT-WHEN-MORE",
            "DISC-TAGS-N-SHORT-PAGE",
        ),
        apply=answers("tags.list", status=200, change=_link_cut),
    ),
    Fault(
        name="tags-name-in-the-library",
        title="The tag list of a repository with a name of one component calls it library/NAME.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=on("tags.list", status=200, change=_in_the_library),
    ),
    Fault(
        name="cancel-not-eight-levels-deep",
        title="DELETE of an upload in a repository of eight components returns 204 and leaves the upload open.",
        breaks=("PUSH-CANCEL-SESSION-GONE",),
        also=("PUSH-CANCEL-UNKNOWN-404", "PUSH-SESSION-UNKNOWN-404"),
        apply=_cleaned_seven_levels_deep,
    ),
    Fault(
        name="referrers-route-three-components",
        title="Referrers are answered 404 in a repository whose name has more than three components.",
        breaks=("DISC-REFERRERS-STATUS-200",),
        also=(
            "DISC-REFERRERS-COMPLETE",
            "DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",
            "PUSH-MANIFEST-OCI-SUBJECT-ONLY-IF-REFERRERS",
        ),
        apply=_shallow_route,
    ),
    Fault(
        name="eighth-component-ignored",
        title="Repositories whose names have the same first seven components are one.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG",),
        also=(
            "PULL-MANIFEST-OTHER-REPO-DIGEST-404",
            "PULL-BLOB-OTHER-REPO-404",
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "PULL-MANIFEST-GET-UNKNOWN-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
            "DISC-TAGS-ISOLATION-REPO",
            "DISC-TAGS-UNKNOWN-REPO-404",
            "DISC-REFERRERS-ISOLATION-REPO",
            "MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",
            "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
            "PUSH-MANIFEST-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
        ),
        apply=_seven_columns,
    ),
)
