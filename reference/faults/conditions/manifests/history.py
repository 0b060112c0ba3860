"""Faults of manifests that show after something was done before."""

from __future__ import annotations

from collections import defaultdict

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.resources import matches
from reference.storage import Manifest

_PULLS = ("manifest.get", "manifest.head")


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


def _subject_told_once(registry: Registry) -> None:
    """A push of what is stored already takes a short way, that sets the tag and knows of no subject."""
    put = registry.storage.put_manifest
    seen: set[tuple[str, str]] = set()
    again: set[tuple[str, str]] = set()

    def noting(name: str, manifest: Manifest, subject: str | None) -> None:
        (again if (name, manifest.digest) in seen else seen).add((name, manifest.digest))
        put(name, manifest, subject)

    def change(request: Request, response: Response) -> None:
        if (request.name, response.headers.get("Docker-Content-Digest")) in again and ":" not in request.reference:
            response.headers.drop("OCI-Subject")

    override(registry.storage, put_manifest=noting)
    on("manifest.put", status=201, change=change)(registry)


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


def _tags_come_back(registry: Registry) -> None:
    """A manifest that comes back has the rows of its tags still."""
    former: dict[tuple[str, str], list[str]] = {}
    remove, put = registry.manifests.remove, registry.storage.put_manifest

    def removing(name: str, digest: str) -> None:
        storage = registry.storage
        former[name, digest] = [tag for tag in storage.tags(name) if storage.tag(name, tag) == digest]
        remove(name, digest)

    def putting(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        for tag in former.pop((name, manifest.digest), []):
            if registry.storage.tag(name, tag) is None:
                registry.storage.set_tag(name, tag, manifest.digest)

    override(registry.manifests, remove=removing)
    override(registry.storage, put_manifest=putting)


def _tag_revived(registry: Registry) -> None:
    """A deleted row is made valid again, and its digest not looked at."""
    buried: dict[tuple[str, str], str] = {}
    remove_tag, set_tag = registry.manifests.remove_tag, registry.storage.set_tag

    def removing(name: str, tag: str) -> None:
        digest = registry.storage.tag(name, tag)
        if digest is not None:
            buried[name, tag] = digest
        remove_tag(name, tag)

    def changed(name: str, tag: str, digest: str) -> None:
        former = buried.pop((name, tag), None)
        there = former is not None and registry.storage.manifest(name, former) is not None
        set_tag(name, tag, former if there and former is not None else digest)

    override(registry.manifests, remove_tag=removing)
    override(registry.storage, set_tag=changed)


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


def _tags_restored(registry: Registry) -> None:
    """A deleted manifest is but marked so, with its tags; when it comes back they do."""
    marked: dict[tuple[str, str], list[str]] = {}
    storage, remove = registry.storage, registry.manifests.remove
    put = storage.put_manifest

    def removed(name: str, digest: str) -> None:
        marked[name, digest] = [tag for tag in storage.tags(name) if storage.tag(name, tag) == digest]
        remove(name, digest)

    def restored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        for tag in marked.pop((name, manifest.digest), ()):
            if storage.tag(name, tag) is None:
                storage.set_tag(name, tag, manifest.digest)

    override(registry.manifests, remove=removed)
    override(storage, put_manifest=restored)


def _marked_as_deleted(registry: Registry) -> None:
    """A deleted tag is only marked; who pushes to it takes the mark away, and finds what it named."""
    marked: dict[tuple[str, str], str] = {}
    storage = registry.storage
    set_tag, delete_tag = storage.set_tag, storage.delete_tag

    def untagged(name: str, tag: str) -> None:
        named = storage.tag(name, tag)
        if named is not None:
            marked[name, tag] = named
        delete_tag(name, tag)

    def tagged(name: str, tag: str, digest: str) -> None:
        named = marked.pop((name, tag), digest)
        set_tag(name, tag, named if storage.manifest(name, named) is not None else digest)

    override(storage, set_tag=tagged, delete_tag=untagged)


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


FAULTS = (
    Fault(
        name="deleted-tag-names-former-manifest",
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
    Fault(
        name="no-oci-subject-at-second-tag",
        title="The push of a manifest with a subject that is there already, to a tag, has no OCI-Subject.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-PRESENT",),
        also=("PUSH-MANIFEST-OCI-SUBJECT-INDEX",),
        apply=_subject_told_once,
    ),
    Fault(
        name="head-before-the-move",
        title="HEAD of a tag that was moved has the Docker-Content-Digest of what was there before.",
        breaks=("PULL-CONSIST-TAG-MOVE", "PULL-MANIFEST-HEAD-DCD-TRUE"),
        also=("PULL-MANIFEST-HEAD-GET-AGREE", "PUSH-MANIFEST-RETAG-MOVES"),
        apply=_head_before_move,
    ),
    Fault(
        name="tags-come-back",
        title="A manifest that is pushed after its deletion has all the tags again that it had before.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-404",),
        also=(
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "DISC-TAGS-DIGEST-NOT-LISTED",
            "PUSH-MANIFEST-BY-DIGEST-NO-TAG",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
        ),
        apply=_tags_come_back,
    ),
    Fault(
        name="deleted-tag-revived",
        title="A tag that was deleted leads to its former manifest when another one is pushed to it.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE",),
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-CONSIST-TAG-MOVE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "MGMT-TAG-DELETE-GET-404",
        ),
        apply=_tag_revived,
    ),
    Fault(
        name="etag-repeats-after-tag-deletion",
        title="A tag that comes back after its deletion has the ETag that another manifest had by it.",
        breaks=("PULL-CACHE-FALSE-304",),
        also=("PULL-CONSIST-TAG-MOVE",),
        apply=_versions,
    ),
    Fault(
        name="deleted-tags-come-back",
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
        name="tag-never-moves-back",
        title="A tag that is pushed with what it named before its last move stays where it is.",
        breaks=("PUSH-MANIFEST-RETAG-MOVES", "PULL-CONSIST-TAG-MOVE"),
        also=("PUSH-MANIFEST-KEPT", "PUSH-MANIFEST-BY-TAG-PULLABLE"),
        apply=_journal,
    ),
    Fault(
        name="tags-back-with-manifest",
        title="When a deleted manifest is pushed again, the tags that it had before are there again.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-404",),
        also=(
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "PUSH-MANIFEST-BY-DIGEST-NO-TAG",
            "DISC-TAGS-DIGEST-NOT-LISTED",
            "PULL-MANIFEST-GET-UNKNOWN-404",
        ),
        apply=_tags_restored,
    ),
    Fault(
        name="deleted-tag-restored",
        title="The first push to a tag that was deleted brings back the manifest that it named.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE",),
        also=(
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-CONSIST-TAG-MOVE",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
        ),
        apply=_marked_as_deleted,
    ),
    Fault(
        name="deleted-tag-comes-back",
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
)
