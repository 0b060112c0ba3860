"""Faults of manifests with a subject."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.documents import INDEXES, Document
from reference.faults.push.manifests.shared import answer_to_pushed, denied_where, manifests_refused_where
from reference.faults.shared import OTHER_DIGEST
from reference.messages import Request, Response
from reference.modifications import Fault, answers, drop_header, on, override, set_header
from reference.storage import Manifest


def _subject_absent(registry: Registry) -> None:
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        if document.subject is not None and registry.storage.manifest(name, document.subject) is None:
            raise errors.references_unknown([document.subject])
        check(name, document)

    override(registry.manifests, check_references=changed)


def _subject_once(registry: Registry) -> None:
    known: set[tuple[str, str]] = set()
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        response = await put(request)
        key = (request.name, response.headers.get("Docker-Content-Digest"))
        if key in known:
            response.headers.drop("OCI-Subject")
        known.add(key)
        return response

    registry.handlers["manifest.put"] = changed


def _lacks_its_subject(registry: Registry, name: str, document: Document) -> bool:
    return document.subject is not None and registry.storage.manifest(name, document.subject) is None


def _index_of_absent_subject(registry: Registry, name: str, document: Document) -> bool:
    subject = document.subject
    return document.media_type in INDEXES and bool(subject) and registry.storage.manifest(name, subject or "") is None


def _index_subject_unseen(registry: Registry) -> None:
    created = registry.manifests.created

    def changed(request: Request, manifest: Manifest, document: Document) -> Response:
        response = created(request, manifest, document)
        if manifest.media_type in INDEXES:
            response.headers.drop("OCI-Subject")
        return response

    override(registry.manifests, created=changed)


def _wrong_subject(_request: Request, response: Response) -> None:
    if "OCI-Subject" in response.headers:
        response.headers.set("OCI-Subject", response.headers.get("Docker-Content-Digest"))


def _subject_always(_request: Request, response: Response) -> None:
    response.headers.set("OCI-Subject", response.headers.get("Docker-Content-Digest"))


def _not_offered(_request: Request, response: Response) -> Response:
    return Response(404)


FAULTS = (
    Fault(
        name="subject-absent-refused",
        title="A manifest whose subject is absent is refused.",
        breaks=("PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED",),
        # Both push a referrer first; an index is a manifest.
        also=("DISC-REFERRERS-BEFORE-SUBJECT", "PUSH-MANIFEST-SUBJECT-INDEX-ABSENT-ACCEPTED"),
        apply=_subject_absent,
    ),
    Fault(
        name="oci-subject-once",
        title="OCI-Subject comes with the first push of a manifest alone.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-PRESENT",),
        apply=_subject_once,
    ),
    Fault(
        name="subject-absent-denied",
        title="A manifest whose subject is absent gets 403 DENIED.",
        breaks=("PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED",),
        apply=denied_where(_lacks_its_subject),
    ),
    Fault(
        name="index-of-absent-subject-refused",
        title="An index whose subject is not there is refused.",
        breaks=(
            "PUSH-MANIFEST-SUBJECT-INDEX-ABSENT-ACCEPTED",
            "PUSH-MANIFEST-STATUS-201",
        ),
        apply=manifests_refused_where(_index_of_absent_subject, "MANIFEST_BLOB_UNKNOWN"),
    ),
    Fault(
        name="index-without-oci-subject",
        title="OCI-Subject is sent for images only.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-INDEX",),
        apply=_index_subject_unseen,
    ),
    Fault(
        name="oci-subject-missing",
        title="OCI-Subject is not sent, though there are referrers.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-PRESENT",),
        # The agreement of header and list is stated apart.
        also=("PUSH-MANIFEST-OCI-SUBJECT-INDEX",),
        apply=on("manifest.put", change=drop_header("OCI-Subject")),
    ),
    Fault(
        name="oci-subject-wrong",
        title="OCI-Subject is the digest of the manifest itself.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-VALUE",),
        apply=on("manifest.put", status=201, change=_wrong_subject),
    ),
    Fault(
        name="oci-subject-always",
        title="OCI-Subject is sent for a manifest without subject.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",),
        apply=on(
            "manifest.put",
            status=201,
            change=lambda request, response: (
                None if "OCI-Subject" in response.headers else _subject_always(request, response)
            ),
        ),
    ),
    Fault(
        name="referrers-404-with-oci-subject",
        title="There are no referrers, but OCI-Subject is sent.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-ONLY-IF-REFERRERS",),
        apply=answers("referrers.list", change=_not_offered),
    ),
    Fault(
        name="subject-wrong-for-indexes",
        title="OCI-Subject in the answer to an index is the digest of something else.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-VALUE",),
        seldom=True,
        apply=answer_to_pushed(lambda m: "manifests" in m and "subject" in m, set_header("OCI-Subject", OTHER_DIGEST)),
    ),
    Fault(
        name="subject-of-indexes-without-one",
        title="The answer to an index without a subject has OCI-Subject.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",),
        seldom=True,
        apply=answer_to_pushed(
            lambda m: "manifests" in m and "subject" not in m, set_header("OCI-Subject", OTHER_DIGEST)
        ),
    ),
)
