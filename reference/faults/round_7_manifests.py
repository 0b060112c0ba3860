"""Faults of manifests that show under one condition each: a kind, a size, a tag, or what happened before."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import DOCKER_LIST, INDEXES, Document, parse
from reference.grammar import digest_of
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Manifest

#: What a cache takes at most, in bytes.
_CACHED = 1 << 20
_BATCH = 500
_COMPONENTS = 6
_TAG_COLUMN = 127


def _children_go_too(registry: Registry) -> None:
    """With an index goes what it lists."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        remove(name, digest)
        if manifest is not None and manifest.media_type in INDEXES:
            for child in Document(manifest.media_type, parse(manifest.content)).children:
                remove(name, child)

    override(registry.manifests, remove=changed)


def _flattened(registry: Registry) -> None:
    """By tag an index that lists an index is taken for a way to that."""

    def changed(request: Request, manifest: Manifest) -> Manifest:
        if ":" in request.reference or manifest.media_type not in INDEXES:
            return manifest
        for entry in parse(manifest.content)["manifests"]:
            if entry["mediaType"] in INDEXES:
                return registry.storage.manifest(request.name, entry["digest"]) or manifest
        return manifest

    override(registry.manifests, negotiate=changed)


def _type_of_the_text(_request: Request, response: Response) -> None:
    """The type of a HEAD is read from the manifest."""
    response.headers.set("Content-Type", parse(response.body).get("mediaType") or "application/json")


def _too_large_for_the_cache(registry: Registry) -> None:
    """A tag that moves is written to a cache, which refuses what is large and keeps what it has."""
    cached: dict[tuple[str, str], str] = {}
    set_tag, delete_tag, find = registry.storage.set_tag, registry.storage.delete_tag, registry.manifests.find

    def moved(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None and len(manifest.content) <= _CACHED:
            cached[name, tag] = digest

    def deleted(name: str, tag: str) -> None:
        cached.pop((name, tag), None)
        delete_tag(name, tag)

    def changed(name: str, reference: str) -> Manifest | None:
        known = cached.get((name, reference))
        return (registry.storage.manifest(name, known) if known else None) or find(name, reference)

    override(registry.storage, set_tag=moved, delete_tag=deleted)
    override(registry.manifests, find=changed)


def _first_batch_alone(registry: Registry) -> None:
    """What belongs to a manifest is deleted before it, and all that in one batch."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        members = parse(manifest.content) if manifest is not None else {}
        if len(members.get("layers", ())) + len(members.get("manifests", ())) >= _BATCH:
            registry.manifests.remove_tags_of(name, digest)
            return
        remove(name, digest)

    override(registry.manifests, remove=changed)


def _sha512_in_common(registry: Registry) -> None:
    """The table of digests that are not sha256 has no column for the repository."""
    find = registry.manifests.find

    def changed(name: str, reference: str) -> Manifest | None:
        found = find(name, reference)
        if found is None and reference.startswith("sha512:") and registry.storage.exists(name):
            others = (registry.storage.manifest(other, reference) for other in registry.storage.repositories())
            return next((other for other in others if other is not None), None)
        return found

    override(registry.manifests, find=changed)


def _folded_for_deletion(registry: Registry) -> None:
    def changed(name: str, tag: str) -> None:
        registry.storage.delete_tag(name, tag.lower())

    override(registry.manifests, remove_tag=changed)


def _column_too_short(registry: Registry) -> None:
    """A tag that is there is looked for by as much of it as the column of an older table had."""
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        found = tag[:_TAG_COLUMN]
        if registry.storage.tag(name, tag) is None:
            set_tag(name, tag, digest)
        elif registry.storage.tag(name, found) is not None:
            set_tag(name, found, digest)

    override(registry.storage, set_tag=changed)


def _latest_by_time(registry: Registry) -> None:
    """Where nothing is called latest it is what was tagged last."""
    find = registry.manifests.find

    def changed(name: str, reference: str) -> Manifest | None:
        found = find(name, reference)
        if found is None and reference == "latest":
            tags = registry.storage.tags(name)
            return find(name, tags[-1]) if tags else None
        return found

    override(registry.manifests, find=changed)


def _head_by_raw_path(registry: Registry) -> None:
    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            request.reference = request.path.rpartition("/")[2]
            return await handler(request)

        return changed

    wrap(registry, ["manifest.head"], around)


def _tags_restored(registry: Registry) -> None:
    """A deleted manifest is but marked so, with its tags; when it comes back they do."""
    marked: dict[tuple[str, str], list[str]] = {}
    storage, remove = registry.storage, registry.manifests.remove
    put = storage.put_manifest

    def removed(name: str, digest: str) -> None:
        marked[name, digest] = [tag for tag in storage.tags(name) if storage.tag(name, tag) == digest]
        remove(name, digest)

    def restored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        for tag in marked.pop((name, manifest.digest), ()):
            if storage.tag(name, tag) is None:
                storage.set_tag(name, tag, manifest.digest)

    override(registry.manifests, remove=removed)
    override(storage, put_manifest=restored)


def _noted_before_checked(registry: Registry) -> None:
    """What HEAD tells of a tag is noted as a manifest comes in, before it is looked into."""
    noted: dict[tuple[str, str], bytes] = {}

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            body = request.body
            key = (request.name, request.reference)

            async def read(limit: int) -> bytes | None:
                content = await body(limit)
                if content is not None and registry.storage.tag(*key) is not None:
                    noted[key] = content
                return content

            override(request, body=read)
            response = await handler(request)
            noted.pop(key, None)
            return response

        return changed

    def told(request: Request, response: Response) -> None:
        content = noted.get((request.name, request.reference))
        if content is not None:
            response.body = content
            response.headers.set("Docker-Content-Digest", digest_of(content))
            response.headers.set("ETag", f'"{digest_of(content)}"')

    wrap(registry, ["manifest.put"], around)
    on("manifest.head", status=200, change=told)(registry)


def _head_of_the_first(registry: Registry) -> None:
    """HEAD of a list by tag looks for an image, as the rewrite for old clients does."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if ":" in request.reference or response.headers.get("Content-Type") != DOCKER_LIST:
                return response
            for entry in parse(response.body)["manifests"]:
                child = registry.storage.manifest(request.name, entry["digest"])
                if child is not None:
                    headers = [("Content-Type", child.media_type), ("Docker-Content-Digest", child.digest)]
                    return Response(200, [*headers, ("ETag", f'"{child.digest}"')], child.content)
            return response

        return changed

    wrap(registry, ["manifest.head"], around)


def _location_of_some_components(request: Request, response: Response) -> None:
    """The pattern of the path that a Location is made with takes six components."""
    parts = request.name.split("/")
    if len(parts) > _COMPONENTS:
        last = response.headers.get("Location").rpartition("/")[2]
        response.headers.set("Location", f"/v2/{'/'.join(parts[:_COMPONENTS])}/manifests/{last}")


FAULTS = (
    Fault(
        name="seventh-children-go-too",
        title="With an index the manifests that it lists are deleted.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        also=("PUSH-MANIFEST-KEPT",),
        apply=_children_go_too,
    ),
    Fault(
        name="seventh-index-flattened",
        title="The tag of an index that lists an index yields the one that is listed.",
        breaks=(
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-TYPE-OCI-INDEX",
        ),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PUSH-MANIFEST-BYTES-EXACT",
            "PULL-TYPE-DOCKER-LIST",
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=_flattened,
    ),
    Fault(
        name="seventh-head-type-of-the-text",
        title="HEAD of a manifest without mediaType has the type application/json.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=on("manifest.head", status=200, change=_type_of_the_text),
    ),
    Fault(
        name="seventh-too-large-for-the-cache",
        title="A tag that moves to a manifest of more than a mebibyte still yields the former one.",
        breaks=("PULL-CONSIST-TAG-MOVE",),
        also=(
            "PUSH-MANIFEST-RETAG-MOVES",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
        ),
        apply=_too_large_for_the_cache,
    ),
    Fault(
        name="seventh-first-batch-alone",
        title="A manifest of 500 descriptors or more is still there when it was deleted.",
        breaks=("MGMT-MANIFEST-DELETE-GET-404",),
        also=(
            "MGMT-MANIFEST-DELETE-HEAD-404",
            "MGMT-MANIFEST-DELETE-TWICE-404",
        ),
        apply=_first_batch_alone,
    ),
    Fault(
        name="seventh-sha512-in-common",
        title="A manifest that was pushed by sha512 is served under every repository by that digest.",
        breaks=("PULL-MANIFEST-OTHER-REPO-DIGEST-404",),
        also=(
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "MGMT-MANIFEST-DELETE-GET-404",
        ),
        apply=_sha512_in_common,
    ),
    Fault(
        name="seventh-folded-for-deletion",
        title="The deletion of a tag with capitals is answered 202 and does not delete it.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=(
            "MGMT-TAG-DELETE-HEAD-404",
            "MGMT-TAG-DELETE-NOT-LISTED",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
        ),
        apply=_folded_for_deletion,
    ),
    Fault(
        name="seventh-column-too-short",
        title="A tag of 128 characters does not move, though the push is answered 201.",
        breaks=(
            "PUSH-MANIFEST-RETAG-MOVES",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-CONSIST-TAG-MOVE",
        ),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_column_too_short,
    ),
    Fault(
        name="seventh-latest-by-time",
        title="The tag latest, where there is none, yields the manifest that was tagged last.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-404",),
        also=(
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "MGMT-TAG-DELETE-GET-404",
            "MGMT-TAG-DELETE-HEAD-404",
            "MGMT-MANIFEST-DELETE-TAGS-404",
        ),
        apply=_latest_by_time,
    ),
    Fault(
        name="seventh-head-by-raw-path",
        title="HEAD does not find a manifest whose reference is percent-encoded; GET does.",
        breaks=(
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PULL-MANIFEST-HEAD-200",
        ),
        also=(),
        apply=_head_by_raw_path,
    ),
    Fault(
        name="seventh-tags-restored",
        title="When a deleted manifest is pushed again, the tags that it had before are there again.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-404",),
        also=(
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "PUSH-MANIFEST-BY-DIGEST-NO-TAG",
            "DISC-TAGS-DIGEST-NOT-LISTED",
            "PULL-MANIFEST-GET-UNKNOWN-404",
        ),
        apply=_tags_restored,
    ),
    Fault(
        name="seventh-noted-before-checked",
        title="HEAD of a tag tells digest and length of a manifest whose push to it was refused.",
        breaks=(
            "PUSH-MANIFEST-REFUSED-NOT-STORED",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
        ),
        also=(
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_noted_before_checked,
    ),
    Fault(
        name="seventh-head-of-the-first",
        title="HEAD of the tag of a Docker manifest list tells of its first image.",
        breaks=(
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
        ),
        also=(
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-TYPE-DOCKER-LIST",
        ),
        apply=_head_of_the_first,
    ),
    Fault(
        name="seventh-location-of-six-components",
        title="The Location of a manifest in a repository of more than six components names the first six.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        apply=on("manifest.put", status=201, change=_location_of_some_components),
    ),
)
