"""Faults of pushes of manifests."""

from __future__ import annotations

from dataclasses import replace

from reference import errors
from reference.app import Registry
from reference.documents import Document
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override
from reference.storage import Manifest

#: As a common library writes them in JSON.
_ESCAPES = ((b"<", rb"\u003c"), (b">", rb"\u003e"), (b"&", rb"\u0026"))


def _known_manifests_stay(registry: Registry) -> None:
    """Nothing more is done where the manifest is there already, but that a new tag is made."""
    known: set[tuple[str, str]] = set()
    put_manifest, set_tag = registry.storage.put_manifest, registry.storage.set_tag

    def put(name: str, manifest: Manifest, subject: str | None) -> None:
        known.discard((name, manifest.digest))
        if registry.storage.manifest(name, manifest.digest) is not None:
            known.add((name, manifest.digest))
        put_manifest(name, manifest, subject)

    def point(name: str, tag: str, digest: str) -> None:
        if registry.storage.tag(name, tag) is None or (name, digest) not in known:
            set_tag(name, tag, digest)

    override(registry.storage, put_manifest=put, set_tag=point)


def _short_subjects_only(registry: Registry) -> None:
    """An absent subject must have a digest of the usual length."""
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        subject = document.subject
        if subject and subject.startswith("sha512:") and registry.storage.manifest(name, subject) is None:
            raise errors.manifest_invalid("the subject has an invalid digest")
        check(name, document)

    override(registry.manifests, check_references=changed)


def _artifacts_only(registry: Registry) -> None:
    """Only what has a type of artifact is taken for a referrer in the answer."""
    created = registry.manifests.created

    def changed(request: Request, manifest: Manifest, document: Document) -> Response:
        response = created(request, manifest, document)
        if not document.members.get("artifactType"):
            response.headers.drop("OCI-Subject")
        return response

    override(registry.manifests, created=changed)


@around("manifest.put")
async def _untagged_first(registry: Registry, request: Request, handler: Handler) -> Response:
    """The tag is taken away before it is looked whether the blobs are there."""
    try:
        return await handler(request)
    except errors.RegistryError as error:
        missing = any(entry.code == "MANIFEST_BLOB_UNKNOWN" for entry in error.entries)
        if missing and ":" not in request.reference and registry.storage.tag(request.name, request.reference):
            registry.storage.delete_tag(request.name, request.reference)
        raise


@around("manifest.put")
async def _taken_tags_stay(registry: Registry, request: Request, handler: Handler) -> Response:
    """A tag of the query that there is already stays, and is named like the others."""
    storage = registry.storage
    asked = request.query.all("tag") if ":" in request.reference else []
    before = {tag: storage.tag(request.name, tag) for tag in asked}
    response = await handler(request)
    for tag, digest in before.items():
        if digest is not None:
            storage.set_tag(request.name, tag, digest)
    return response


def _escaped(registry: Registry) -> None:
    """A manifest is stored as a library writes it that thinks of pages."""
    put_manifest = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        content = manifest.content
        for character, escape in _ESCAPES:
            content = content.replace(character, escape)
        put_manifest(name, replace(manifest, content=content), subject)

    override(registry.storage, put_manifest=changed)


FAULTS = (
    Fault(
        name="tag-stays-for-known-manifests",
        title="A tag does not move to a manifest that the repository had before, though the push gets 201.",
        breaks=(
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-CONSIST-TAG-MOVE",
        ),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PUSH-TAGPARAM-LISTED-TAG-RESOLVES",
        ),
        apply=_known_manifests_stay,
    ),
    Fault(
        name="absent-sha512-subject-refused",
        title="A manifest whose absent subject has a sha512 digest is refused.",
        breaks=(
            "PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED",
            "PUSH-MANIFEST-STATUS-201",
        ),
        also=(
            "PUSH-MANIFEST-SUBJECT-INDEX-ABSENT-ACCEPTED",
            "DISC-REFERRERS-BEFORE-SUBJECT",
        ),
        apply=_short_subjects_only,
    ),
    Fault(
        name="oci-subject-of-artifacts-only",
        title="OCI-Subject is not sent for a manifest that has no artifactType.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-PRESENT",),
        also=("PUSH-MANIFEST-OCI-SUBJECT-INDEX",),
        apply=_artifacts_only,
    ),
    Fault(
        name="tag-gone-after-refused-push",
        title="A push to a tag that is refused for missing blobs takes the tag away.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        apply=_untagged_first,
    ),
    Fault(
        name="oci-tag-of-tags-not-moved",
        title="OCI-Tag names tags that were there before, and they are not moved.",
        breaks=("PUSH-TAGPARAM-LISTED-TAG-RESOLVES",),
        apply=_taken_tags_stay,
    ),
    Fault(
        name="manifest-angle-brackets-escaped",
        title="Angle brackets and ampersands in a manifest are stored as escapes.",
        breaks=(
            "PUSH-MANIFEST-BYTES-EXACT",
            "PULL-MANIFEST-GET-BODY-EXACT",
        ),
        also=(
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_escaped,
    ),
)
