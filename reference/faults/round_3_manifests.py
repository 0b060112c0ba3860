"""Faults of manifests that show under one condition: a kind, a size, an algorithm, a way of the push or of the pull."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from reference.app import Registry
from reference.documents import INDEXES, Json, parse
from reference.grammar import digest_of
from reference.messages import BINARY, Request, Response
from reference.modifications import Apply, Fault, on, override
from reference.storage import Manifest

#: From which size a manifest is kept elsewhere, and how many tags go with one, in one batch.
_LARGE = 3_500_000
_BATCH = 5
_DIGITS = 64
_LIKE_DIGEST = re.compile(r"(sha256-[a-f0-9]{64}|sha512-[a-f0-9]{128})")
_LONGEST = 255

Entries = Callable[[str, list[Json]], list[Json]]


def _indexes(registry: Registry, change: Entries) -> None:
    """Give indexes with other entries, where they change at all."""
    find = registry.manifests.find

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        if manifest is None or manifest.media_type not in INDEXES:
            return manifest
        members = parse(manifest.content)
        entries = change(name, members["manifests"])
        if entries == members["manifests"]:
            return manifest
        content = json.dumps({**members, "manifests": entries}).encode()
        return Manifest(manifest.digest, manifest.media_type, content)

    override(registry.manifests, find=changed)


def _nested_flattened(registry: Registry) -> None:
    """In place of an index in an index come the entries of that."""

    def change(name: str, entries: list[Json]) -> list[Json]:
        flat: list[Json] = []
        for entry in entries:
            inner = registry.storage.manifest(name, entry["digest"])
            nested = inner is not None and inner.media_type in INDEXES
            flat += parse(inner.content)["manifests"] if inner is not None and nested else [entry]
        return flat

    _indexes(registry, change)


def _deleted_taken_out(registry: Registry) -> None:
    """A manifest that is deleted is taken out of the indexes that list it."""
    gone: set[tuple[str, str]] = set()
    remove, put = registry.manifests.remove, registry.storage.put_manifest

    def removed(name: str, digest: str) -> None:
        remove(name, digest)
        gone.add((name, digest))

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        gone.discard((name, manifest.digest))

    override(registry.manifests, remove=removed)
    override(registry.storage, put_manifest=stored)
    _indexes(registry, lambda name, entries: [entry for entry in entries if (name, entry["digest"]) not in gone])


def _large_labelled_binary(_request: Request, response: Response) -> None:
    if response.length > _LARGE:
        response.headers.set("Content-Type", BINARY)


def _location_cut(request: Request, response: Response) -> None:
    """The column of digests has room for the digits of a sha256."""
    algorithm, _, digits = request.reference.partition(":")
    if algorithm == "sha512":
        place = response.headers.get("Location").rpartition("/")[0]
        response.headers.set("Location", f"{place}/sha256:{digits[:_DIGITS]}")


def _unannounced_digest(request: Request, response: Response) -> None:
    """Only what is announced is hashed on its way."""
    if request.content_length is None:
        response.headers.set("Docker-Content-Digest", digest_of(b""))


def _known_is_unchanged(registry: Registry) -> None:
    """Whatever the repository knows counts as not changed."""

    def changed(request: Request, response: Response) -> Response | None:
        asked = ",".join(request.headers.all("if-none-match")).split(",")
        digests = [tag.strip().removeprefix("W/").strip('"') for tag in asked]
        if any(registry.storage.manifest(request.name, digest) is not None for digest in digests):
            kept = [
                (name, value) for name, value in response.headers.pairs if name in ("Docker-Content-Digest", "ETag")
            ]
            return Response(304, kept)
        return None

    on("manifest.get", "manifest.head", status=200, change=changed)(registry)


def _one_tag_in_long_names(registry: Registry) -> None:
    """The key of a tag is cut behind the name of its repository, where that is as long as can be."""
    latest: dict[str, str] = {}
    lookup, set_tag = registry.storage.tag, registry.storage.set_tag

    def noting(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        latest[name] = digest

    def changed(name: str, tag: str) -> str | None:
        if len(name) < _LONGEST:
            return lookup(name, tag)
        return latest.get(name) if registry.storage.tags(name) else None

    override(registry.storage, tag=changed, set_tag=noting)


def _dotted_kept(registry: Registry) -> None:
    """What looks like a file is cached for ever, unless it goes."""
    kept: dict[tuple[str, str], Manifest] = {}
    find = registry.manifests.find

    def changed(name: str, reference: str) -> Manifest | None:
        present = find(name, reference)
        if present is None:
            kept.pop((name, reference), None)
        elif "." in name and ":" not in reference:
            return kept.setdefault((name, reference), present)
        return present

    override(registry.manifests, find=changed)


def _capitals_deleted_small(registry: Registry) -> None:
    """A tag is deleted under its name in small letters."""
    remove = registry.manifests.remove_tag
    override(registry.manifests, remove_tag=lambda name, tag: remove(name, tag.lower()))


def _subject_by_tag(request: Request, response: Response) -> None:
    """A tag that looks like a digest is taken for a list of referrers, and its manifest for a referrer."""
    if _LIKE_DIGEST.fullmatch(request.reference) and "OCI-Subject" not in response.headers:
        response.headers.add("OCI-Subject", request.reference.replace("-", ":", 1))


def _latest_follows(registry: Registry) -> None:
    """The tag latest, where there is one, goes to what was pushed last."""
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        if registry.storage.tag(name, "latest") is not None:
            set_tag(name, "latest", digest)

    override(registry.storage, set_tag=changed)


def _sixth_tag_stays(registry: Registry) -> None:
    """The tags of a deleted manifest go in one batch of five, and what is left still delivers it."""
    left: dict[tuple[str, str], Manifest] = {}
    storage, find, set_tag = registry.storage, registry.manifests.find, registry.storage.set_tag
    delete_tag = storage.delete_tag

    def batch(name: str, digest: str) -> None:
        tags = sorted(tag for tag in storage.tags(name) if storage.tag(name, tag) == digest)
        for tag in tags[:_BATCH]:
            storage.delete_tag(name, tag)
        manifest = storage.manifest(name, digest)
        if manifest is not None:
            left.update({(name, tag): manifest for tag in tags[_BATCH:]})

    def moved(name: str, tag: str, digest: str) -> None:
        left.pop((name, tag), None)
        set_tag(name, tag, digest)

    def deleted(name: str, tag: str) -> None:
        left.pop((name, tag), None)
        delete_tag(name, tag)

    override(registry.manifests, remove_tags_of=batch)
    override(registry.manifests, find=lambda name, reference: find(name, reference) or left.get((name, reference)))
    override(storage, set_tag=moved, delete_tag=deleted)


def _fault(name: str, title: str, *breaks: str, apply: Apply, also: tuple[str, ...] = ()) -> Fault:
    others = tuple(each for each in dict.fromkeys(also) if each not in breaks)
    return Fault(name=name, title=title, breaks=breaks, also=others, apply=apply)


FAULTS = (
    _fault(
        "nested-index-flattened",
        "In place of an index that it lists an index comes back with the entries of that.",
        "PULL-MANIFEST-GET-BODY-EXACT",
        "PULL-TYPE-OCI-INDEX",
        apply=_nested_flattened,
        also=(
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-MANIFEST-BYTES-EXACT",
            "PULL-TYPE-DOCKER-LIST",
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-ACCEPT-DIGEST-NOT-CONVERTED",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PUSH-MANIFEST-INDEX-NESTED",
            "PULL-MANIFEST-SHA512",
            "PULL-ACCEPT-EXACT",
        ),
    ),
    _fault(
        "index-without-its-deleted-entry",
        "An index comes back without an entry whose manifest was deleted.",
        "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
        "PULL-MANIFEST-GET-BODY-EXACT",
        apply=_deleted_taken_out,
        also=(
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-MANIFEST-BYTES-EXACT",
            "PULL-TYPE-OCI-INDEX",
            "PULL-TYPE-DOCKER-LIST",
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-ACCEPT-DIGEST-NOT-CONVERTED",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PUSH-MANIFEST-INDEX-NESTED",
            "PULL-MANIFEST-SHA512",
            "PULL-ACCEPT-EXACT",
        ),
    ),
    _fault(
        "large-manifest-labelled-binary",
        "A manifest of more than 3.5 million bytes is labelled application/octet-stream.",
        "PULL-MANIFEST-GET-CONTENT-TYPE",
        "PUSH-MANIFEST-4MB-ACCEPTED",
        apply=on("manifest.get", "manifest.head", status=200, change=_large_labelled_binary),
        also=(
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-TYPE-OCI-IMAGE",
            "PULL-TYPE-DOCKER-V2",
            "PULL-ACCEPT-EXACT",
            "PULL-TYPE-OCI-INDEX",
            "PULL-TYPE-DOCKER-LIST",
        ),
    ),
    _fault(
        "location-of-sha512-manifest-cut",
        "The Location of a manifest that was pushed by sha512 has the first half of its digits.",
        "PUSH-MANIFEST-LOCATION-PULLABLE",
        apply=on("manifest.put", status=201, change=_location_cut),
        also=(
            "PULL-MANIFEST-SHA512",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
        ),
    ),
    _fault(
        "streamed-manifest-with-digest-of-nothing",
        "The 201 to a manifest in chunked transfer coding has the digest of no bytes.",
        "PUSH-MANIFEST-DIGEST-HEADER-TRUE",
        apply=on("manifest.put", status=201, change=_unannounced_digest),
        also=(
            "PUSH-MANIFEST-DIGEST-HEADER-VALUE",
            "PUSH-MANIFEST-STREAMED-WHOLE",
        ),
    ),
    _fault(
        "etag-of-any-manifest-304",
        "If-None-Match with the ETag of any manifest of the repository is answered 304.",
        "PULL-CACHE-FALSE-304",
        apply=_known_is_unchanged,
        also=(
            "PULL-CONSIST-TAG-MOVE",
            "PUSH-MANIFEST-RETAG-MOVES",
        ),
    ),
    _fault(
        "long-name-with-one-tag",
        "In a repository whose name has 255 characters each tag yields what was tagged last.",
        "PUSH-MANIFEST-KEPT",
        "PULL-MANIFEST-GET-UNKNOWN-404",
        apply=_one_tag_in_long_names,
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-CONSIST-TAG-MOVE",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "MGMT-TAG-DELETE-GET-404",
            "MGMT-TAG-DELETE-HEAD-404",
        ),
    ),
    _fault(
        "dotted-name-keeps-former-manifest",
        "In a repository with a dot in its name a tag that was pulled stays where it was when it moves.",
        "PULL-CONSIST-TAG-MOVE",
        "PUSH-MANIFEST-RETAG-MOVES",
        apply=_dotted_kept,
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "MGMT-MANIFEST-DELETE-REPUSH",
        ),
    ),
    _fault(
        "tag-in-capitals-cannot-be-deleted",
        "The deletion of a tag with capitals is answered 202, and goes to the tag in small letters.",
        "MGMT-TAG-DELETE-GET-404",
        "MGMT-TAG-DELETE-HEAD-404",
        "MGMT-TAG-DELETE-NOT-LISTED",
        apply=_capitals_deleted_small,
        also=(
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
            "MGMT-TAG-DELETE-202",
            "MGMT-TAG-DELETE-UNKNOWN-404",
        ),
    ),
    _fault(
        "subject-told-of-a-tag-like-a-digest",
        "The push to a tag that looks like a digest is answered with OCI-Subject.",
        "PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",
        apply=on("manifest.put", status=201, change=_subject_by_tag),
        also=(
            "PUSH-MANIFEST-OCI-SUBJECT-VALUE",
            "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",
        ),
    ),
    _fault(
        "latest-follows-every-push",
        "The tag latest moves along when another tag is pushed.",
        "PUSH-MANIFEST-KEPT",
        apply=_latest_follows,
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-CONSIST-TAG-MOVE",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
        ),
    ),
    _fault(
        "sixth-tag-of-deleted-manifest-stays",
        "Of the tags of a deleted manifest those beyond the fifth still deliver it.",
        "MGMT-MANIFEST-DELETE-TAGS-404",
        "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
        apply=_sixth_tag_stays,
        also=("PULL-MANIFEST-GET-UNKNOWN-404",),
    ),
)
