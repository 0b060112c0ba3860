"""Variants of time and of what stays: lists that lag, deletions that take a while, repositories that must exist."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

from reference import errors
from reference.app import Registry
from reference.documents import OCI_INDEX, OCI_MANIFEST, Document, parse
from reference.grammar import digest_of
from reference.messages import Request, Response
from reference.modifications import OCI, Apply, Variant, on, override
from reference.resources import next_link
from reference.storage import Manifest

_LIMIT = 1000


def _edge_values(registry: Registry) -> None:
    """An n that is no number is ignored, a large one reduced; a last that is no tag leads to nothing."""
    listing = registry.handlers["tags.list"]

    async def changed(request: Request) -> Response:
        n, last = request.query.get("n"), request.query.get("last")
        if n is not None and not n.isdecimal():
            request.query.pairs = [pair for pair in request.query.pairs if pair[0] != "n"]
        elif n is not None and int(n) > _LIMIT:
            request.query.pairs = [(key, str(_LIMIT) if key == "n" else value) for key, value in request.query.pairs]
        if last is not None and last not in registry.storage.tags(request.name):
            return Response.json({"name": request.name, "tags": []})
        return await listing(request)

    registry.handlers["tags.list"] = changed


def _gone_with_its_tags(registry: Registry) -> None:
    exists = registry.tags.exists
    override(registry.tags, exists=lambda name: exists(name) and bool(registry.storage.tags(name)))


def _null(_request: Request, response: Response) -> None:
    response.body = response.body.replace(b'"tags": []', b'"tags": null')


def _paged(registry: Registry) -> None:
    """Two referrers a page, and an opaque cursor."""
    listing = registry.handlers["referrers.list"]

    async def changed(request: Request) -> Response:
        cursor = request.query.get("cursor")
        start = int(base64.urlsafe_b64decode(cursor)) if cursor is not None else 0
        response = await listing(request)
        if response.status != 200:
            return response
        entries = json.loads(response.body)["manifests"]
        paged = Response.json(
            {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries[start : start + 2]}, media_type=OCI_INDEX
        )
        if applied := response.headers.get("OCI-Filters-Applied"):
            paged.headers.add("OCI-Filters-Applied", applied)
        if len(entries) > start + 2:
            kept = f"artifactType={wanted}&" if (wanted := _raw(request, "artifactType")) else ""
            position = base64.urlsafe_b64encode(str(start + 2).encode()).decode()
            paged.headers.add(*next_link(request, f"{kept}cursor={position.replace('=', '%3D')}"))
        return paged

    registry.handlers["referrers.list"] = changed


def _raw(request: Request, name: str) -> str:
    return next((p.partition("=")[2] for p in request.query.raw.split("&") if p.startswith(f"{name}=")), "")


def _twice(registry: Registry) -> None:
    """What was deleted may be deleted again."""
    delete = registry.handlers["manifest.delete"]
    gone: set[tuple[str, str]] = set()

    async def changed(request: Request) -> Response:
        key = (request.name, request.reference)
        if key in gone and ":" in request.reference and registry.storage.manifest(*key) is None:
            return Response(202)
        response = await delete(request)
        gone.add(key)
        return response

    registry.handlers["manifest.delete"] = changed


def _used_kept(registry: Registry) -> None:
    """A blob that a manifest has, and a manifest that an index has, cannot be deleted."""
    used: set[tuple[str, str]] = set()
    put, check = registry.storage.put_manifest, registry.check_allowed

    def remember(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        document = json.loads(manifest.content)
        parts = [document.get("config", {}), *document.get("layers", []), *document.get("manifests", [])]
        used.update((name, part["digest"]) for part in parts if "digest" in part)

    def changed(request: Request) -> None:
        check(request)
        if request.operation in ("blob.delete", "manifest.delete") and (request.name, request.reference) in used:
            raise errors.RegistryError(409, (errors.ErrorEntry("DENIED", "it is in use"),))

    override(registry.storage, put_manifest=remember)
    override(registry, check_allowed=changed)


def _tags_stay(registry: Registry) -> None:
    """A deleted manifest is still there under its tags."""
    override(registry.manifests, remove_tags_of=lambda _name, _digest: None)
    find, delete = registry.manifests.find, registry.storage.delete_manifest
    kept: dict[tuple[str, str], Manifest] = {}

    def remember(name: str, digest: str, subject: str | None) -> None:
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None:
            kept[(name, digest)] = manifest
        delete(name, digest, subject)

    def changed(name: str, reference: str) -> Manifest | None:
        found = find(name, reference)
        digest = registry.storage.tag(name, reference) if ":" not in reference else None
        return found or (kept.get((name, digest)) if digest is not None else None)

    override(registry.storage, delete_manifest=remember)
    override(registry.manifests, find=changed)


def _listed_repositories(*names: str) -> Apply:
    def apply(registry: Registry) -> None:
        check = registry.check_allowed

        def changed(request: Request) -> None:
            check(request)
            if request.name and request.name not in names:
                raise errors.name_unknown(request.name)

        override(registry, check_allowed=changed)

    return apply


def _given(registry: Registry) -> None:
    """Repositories are made by an administrator: those below team/ may be pushed to, and no other."""
    check = registry.check_allowed

    def changed(request: Request) -> None:
        check(request)
        if request.name and not request.name.startswith("team/"):
            raise errors.name_unknown(request.name)

    override(registry, check_allowed=changed)


def _collected(registry: Registry) -> None:
    """A manifest goes with its last tag."""
    remove = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        digest = registry.storage.tag(name, tag)
        remove(name, tag)
        left = {registry.storage.tag(name, other) for other in registry.storage.tags(name)}
        if digest is not None and digest not in left:
            registry.manifests.remove(name, digest)

    override(registry.manifests, remove_tag=changed)


def _blobs_collected(registry: Registry) -> None:
    """Blobs go with the last manifest of a repository that has them."""
    having: dict[tuple[str, str], set[str]] = {}
    put, remove = registry.storage.put_manifest, registry.manifests.remove

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        having[name, manifest.digest] = {*Document(manifest.media_type, parse(manifest.content)).blobs}
        put(name, manifest, subject)

    def changed(name: str, digest: str) -> None:
        remove(name, digest)
        blobs = having.pop((name, digest), set())
        for blob in blobs.difference(*(others for (where, _), others in having.items() if where == name)):
            registry.storage.delete_blob(name, blob)

    override(registry.storage, put_manifest=stored)
    override(registry.manifests, remove=changed)


def _untagged_collected(registry: Registry) -> None:
    """Manifests go when their last tag moves, and what an index lists goes with it, where nothing else needs them."""
    listing: dict[tuple[str, str], set[str]] = {}
    storage, put, remove, set_tag = (
        registry.storage,
        registry.storage.put_manifest,
        registry.manifests.remove,
        registry.storage.set_tag,
    )

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        document = Document(manifest.media_type, parse(manifest.content))
        listing[name, manifest.digest] = {*document.children, *([document.subject] if document.subject else [])}
        put(name, manifest, subject)

    def collect(name: str, digest: str) -> None:
        tagged = {storage.tag(name, tag) for tag in storage.tags(name)}
        listed = {child for (where, _), children in listing.items() if where == name for child in children}
        if digest not in tagged | listed and not storage.referrers(name, digest):
            removed(name, digest)

    def moved(name: str, tag: str, digest: str) -> None:
        before = storage.tag(name, tag)
        set_tag(name, tag, digest)
        if before is not None and before != digest:
            collect(name, before)

    def removed(name: str, digest: str) -> None:
        remove(name, digest)
        for child in listing.pop((name, digest), set()):
            collect(name, child)

    override(registry.storage, put_manifest=stored, set_tag=moved)
    override(registry.manifests, remove=removed)


def _shared(registry: Registry) -> None:
    """A blob of any repository is found in each."""
    storage = registry.storage
    has, open_blob = storage.has_blob, storage.open_blob

    def holder(digest: str) -> str | None:
        return next((name for name in storage.repositories() if has(name, digest)), None)

    def opened(_name: str, digest: str) -> object:
        where = holder(digest)
        return open_blob(where, digest) if where is not None else None

    override(registry.blobs, find=opened)


def _preloaded(registry: Registry) -> None:
    """One image is there, and nothing can be written."""
    name, digests = "preloaded/image", []
    blobs = [b"{}", b"layer" * 100]
    for blob in blobs:
        upload = registry.storage.start_upload(name)
        upload._store(blob)
        digests.append(digest_of(blob))
        registry.storage.commit_upload(upload, digests[-1:])
    kinds = ("application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar")
    config, layer = (
        {"mediaType": kind, "digest": digest, "size": len(blob)}
        for kind, digest, blob in zip(kinds, digests, blobs, strict=True)
    )
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]}
    body = json.dumps(document).encode()
    registry.storage.put_manifest(name, Manifest(digest_of(body), OCI_MANIFEST, body), None)
    registry.storage.set_tag(name, "latest", digest_of(body))
    registry.options = replace(registry.options, read_only=True)


VARIANTS = (
    Variant(
        name="tags-page-edge-values",
        title="An n that is no number is ignored, and a last that is no tag gives an empty list.",
        latitude=("TAGS-PAGING-EDGE-VALUES",),
        profiles=OCI,
        warns=(
            "DISC-TAGS-N-INVALID-400",
            "DISC-TAGS-LAST-NOT-A-TAG",
        ),
        apply=_edge_values,
    ),
    Variant(
        name="tags-empty-404",
        title="A repository without tags has no list.",
        latitude=("TAGS-EMPTY-200-OR-404",),
        warns=("DISC-TAGS-EMPTY-REPO-200",),
        apply=_gone_with_its_tags,
    ),
    Variant(
        name="tags-empty-null",
        title="An empty list of tags is null.",
        latitude=("TAGS-NULL",),
        warns=("DISC-TAGS-EMPTY-ARRAY",),
        profiles=("docker-v2",),
        apply=on("tags.list", status=200, change=_null),
    ),
    Variant(
        name="referrers-paged",
        title="Two referrers are listed at once.",
        latitude=("REFERRERS-PAGES-AND-ORDER",),
        apply=_paged,
    ),
    Variant(
        name="referrers-in-small-pages",
        title="One referrer is listed at once.",
        latitude=("REFERRERS-PAGES-AND-ORDER",),
        apply=lambda registry: override(registry.referrers, page_bytes=1),
    ),
    Variant(
        name="delete-again-202",
        title="A manifest that was deleted may be deleted again.",
        latitude=("DELETE-REPEATED",),
        profiles=OCI,
        warns=("MGMT-MANIFEST-DELETE-TWICE-404",),
        apply=_twice,
    ),
    Variant(
        name="delete-of-used-409",
        title="What is in use cannot be deleted.",
        latitude=("DELETE-OF-USED-CONTENT",),
        apply=_used_kept,
    ),
    Variant(
        name="delete-keeps-tags",
        title="A manifest that is deleted by digest stays under its tags.",
        latitude=("DELETE-MANIFEST-TAGS",),
        profiles=("docker-v2", "oci-1.0"),
        warns=("MGMT-MANIFEST-DELETE-TAGS-404",),
        apply=_tags_stay,
    ),
    Variant(
        name="manifest-goes-with-last-tag",
        title="A manifest without tags is removed.",
        latitude=("UNREFERENCED-CONTENT-COLLECTED",),
        warns=("MGMT-TAG-DELETE-MANIFEST-BY-DIGEST-KEPT",),
        apply=_collected,
    ),
    Variant(
        name="blobs-go-with-last-manifest",
        title="Blobs that no manifest of their repository has any longer are removed with the last that had them.",
        latitude=("UNREFERENCED-CONTENT-COLLECTED",),
        apply=_blobs_collected,
    ),
    Variant(
        name="untagged-manifests-collected",
        title="Manifests that a tag left, or that a deleted index listed, are removed where nothing needs them.",
        latitude=("UNREFERENCED-CONTENT-COLLECTED",),
        warns=("PULL-CONSIST-OLD-DIGEST",),
        undecided=True,
        apply=_untagged_collected,
    ),
    Variant(
        name="repositories-listed",
        title="Two repositories are there, and no other can be made.",
        latitude=("REPOSITORY-NOT-CREATED-ON-PUSH",),
        options=("--repository", "given/one", "--repository", "given/two"),
        apply=_listed_repositories("given/one", "given/two"),
    ),
    Variant(
        name="repositories-given",
        title="Repositories are only there below a prefix, with content of others.",
        latitude=("REPOSITORY-NOT-CREATED-ON-PUSH",),
        options=("--repository", "team/one", "--repository", "team/two"),
        apply=_given,
    ),
    Variant(
        name="blobs-registry-wide",
        title="A blob of any repository can be pulled from each.",
        latitude=("BLOB-REGISTRY-WIDE",),
        profiles=("docker-v2", "oci-1.0"),
        warns=("PULL-BLOB-OTHER-REPO-404",),
        apply=_shared,
    ),
    Variant(
        name="read-only",
        title="One image can be pulled, and nothing written.",
        latitude=("WRITES-UNSUPPORTED", "PROXY-AND-EXTENSION-FEATURES"),
        options=("--read-only", "--existing", "preloaded/image:latest"),
        apply=_preloaded,
    ),
    Variant(
        name="writes-refused",
        title="One image can be pulled, and whoever writes is refused.",
        latitude=("WRITES-UNSUPPORTED",),
        lacks=("push",),
        options=("--existing", "preloaded/image:latest"),
        apply=_preloaded,
    ),
)
