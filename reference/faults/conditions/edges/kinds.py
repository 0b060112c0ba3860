"""Faults that show with some kinds of manifests."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.documents import INDEXES, OCI_INDEX, OCI_MANIFEST, Document, parse
from reference.faults.conditions.edges.shared import MIB
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest

_PULLS = ("manifest.get", "manifest.head")
_MANY = 1000


def _type_from_the_body(_request: Request, response: Response) -> None:
    """The type is read from the body, and what says nothing of itself is an image."""
    if response.headers.get("Content-Type") == OCI_INDEX and not parse(response.body).get("mediaType"):
        response.headers.set("Content-Type", OCI_MANIFEST)


def _never_left(registry: Registry) -> None:
    """The search for cycles notes the inner indexes that it came to, and does not forget them when it is done."""
    visited: set[tuple[str, str]] = set()
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        check(name, document)
        for digest in document.children:
            child = registry.storage.manifest(name, digest)
            if child is None or child.media_type not in INDEXES:
                continue
            if (name, digest) in visited:
                raise errors.manifest_invalid("the index is part of itself")
            visited.add((name, digest))

    override(registry.manifests, check_references=changed)


def _spooled_without_hash(registry: Registry) -> None:
    """What is too long for the buffer goes to a file, and is not hashed on that way."""
    digest = registry.manifests.digest

    def changed(reference: str, content: bytes) -> str:
        if len(content) > MIB and ":" in reference:
            registry.manifests.check_reference(reference)
            return reference
        return digest(reference, content)

    override(registry.manifests, digest=changed)


def _variables_of_one_statement(registry: Registry) -> None:
    """The row of the subject follows those of all parts in one statement, which takes 999 variables."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        if subject is not None:
            members = parse(manifest.content)
            parts = len(members.get("layers") or ()) + len(members.get("manifests") or ())
            if parts + ("config" in members) >= _MANY:
                subject = None
        put(name, manifest, subject)

    override(registry.storage, put_manifest=changed)


FAULTS = (
    Fault(
        name="silent-index-is-an-image",
        title="An image index without the member mediaType is labelled as an image manifest.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",),
        also=(
            "PULL-MANIFEST-GET-CONTENT-TYPE",
            "PULL-TYPE-OCI-INDEX",
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-ACCEPT-EXACT",
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-ACCEPT-MISMATCH",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
        ),
        apply=on(*_PULLS, status=200, change=_type_from_the_body),
    ),
    Fault(
        name="nested-index-pushed-again-a-cycle",
        title="An index that lists an index is refused as a cycle when it is pushed again.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        also=(
            "PUSH-MANIFEST-IDEMPOTENT",
            "PUSH-MANIFEST-INDEX-NESTED",
            "PUSH-MANIFEST-INDEX-ACCEPTED",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_never_left,
    ),
    Fault(
        name="large-manifest-by-any-digest",
        title="A manifest of more than a mebibyte is accepted under any digest.",
        breaks=("PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",),
        also=(
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PUSH-MANIFEST-REFUSED-NOT-STORED",
            "PUSH-MANIFEST-BAD-REFERENCE-NOT-STORED",
            "PUSH-MANIFEST-DIGEST-MISMATCH-400-CODE",
            "PUSH-MANIFEST-DIGEST-HEADER-TRUE",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
        ),
        apply=_spooled_without_hash,
    ),
    Fault(
        name="referrer-of-a-thousand-parts-unlisted",
        title="A manifest with a subject and a thousand descriptors or more is not listed as a referrer.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-STATUS-200",
            "DISC-REFERRERS-DESCRIPTOR-FIELDS",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
        ),
        apply=_variables_of_one_statement,
    ),
)
