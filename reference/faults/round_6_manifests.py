"""Faults of manifests under one condition: a size, a kind, a tag, a name, what became of a tag before."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from reference import errors
from reference.app import Registry
from reference.documents import DOCKER_MANIFEST, INDEXES, Document, parse
from reference.grammar import digest_of
from reference.messages import JSON, Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.resources import matches
from reference.storage import Manifest, Upload

_PULLS = ("manifest.get", "manifest.head")
_SAMPLE = 2 << 20
_SNIFFED = 1 << 16
_COLUMN = 127
_FIELD = 255
_DEPTH = 4


def _length_of_a_sample(_request: Request, response: Response) -> None:
    """Read as much as is mostly enough, and take its length."""
    response.headers.set("Content-Length", str(min(response.length, _SAMPLE)))


def _type_by_sniffing(_request: Request, response: Response) -> None:
    """Look for the type in the first 64 KiB; what is no JSON there has none."""
    try:
        json.loads(response.body[:_SNIFFED])
    except ValueError:
        response.headers.set("Content-Type", JSON)


def _type_of_a_summary(_request: Request, response: Response) -> None:
    """Take the type from the member, or for that of most manifests."""
    if not parse(response.body).get("mediaType"):
        response.headers.set("Content-Type", DOCKER_MANIFEST)


def _type_of_lists(request: Request, response: Response) -> None:
    """All that ends in /list is a list of tags."""
    if request.path.endswith("/list"):
        response.headers.set("Content-Type", JSON)


def _cascade(registry: Registry) -> None:
    """Delete the parts of an index with it; what is no image itself is such a part."""
    remove, storage = registry.manifests.remove, registry.storage

    def changed(name: str, digest: str) -> None:
        manifest = storage.manifest(name, digest)
        if manifest is not None and manifest.media_type in INDEXES:
            for child in Document(manifest.media_type, parse(manifest.content)).children:
                inner = storage.manifest(name, child)
                if inner is not None and inner.media_type in INDEXES:
                    changed(name, child)
        remove(name, digest)

    override(registry.manifests, remove=changed)


def _column_short(registry: Registry) -> None:
    """Compare with a column of 127 characters; that nothing was deleted goes unnoticed."""
    remove_tag = registry.manifests.remove_tag
    override(registry.manifests, remove_tag=lambda name, tag: remove_tag(name, tag[:_COLUMN]))


def _collated(registry: Registry) -> None:
    """Delete with the collation of the table, which knows no case."""
    remove_tag = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        for each in registry.storage.tags(name):
            if each.lower() == tag.lower():
                remove_tag(name, each)

    override(registry.manifests, remove_tag=changed)


def _accept_cut(registry: Registry) -> None:
    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        accept = ",".join(request.headers.all("accept"))
        if len(accept) <= _FIELD:
            return manifest
        whole = accept[:_FIELD].rpartition(",")[0].split(",")
        types = {each.partition(";")[0].strip().lower() for each in whole}
        if types & {manifest.media_type.lower(), "*/*", "application/*"}:
            return manifest
        raise errors.manifest_unknown(request.reference)

    override(registry.manifests, negotiate=negotiate)


def _versions(registry: Registry) -> None:
    """The ETag of a tag is its version, and a new tag has the first."""
    count: dict[tuple[str, str], int] = {}
    storage = registry.storage
    set_tag, delete_tag = storage.set_tag, storage.delete_tag

    def moved(name: str, tag: str, digest: str) -> None:
        if storage.tag(name, tag) != digest:
            count[name, tag] = count.get((name, tag), 0) + 1
        set_tag(name, tag, digest)

    def deleted(name: str, tag: str) -> None:
        count.pop((name, tag), None)
        delete_tag(name, tag)

    def etag(request: Request) -> str | None:
        version = count.get((request.name, request.reference))
        return None if version is None else f'"{request.name}:{request.reference}.{version}"'

    def pulled(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            present = etag(request)
            if present is None:
                return await handler(request)
            condition = ",".join(request.headers.all("if-none-match"))
            request.headers.drop("if-none-match")
            response = await handler(request)
            if response.status == 200:
                response.headers.set("ETag", present)
                if condition and matches(condition, present):
                    digest = response.headers.get("Docker-Content-Digest")
                    return Response(304, [("Docker-Content-Digest", digest), ("ETag", present)])
            return response

        return changed

    def pushed(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            digest = storage.tag(request.name, request.reference)
            if digest is not None and request.headers.get("if-match").strip() == etag(request):
                request.headers.set("if-match", f'"{digest}"')
            return await handler(request)

        return changed

    override(storage, set_tag=moved, delete_tag=deleted)
    wrap(registry, _PULLS, pulled)
    wrap(registry, ["manifest.put"], pushed)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A manifest that waits for its content."""

    name: str
    reference: str
    content: bytes
    document: Document


def _drafts(registry: Registry) -> None:
    """Keep what is refused for want of content, and store it when that comes."""
    waiting: list[_Draft] = []
    pushed: list[tuple[str, bytes]] = []
    manifests, storage = registry.manifests, registry.storage
    digest, check, commit = manifests.digest, manifests.check_references, storage.commit_upload

    def noting(reference: str, content: bytes) -> str:
        pushed[:] = [(reference, content)]
        return digest(reference, content)

    def checked(name: str, document: Document) -> None:
        try:
            check(name, document)
        except errors.RegistryError:
            waiting.append(_Draft(name, *pushed[0], document))
            raise

    def complete(draft: _Draft) -> bool:
        try:
            check(draft.name, draft.document)
        except errors.RegistryError:
            return False
        return True

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        commit(upload, digests)
        for draft in [each for each in waiting if each.name == upload.repository and complete(each)]:
            waiting.remove(draft)
            tagged = ":" not in draft.reference
            name = digest_of(draft.content) if tagged else draft.reference
            manifest = Manifest(name, draft.document.media_type, draft.content)
            storage.put_manifest(draft.name, manifest, draft.document.subject)
            if tagged:
                storage.set_tag(draft.name, draft.reference, name)

    override(manifests, digest=noting, check_references=checked)
    override(storage, commit_upload=committed)


def _hidden(registry: Registry) -> None:
    """Deletion marks a manifest, and its tags are not shown with it; a push takes the mark away."""
    hidden: dict[tuple[str, str], list[str]] = {}
    storage, remove = registry.storage, registry.manifests.remove
    put = storage.put_manifest

    def removed(name: str, digest: str) -> None:
        hidden[name, digest] = [tag for tag in storage.tags(name) if storage.tag(name, tag) == digest]
        remove(name, digest)

    def shown(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        for tag in hidden.pop((name, manifest.digest), []):
            if storage.tag(name, tag) is None:
                storage.set_tag(name, tag, manifest.digest)

    override(registry.manifests, remove=removed)
    override(storage, put_manifest=shown)


def _guarded(registry: Registry) -> None:
    """Leave what an index needs to the next collection, which never comes."""
    parents: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    storage, remove = registry.storage, registry.manifests.remove
    put = storage.put_manifest

    def noting(name: str, manifest: Manifest, subject: str | None) -> None:
        if manifest.media_type in INDEXES:
            for child in Document(manifest.media_type, parse(manifest.content)).children:
                parents[name, child].add(manifest.digest)
        put(name, manifest, subject)

    def removed(name: str, digest: str) -> None:
        if not any(storage.manifest(name, parent) for parent in parents[name, digest]):
            remove(name, digest)

    override(storage, put_manifest=noting)
    override(registry.manifests, remove=removed)


def _by_group(registry: Registry) -> None:
    """Keep what tags name by the group of a repository, which is four levels deep at most, and the tag."""
    kept: dict[tuple[str, str], Manifest] = {}
    storage, find = registry.storage, registry.manifests.find
    set_tag, delete_tag = storage.set_tag, storage.delete_tag

    def key(name: str, tag: str) -> tuple[str, str] | None:
        parts = name.split("/")
        return ("/".join(parts[:_DEPTH]), tag) if len(parts) > _DEPTH else None

    def moved(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        manifest, where = storage.manifest(name, digest), key(name, tag)
        if manifest is not None and where is not None:
            kept[where] = manifest

    def deleted(name: str, tag: str) -> None:
        where = key(name, tag)
        if where is not None:
            kept.pop(where, None)
        delete_tag(name, tag)

    def changed(name: str, reference: str) -> Manifest | None:
        found, where = find(name, reference), key(name, reference)
        return kept.get(where, found) if where is not None and storage.exists(name) else found

    override(storage, set_tag=moved, delete_tag=deleted)
    override(registry.manifests, find=changed)


def _journal(registry: Registry) -> None:
    """A tag is what the newest line of its journal says, and no line is written twice."""
    lines: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    storage = registry.storage
    set_tag, delete_tag = storage.set_tag, storage.delete_tag

    def moved(name: str, tag: str, digest: str) -> None:
        if digest not in lines[name, tag]:
            lines[name, tag].add(digest)
            set_tag(name, tag, digest)

    def deleted(name: str, tag: str) -> None:
        lines.pop((name, tag), None)
        delete_tag(name, tag)

    override(storage, set_tag=moved, delete_tag=deleted)


#: What may be found beside several of the faults: each is true of what they send.
_BESIDE_1 = (
    "PULL-ACCEPT-EXACT",
    "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
    "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",
    "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
    "PULL-MANIFEST-TAG-DIGEST-AGREE",
    "PULL-TYPE-DOCKER-LIST",
    "PULL-TYPE-DOCKER-V2",
    "PULL-TYPE-OCI-IMAGE",
    "PULL-TYPE-OCI-INDEX",
)

FAULTS = (
    Fault(
        name="sixth-head-length-of-large-manifests",
        title="HEAD of a manifest above 2 MiB says that it has 2 MiB.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=on("manifest.head", status=200, change=_length_of_a_sample),
    ),
    Fault(
        name="sixth-long-manifests-labelled-json",
        title="A manifest above 64 KiB is labelled application/json.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        also=_BESIDE_1,
        apply=on(*_PULLS, status=200, change=_type_by_sniffing),
    ),
    Fault(
        name="sixth-head-type-of-nameless-manifests",
        title="HEAD of a manifest without mediaType labels it as a Docker image.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        apply=on("manifest.head", status=200, change=_type_of_a_summary),
    ),
    Fault(
        name="sixth-tag-list-labelled-json",
        title="A manifest is labelled application/json when it is pulled by the tag list.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        also=_BESIDE_1,
        apply=on(*_PULLS, status=200, change=_type_of_lists),
    ),
    Fault(
        name="sixth-inner-index-deleted-with-outer",
        title="With an index the indexes that it lists are deleted, whatever tags they have.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        apply=_cascade,
    ),
    Fault(
        name="sixth-longest-tag-not-deleted",
        title="DELETE of a tag of 128 characters is answered 202 and deletes nothing.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=(
            "MGMT-TAG-DELETE-HEAD-404",
            "MGMT-TAG-DELETE-NOT-LISTED",
            "MGMT-TAG-DELETE-UNKNOWN-404",
        ),
        apply=_column_short,
    ),
    Fault(
        name="sixth-tag-deleted-in-any-case",
        title="With a tag those are deleted that differ from it in case alone.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        apply=_collated,
    ),
    Fault(
        name="sixth-accept-of-255-characters",
        title="Of an Accept of more than 255 characters the types behind those do not count.",
        breaks=("PULL-ACCEPT-LIST",),
        also=(
            "PULL-ACCEPT-REPEATED-FIELD",
            "PULL-ACCEPT-QVALUE",
            "PULL-ACCEPT-EXACT",
            "PULL-ACCEPT-INDEX-INTACT",
        ),
        apply=_accept_cut,
    ),
    Fault(
        name="sixth-versions-of-tags-from-one-again",
        title="A tag that comes back after its deletion has the ETag that another manifest had by it.",
        breaks=("PULL-CACHE-FALSE-304",),
        also=("PULL-CONSIST-TAG-MOVE",),
        apply=_versions,
    ),
    Fault(
        name="sixth-refused-manifest-stored-later",
        title="A manifest that was refused for want of a blob is stored when that is pushed.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        also=(
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-GET-UNKNOWN-404",
        ),
        apply=_drafts,
    ),
    Fault(
        name="sixth-deleted-tags-come-back",
        title="When a deleted manifest is pushed again all its former tags come back.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-404",),
        also=(
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PUSH-MANIFEST-BY-DIGEST-NO-TAG",
            "DISC-TAGS-DIGEST-NOT-LISTED",
        ),
        apply=_hidden,
    ),
    Fault(
        name="sixth-part-of-an-index-not-deleted",
        title="DELETE of a manifest that an index lists is answered 202 and deletes nothing.",
        breaks=("MGMT-MANIFEST-DELETE-GET-404",),
        also=(
            "MGMT-MANIFEST-DELETE-HEAD-404",
            "MGMT-MANIFEST-DELETE-TAGS-404",
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "MGMT-MANIFEST-DELETE-TWICE-404",
        ),
        apply=_guarded,
    ),
    Fault(
        name="sixth-tags-of-a-group",
        title="Repositories that have their first four components in common, of more, share their tags.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG",),
        also=(
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_by_group,
    ),
    Fault(
        name="sixth-tag-never-moves-back",
        title="A tag that is pushed with what it named before its last move stays where it is.",
        breaks=(
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-CONSIST-TAG-MOVE",
        ),
        also=(
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
        ),
        apply=_journal,
    ),
)
