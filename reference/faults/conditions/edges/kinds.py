"""Faults that show with some kinds of manifests."""

from __future__ import annotations

import json

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_MANIFEST, IMAGES, INDEXES, OCI_INDEX, OCI_MANIFEST, Document, Json, parse
from reference.faults.conditions.edges.shared import MIB
from reference.faults.shared import gzip_unpacked
from reference.grammar import digest_of
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, around, on, override
from reference.resources import matches
from reference.storage import Manifest
from reference.storage.memory import MemoryContent

_PULLS = ("manifest.get", "manifest.head")
_MANY = 1000


def _type_from_the_body(_request: Request, response: Response) -> None:
    """The type is read from the body, and what says nothing of itself is an image."""
    if response.headers.get("Content-Type") == OCI_INDEX and not parse(response.body).get("mediaType"):
        response.headers.set("Content-Type", OCI_MANIFEST)


def _never_left(registry: Registry) -> None:
    """The search for cycles notes the inner indexes that it came to, and does not forget them when it is done."""
    visited: set[tuple[str, str]] = set()
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        check(name, document)
        for digest in document.children:
            child = registry.storage.manifest(name, digest)
            if child is None or child.media_type not in INDEXES:
                continue
            if (name, digest) in visited:
                raise errors.manifest_invalid("the index is part of itself")
            visited.add((name, digest))

    override(registry.manifests, check_references=changed)


def _spooled_without_hash(registry: Registry) -> None:
    """What is too long for the buffer goes to a file, and is not hashed on that way."""
    digest = registry.manifests.digest

    def changed(reference: str, content: bytes) -> str:
        if len(content) > MIB and ":" in reference:
            registry.manifests.check_reference(reference)
            return reference
        return digest(reference, content)

    override(registry.manifests, digest=changed)


def _variables_of_one_statement(registry: Registry) -> None:
    """The row of the subject follows those of all parts in one statement, which takes 999 variables."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        if subject is not None:
            members = parse(manifest.content)
            parts = len(members.get("layers") or ()) + len(members.get("manifests") or ())
            if parts + ("config" in members) >= _MANY:
                subject = None
        put(name, manifest, subject)

    override(registry.storage, put_manifest=changed)


_DIGEST = "Docker-Content-Digest"
#: The entity tag of an empty type.
_EMPTY_TAG = f'"{digest_of(b"")}"'


@around("upload.put", "upload.start-digest")
async def _digest_of_unpacked(registry: Registry, request: Request, handler: Handler) -> Response:
    """A gzip layer is unpacked for its diff id, and the answer is made from the record of that."""
    response = await handler(request)
    known = response.headers.get(_DIGEST)
    content = registry.storage.open_blob(request.name, known) if response.status == 201 else None
    if isinstance(content, MemoryContent):
        unpacked = gzip_unpacked(content.data)
        if unpacked != content.data:
            response.headers.set(_DIGEST, digest_of(unpacked, known.partition(":")[0]))
    return response


def _docker_image_takes_blobs(registry: Registry) -> None:
    """The links of a Docker image are its own rows, and the deletion cascades to what they point to."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        remove(name, digest)
        if manifest is not None and manifest.media_type == DOCKER_MANIFEST:
            for blob in Document(manifest.media_type, parse(manifest.content)).blobs:
                registry.storage.delete_blob(name, blob)

    override(registry.manifests, remove=changed)


@around("manifest.get", "manifest.head")
async def _entity_tag_of_type(registry: Registry, request: Request, handler: Handler) -> Response:
    """The entity tag is made from the member mediaType, and digest; without the member from nothing at all."""
    manifest = registry.manifests.find(request.name, request.reference)
    if manifest is None or parse(manifest.content).get("mediaType"):
        return await handler(request)
    condition = ",".join(request.headers.all("if-none-match"))
    if condition and matches(condition, _EMPTY_TAG):
        return Response(304, [(_DIGEST, manifest.digest), ("ETag", _EMPTY_TAG)])
    response = await handler(request)
    response.headers.set("ETag", _EMPTY_TAG)
    return response


_READ_LIMIT = 4_000_000


def _inner_indexes_deleted(registry: Registry) -> None:
    """Whatever an index made itself goes with it: the indexes inside are taken for a part of it."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        children = Document(manifest.media_type, parse(manifest.content)).children if manifest is not None else []
        remove(name, digest)
        for child in children:
            inner = registry.storage.manifest(name, child)
            if inner is not None and inner.media_type in INDEXES:
                changed(name, child)

    override(registry.manifests, remove=changed)


def _as_jsonb(value: object) -> str:
    """As PostgreSQL writes a value of the type jsonb: short members first, blanks of its own."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: (len(member[0].encode()), member[0].encode()))
        return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {_as_jsonb(v)}" for key, v in members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_as_jsonb(entry) for entry in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _config_in_jsonb(registry: Registry) -> None:
    """The config of an image is moved to a database when the image is pushed, and served from there."""
    configs: set[tuple[str, str]] = set()
    put_manifest, find = registry.storage.put_manifest, registry.blobs.find

    def put(name: str, manifest: Manifest, subject: str | None) -> None:
        put_manifest(name, manifest, subject)
        if manifest.media_type in IMAGES:
            configs.add((name, parse(manifest.content)["config"]["digest"]))

    def found(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if (name, digest) not in configs or not isinstance(content, MemoryContent):
            return content
        try:
            return MemoryContent(_as_jsonb(json.loads(content.data)).encode())
        except ValueError:
            return content

    override(registry.storage, put_manifest=put)
    override(registry.blobs, find=found)


def _type_from_the_body_too(registry: Registry) -> None:
    """The type of a referrer is what its body says, also where it says nothing."""
    describe = registry.referrers.describe

    def described(manifest: Manifest) -> Json:
        return {**describe(manifest), "mediaType": parse(manifest.content).get("mediaType") or ""}

    override(registry.referrers, describe=described)


def _read_to_the_limit(_request: Request, response: Response) -> None:
    """A push may have 4 MiB, a pull reads 4 MB."""
    response.body = response.body[:_READ_LIMIT]


FAULTS = (
    Fault(
        name="silent-index-is-an-image",
        title="An image index without the member mediaType is labelled as an image manifest.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",),
        also=(
            "PULL-MANIFEST-GET-CONTENT-TYPE",
            "PULL-TYPE-OCI-INDEX",
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-ACCEPT-EXACT",
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-ACCEPT-MISMATCH",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
        ),
        apply=on(*_PULLS, status=200, change=_type_from_the_body),
    ),
    Fault(
        name="nested-index-pushed-again-a-cycle",
        title="An index that lists an index is refused as a cycle when it is pushed again.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        also=(
            "PUSH-MANIFEST-IDEMPOTENT",
            "PUSH-MANIFEST-INDEX-NESTED",
            "PUSH-MANIFEST-INDEX-ACCEPTED",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_never_left,
    ),
    Fault(
        name="large-manifest-by-any-digest",
        title="A manifest of more than a mebibyte is accepted under any digest.",
        breaks=("PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",),
        also=(
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PUSH-MANIFEST-REFUSED-NOT-STORED",
            "PUSH-MANIFEST-BAD-REFERENCE-NOT-STORED",
            "PUSH-MANIFEST-DIGEST-MISMATCH-400-CODE",
            "PUSH-MANIFEST-DIGEST-HEADER-TRUE",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
        ),
        apply=_spooled_without_hash,
    ),
    Fault(
        name="referrer-of-a-thousand-parts-unlisted",
        title="A manifest with a subject and a thousand descriptors or more is not listed as a referrer.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-STATUS-200",
            "DISC-REFERRERS-DESCRIPTOR-FIELDS",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
        ),
        apply=_variables_of_one_statement,
    ),
    Fault(
        name="push-of-gzip-told-as-diff-id",
        title="Docker-Content-Digest of the 201 to a blob that is a gzip file is the digest of what is packed in it.",
        breaks=("PUSH-PUT-DIGEST-HEADER-VALUE",),
        also=("PUSH-SINGLE-LOCATION-PULLABLE",),
        apply=_digest_of_unpacked,
    ),
    Fault(
        name="docker-image-cascades-to-its-blobs",
        title="The deletion of a Docker image deletes its config and layers, even if another manifest names them.",
        breaks=("MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT",),
        also=("PUSH-BLOB-KEPT", "MGMT-MANIFEST-DELETE-REPUSH", "PULL-BLOB-GET-200", "PULL-BLOB-HEAD-200"),
        apply=_docker_image_takes_blobs,
    ),
    Fault(
        name="untyped-manifests-share-an-etag",
        title="Manifests without the member mediaType have one ETag, and a tag that moved between them gets 304.",
        breaks=(
            "PULL-CACHE-FALSE-304",
            "PULL-CONSIST-TAG-MOVE",
        ),
        also=(
            "PULL-CACHE-MANIFEST-304",
            "PULL-CACHE-304-ETAG",
            "PUSH-MANIFEST-IF-MATCH",
        ),
        apply=_entity_tag_of_type,
    ),
    Fault(
        name="index-takes-inner-index-with-it",
        title="The deletion of an index deletes the indexes that it lists as well.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        also=("PUSH-MANIFEST-KEPT",),
        apply=_inner_indexes_deleted,
    ),
    Fault(
        name="config-served-from-jsonb",
        title="The config of a pushed image is served with its members sorted and its blanks replaced.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "PUSH-BLOB-KEPT",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-CONSIST-REPEATABLE",
        ),
        apply=_config_in_jsonb,
    ),
    Fault(
        name="referrer-type-from-its-body",
        title="A referrer without the member mediaType is listed with an empty mediaType.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        also=("DISC-REFERRERS-INDEX-SHAPE",),
        apply=_type_from_the_body_too,
    ),
    Fault(
        name="manifest-read-to-four-megabytes",
        title="GET of a manifest between 4,000,000 bytes and 4 MiB gives its first 4,000,000 bytes.",
        breaks=("PULL-MANIFEST-GET-DCD-TRUE",),
        also=(
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PUSH-MANIFEST-BYTES-EXACT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=on("manifest.get", status=200, change=_read_to_the_limit),
    ),
)
