"""Faults that show with some forms of tags."""

from __future__ import annotations

import re

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Manifest

_COLUMN = 127
_DIGEST_TAG = re.compile(r"(sha256-[a-f0-9]{64}|sha512-[a-f0-9]{128})")


def _key_of_127_characters(registry: Registry) -> None:
    """A tag is moved where the first 127 characters are the same."""
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        if len(tag) >= _COLUMN:
            for other in list(registry.storage.tags(name)):
                if other[:_COLUMN] == tag[:_COLUMN]:
                    set_tag(name, other, digest)
        set_tag(name, tag, digest)

    override(registry.storage, set_tag=changed)


def _underscore_is_internal(registry: Registry) -> None:
    """The registry's own marks begin with an underscore, and are not listed."""
    order = registry.tags.order
    override(registry.tags, order=lambda tags: order([tag for tag in tags if not tag.startswith("_")]))


def _tag_goes_with_its_manifest(registry: Registry) -> None:
    """The deletion of the tag in place of referrers cleans up what the tag is about."""
    remove_tag = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        remove_tag(name, tag)
        if _DIGEST_TAG.fullmatch(tag):
            registry.manifests.remove(name, tag.replace("-", ":", 1))

    override(registry.manifests, remove_tag=changed)


def _replaced_where_it_stands_first(request: Request, response: Response) -> None:
    """Location is the path with the digest for the tag, replaced where its text stands first."""
    digest = response.headers.get("Docker-Content-Digest")
    if ":" not in request.reference and request.path.endswith("/" + request.reference):
        response.headers.set("Location", request.path.replace(request.reference, digest, 1))


_DIGEST_LIKE = re.compile(r"sha256-[a-f0-9]{64}")
_STATIC = ("blobs", "list", "manifests", "referrers", "tags", "uploads", "v2")


def _own_tags_spared(registry: Registry) -> None:
    """Tags with an underscore in front were those of the registry itself once, and no sweep takes them."""

    def changed(name: str, digest: str) -> None:
        for tag in registry.storage.tags_of(name, digest):
            if not tag.startswith("_"):
                registry.storage.delete_tag(name, tag)

    override(registry.manifests, remove_tags_of=changed)


def _canonical_tag(request: Request, response: Response) -> None:
    """A tag that is not in its canonical form is named in that."""
    canonical = request.reference.lower()
    if ":" not in canonical and canonical != request.reference:
        place = response.headers.get("Location").rpartition("/")[0]
        response.headers.set("Location", f"{place}/{canonical}")


def _digest_in_tag_verified(registry: Registry) -> None:
    """A tag that is a digest with a dash for its colon is verified as one."""
    digest = registry.manifests.digest

    def changed(reference: str, content: bytes) -> str:
        computed = digest(reference, content)
        if _DIGEST_LIKE.fullmatch(reference) and reference.replace("-", ":", 1) != computed:
            raise errors.digest_invalid(reference.replace("-", ":", 1))
        return computed

    override(registry.manifests, digest=changed)


def _static_paths(registry: Registry) -> None:
    """A proxy in front keeps what ends in a word of the API, as these paths were static pages."""
    kept: dict[tuple[str, str], Response] = {}

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.reference not in _STATIC or "if-none-match" in request.headers:
                return await handler(request)
            place = request.name, request.reference
            found = kept.get(place)
            if found is None:
                found = await handler(request)
                if found.status != 200:
                    return found
                kept[place] = found = Response(200, list(found.headers.pairs), found.body)
            return Response(200, found.headers.pairs, found.body)

        return changed

    wrap(registry, ["manifest.get"], around)


_COLUMN_too = 127
_DASHED = re.compile(r"sha(?:256|512)-[a-f0-9]+")


def _column_of_127(registry: Registry) -> None:
    """A tag is cut to the width of its column, when it is written as when it is asked for."""
    storage = registry.storage
    set_tag, get_tag, delete_tag = storage.set_tag, storage.tag, storage.delete_tag
    override(
        storage,
        set_tag=lambda name, tag, digest: set_tag(name, tag[:_COLUMN_too], digest),
        tag=lambda name, tag: get_tag(name, tag[:_COLUMN_too]),
        delete_tag=lambda name, tag: delete_tag(name, tag[:_COLUMN_too]),
    )


def _deleted_like(registry: Registry) -> None:
    """The tags to delete are those that are LIKE the one that is named."""

    def remove(name: str, tag: str) -> None:
        pattern = re.compile(re.escape(tag).replace("_", "."))
        for other in list(registry.storage.tags(name)):
            if pattern.fullmatch(other):
                registry.storage.delete_tag(name, other)

    override(registry.manifests, remove_tag=remove)


def _dash_for_colon(registry: Registry) -> None:
    """Files have no colon in their names, so that a digest is looked for with a dash first."""
    find = registry.manifests.find

    def found(name: str, reference: str) -> Manifest | None:
        if _DASHED.fullmatch(reference):
            manifest = registry.storage.manifest(name, reference.replace("-", ":", 1))
            if manifest is not None:
                return manifest
        return find(name, reference)

    override(registry.manifests, find=found)


def _latest_is_newest(registry: Registry) -> None:
    """Where no manifest has the tag latest, the one that was tagged last is it."""
    newest: dict[str, str] = {}
    set_tag, find = registry.storage.set_tag, registry.manifests.find

    def tagged(name: str, tag: str, digest: str) -> None:
        newest[name] = digest
        set_tag(name, tag, digest)

    def found(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        if manifest is None and reference == "latest" and name in newest:
            return registry.storage.manifest(name, newest[name])
        return manifest

    override(registry.storage, set_tag=tagged)
    override(registry.manifests, find=found)


_LATEST = "latest"


def _folded_deletion(registry: Registry) -> None:
    """Compare as a database with a collation without case."""
    remove = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        for other in [*registry.storage.tags(name)]:
            if other.lower() == tag.lower():
                remove(name, other)

    override(registry.manifests, remove_tag=changed)


def _latest_follows(registry: Registry) -> None:
    """Take the word as it is meant in English."""
    storage = registry.storage
    set_tag = storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        if tag != _LATEST and storage.tag(name, _LATEST) is not None:
            set_tag(name, _LATEST, digest)

    override(storage, set_tag=changed)


FAULTS = (
    Fault(
        name="tags-alike-in-127-characters",
        title="A tag of 128 characters moves when one is pushed that differs from it in the last character alone.",
        breaks=("PUSH-MANIFEST-KEPT",),
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "BASE-TAG-ACCEPT",
            "BASE-TAG-CASE",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-GET-BODY-EXACT",
        ),
        apply=_key_of_127_characters,
    ),
    Fault(
        name="underscore-first-unlisted",
        title="A tag that begins with an underscore is in no list of tags.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-CONCURRENT-COMPLETE", "DISC-TAGS-ORDER-MIXED-CASE"),
        apply=_underscore_is_internal,
    ),
    Fault(
        name="tag-like-a-digest-takes-the-manifest",
        title="The deletion of a tag that is a digest with a dash for its colon deletes the manifest of that digest.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=(
            "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
            "MGMT-TAG-DELETE-MANIFEST-BY-DIGEST-KEPT",
            "PUSH-MANIFEST-KEPT",
            "MGMT-TAG-DELETE-REFERRER-LISTED",
        ),
        apply=_tag_goes_with_its_manifest,
    ),
    Fault(
        name="location-with-a-word-replaced",
        title="The Location of a manifest pushed to a tag like manifests or v2 has the digest in place of that word.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        apply=on("manifest.put", status=201, change=_replaced_where_it_stands_first),
    ),
    Fault(
        name="underscore-tags-spared-by-sweep",
        title="A tag that begins with an underscore stays in the list of tags when its manifest is deleted.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",),
        also=("MGMT-MANIFEST-DELETE-TAGS-404", "DISC-TAGS-EMPTY-REPO-200"),
        apply=_own_tags_spared,
    ),
    Fault(
        name="location-of-tag-in-canonical-case",
        title="The Location of a manifest that is pushed by a tag with capitals names the tag in small letters.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        also=("BASE-TAG-CASE", "BASE-TAG-ACCEPT", "BASE-TAG-ACCEPTED-KEPT"),
        apply=on("manifest.put", status=201, change=_canonical_tag),
    ),
    Fault(
        name="digest-like-tag-verified-as-digest",
        title="A push to a tag like sha256-HEX is refused unless HEX is the digest of the manifest itself.",
        breaks=("DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",),
        also=("BASE-TAG-ACCEPT", "PUSH-MANIFEST-STATUS-201", "PUSH-MANIFEST-RETAG-MOVES", "BASE-TAG-ACCEPTED-KEPT"),
        apply=_digest_in_tag_verified,
    ),
    Fault(
        name="route-word-tag-kept-by-proxy",
        title="GET of a tag that is a word of the API yields what it did at first, though the tag moved or went.",
        breaks=("PULL-CONSIST-TAG-MOVE",),
        also=(
            "PUSH-MANIFEST-RETAG-MOVES",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
            "MGMT-TAG-DELETE-GET-404",
            "MGMT-MANIFEST-DELETE-TAGS-404",
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "BASE-TAG-ACCEPTED-KEPT",
            "BASE-TAG-ACCEPT",
        ),
        apply=_static_paths,
    ),
    Fault(
        name="tag-column-of-127-characters",
        title="A tag of 128 characters is kept, listed and compared without its last one.",
        breaks=(
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "PULL-MANIFEST-GET-UNKNOWN-404",
        ),
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
        ),
        apply=_column_of_127,
    ),
    Fault(
        name="tag-deleted-with-all-that-are-like-it",
        title="An underscore in a tag that is deleted stands for any character, and other tags go with it.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        apply=_deleted_like,
    ),
    Fault(
        name="tag-with-digest-and-dash-is-the-digest",
        title="A tag sha256-HEX leads to the manifest of the digest sha256:HEX, where there is one.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-404",),
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "MGMT-TAG-DELETE-GET-404",
            "MGMT-TAG-DELETE-HEAD-404",
        ),
        apply=_dash_for_colon,
    ),
    Fault(
        name="tag-latest-made-up",
        title="Where the tag latest is missing, it leads to the manifest that was tagged last.",
        breaks=(
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "MGMT-TAG-DELETE-GET-404",
        ),
        also=(
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "MGMT-TAG-DELETE-HEAD-404",
        ),
        apply=_latest_is_newest,
    ),
    Fault(
        name="tag-delete-folds-case",
        title="The deletion of a tag deletes the tags that differ from it in case alone as well.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=("PUSH-MANIFEST-KEPT", "PUSH-MANIFEST-MULTIPLE-TAGS", "BASE-TAG-ACCEPTED-KEPT"),
        apply=_folded_deletion,
    ),
    Fault(
        name="latest-follows-newest-push",
        title="A push under another tag moves the tag latest along, where there is one.",
        breaks=("PUSH-MANIFEST-KEPT",),
        also=(
            "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
        ),
        apply=_latest_follows,
    ),
)
