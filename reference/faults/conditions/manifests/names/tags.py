"""Faults of manifests that show with some forms of tags."""

from __future__ import annotations

import re

from reference import errors
from reference.app import Registry
from reference.messages import JSON, Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Manifest

_TAG_OF_DIGEST = re.compile(r"sha256-([a-f0-9]{64})")
_WORDS = ("blobs", "list", "manifests", "referrers", "tags", "uploads")
_HEX = re.compile(r"[a-f0-9]{64}")
_LIKE_DIGEST = re.compile(r"(sha256-[a-f0-9]{64}|sha512-[a-f0-9]{128})")
_LONGEST = 128
_AS_DIGEST = re.compile(r"sha256-([0-9a-f]{64})")
_WIDTH = 128
_PULLS = ("manifest.get", "manifest.head")
_TAG_COLUMN = 127
_ROUTE_WORDS = ("blobs", "catalog", "list", "manifests", "referrers", "tags", "uploads", "v2")
_HEX_TAG = re.compile(r"[0-9a-f]{40,64}")


def _tag_as_digest(registry: Registry) -> None:
    resolve = registry.manifests.resolve

    def changed(name: str, reference: str) -> str | None:
        match = _TAG_OF_DIGEST.fullmatch(reference)
        return resolve(name, reference) or (f"sha256:{match[1]}" if match else None)

    override(registry.manifests, resolve=changed)


def _catalog_first(registry: Registry) -> None:
    """A path is looked at from its end."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.reference == "_catalog":
                return await registry.handlers["catalog.list"](request)
            return await handler(request)

        return changed

    wrap(registry, ["manifest.get", "manifest.head"], around)


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


def _long_tags_cached(registry: Registry) -> None:
    """A pull by tag fills a cache; what a push drops from it has a key of 127 characters at most."""
    cache: dict[tuple[str, str], str] = {}
    tag, set_tag, delete_tag = registry.storage.tag, registry.storage.set_tag, registry.storage.delete_tag

    def found(name: str, reference: str) -> str | None:
        digest = tag(name, reference)
        return cache.setdefault((name, reference), digest) if digest is not None else None

    def moved(name: str, reference: str, digest: str) -> None:
        cache.pop((name, reference[:127]), None)
        set_tag(name, reference, digest)

    def deleted(name: str, reference: str) -> None:
        cache.pop((name, reference), None)
        delete_tag(name, reference)

    override(registry.storage, tag=found, set_tag=moved, delete_tag=deleted)


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


def _longest_unknown(registry: Registry) -> None:
    """The existence of a tag is looked up in a column of 127 characters."""
    head = registry.handlers["manifest.head"]

    async def changed(request: Request) -> Response:
        if len(request.reference) == _LONGEST and ":" not in request.reference:
            raise registry.manifests.unknown(request)
        return await head(request)

    registry.handlers["manifest.head"] = changed


def _tag_read_as_digest(registry: Registry) -> None:
    """A tag in the form of a digest leads to the manifest of that digest, where there is one."""
    resolve = registry.manifests.resolve

    def changed(name: str, reference: str) -> str | None:
        match = _AS_DIGEST.fullmatch(reference)
        if match is not None and registry.storage.manifest(name, f"sha256:{match[1]}") is not None:
            return f"sha256:{match[1]}"
        return resolve(name, reference)

    override(registry.manifests, resolve=changed)


def _longest_tag_stays(registry: Registry) -> None:
    """The condition of the update is cut, and no row fits it."""
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        if len(tag) < _WIDTH or registry.storage.tag(name, tag) is None:
            set_tag(name, tag, digest)

    override(registry.storage, set_tag=changed)


def _type_of_lists(request: Request, response: Response) -> None:
    """All that ends in /list is a list of tags."""
    if request.path.endswith("/list"):
        response.headers.set("Content-Type", JSON)


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


def _reserved_words(registry: Registry) -> None:
    """The routes of HEAD leave out the words of the others."""
    head = registry.handlers["manifest.head"]

    async def changed(request: Request) -> Response:
        if request.reference in _ROUTE_WORDS:
            raise errors.manifest_unknown(request.reference)
        return await head(request)

    registry.handlers["manifest.head"] = changed


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


FAULTS = (
    Fault(
        name="digest-with-dash-as-digest",
        title="A tag that nobody pushed leads to a manifest where it is its digest with a dash for the colon.",
        breaks=(
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",
        ),
        apply=_tag_as_digest,
    ),
    Fault(
        name="tag-catalog-gives-catalog",
        title="The pull of the tag _catalog gives the list of repositories.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE", "BASE-TAG-ACCEPT", "PULL-MANIFEST-GET-BODY-EXACT"),
        also=("PULL-MANIFEST-GET-DCD", "PULL-MANIFEST-HEAD-DCD", "PULL-MANIFEST-GET-CONTENT-TYPE"),
        apply=_catalog_first,
    ),
    Fault(
        name="tag-of-route-word-lost",
        title="A manifest is accepted and unknown under a tag that is a word of the API.",
        breaks=("BASE-TAG-ACCEPTED-KEPT",),
        also=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-MANIFEST-GET-TAG-200"),
        apply=_words_of_the_api,
    ),
    Fault(
        name="hexadecimal-tag-lost",
        title="A manifest is accepted and unknown under a tag of 64 hexadecimal digits.",
        breaks=("BASE-TAG-ACCEPTED-KEPT",),
        also=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-MANIFEST-GET-TAG-200"),
        apply=_hexadecimal_is_a_digest,
    ),
    Fault(
        name="longest-tag-pulled-once-never-moves",
        title="A tag of 128 characters that was pulled leads there for ever, though it is moved.",
        breaks=("PULL-CONSIST-TAG-MOVE",),
        also=("PUSH-MANIFEST-RETAG-MOVES", "BASE-TAG-ACCEPTED-KEPT", "BASE-TAG-ACCEPT"),
        apply=_long_tags_cached,
    ),
    Fault(
        name="oci-subject-for-tag-like-a-digest",
        title="The answer to a push to a tag that looks like a digest has OCI-Subject.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",),
        also=("PUSH-MANIFEST-OCI-SUBJECT-VALUE", "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE"),
        apply=on("manifest.put", status=201, change=_subject_by_tag),
    ),
    Fault(
        name="latest-follows-every-push",
        title="The tag latest moves along when another tag is pushed.",
        breaks=("PUSH-MANIFEST-KEPT", "MGMT-TAG-DELETE-OTHER-TAGS-KEPT"),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-CONSIST-TAG-MOVE",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
        ),
        apply=_latest_follows,
    ),
    Fault(
        name="longest-tag-head-404",
        title="HEAD of a tag of 128 characters returns 404.",
        breaks=("PULL-MANIFEST-HEAD-200",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE", "BASE-TAG-ACCEPTED-KEPT", "PUSH-MANIFEST-BY-TAG-PULLABLE"),
        apply=_longest_unknown,
    ),
    Fault(
        name="tag-read-as-digest",
        title="A tag in the form of a digest leads to the manifest of that digest.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE", "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE", "PULL-MANIFEST-GET-UNKNOWN-404"),
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-GET-CONTENT-TYPE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-ACCEPT-INDEX-INTACT",
        ),
        apply=_tag_read_as_digest,
    ),
    Fault(
        name="longest-tag-unmoved",
        title="A tag of 128 characters stays with its first manifest, though each push gets 201.",
        breaks=("PUSH-MANIFEST-RETAG-MOVES", "PULL-CONSIST-TAG-MOVE"),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "BASE-TAG-ACCEPT",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
        ),
        apply=_longest_tag_stays,
    ),
    Fault(
        name="latest-follows",
        title="The tag latest moves to whatever is pushed by another tag of its repository.",
        breaks=("PUSH-MANIFEST-KEPT",),
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "BASE-TAG-ACCEPT",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-CONSIST-TAG-MOVE",
        ),
        apply=_latest_follows,
    ),
    Fault(
        name="manifest-of-tag-list-labelled-json",
        title="A manifest is labelled application/json when it is pulled by the tag list.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        also=(
            "PULL-ACCEPT-EXACT",
            "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
            "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-TYPE-DOCKER-LIST",
            "PULL-TYPE-DOCKER-V2",
            "PULL-TYPE-OCI-IMAGE",
            "PULL-TYPE-OCI-INDEX",
        ),
        apply=on(*_PULLS, status=200, change=_type_of_lists),
    ),
    Fault(
        name="longest-tag-never-moves",
        title="A tag of 128 characters does not move, though the push gets 201.",
        breaks=("PUSH-MANIFEST-RETAG-MOVES", "BASE-TAG-ACCEPTED-KEPT", "PULL-CONSIST-TAG-MOVE"),
        also=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PUSH-MANIFEST-KEPT"),
        apply=_column_too_short,
    ),
    Fault(
        name="latest-without-push",
        title="The tag latest, where there is none, yields the manifest that was tagged last.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-404", "MGMT-TAG-DELETE-GET-404", "MGMT-MANIFEST-DELETE-TAGS-404"),
        also=(
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "MGMT-TAG-DELETE-HEAD-404",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_latest_by_time,
    ),
    Fault(
        name="head-of-route-words-unknown",
        title="HEAD of a tag that is a word of the API returns 404; GET is not.",
        breaks=("PULL-MANIFEST-HEAD-200",),
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
    Fault(
        name="hexadecimal-tag-unknown",
        title="A tag of 40 to 64 hexadecimal digits is accepted, and looked up as a digest.",
        breaks=("BASE-TAG-ACCEPTED-KEPT",),
        also=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-MANIFEST-GET-TAG-200", "PULL-MANIFEST-HEAD-200"),
        apply=_hex_is_digest,
    ),
)
