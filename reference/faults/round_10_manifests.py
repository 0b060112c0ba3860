"""Faults of manifests that show under one condition each: a kind, a size, a form of tag, a way of asking, a history."""

from __future__ import annotations

import json
import re

from reference import errors
from reference.app import Registry
from reference.documents import INDEXES, Document, parse
from reference.grammar import digest_of
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Manifest

_READ_LIMIT = 1 << 20
_ROWS = 500
_WORDS = ("blobs", "list", "manifests", "referrers", "tags", "uploads")
_HEX = re.compile(r"[a-f0-9]{64}")
_TYPES = 5
_BUFFER = 255


def _too_long_to_delete(registry: Registry) -> None:
    """A deletion reads the first mebibyte, to know the subject; what is then no JSON is taken for absent."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            manifest = registry.manifests.find(request.name, request.reference) if ":" in request.reference else None
            if manifest is not None and len(manifest.content) > _READ_LIMIT:
                raise errors.manifest_unknown(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ["manifest.delete"], around)


def _put_together_from_rows(registry: Registry) -> None:
    """By digest, a manifest of many descriptors is made again from the first rows of their table."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        if ":" not in request.reference:
            return manifest
        members = parse(manifest.content)
        long = [key for key in ("layers", "manifests") if len(members.get(key) or ()) > _ROWS]
        if not long:
            return manifest
        cut = {key: value[:_ROWS] if key in long else value for key, value in members.items()}
        return Manifest(manifest.digest, manifest.media_type, json.dumps(cut).encode())

    override(registry.manifests, negotiate=negotiate)


def _words_of_the_api(registry: Registry) -> None:
    """A reference that is a word of the API is taken for a part of another path."""
    resolve = registry.manifests.resolve
    override(
        registry.manifests,
        resolve=lambda name, reference: None if reference in _WORDS else resolve(name, reference),
    )


def _hexadecimal_is_a_digest(registry: Registry) -> None:
    """A reference of 64 hexadecimal digits is looked up as a digest whose algorithm was left out."""
    resolve = registry.manifests.resolve

    def changed(name: str, reference: str) -> str | None:
        return resolve(name, f"sha256:{reference}" if _HEX.fullmatch(reference) else reference)

    override(registry.manifests, resolve=changed)


def _deleted_in_small_letters(registry: Registry) -> None:
    """The key of a tag that is to be deleted is folded, as names are."""
    remove = registry.manifests.remove_tag
    override(registry.manifests, remove_tag=lambda name, tag: remove(name, tag.lower()))


def _one_digest_for_content(registry: Registry) -> None:
    """There is one row for a content, with the digest that it was pushed by last."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        for algorithm in ("sha256", "sha512"):
            digest = digest_of(manifest.content, algorithm)
            if digest != manifest.digest and registry.storage.manifest(name, digest) is not None:
                registry.storage.delete_manifest(name, digest, subject)
        put(name, manifest, subject)

    override(registry.storage, put_manifest=changed)


def _few_types(registry: Registry) -> None:
    """Of the types in Accept those are looked at for which there is room."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        listed = [each.partition(";")[0].strip().lower() for each in ",".join(request.headers.all("accept")).split(",")]
        seen = listed[:_TYPES]
        if len(listed) > _TYPES and "*/*" not in seen and manifest.media_type.lower() not in seen:
            raise errors.manifest_unknown(request.reference)
        return manifest

    override(registry.manifests, negotiate=negotiate)


def _several_tags_hold(registry: Registry) -> None:
    """That a list of entity tags came to its end is taken for a hit."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if "," in ",".join(request.headers.all("if-none-match")):
                request.headers.set("If-None-Match", "*")
            return await handler(request)

        return changed

    wrap(registry, ["manifest.get", "manifest.head"], around)


def _cascade(registry: Registry) -> None:
    """The rows of the children go with that of their index."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        remove(name, digest)
        if manifest is not None:
            for child in Document(manifest.media_type, parse(manifest.content)).children:
                remove(name, child)

    override(registry.manifests, remove=changed)


def _inner_index(registry: Registry) -> None:
    """A tag is followed as long as there is an index within the index."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        if ":" in request.reference:
            return manifest
        for child in Document(manifest.media_type, parse(manifest.content)).children:
            inner = registry.storage.manifest(request.name, child)
            if inner is not None and inner.media_type in INDEXES:
                return inner
        return manifest

    override(registry.manifests, negotiate=negotiate)


def _type_from_the_member(_request: Request, response: Response) -> None:
    if "mediaType" not in parse(response.body):
        response.headers.set("Content-Type", "application/json")


def _untagged_first(registry: Registry) -> None:
    """A tag is taken from its manifest before the new one is looked at."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            try:
                return await handler(request)
            except errors.RegistryError as error:
                unknown = any(entry.code == "MANIFEST_BLOB_UNKNOWN" for entry in error.entries)
                if unknown and registry.storage.tag(request.name, request.reference) is not None:
                    registry.storage.delete_tag(request.name, request.reference)
                raise

        return changed

    wrap(registry, ["manifest.put"], around)


def _location_in_a_buffer(_request: Request, response: Response) -> None:
    response.headers.set("Location", response.headers.get("Location")[:_BUFFER])


def _row_revived(registry: Registry) -> None:
    """A deleted tag is a row with a mark; a push takes the mark away, and the row is as it was."""
    rows: dict[tuple[str, str], str] = {}
    remove, set_tag = registry.manifests.remove_tag, registry.storage.set_tag

    def removed(name: str, tag: str) -> None:
        digest = registry.storage.tag(name, tag)
        if digest is not None:
            rows[name, tag] = digest
        remove(name, tag)

    def changed(name: str, tag: str, digest: str) -> None:
        former = rows.pop((name, tag), None)
        if former is not None and registry.storage.manifest(name, former) is not None:
            digest = former
        set_tag(name, tag, digest)

    override(registry.manifests, remove_tag=removed)
    override(registry.storage, set_tag=changed)


FAULTS = (
    Fault(
        name="tenth-large-manifest-not-deleted",
        title="The deletion of a manifest of more than a mebibyte is answered 404.",
        breaks=("MGMT-MANIFEST-DELETE-202",),
        also=("MGMT-MANIFEST-DELETE-GET-404", "MGMT-MANIFEST-DELETE-HEAD-404"),
        apply=_too_long_to_delete,
    ),
    Fault(
        name="tenth-descriptors-of-the-first-rows",
        title="A manifest of more than 500 descriptors has by digest the first 500.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT",),
        also=(
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-BYTES-EXACT",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
        ),
        apply=_put_together_from_rows,
    ),
    Fault(
        name="tenth-tag-of-a-route-word",
        title="A manifest is accepted and unknown under a tag that is a word of the API.",
        breaks=("BASE-TAG-ACCEPTED-KEPT",),
        also=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-MANIFEST-GET-TAG-200"),
        apply=_words_of_the_api,
    ),
    Fault(
        name="tenth-tag-of-hexadecimal-digits",
        title="A manifest is accepted and unknown under a tag of 64 hexadecimal digits.",
        breaks=("BASE-TAG-ACCEPTED-KEPT",),
        also=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-MANIFEST-GET-TAG-200"),
        apply=_hexadecimal_is_a_digest,
    ),
    Fault(
        name="tenth-tag-with-capitals-not-deleted",
        title="The deletion of a tag with a capital is answered 202, and that of its small letters is taken.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=("MGMT-TAG-DELETE-HEAD-404", "MGMT-TAG-DELETE-NOT-LISTED", "MGMT-TAG-DELETE-OTHER-TAGS-KEPT"),
        apply=_deleted_in_small_letters,
    ),
    Fault(
        name="tenth-one-digest-for-content",
        title="A manifest that is pushed by another algorithm is unknown by the digest that it had.",
        breaks=("PULL-MANIFEST-SHA512",),
        also=(
            "BASE-DIGEST-SHA512",
            "PULL-MANIFEST-GET-DIGEST-200",
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_one_digest_for_content,
    ),
    Fault(
        name="tenth-accept-beyond-the-fifth",
        title="A type that is the sixth in Accept, or later, does not count.",
        breaks=("PULL-ACCEPT-LIST",),
        also=("PULL-ACCEPT-REPEATED-FIELD",),
        apply=_few_types,
    ),
    Fault(
        name="tenth-several-entity-tags-hold",
        title="A pull on the condition of several entity tags is answered 304, whatever they are.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=_several_tags_hold,
    ),
    Fault(
        name="tenth-children-deleted-with-the-index",
        title="With an index its manifests are deleted.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        apply=_cascade,
    ),
    Fault(
        name="tenth-index-within-the-index",
        title="A tag on an index that holds another index yields the inner one.",
        breaks=("PULL-TYPE-OCI-INDEX",),
        also=(
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BYTES-EXACT",
        ),
        apply=_inner_index,
    ),
    Fault(
        name="tenth-head-type-from-the-member",
        title="HEAD of a manifest without mediaType is labelled application/json; GET is not.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        apply=on("manifest.head", status=200, change=_type_from_the_member),
    ),
    Fault(
        name="tenth-tag-lost-by-a-refused-push",
        title="The push of a manifest with missing blobs is refused, and its tag no longer exists.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        also=("PUSH-MANIFEST-KEPT", "PULL-MANIFEST-GET-TAG-200"),
        apply=_untagged_first,
    ),
    Fault(
        name="tenth-location-in-a-buffer",
        title="The Location of a manifest ends after 255 characters.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        apply=on("manifest.put", status=201, change=_location_in_a_buffer),
    ),
    Fault(
        name="tenth-deleted-tag-revived",
        title="A tag that was deleted and is pushed with another manifest names the former one.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE",),
        also=(
            "PULL-CONSIST-TAG-MOVE",
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "MGMT-MANIFEST-DELETE-REPUSH",
        ),
        apply=_row_revived,
    ),
)
