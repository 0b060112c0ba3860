"""Faults of manifests that show under one condition alone: one kind, tag, name, way of coming or of asking."""

from __future__ import annotations

import re

from reference.app import Registry
from reference.documents import INDEXES, Document, Json, parse
from reference.grammar import digest_of
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest

_VARIABLES = 999
_LONGEST = 128
_AS_DIGEST = re.compile(r"sha256-([0-9a-f]{64})")


def _nested_swept(registry: Registry) -> None:
    """The deletion of an index sweeps the indexes that it lists."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        remove(name, digest)
        if manifest is None:
            return
        for child in Document(manifest.media_type, parse(manifest.content)).children:
            found = registry.storage.manifest(name, child)
            if found is not None and found.media_type in INDEXES:
                changed(name, child)

    override(registry.manifests, remove=changed)


def _too_many_variables(registry: Registry) -> None:
    """The statement that writes the tag has a variable for each descriptor, and fails above 999."""
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        members = parse(manifest.content) if manifest is not None else {}
        parts = [*(members.get("layers") or ()), *(members.get("manifests") or ())]
        if len(parts) + ("config" in members) <= _VARIABLES:
            set_tag(name, tag, digest)

    override(registry.storage, set_tag=changed)


def _sha512_anywhere(registry: Registry) -> None:
    """Manifests by sha512 are kept beside the repositories."""
    find = registry.storage.manifest

    def changed(name: str, digest: str) -> Manifest | None:
        found = find(name, digest)
        if found is not None or not digest.startswith("sha512:") or not registry.storage.exists(name):
            return found
        others = (find(other, digest) for other in registry.storage.repositories())
        return next((manifest for manifest in others if manifest is not None), None)

    override(registry.storage, manifest=changed)


def _location_cut(request: Request, response: Response) -> None:
    if request.reference.startswith("sha512:"):
        base = response.headers.get("location").rpartition("/")[0]
        response.headers.set("Location", f"{base}/{request.reference[:71]}")


def _tag_with_manifest(registry: Registry) -> None:
    """Four components deep a path to a tag is taken for one to its manifest."""
    remove_tag, remove = registry.manifests.remove_tag, registry.manifests.remove

    def changed(name: str, tag: str) -> None:
        digest = registry.storage.tag(name, tag)
        remove_tag(name, tag)
        if name.count("/") == 3 and digest is not None:
            remove(name, digest)

    override(registry.manifests, remove_tag=changed)


def _shard_removed(registry: Registry) -> None:
    """Tags lie in a directory for each first character; one that is such a character is removed as the directory."""
    remove_tag = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        if len(tag) == 1:
            for other in registry.storage.tags(name):
                if other.startswith(tag) and other != tag:
                    remove_tag(name, other)
        remove_tag(name, tag)

    override(registry.manifests, remove_tag=changed)


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


def _weights(request: Request) -> list[tuple[float, str]]:
    """The types of Accept with their weights; empty where none has one."""
    entries = [entry.strip() for field in request.headers.all("accept") for entry in field.split(",")]
    found: list[tuple[float, str]] = []
    for entry in entries:
        media_type, *parameters = [part.strip() for part in entry.split(";")]
        weight = next((part[2:] for part in parameters if part[:2].lower() == "q="), "1")
        if re.fullmatch(r"[01](\.[0-9]{0,3})?", weight) is not None:
            found.append((float(weight), media_type))
    return found if "q=" in "".join(entries).replace(" ", "").lower() else []


def _heaviest_type(registry: Registry) -> None:
    """The label is the type with the greatest weight, whatever the manifest is of."""

    def change(request: Request, response: Response) -> None:
        weights = [(weight, media_type) for weight, media_type in _weights(request) if "*" not in media_type]
        stored = response.headers.get("content-type")
        best = max(weights, key=lambda pair: pair[0], default=(0.0, stored))
        own = max((weight for weight, media_type in weights if media_type == stored), default=0.0)
        if best[0] > own:
            response.headers.set("Content-Type", best[1])

    on("manifest.get", status=200, change=change)(registry)


def _head_before_move(registry: Registry) -> None:
    """HEAD is answered from what was known of the tag before it was moved."""
    former: dict[tuple[str, str], Manifest] = {}
    set_tag, head = registry.storage.set_tag, registry.handlers["manifest.head"]

    def moved(name: str, tag: str, digest: str) -> None:
        present = registry.storage.tag(name, tag)
        before = registry.storage.manifest(name, present) if present not in (None, digest) else None
        if before is not None:
            former[name, tag] = before
        set_tag(name, tag, digest)

    async def changed(request: Request) -> Response:
        response = await head(request)
        before = former.get((request.name, request.reference))
        if response.status == 200 and before is not None:
            response.headers.set("Docker-Content-Digest", before.digest)
        return response

    override(registry.storage, set_tag=moved)
    registry.handlers["manifest.head"] = changed


def _untyped_json(registry: Registry) -> None:
    """A referrer has the type that it says itself to be of."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if "mediaType" not in parse(manifest.content):
            descriptor["mediaType"] = "application/json"
        return descriptor

    override(registry.referrers, describe=changed)


def _sha512_subject(registry: Registry) -> None:
    """The column of the subject has room for a sha256 digest."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject[:71] if subject is not None else None)

    override(registry.storage, put_manifest=changed)


def _listed_by_sha256(registry: Registry) -> None:
    """The digest of a referrer is computed anew, with the usual algorithm."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        return {**describe(manifest), "digest": digest_of(manifest.content)}

    override(registry.referrers, describe=changed)


FAULTS = (
    Fault(
        name="nested-index-swept",
        title="With an index the indexes that it lists are deleted.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        also=("PUSH-MANIFEST-KEPT",),
        apply=_nested_swept,
    ),
    Fault(
        name="thousand-descriptors-untagged",
        title="A manifest of a thousand descriptors is accepted, and its tag is not set.",
        breaks=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-GET-TAG-200",
        ),
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-HEAD-200",
            "PUSH-MANIFEST-RETAG-MOVES",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-CONSIST-TAG-MOVE",
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PUSH-MANIFEST-BYTES-EXACT",
        ),
        apply=_too_many_variables,
    ),
    Fault(
        name="untyped-referrer-is-json",
        title="A referrer without the member mediaType is listed as application/json.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        apply=_untyped_json,
    ),
    Fault(
        name="subject-by-sha512-cut",
        title="A manifest whose subject is named by sha512 is in no list of referrers.",
        breaks=(
            "DISC-REFERRERS-COMPLETE",
            "DISC-REFERRERS-COMPLETE-INDEX",
        ),
        also=(
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-STATUS-200",
        ),
        apply=_sha512_subject,
    ),
    Fault(
        name="sha512-manifest-everywhere",
        title="A manifest is served under every repository by its sha512 digest.",
        breaks=("PULL-MANIFEST-OTHER-REPO-DIGEST-404",),
        also=(
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "MGMT-MANIFEST-DELETE-GET-404",
            "MGMT-MANIFEST-DELETE-HEAD-404",
            "MGMT-MANIFEST-DELETE-UNKNOWN-404",
        ),
        apply=_sha512_anywhere,
    ),
    Fault(
        name="sha512-location-cut",
        title="The Location of a manifest that was pushed by sha512 has half of the digest.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        also=(
            "BASE-DIGEST-SHA512",
            "PULL-MANIFEST-SHA512",
        ),
        apply=on("manifest.put", status=201, change=_location_cut),
    ),
    Fault(
        name="sha512-referrer-listed-by-sha256",
        title="A referrer that was pushed by sha512 is listed by a sha256 digest under which it is unknown.",
        breaks=(
            "DISC-REFERRERS-DESCRIPTOR-FIELDS",
            "DISC-REFERRERS-COMPLETE",
        ),
        also=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_listed_by_sha256,
    ),
    Fault(
        name="tag-delete-four-deep",
        title="In a repository of four components the deletion of a tag deletes its manifest.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=(
            "MGMT-TAG-DELETE-REFERRER-LISTED",
            "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_tag_with_manifest,
    ),
    Fault(
        name="tag-of-one-character-takes-shard",
        title="The deletion of a tag of one character takes all tags that begin with it.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=(
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
        ),
        apply=_shard_removed,
    ),
    Fault(
        name="longest-tag-head-404",
        title="HEAD of a tag of 128 characters is answered 404.",
        breaks=("PULL-MANIFEST-HEAD-200",),
        also=(
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "BASE-TAG-ACCEPTED-KEPT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
        ),
        apply=_longest_unknown,
    ),
    Fault(
        name="tag-read-as-digest",
        title="A tag in the form of a digest leads to the manifest of that digest.",
        breaks=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",
            "PULL-MANIFEST-GET-UNKNOWN-404",
        ),
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
        name="label-of-greatest-weight",
        title="A manifest is labelled with the type of the greatest weight in Accept.",
        breaks=(
            "PULL-ACCEPT-LIST",
            "PULL-ACCEPT-MISMATCH",
            "PULL-MANIFEST-GET-CONTENT-TYPE",
        ),
        also=(
            "PULL-ACCEPT-EXACT",
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-ACCEPT-DIGEST-NOT-CONVERTED",
        ),
        apply=_heaviest_type,
    ),
    Fault(
        name="head-before-the-move",
        title="HEAD of a tag that was moved has the Docker-Content-Digest of what was there before.",
        breaks=(
            "PULL-CONSIST-TAG-MOVE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
        ),
        also=(
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PUSH-MANIFEST-RETAG-MOVES",
        ),
        apply=_head_before_move,
    ),
)
