"""Faults of manifests that show under one condition alone: the kind, the size, the tag, the name, what was before."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_MANIFEST, INDEXES, Document, parse
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, on, override
from reference.resources import url
from reference.storage import Manifest

#: As many variables a statement of the database takes.
_VARIABLES = 999
#: What the cache takes, in bytes.
_CACHED = 3 << 20
#: The buffer for a header field.
_FIELD = 200
_WORDS = ("blobs", "catalog", "list", "manifests", "referrers", "tags", "uploads", "v2")


def _is_tag(reference: str) -> bool:
    return ":" not in reference


def _many_variables(registry: Registry) -> None:
    """The rows of all descriptors are one statement; where it fails, what comes after it is left out."""
    failed: set[tuple[str, str]] = set()
    put, set_tag = registry.storage.put_manifest, registry.storage.set_tag

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        members = parse(manifest.content)
        rows = [members.get("config"), *(members.get("layers") or ()), *(members.get("manifests") or ())]
        if len([row for row in rows if row]) > _VARIABLES:
            failed.add((name, manifest.digest))
        put(name, manifest, subject)

    def tagged(name: str, tag: str, digest: str) -> None:
        if (name, digest) not in failed:
            set_tag(name, tag, digest)

    override(registry.storage, put_manifest=stored, set_tag=tagged)


def _from_the_cache(registry: Registry) -> None:
    """By digest manifests come from a cache that takes none beyond a size."""
    find = registry.manifests.find

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        too_large = manifest is not None and len(manifest.content) > _CACHED
        return None if too_large and not _is_tag(reference) else manifest

    override(registry.manifests, find=changed)


def _descended(registry: Registry) -> None:
    """A tag on an index that begins with an index leads to the inner one."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        if _is_tag(request.reference):
            for child in Document(manifest.media_type, parse(manifest.content)).children[:1]:
                inner = registry.storage.manifest(request.name, child)
                if inner is not None and inner.media_type in INDEXES:
                    return inner
        return negotiate(request, manifest)

    override(registry.manifests, negotiate=changed)


def _older_table(registry: Registry) -> None:
    """The tags of Docker images are in a table of their own, which a deletion by digest passes over."""
    deleted: dict[tuple[str, str], Manifest] = {}
    find, remove_tags_of, put = (
        registry.manifests.find,
        registry.manifests.remove_tags_of,
        registry.storage.put_manifest,
    )

    def kept(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None and manifest.media_type == DOCKER_MANIFEST:
            deleted[name, digest] = manifest
        else:
            remove_tags_of(name, digest)

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        deleted.pop((name, manifest.digest), None)
        put(name, manifest, subject)

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        if manifest is None and _is_tag(reference):
            return deleted.get((name, registry.storage.tag(name, reference) or ""))
        return manifest

    override(registry.manifests, find=changed, remove_tags_of=kept)
    override(registry.storage, put_manifest=stored)


def _folded_deletion(registry: Registry) -> None:
    """The tag to delete is looked for in lower case."""
    remove_tag = registry.manifests.remove_tag
    override(registry.manifests, remove_tag=lambda name, tag: remove_tag(name, tag.lower()))


def _reserved_words(registry: Registry) -> None:
    """The routes of HEAD leave out the words of the others."""
    head = registry.handlers["manifest.head"]

    async def changed(request: Request) -> Response:
        if request.reference in _WORDS:
            raise errors.manifest_unknown(request.reference)
        return await head(request)

    registry.handlers["manifest.head"] = changed


def _cut_accept(registry: Registry) -> None:
    """Accept is read as far as its buffer goes."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        accept = ",".join(request.headers.all("accept"))
        read = accept[:_FIELD]
        if len(accept) > _FIELD and manifest.media_type not in read and "*/*" not in read:
            raise errors.manifest_unknown(request.reference)
        return negotiate(request, manifest)

    override(registry.manifests, negotiate=changed)


def _tag_cleared_first(registry: Registry) -> None:
    """A tag is cleared before it is set, and its manifest looked at in between."""
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        try:
            return await put(request)
        except errors.RegistryError as error:
            missing = any(entry.code == "MANIFEST_BLOB_UNKNOWN" for entry in error.entries)
            if missing and registry.storage.tag(request.name, request.reference) is not None:
                registry.storage.delete_tag(request.name, request.reference)
            raise

    registry.handlers["manifest.put"] = changed


def _in_the_library(registry: Registry) -> Apply:
    """A name of one component is short for one of the library, as at Docker Hub."""

    def change(request: Request, response: Response) -> None:
        digest = response.headers.get("Location").rpartition("/")[2]
        if "/" not in request.name:
            place = f"/v2/library/{request.name}/manifests/{digest}"
            response.headers.set("Location", url(registry.options.host, place))

    return on("manifest.put", status=201, change=change)


def _marked_as_deleted(registry: Registry) -> None:
    """A deleted tag is only marked; who pushes to it takes the mark away, and finds what it named."""
    marked: dict[tuple[str, str], str] = {}
    storage = registry.storage
    set_tag, delete_tag = storage.set_tag, storage.delete_tag

    def untagged(name: str, tag: str) -> None:
        named = storage.tag(name, tag)
        if named is not None:
            marked[name, tag] = named
        delete_tag(name, tag)

    def tagged(name: str, tag: str, digest: str) -> None:
        named = marked.pop((name, tag), digest)
        set_tag(name, tag, named if storage.manifest(name, named) is not None else digest)

    override(storage, set_tag=tagged, delete_tag=untagged)


def _characters(_request: Request, response: Response) -> None:
    """The length is that of the text."""
    response.headers.set("Content-Length", str(len(response.body.decode())))


def _fault(name: str, title: str, *breaks: str, apply: Apply, also: tuple[str, ...] = ()) -> Fault:
    also = tuple(entry for entry in dict.fromkeys(also) if entry not in breaks)
    return Fault(name=name, title=title, breaks=breaks, also=also, apply=apply)


FAULTS = (
    _fault(
        "eighth-manifest-of-many-parts-untagged",
        "A manifest of more than 999 descriptors is answered 201, and its tag is not set.",
        "PUSH-MANIFEST-BY-TAG-PULLABLE",
        "PULL-MANIFEST-GET-TAG-200",
        also=(
            "PULL-MANIFEST-HEAD-200",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-MANIFEST-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
        ),
        apply=_many_variables,
    ),
    _fault(
        "eighth-large-manifest-uncached",
        "A manifest of more than 3 MiB is unknown by its digest.",
        "PULL-MANIFEST-GET-DIGEST-200",
        "PUSH-MANIFEST-4MB-ACCEPTED",
        also=(
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-HEAD-200",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
        ),
        apply=_from_the_cache,
    ),
    _fault(
        "eighth-tag-of-nested-index-descends",
        "The tag of an index that begins with an index yields the inner one.",
        "PULL-ACCEPT-INDEX-INTACT",
        "PULL-TYPE-OCI-INDEX",
        also=(
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-INDEX-NESTED",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=_descended,
    ),
    _fault(
        "eighth-docker-image-keeps-its-tags",
        "The tags of a Docker image that was deleted by its digest still yield it.",
        "MGMT-MANIFEST-DELETE-TAGS-404",
        also=(
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "MGMT-MANIFEST-DELETE-GET-404",
            "PULL-MANIFEST-GET-UNKNOWN-404",
        ),
        apply=_older_table,
    ),
    _fault(
        "eighth-tag-with-capitals-not-deleted",
        "The deletion of a tag with capitals is answered 202 and deletes the one in small letters, if any.",
        "MGMT-TAG-DELETE-GET-404",
        also=(
            "MGMT-TAG-DELETE-HEAD-404",
            "MGMT-TAG-DELETE-NOT-LISTED",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
        ),
        apply=_folded_deletion,
    ),
    _fault(
        "eighth-head-of-route-words-unknown",
        "HEAD of a tag that is a word of the API is answered 404; GET is not.",
        "PULL-MANIFEST-HEAD-200",
        also=(
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-HEAD-GET-AGREE",
        ),
        apply=_reserved_words,
    ),
    _fault(
        "eighth-accept-cut",
        "A type that stands behind the first 200 characters of Accept does not count.",
        "PULL-ACCEPT-LIST",
        also=(
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-HEAD-200",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-GET-DIGEST-200",
            "PULL-ACCEPT-REPEATED-FIELD",
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-ACCEPT-QVALUE",
            "PULL-ACCEPT-EXACT",
        ),
        apply=_cut_accept,
    ),
    _fault(
        "eighth-tag-cleared-by-a-refusal",
        "A push to a tag that is refused for missing blobs takes the tag away.",
        "PUSH-MANIFEST-REFUSED-NOT-STORED",
        also=(
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-HEAD-200",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
        ),
        apply=_tag_cleared_first,
    ),
    _fault(
        "eighth-location-in-the-library",
        "The Location of a manifest in a repository of one component has library/ before the name.",
        "PUSH-MANIFEST-LOCATION-PULLABLE",
        apply=lambda registry: _in_the_library(registry)(registry),
    ),
    _fault(
        "eighth-deleted-tag-restored",
        "The first push to a tag that was deleted brings back the manifest that it named.",
        "PUSH-MANIFEST-BY-TAG-PULLABLE",
        also=(
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-CONSIST-TAG-MOVE",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
        ),
        apply=_marked_as_deleted,
    ),
    _fault(
        "eighth-head-length-in-characters",
        "HEAD of a manifest with letters beyond ASCII has the number of its characters for its length.",
        "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=on("manifest.head", status=200, change=_characters),
    ),
)
