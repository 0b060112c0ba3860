"""Faults of manifests that show in what they refer to, or what refers to them."""

from __future__ import annotations

from collections import Counter

from reference import errors
from reference.app import Registry
from reference.documents import Document, parse
from reference.messages import Request, Response
from reference.modifications import Fault, override
from reference.storage import Manifest


def _is_tag(reference: str) -> bool:
    return ":" not in reference


def _document(manifest: Manifest) -> Document:
    return Document(manifest.media_type, parse(manifest.content))


def _row_of_content(registry: Registry) -> None:
    """A manifest is a row that is found by its content; its digest is the one that it came by last."""
    storage, find = registry.storage, registry.manifests.find
    put = storage.put_manifest
    former: dict[tuple[str, str], str] = {}
    rows: dict[tuple[str, bytes], str] = {}

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        last = rows.get((name, manifest.content), manifest.digest)
        rows[name, manifest.content] = manifest.digest
        former.pop((name, manifest.digest), None)
        if last != manifest.digest:
            former[name, last] = manifest.digest

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        if manifest is None or (name, manifest.digest) not in former:
            return manifest
        return storage.manifest(name, former[name, manifest.digest]) if _is_tag(reference) else None

    override(storage, put_manifest=stored)
    override(registry.manifests, find=changed)


def _trimmed(registry: Registry) -> None:
    """The line end behind a manifest is not stored."""
    put = registry.storage.put_manifest

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, Manifest(manifest.digest, manifest.media_type, manifest.content.rstrip(b"\r\n")), subject)

    override(registry.storage, put_manifest=stored)


def _rolled_back(registry: Registry) -> None:
    """Manifest and blob are unique together, and what breaks that rolls back all that was written with it."""
    failed: set[tuple[str, str]] = set()
    storage = registry.storage
    put, set_tag = storage.put_manifest, storage.set_tag

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        members = parse(manifest.content)
        rows = [members.get("config"), *(members.get("layers") or ()), *(members.get("manifests") or ())]
        digests = [row["digest"] for row in rows if isinstance(row, dict) and "digest" in row]
        if len(digests) != len(set(digests)):
            failed.add((name, manifest.digest))
        else:
            put(name, manifest, subject)

    def tagged(name: str, tag: str, digest: str) -> None:
        if (name, digest) not in failed:
            set_tag(name, tag, digest)

    override(storage, put_manifest=stored, set_tag=tagged)


def _cascade_upwards(registry: Registry) -> None:
    """The deletion of a referrer goes along the relation to its subject."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        remove(name, digest)
        if manifest is not None and (subject := _document(manifest).subject):
            remove(name, subject)

    override(registry.manifests, remove=changed)


def _charged_for_refused(registry: Registry) -> None:
    """What is refused for its size was counted before, and is not given back."""
    put, limit = registry.handlers["manifest.put"], registry.options.manifest_limit
    charged: Counter[str] = Counter()

    async def changed(request: Request) -> Response:
        if charged[request.name] and charged[request.name] + (request.content_length or 0) > limit:
            raise errors.manifest_too_large(limit)
        try:
            return await put(request)
        except errors.RegistryError as error:
            if error.status == 413:
                charged[request.name] += request.content_length or limit
            raise

    registry.handlers["manifest.put"] = changed


def _rows_of_refused(registry: Registry) -> None:
    """The rows of the blobs of a manifest are written before it is looked at whether the blobs are there."""
    rows: dict[tuple[str, str], int] = {}
    check, head = registry.manifests.check_references, registry.handlers["blob.head"]

    def checked(name: str, document: Document) -> None:
        for part in [document.members.get("config"), *(document.members.get("layers") or ())]:
            if isinstance(part, dict) and part.get("digest") in document.blobs:
                rows[name, part["digest"]] = part["size"]
        check(name, document)

    async def changed(request: Request) -> Response:
        try:
            return await head(request)
        except errors.RegistryError as error:
            size = rows.get((request.name, request.reference))
            if error.status != 404 or size is None:
                raise
        return Response(
            200,
            [
                ("Content-Type", "application/octet-stream"),
                *registry.blobs.headers(request.reference),
                ("Content-Length", str(size)),
            ],
        )

    def deleted(name: str, digest: str) -> bool:
        rows.pop((name, digest), None)
        return remove(name, digest)

    remove = registry.blobs.remove
    override(registry.manifests, check_references=checked)
    override(registry.blobs, remove=deleted)
    registry.handlers["blob.head"] = changed


def _untagged_with_children(registry: Registry) -> None:
    """Who takes the tag of an index takes those of what it lists."""
    remove_tag = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        manifest = registry.manifests.find(name, tag)
        remove_tag(name, tag)
        for child in _document(manifest).children if manifest is not None else ():
            registry.manifests.remove_tags_of(name, child)

    override(registry.manifests, remove_tag=changed)


FAULTS = (
    Fault(
        name="manifest-by-its-last-digest-alone",
        title="A manifest that is pushed again by a digest of another algorithm is unknown by its former digest.",
        breaks=("PUSH-MANIFEST-KEPT", "PULL-MANIFEST-SHA512"),
        also=(
            "PULL-MANIFEST-GET-DIGEST-200",
            "BASE-DIGEST-SHA512",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
            "PULL-CONSIST-REPEATABLE",
        ),
        apply=_row_of_content,
    ),
    Fault(
        name="manifest-without-its-line-end",
        title="A manifest that ends with a line end is served without it.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT",),
        also=(
            "PUSH-MANIFEST-BYTES-EXACT",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
        ),
        apply=_trimmed,
    ),
    Fault(
        name="manifest-with-a-blob-twice-lost",
        title="A manifest that names a digest twice is answered 201, and unknown.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-MANIFEST-GET-TAG-200"),
        also=(
            "PULL-MANIFEST-GET-DIGEST-200",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
            "PUSH-MANIFEST-ARTIFACT-TYPE-UNKNOWN",
            "PULL-TYPE-OCI-IMAGE",
            "PULL-TYPE-OCI-INDEX",
            "BASE-TAG-ACCEPTED-KEPT",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "DISC-REFERRERS-COMPLETE",
            "MGMT-TAG-DELETE-202",
            "MGMT-MANIFEST-DELETE-202",
        ),
        apply=_rolled_back,
    ),
    Fault(
        name="subject-deleted-with-its-referrer",
        title="With a referrer the manifest that is its subject is deleted.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        also=(
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-GET-DIGEST-200",
        ),
        apply=_cascade_upwards,
    ),
    Fault(
        name="refused-size-charged",
        title="After a manifest was refused for its size each other one of its repository is answered 413.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        also=(
            "PUSH-MANIFEST-IDEMPOTENT",
            "PUSH-MANIFEST-4MB-ACCEPTED",
            "PUSH-MANIFEST-REFUSED-NOT-STORED",
            "PUSH-MANIFEST-OVERSIZE-413",
        ),
        apply=_charged_for_refused,
    ),
    Fault(
        name="blobs-of-a-refused-manifest-there",
        title="HEAD of a blob that is missing is answered 200 after a manifest was refused for want of it.",
        breaks=("PULL-BLOB-HEAD-UNKNOWN-404",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-MANIFEST-REFUSED-NOT-STORED",
            "PULL-BLOB-HEAD-OTHER-REPO-404",
        ),
        apply=_rows_of_refused,
    ),
    Fault(
        name="untagged-with-the-index",
        title="With the tag of an index those of the manifests are deleted that it lists.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=("PUSH-MANIFEST-KEPT",),
        apply=_untagged_with_children,
    ),
)
