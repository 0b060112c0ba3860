"""Faults of blobs, after public reports."""

from __future__ import annotations

import json
import re
from typing import Any

from reference import errors
from reference.app import Registry
from reference.faults.pull.shared import accepted_types
from reference.grammar import digest_of
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Apply, Fault, around, override
from reference.storage.memory import MemoryContent

_EMPTY = digest_of(b"")
_CAP = 1 << 20
_OPEN_RANGE = re.compile(r"bytes=\d+-")


def _holder(registry: Registry, digest: str) -> str | None:
    """Some repository that holds a blob."""
    return next((name for name in registry.storage.repositories() if registry.storage.has_blob(name, digest)), None)


@around("blob.get", "blob.head")
async def _empty_invalid(registry: Registry, request: Request, handler: Handler) -> Response:
    """What is empty and not there is taken for something wrong."""
    known = registry.storage.has_blob(request.name, request.reference)
    if request.reference == _EMPTY and not known and registry.storage.exists(request.name):
        raise errors.digest_invalid(request.reference)
    return await handler(request)


def _large_unknown_to_head(registry: Registry) -> None:
    """HEAD reads what is not in the cache into a buffer, which is too small for it."""
    cached: set[tuple[str, str]] = set()
    get, head = registry.handlers["blob.get"], registry.handlers["blob.head"]

    async def pulled(request: Request) -> Response:
        response = await get(request)
        if response.status == 200:
            cached.add((request.name, request.reference))
        return response

    async def looked_at(request: Request) -> Response:
        size = registry.uploads.size(request.name, request.reference)
        if size is not None and size > _CAP and (request.name, request.reference) not in cached:
            raise errors.blob_unknown(request.reference)
        return await head(request)

    registry.handlers["blob.get"], registry.handlers["blob.head"] = pulled, looked_at


@around("blob.get")
async def _open_range_416(registry: Registry, request: Request, handler: Handler) -> Response:
    """A range is two numbers, and nothing else is one."""
    response = await handler(request)
    if response.status != 206 or not _OPEN_RANGE.fullmatch(request.headers.get("range").strip()):
        return response
    size = response.content.size if response.content is not None else 0
    return Response(416, [("Content-Range", f"bytes */{size}")])


@around("blob.get")
async def _range_from_elsewhere(registry: Registry, request: Request, handler: Handler) -> Response:
    """A part is read by way of the cache, which puts the blob back where it is missing."""
    missing = registry.storage.exists(request.name) and not registry.storage.has_blob(request.name, request.reference)
    if request.headers.get("range") and missing:
        source = _holder(registry, request.reference)
        if source is not None:
            registry.storage.mount_blob(source, request.name, request.reference)
    return await handler(request)


def _back_by_head(registry: Registry) -> None:
    """The look at a deleted blob finds it in the cache, and links it again."""
    deleted: set[tuple[str, str]] = set()
    remove, head = registry.blobs.remove, registry.handlers["blob.head"]

    def remember(name: str, digest: str) -> bool:
        deleted.add((name, digest))
        return remove(name, digest)

    async def looked_at(request: Request) -> Response:
        key = request.name, request.reference
        if key in deleted and not registry.storage.has_blob(*key):
            source = _holder(registry, request.reference)
            if source is not None:
                registry.storage.mount_blob(source, *key)
        return await head(request)

    override(registry.blobs, remove=remember)
    registry.handlers["blob.head"] = looked_at


def _stubs(registry: Registry) -> None:
    """The bytes lie in the first repository that had them; the others have an empty file in their place."""
    first: dict[str, str] = {}
    stubs: set[tuple[str, str]] = set()
    commit, remove, find = registry.storage.commit_upload, registry.blobs.remove, registry.blobs.find

    def remember(upload: object, digests: object) -> None:
        commit(upload, digests)  # type: ignore[arg-type]  # handed on as they came
        for digest in digests:  # type: ignore[attr-defined]  # as above
            name = upload.repository  # type: ignore[attr-defined]  # as above
            first.setdefault(digest, name)
            stubs.discard((name, digest))

    def changed(name: str, digest: str) -> bool:
        done = remove(name, digest)
        stubs.discard((name, digest))
        if done and first.get(digest) == name:
            del first[digest]
            stubs.update(
                (other, digest) for other in registry.storage.repositories() if registry.storage.has_blob(other, digest)
            )
        return done

    def found(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return MemoryContent(b"") if content is not None and (name, digest) in stubs else content

    override(registry.storage, commit_upload=remember)
    override(registry.blobs, remove=changed, find=found)


@around("manifest.get", "manifest.head")
async def _blob_no_manifest(registry: Registry, request: Request, handler: Handler) -> Response:
    """The bytes are found by their digest, and cannot be read as a manifest."""
    known = registry.storage.manifest(request.name, request.reference) is not None
    if not known and registry.storage.has_blob(request.name, request.reference):
        raise errors.RegistryError(500)
    return await handler(request)


_MANIFESTS = ("manifest.get", "manifest.head")
_SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"
_CONFIGS = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"},
)


def _tags_denied(*operations: str, prefix: str = "") -> Apply:
    """Refuse a tag that a repository does not have, in the place of 404."""

    @around(*operations)
    async def apply(registry: Registry, request: Request, handler: Handler) -> Response:
        try:
            return await handler(request)
        except errors.RegistryError as error:
            is_tag = ":" not in request.reference and request.reference.startswith(prefix)
            if error.status == 404 and is_tag and registry.storage.exists(request.name):
                raise errors.RegistryError(403, (errors.ErrorEntry("DENIED"),)) from error
            raise

    return apply


@around("manifest.get")
async def _signatures_uncounted(_registry: Registry, request: Request, handler: Handler) -> Response:
    """The pull of a signature is counted with its tag, and fails where none is named."""
    response = await handler(request)
    if ":" in request.reference and response.status == 200:
        layers: list[dict[str, Any]] = json.loads(response.body).get("layers") or []
        if any(layer.get("mediaType") == _SIGNATURE for layer in layers):
            raise errors.internal(request.id)
    return response


@around("blob.head")
async def _below_a_repository(registry: Registry, request: Request, handler: Handler) -> Response:
    """The rights on a repository are looked up before it is known that there is none."""
    parts = request.name.split("/")
    above = ["/".join(parts[:length]) for length in range(1, len(parts))]
    try:
        return await handler(request)
    except errors.RegistryError as error:
        exists = registry.storage.exists
        if error.status == 404 and not exists(request.name) and any(map(exists, above)):
            raise errors.RegistryError(403, (errors.ErrorEntry("DENIED"),)) from error
        raise


@around("blob.get")
async def _configs_empty(_registry: Registry, request: Request, handler: Handler) -> Response:
    response = await handler(request)
    if response.status == 200 and _CONFIGS & accepted_types(request):
        response.parts = []
    return response


FAULTS = (
    # project-zot/zot pull request 3642: the empty blob, where a repository lacks it, gets 400.
    Fault(
        name="empty-blob-unknown-400",
        title="The empty blob, where it is not there, gets 400; other unknown blobs get 404.",
        breaks=("PULL-BLOB-GET-UNKNOWN-404",),
        also=("PULL-BLOB-HEAD-UNKNOWN-404",),
        apply=_empty_invalid,
    ),
    # artifact-keeper/artifact-keeper issue 3605: HEAD of a large blob 404, GET 200, until it is cached.
    Fault(
        name="large-blob-unknown-to-head",
        title="HEAD of a blob above a mebibyte gets 404 until somebody has pulled it.",
        breaks=("PULL-BLOB-HEAD-200",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=_large_unknown_to_head,
    ),
    # anchore/stereoscope pull request 695: the registry of go-containerregistry refuses bytes=N-.
    Fault(
        name="open-range-416",
        title="A range that names no end gets 416, though it begins within the blob.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=("PULL-BLOB-RANGE-OPEN", "PULL-BLOB-RANGE-ADVERTISED-TRUE"),
        apply=_open_range_416,
    ),
    # project-zot/zot pull request 4166: ranged GET makes the blob anew from the cache of all repositories.
    Fault(
        name="range-brings-blob-from-elsewhere",
        title="A request for a range of a blob that another repository holds puts it into this one.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        apply=_range_from_elsewhere,
    ),
    # project-zot/zot issue 1733: a deleted blob is found again by way of the record of duplicates.
    Fault(
        name="deleted-blob-back-after-head",
        title="HEAD of a deleted blob brings it back, if another repository still holds it.",
        breaks=("MGMT-BLOB-DELETE-HEAD-404",),
        also=("MGMT-BLOB-DELETE-GET-404", "MGMT-BLOB-DELETE-TWICE-404"),
        apply=_back_by_head,
    ),
    # project-zot/zot issue 4427: a stub in place of a duplicate is served as a blob without bytes.
    Fault(
        name="duplicate-empty-without-first-copy",
        title="A blob is empty in the other repositories once the first one that had it has deleted it.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-BLOB-KEPT", "PULL-BLOB-GET-BODY-EXACT"),
        apply=_stubs,
    ),
    # distribution/distribution issue 3122: the digest of a blob in the place of a manifest gets 500.
    Fault(
        name="blob-as-manifest-500",
        title="The digest of a blob that the repository holds gets 500 among the manifests.",
        breaks=("PULL-MANIFEST-NOT-A-BLOB",),
        apply=_blob_no_manifest,
    ),
    # distribution issue 3122: the digest of a config or layer among the manifests.
    Fault(
        name="unknown-tag-of-digest-403",
        title="A tag that begins with sha256- and is not there gets 403, any other 404.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-404", "PULL-MANIFEST-HEAD-UNKNOWN-404"),
        apply=_tags_denied(*_MANIFESTS, prefix="sha256-"),
    ),
    # nora issue 821: a client asks whether a tag is there before it pushes it.
    Fault(
        name="signature-by-digest-500",
        title="GET of a cosign signature by its digest gets 500, by its tag 200.",
        breaks=("PULL-MANIFEST-GET-DIGEST-200",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE", "PULL-MANIFEST-TAG-DIGEST-AGREE"),
        apply=_signatures_uncounted,
    ),
    # nora pull 639: a tag is kept from its first pull on.
    Fault(
        name="blob-head-below-repository-403",
        title="HEAD of a blob in an unknown repository gets 403 where its name goes on from a known one's.",
        breaks=("PULL-BLOB-GET-UNKNOWN-REPO-404",),
        also=("PULL-BLOB-HEAD-UNKNOWN-404", "PULL-BLOB-HEAD-GET-AGREE"),
        apply=_below_a_repository,
    ),
    # crfs-plugin issue 1: the storage behind a registry takes one range.
    Fault(
        name="config-empty-by-its-type",
        title="A blob is empty for a client whose Accept names the type of an image's config.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PULL-BLOB-GET-DCD-TRUE"),
        apply=_configs_empty,
    ),
)
