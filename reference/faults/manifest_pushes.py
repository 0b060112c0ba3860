"""Faults of pushed manifests: what is refused, what is kept, where tags lead."""

from __future__ import annotations

import json
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    IMAGES,
    INDEXES,
    OCI_INDEX,
    OCI_MANIFEST,
    Document,
)
from reference.faults.upload_answers import capitals_accepted, with_body
from reference.grammar import is_digest
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, on, override, wrap
from reference.storage import Manifest

_KNOWN = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)
_MEMBERS = {
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
}


def _refusing(condition: Callable[[Registry, str, Document], object], code: str = "MANIFEST_INVALID") -> Apply:
    """Refuse what should be accepted, or refused with another code."""

    def apply(registry: Registry) -> None:
        check = registry.manifests.check_references

        def changed(name: str, document: Document) -> None:
            if condition(registry, name, document):
                raise errors.RegistryError(400, (errors.ErrorEntry(code),))
            check(name, document)

        override(registry.manifests, check_references=changed)

    return apply


def _put(around: Callable[[Handler], Handler]) -> Apply:
    return lambda registry: wrap(registry, ["manifest.put"], around)


def _fails_where(condition: Callable[[Request], object]) -> Apply:
    """Answer some pushes with 500."""

    def around(put: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            return Response(500) if condition(request) else await put(request)

        return changed

    return _put(around)


def _type(request: Request) -> str:
    return request.headers.get("content-type").partition(";")[0].strip()


def _empty_index(_registry: Registry, _name: str, document: Document) -> bool:
    return document.media_type in INDEXES and not document.members["manifests"]


def _entries(document: Document) -> list[dict[str, object]]:
    return list(document.members["manifests"]) if document.media_type in INDEXES else []


def _nested(_registry: Registry, _name: str, document: Document) -> bool:
    return any(entry["mediaType"] in INDEXES for entry in _entries(document))


def _unknown_entry(_registry: Registry, _name: str, document: Document) -> bool:
    return any(entry["mediaType"] not in _KNOWN for entry in _entries(document))


def _child_missing(registry: Registry, name: str, document: Document) -> bool:
    return any(not registry.manifests.holds(name, child) for child in document.children)


def _blob_elsewhere(registry: Registry, name: str, document: Document) -> bool:
    storage = registry.storage
    absent = [blob for blob in document.blobs if not storage.has_blob(name, blob)]
    return any(storage.has_blob(other, blob) for other in storage.repositories() for blob in absent)


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


def _missing_404(_request: Request, response: Response) -> None:
    if b"MANIFEST_BLOB_UNKNOWN" in response.body:
        response.status = 404


def _contradicted_500(put: Handler) -> Handler:
    async def changed(request: Request) -> Response:
        try:
            return await put(request)
        except errors.RegistryError as error:
            if any("contradicts" in entry.message for entry in error.entries):
                return Response(500)
            raise

    return changed


def _again_by_digest_409(registry: Registry) -> None:
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        if ":" in request.reference and registry.storage.manifest(request.name, request.reference):
            raise errors.RegistryError(409)
        return await put(request)

    registry.handlers["manifest.put"] = changed


def _malformed_as_tag(registry: Registry) -> None:
    """A reference with a colon that is no digest is a tag, so it is stored under one."""
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        if ":" in request.reference and not is_digest(request.reference):
            request.reference = request.reference.replace(":", "-")
        return await put(request)

    registry.handlers["manifest.put"] = changed


def _without_unknown_members(_request: Request, response: Response) -> None:
    document = json.loads(response.body)
    if set(document) - _MEMBERS and response.headers.get("Content-Type") in _KNOWN:
        response.body = json.dumps({key: value for key, value in document.items() if key in _MEMBERS}).encode()


def _has_layer_of_its_own(manifest: Manifest) -> bool:
    document = json.loads(manifest.content)
    layers = document.get("layers", []) if manifest.media_type in IMAGES else []
    return any(layer["digest"] != document["config"]["digest"] for layer in layers)


def _tag_lost_by_digest(registry: Registry) -> None:
    """Once an image with a layer was pulled by digest, the tags of it are unknown."""
    get, looked_at = registry.handlers["manifest.get"], set[tuple[str, str]]()

    async def changed(request: Request) -> Response:
        manifest = registry.manifests.find(request.name, request.reference)
        if manifest is None or not _has_layer_of_its_own(manifest):
            return await get(request)
        if ":" in request.reference:
            looked_at.add((request.name, manifest.digest))
        elif (request.name, manifest.digest) in looked_at:
            raise errors.manifest_unknown(request.reference)
        return await get(request)

    registry.handlers["manifest.get"] = changed


def _untagged_lost(registry: Registry) -> None:
    """An image of several layers that never had a tag is unknown by digest."""
    get, set_tag, tagged = registry.handlers["manifest.get"], registry.storage.set_tag, set[str]()

    def remembered(name: str, tag: str, digest: str) -> None:
        tagged.add(digest)
        set_tag(name, tag, digest)

    async def changed(request: Request) -> Response:
        manifest = registry.manifests.find(request.name, request.reference)
        if manifest is not None and manifest.digest not in tagged:
            document = json.loads(manifest.content)
            if len(document.get("layers", ())) > 1:
                raise errors.manifest_unknown(request.reference)
        return await get(request)

    override(registry.storage, set_tag=remembered)
    registry.handlers["manifest.get"] = changed


def _latest_by_digest(registry: Registry) -> None:
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        tagged = registry.storage.tags(request.name)
        response = await put(request)
        if tagged and ":" in request.reference and response.status == 201:
            registry.storage.set_tag(request.name, "latest", request.reference)
        return response

    registry.handlers["manifest.put"] = changed


def _others(registry: Registry, name: str, tag: str) -> list[str]:
    """The other tags of the manifest that a tag points to."""
    storage = registry.storage
    digest = storage.tag(name, tag)
    return [other for other in storage.tags(name) if digest and other != tag and storage.tag(name, other) == digest]


def _shared_tag_stays(registry: Registry) -> None:
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        if not _others(registry, name, tag):
            set_tag(name, tag, digest)

    override(registry.storage, set_tag=changed)


def _all_tags_move(registry: Registry) -> None:
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        for each in [tag, *_others(registry, name, tag)]:
            set_tag(name, each, digest)

    override(registry.storage, set_tag=changed)


def _gone_with_the_last_of_several(registry: Registry) -> None:
    """A manifest that had several tags goes when the last one moves away."""
    set_tag, several = registry.storage.set_tag, set[tuple[str, str]]()

    def changed(name: str, tag: str, digest: str) -> None:
        old, others = registry.storage.tag(name, tag), _others(registry, name, tag)
        set_tag(name, tag, digest)
        if _others(registry, name, tag):
            several.add((name, digest))
        if old is not None and old != digest and not others and (name, old) in several:
            registry.storage.delete_manifest(name, old, None)

    override(registry.storage, set_tag=changed)


FAULTS = (
    Fault(
        name="manifest-put-with-body",
        title="The 201 to a manifest has a body.",
        breaks=("PUSH-MANIFEST-BODY-EMPTY",),
        apply=on("manifest.put", status=201, change=with_body),
    ),
    Fault(
        name="manifest-tag-lost-by-digest",
        title="Once an image with a layer was pulled by digest, its tag is unknown.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PUSH-MANIFEST-KEPT", "PULL-CONSIST-REPEATABLE"),
        apply=_tag_lost_by_digest,
    ),
    Fault(
        name="manifest-untagged-lost",
        title="An image of several layers that has no tag is unknown by digest.",
        breaks=("PUSH-MANIFEST-BY-DIGEST-PULLABLE",),
        apply=_untagged_lost,
    ),
    Fault(
        name="manifest-by-digest-tagged",
        title="A manifest pushed by digest into a repository that has tags gets the tag latest.",
        breaks=("PUSH-MANIFEST-BY-DIGEST-NO-TAG",),
        apply=_latest_by_digest,
    ),
    Fault(
        name="manifest-unknown-members-lost",
        title="A manifest comes back without the members that are not known.",
        breaks=("PUSH-MANIFEST-BYTES-EXACT",),
        apply=on("manifest.get", "manifest.head", status=200, change=_without_unknown_members),
    ),
    Fault(
        name="manifest-name-in-capitals",
        title="A manifest is taken under a name with a component in capitals.",
        breaks=("PUSH-MANIFEST-NAME-INVALID",),
        apply=capitals_accepted("manifest.put"),
    ),
    Fault(
        name="manifest-malformed-digest-as-tag",
        title="A push by a malformed digest is taken for one by a tag.",
        breaks=("PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",),
        apply=_malformed_as_tag,
    ),
    Fault(
        name="tag-of-several-stays",
        title="A tag on a manifest that has another tag does not move, though the push is answered 201.",
        breaks=("PUSH-MANIFEST-RETAG-MOVES",),
        apply=_shared_tag_stays,
    ),
    Fault(
        name="tags-move-together",
        title="All tags of a manifest move when one of them does.",
        breaks=("PUSH-MANIFEST-MULTIPLE-TAGS",),
        apply=_all_tags_move,
    ),
    Fault(
        name="manifest-gone-with-several-tags",
        title="A manifest that had several tags is gone once the last one has moved.",
        breaks=("PUSH-MANIFEST-RETAG-KEEPS-OLD",),
        apply=_gone_with_the_last_of_several,
    ),
    Fault(
        name="manifest-again-409",
        title="A manifest that is there is refused by digest.",
        breaks=("PUSH-MANIFEST-IDEMPOTENT",),
        apply=_again_by_digest_409,
    ),
    Fault(
        name="manifest-missing-blob-404",
        title="A manifest whose blobs are missing is answered 404.",
        breaks=("PUSH-MANIFEST-MISSING-BLOB-400",),
        apply=answers("manifest.put", status=400, change=_missing_404),
    ),
    Fault(
        name="manifest-blob-elsewhere-code",
        title="A manifest whose blobs another repository has is refused as MANIFEST_INVALID.",
        breaks=("PUSH-MANIFEST-BLOB-IN-OTHER-REPO",),
        apply=_refusing(_blob_elsewhere),
    ),
    Fault(
        name="index-empty-refused",
        title="An index of nothing is refused.",
        breaks=("PUSH-MANIFEST-INDEX-EMPTY",),
        apply=_refusing(_empty_index),
    ),
    Fault(
        name="index-nested-refused",
        title="An index of an index is refused.",
        breaks=("PUSH-MANIFEST-INDEX-NESTED",),
        apply=_refusing(_nested),
    ),
    Fault(
        name="index-entry-of-unknown-type-refused",
        title="An index with an entry of an unknown type is refused.",
        breaks=("PUSH-MANIFEST-INDEX-CHILD-TYPE-UNKNOWN",),
        apply=_refusing(_unknown_entry),
    ),
    Fault(
        name="index-missing-child-code",
        title="An index whose child is missing is refused as MANIFEST_INVALID.",
        breaks=("PUSH-MANIFEST-INDEX-MISSING-CHILD",),
        apply=_refusing(_child_missing),
    ),
    Fault(
        name="manifest-type-unknown-500",
        title="A manifest of an unknown type is answered 500.",
        breaks=("PUSH-MANIFEST-TYPE-UNKNOWN",),
        apply=_fails_where(lambda request: _type(request).startswith("application/vnd.example.")),
    ),
    Fault(
        name="manifest-type-contradicted-500",
        title="A manifest whose type contradicts its mediaType is answered 500.",
        breaks=("PUSH-MANIFEST-TYPE-CONTRADICTS-MEDIATYPE",),
        apply=_put(_contradicted_500),
    ),
    Fault(
        name="docker-list-refused",
        title="A Docker manifest list is refused, a Docker image is not.",
        breaks=("PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED",),
        apply=_refusing(lambda _registry, _name, document: document.media_type == DOCKER_LIST),
    ),
    Fault(
        name="index-of-absent-subject-refused",
        title="An index whose subject is not there is refused.",
        breaks=("PUSH-MANIFEST-SUBJECT-INDEX-ABSENT-ACCEPTED",),
        apply=_refusing(_index_of_absent_subject, "MANIFEST_BLOB_UNKNOWN"),
    ),
    Fault(
        name="index-subject-not-told",
        title="OCI-Subject is sent for images only.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-INDEX",),
        apply=_index_subject_unseen,
    ),
    Fault(
        name="manifest-in-unknown-repository-500",
        title="A manifest in a repository that does not exist is answered 500.",
        breaks=("PUSH-MANIFEST-REPO-UNKNOWN-404",),
        apply=lambda registry: _fails_where(lambda request: not registry.storage.exists(request.name))(registry),
    ),
)
