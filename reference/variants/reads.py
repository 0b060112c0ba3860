"""Variants of manifests and blobs: what a pull may give, and what a push may be refused for."""

from __future__ import annotations

import gzip
import json

from reference import errors
from reference.app import Registry
from reference.documents import INDEXES, OCI_MANIFEST, Document, parse, read
from reference.grammar import digest_of
from reference.messages import Content, Request, Response
from reference.modifications import Apply, Variant, answers, on, override
from reference.storage import Manifest

_PART = 100
_LISTS = ("tags.list", "catalog.list", "referrers.list")
_PULLS = ("manifest.get", "manifest.head")


def _subset(registry: Registry) -> None:
    """No part is longer than a hundred bytes, and the size of the whole is not told."""
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = understood(request, size)
        return None if found is None else [(start, min(length, _PART)) for start, length in found]

    def starred(_request: Request, response: Response) -> None:
        start, _, _size = response.headers.get("Content-Range").partition("/")
        if start:
            response.headers.set("Content-Range", f"{start}/*")

    override(registry.blobs, ranges=changed)
    on("blob.get", status=206, change=starred)(registry)


def _manifest_parts(request: Request, response: Response) -> None:
    """The first byte, for any range."""
    if request.headers.get("range").startswith("bytes=0-"):
        size = len(response.body)
        response.status, response.body = 206, response.body[:1]
        response.headers.set("Content-Range", f"bytes 0-0/{size}")


def _any_case(registry: Registry) -> None:
    """Digests are looked up in small letters."""
    find, check = registry.blobs.find, registry.blobs.check_digest

    def lower(name: str, digest: str) -> Content | None:
        return find(name, digest.lower())

    override(registry.blobs, find=lower, check_digest=lambda digest: check(digest.lower()))


def _recoded(codes: dict[bytes, bytes]) -> Apply:
    def change(_request: Request, response: Response) -> None:
        if response.status >= 400:
            for old, new in codes.items():
                response.body = response.body.replace(b'"' + old + b'"', b'"' + new + b'"')

    return answers(change=change)


def _restated(status: int, *codes: bytes) -> Apply:
    def change(_request: Request, response: Response) -> None:
        if any(code in response.body for code in codes):
            response.status = status

    return answers("manifest.put", status=400, change=change)


def _resolved(registry: Registry) -> None:
    """An index by tag becomes its first image for a client that accepts images only."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        accept = ",".join(request.headers.all("accept"))
        if ":" in request.reference or manifest.media_type not in INDEXES or "*/*" in accept:
            return negotiate(request, manifest)
        if manifest.media_type in accept or not accept:
            return negotiate(request, manifest)
        for child in Document(manifest.media_type, parse(manifest.content)).children:
            found = registry.storage.manifest(request.name, child)
            if found is not None and found.media_type in accept:
                return found
        return negotiate(request, manifest)

    override(registry.manifests, negotiate=changed)


def _with_charset(_request: Request, response: Response) -> None:
    kind = response.headers.get("Content-Type").replace("application/vnd", "Application/vnd")
    response.headers.set("Content-Type", f"{kind}; charset=utf-8")


def _type_required(registry: Registry) -> None:
    """A push needs a Content-Type, and it must be that of the body."""
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        if not request.headers.get("content-type"):
            raise errors.manifest_invalid("there is no Content-Type", 415)
        return await put(request)

    registry.handlers["manifest.put"] = changed


def _strict_push(registry: Registry) -> None:
    """The sizes in a manifest must be those of the blobs."""
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        check(name, document)
        if document.media_type != OCI_MANIFEST:
            return
        for part in [document.members["config"], *document.members["layers"]]:
            content = registry.storage.open_blob(name, part["digest"])
            if content is not None and content.size != part["size"]:
                raise errors.manifest_invalid("a size is wrong")

    override(registry.manifests, check_references=changed)


def _lax_push(registry: Registry) -> None:
    """Any JSON object is stored, under the type that came with it."""
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        body = await request.body(registry.manifests.limit)
        if body is None:
            raise errors.manifest_too_large(registry.manifests.limit)

        async def again(_limit: int) -> bytes:
            return body

        override(request, body=again)
        try:
            read(body, request.headers.get("content-type"))
        except errors.RegistryError:
            return _stored(registry, request, body)
        return await put(request)

    registry.handlers["manifest.put"] = changed


def _stored(registry: Registry, request: Request, body: bytes) -> Response:
    parse(body)
    tags = registry.manifests.tags(request)
    digest = registry.manifests.digest(request.reference, body)
    kind = request.headers.get("content-type") or OCI_MANIFEST
    manifest = Manifest(digest, kind, body)
    registry.storage.put_manifest(request.name, manifest, None)
    for tag in tags:
        registry.storage.set_tag(request.name, tag, digest)
    return registry.manifests.created(request, manifest, Document(kind, {}))


def _no_empty_content(registry: Registry) -> None:
    """An image needs a layer, an index an entry, and a blob a byte."""
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        if document.members.get("layers") == [] or document.members.get("manifests") == []:
            raise errors.manifest_invalid("there is no content")
        check(name, document)

    override(registry.manifests, check_references=changed)


def _tags_ignored(registry: Registry) -> None:
    def without(request: Request) -> None:
        request.query.pairs = [pair for pair in request.query.pairs if pair[0] not in ("tag", "digest-algorithm")]

    check = registry.check_allowed

    def changed(request: Request) -> None:
        without(request)
        check(request)

    override(registry, check_allowed=changed)
    on("manifest.put", change=lambda _request, response: response.headers.drop("OCI-Tag"))(registry)


def _tags_listed(_request: Request, response: Response) -> None:
    tags = response.headers.all("OCI-Tag")
    response.headers.drop("OCI-Tag")
    if tags:
        response.headers.add("OCI-Tag", " , ".join(reversed(tags[:2])))
    for tag in tags[2:]:
        response.headers.add("OCI-Tag", tag)


def _coded(request: Request, response: Response) -> None:
    if response.body and "gzip" in request.headers.get("accept-encoding"):
        response.body = gzip.compress(response.body, mtime=0)
        response.headers.set("Content-Encoding", "gzip")
        response.headers.set("Vary", "Accept-Encoding")


def _schema1(registry: Registry) -> None:
    """A pull by tag without Accept gives a manifest of schema 1 that was made for it."""
    get = registry.handlers["manifest.get"]

    async def changed(request: Request) -> Response:
        response = await get(request)
        if response.status != 200 or ":" in request.reference or request.headers.get("accept"):
            return response
        body = json.dumps({"schemaVersion": 1, "name": request.name, "tag": request.reference}).encode()
        kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
        return Response(200, [("Content-Type", kind), ("Docker-Content-Digest", digest_of(body))], body)

    registry.handlers["manifest.get"] = registry.handlers["manifest.head"] = changed


VARIANTS = (
    Variant(
        name="range-subset",
        title="A 206 holds a hundred bytes at most, and does not tell the size of the whole.",
        latitude=("RANGE-ANSWER-SUBSET",),
        apply=_subset,
    ),
    Variant(
        name="manifest-ranges",
        title="A Range of a manifest is answered 206.",
        latitude=("RANGE-ON-MANIFEST",),
        apply=on("manifest.get", status=200, change=_manifest_parts),
    ),
    Variant(
        name="digest-any-case",
        title="A digest in capitals names the same blob.",
        latitude=("DIGEST-HEX-CASE",),
        profiles=("docker-v2",),
        warns=("BASE-DIGEST-UPPERCASE-HEX",),
        apply=_any_case,
    ),
    Variant(
        name="error-codes-own",
        title="Refusals have codes that no table lists.",
        latitude=("ERROR-CODE-UNLISTED",),
        profiles=("docker-v2",),
        warns=("BASE-ERROR-CODE-REGISTERED",),
        apply=_recoded({b"MANIFEST_UNKNOWN": b"NOT_FOUND", b"UNSUPPORTED": b"METHOD_UNKNOWN"}),
    ),
    Variant(
        name="error-codes-broad",
        title="Refusals have codes that tell less.",
        latitude=("ERROR-CODE-CHOICE",),
        warns=(
            "PULL-BLOB-GET-BAD-DIGEST-400",
            "PUSH-PUT-DIGEST-MISMATCH-CODE",
            "PUSH-MANIFEST-DIGEST-MISMATCH-400-CODE",
            "MGMT-MANIFEST-DELETE-UNKNOWN-CODE",
            "MGMT-BLOB-DELETE-UNKNOWN-CODE",
        ),
        apply=_recoded(
            {b"BLOB_UNKNOWN": b"NAME_UNKNOWN", b"MANIFEST_UNKNOWN": b"NAME_UNKNOWN", b"DIGEST_INVALID": b"SIZE_INVALID"}
        ),
    ),
    Variant(
        name="manifest-invalid-422",
        title="An invalid manifest is answered 422.",
        latitude=("ERROR-STATUS-OUTSIDE-TABLE",),
        apply=_restated(422, b"MANIFEST_INVALID"),
    ),
    Variant(
        name="schema1-without-accept",
        title="A pull by tag without Accept gives a manifest of schema 1.",
        latitude=("SCHEMA1-VARIES",),
        profiles=("docker-v2",),
        warns=("PULL-ACCEPT-ABSENT",),
        apply=_schema1,
    ),
    Variant(
        name="accept-index-to-child",
        title="An index by tag becomes one of its images where Accept names no index.",
        latitude=("ACCEPT-INDEX-TO-CHILD",),
        warns=("PULL-DOCKER-LIST-NO-PLATFORM-404",),
        apply=_resolved,
    ),
    Variant(
        name="manifest-type-with-charset",
        title="The type of a manifest has a charset and other letters.",
        latitude=("CONTENT-TYPE-PARAMETERS",),
        warns=("PULL-MANIFEST-GET-CONTENT-TYPE-BARE",),
        apply=on(*_PULLS, status=200, change=_with_charset),
    ),
    Variant(
        name="push-type-required",
        title="A manifest without Content-Type is refused.",
        latitude=("CONTENT-TYPE-NOT-DECLARED",),
        apply=_type_required,
    ),
    Variant(
        name="empty-content-refused",
        title="Manifests without content are refused.",
        latitude=("EMPTY-CONTENT-REFUSED",),
        warns=("PUSH-MANIFEST-EMPTY-LAYERS", "PUSH-MANIFEST-INDEX-EMPTY"),
        undecided=True,
        apply=_no_empty_content,
    ),
    Variant(
        name="manifest-sizes-checked",
        title="A manifest with a wrong size is refused.",
        latitude=("MANIFEST-VALIDATION-DEPTH",),
        apply=_strict_push,
    ),
    Variant(
        name="manifest-unchecked",
        title="Any JSON object is taken for a manifest.",
        latitude=("MANIFEST-VALIDATION-DEPTH", "CONTENT-TYPE-NOT-DECLARED"),
        warns=("PUSH-MANIFEST-MALFORMED-REJECTED",),
        apply=_lax_push,
    ),
    Variant(
        name="parameters-ignored",
        title="Parameters of the newest version are ignored.",
        latitude=("TAG-PARAM-UNSUPPORTED", "QUERY-UNKNOWN-PARAMETERS"),
        lacks=("tag-parameters",),
        apply=_tags_ignored,
    ),
    Variant(
        name="oci-tag-in-lists",
        title="OCI-Tag comes in several fields, the first of which is a list.",
        latitude=("TAG-PARAM-UNSUPPORTED",),
        apply=on("manifest.put", status=201, change=_tags_listed),
    ),
    Variant(
        name="coded-where-accepted",
        title="Lists and manifests are compressed for who accepts that.",
        latitude=("CODING-OF-LISTS", "CODING-OF-CONTENT"),
        apply=answers(*_LISTS, "manifest.get", change=_coded),
    ),
)
