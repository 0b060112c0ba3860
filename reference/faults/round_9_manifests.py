"""Faults of manifests that show under one condition: a kind, a size, a tag, a name, a moment."""

from __future__ import annotations

import json
import re

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, parse
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.resources import matches
from reference.storage import Manifest

_PULLS = ("manifest.get", "manifest.head")
_BUFFER = 1 << 20
_ROWS = 500
_HEADER_BUFFER = 255
_TAG_COLUMN = 127
_HEX_TAG = re.compile(r"[0-9a-f]{40,64}")


def _digest_as_in_url(request: Request, response: Response) -> None:
    last = request.path.rpartition("/")[2]
    if "%3a" in last.lower():
        response.headers.set("Docker-Content-Digest", last)


def _tag_cut_for_deletion(registry: Registry) -> None:
    """The statement that deletes a tag takes one character less than the one that makes it."""
    remove = registry.manifests.remove_tag
    override(registry.manifests, remove_tag=lambda name, tag: remove(name, tag[:_TAG_COLUMN]))


def _hex_is_digest(registry: Registry) -> None:
    """What is nothing but hexadecimal digits is looked up as a digest."""

    def around(operation: str) -> None:
        handler = registry.handlers[operation]

        async def changed(request: Request) -> Response:
            if _HEX_TAG.fullmatch(request.reference):
                digest = f"sha256:{request.reference}"
                if registry.storage.manifest(request.name, digest) is None:
                    raise errors.manifest_unknown(request.reference)
                request.reference = digest
            return await handler(request)

        registry.handlers[operation] = changed

    for operation in _PULLS:
        around(operation)


def _length_of_buffer(_request: Request, response: Response) -> None:
    response.headers.set("Content-Length", str(min(response.length, _BUFFER)))


def _as_many_rows(registry: Registry) -> None:
    """The descriptors of a manifest are rows, of which a query gives so many."""

    def negotiate(_request: Request, manifest: Manifest) -> Manifest:
        members = parse(manifest.content)
        for member in ("layers", "manifests"):
            entries = members.get(member)
            if isinstance(entries, list) and len(entries) > _ROWS:
                cut = json.dumps({**members, member: entries[:_ROWS]}).encode()
                return Manifest(manifest.digest, manifest.media_type, cut)
        return manifest

    override(registry.manifests, negotiate=negotiate)


def _tag_undeleted(registry: Registry) -> None:
    """A deleted tag is marked as such, and a push takes the mark away."""
    marked: dict[tuple[str, str], str] = {}
    storage = registry.storage
    remove, set_tag = registry.manifests.remove_tag, storage.set_tag

    def removed(name: str, tag: str) -> None:
        digest = storage.tag(name, tag)
        if digest is not None:
            marked[name, tag] = digest
        remove(name, tag)

    def changed(name: str, tag: str, digest: str) -> None:
        former = marked.pop((name, tag), None)
        set_tag(name, tag, former if former is not None and storage.manifest(name, former) else digest)

    override(registry.manifests, remove_tag=removed)
    override(storage, set_tag=changed)


def _tag_gone_when_refused(registry: Registry) -> None:
    """The tag is taken from its former manifest before the references of the next are looked up."""
    put, storage = registry.handlers["manifest.put"], registry.storage

    async def changed(request: Request) -> Response:
        try:
            return await put(request)
        except errors.RegistryError as error:
            missing = any(entry.code == "MANIFEST_BLOB_UNKNOWN" for entry in error.entries)
            if missing and storage.tag(request.name, request.reference) is not None:
                storage.delete_tag(request.name, request.reference)
            raise

    registry.handlers["manifest.put"] = changed


def _accept_in_buffer(registry: Registry) -> None:
    """Accept is read as far as its buffer goes."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        accept = ",".join(request.headers.all("accept")).lower()
        seen = accept[:_HEADER_BUFFER]
        if len(accept) > len(seen) and "*" not in seen and manifest.media_type.lower() not in seen:
            raise errors.manifest_unknown(request.reference)
        return manifest

    override(registry.manifests, negotiate=negotiate)


def _tag_of_deleted_unchanged(registry: Registry) -> None:
    """Which entity tag a tag has is remembered for conditions, and not forgotten when the tag is deleted."""
    etags: dict[tuple[str, str], str] = {}
    set_tag = registry.storage.set_tag

    def noted(name: str, tag: str, digest: str) -> None:
        etags[name, tag] = f'"{digest}"'
        set_tag(name, tag, digest)

    def around(operation: str) -> None:
        handler = registry.handlers[operation]

        async def changed(request: Request) -> Response:
            condition = ",".join(request.headers.all("if-none-match"))
            etag = etags.get((request.name, request.reference))
            if condition and etag is not None and matches(condition, etag):
                return Response(304, [("Docker-Content-Digest", etag.strip('"')), ("ETag", etag)])
            return await handler(request)

        registry.handlers[operation] = changed

    override(registry.storage, set_tag=noted)
    for operation in _PULLS:
        around(operation)


def _lists_stay(registry: Registry) -> None:
    """Deletion knows the tables of images and of OCI indexes."""
    remove, storage = registry.manifests.remove, registry.storage

    def changed(name: str, digest: str) -> None:
        manifest = storage.manifest(name, digest)
        if manifest is not None and manifest.media_type == DOCKER_LIST:
            registry.manifests.remove_tags_of(name, digest)
            return
        remove(name, digest)

    override(registry.manifests, remove=changed)


FAULTS = (
    Fault(
        name="ninth-digest-as-in-the-url",
        title="Docker-Content-Digest of a manifest repeats the digest of the URL with its percent-encoding.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        also=(
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-CONSIST-REPEATABLE",
        ),
        apply=on(*_PULLS, status=200, change=_digest_as_in_url),
    ),
    Fault(
        name="ninth-longest-tag-not-deleted",
        title="The deletion of a tag of 128 characters is answered 202, and the tag stays.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=(
            "MGMT-TAG-DELETE-HEAD-404",
            "MGMT-TAG-DELETE-NOT-LISTED",
            "MGMT-TAG-DELETE-UNKNOWN-404",
        ),
        apply=_tag_cut_for_deletion,
    ),
    Fault(
        name="ninth-hexadecimal-tag-unknown",
        title="A tag of 40 to 64 hexadecimal digits is accepted, and looked up as a digest.",
        breaks=("BASE-TAG-ACCEPTED-KEPT",),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-HEAD-200",
        ),
        apply=_hex_is_digest,
    ),
    Fault(
        name="ninth-head-of-large-manifest-cut",
        title="The HEAD of a manifest above 1 MiB has the Content-Length of 1 MiB.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        also=(
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PUSH-MANIFEST-4MB-ACCEPTED",
        ),
        apply=on("manifest.head", status=200, change=_length_of_buffer),
    ),
    Fault(
        name="ninth-descriptors-beyond-500-lost",
        title="A manifest with more than 500 descriptors is pulled with the first 500 of them.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT",),
        also=(
            "PUSH-MANIFEST-BYTES-EXACT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-4MB-ACCEPTED",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_as_many_rows,
    ),
    Fault(
        name="ninth-deleted-tag-comes-back",
        title="A tag that was deleted and is pushed with another manifest leads to the former one again.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE",),
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-CONSIST-TAG-MOVE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_tag_undeleted,
    ),
    Fault(
        name="ninth-tag-gone-with-a-refused-push",
        title="A tag to which a manifest with missing blobs is pushed is gone when that is refused.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        also=("PUSH-MANIFEST-KEPT",),
        apply=_tag_gone_when_refused,
    ),
    Fault(
        name="ninth-accept-in-a-buffer",
        title="A type that stands behind the first 255 characters of Accept does not count.",
        breaks=("PULL-ACCEPT-LIST",),
        also=(
            "PULL-ACCEPT-REPEATED-FIELD",
            "PULL-ACCEPT-QVALUE",
            "PULL-ACCEPT-CASE",
            "PULL-ACCEPT-INDEX-INTACT",
        ),
        apply=_accept_in_buffer,
    ),
    Fault(
        name="ninth-deleted-tag-unchanged",
        title="The pull of a deleted tag on the condition of its former ETag is answered 304.",
        breaks=(
            "PULL-CACHE-UNKNOWN-NOT-304",
            "MGMT-TAG-DELETE-HEAD-404",
        ),
        also=(
            "MGMT-TAG-DELETE-GET-404",
            "MGMT-MANIFEST-DELETE-TAGS-404",
        ),
        apply=_tag_of_deleted_unchanged,
    ),
    Fault(
        name="ninth-docker-list-not-deleted",
        title="The deletion of a Docker manifest list by its digest is answered 202, and the list stays.",
        breaks=("MGMT-MANIFEST-DELETE-GET-404",),
        also=(
            "MGMT-MANIFEST-DELETE-HEAD-404",
            "MGMT-MANIFEST-DELETE-TWICE-404",
        ),
        apply=_lists_stay,
    ),
)
