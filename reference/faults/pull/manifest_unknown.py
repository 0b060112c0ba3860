"""Faults of content that is unknown, or that another repository holds."""

from __future__ import annotations

import re

from reference.app import Registry
from reference.documents import OCI_MANIFEST
from reference.faults.shared import DIGEST_LENGTH, failing_where, is_malformed
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, around, override, set_status
from reference.storage import Manifest

_BOTH = ("manifest.get", "manifest.head")
_SHA256 = re.compile("sha256:[0-9a-f]+")
_MANIFESTS = ("manifest.get", "manifest.head", "manifest.put", "manifest.delete")


def _latest_anywhere(registry: Registry) -> None:
    """A tag names what was pushed under it last, in whichever repository."""
    latest: dict[str, Manifest] = {}
    set_tag, find = registry.storage.set_tag, registry.manifests.find

    def noting(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None:
            latest[tag] = manifest

    def changed(name: str, reference: str) -> Manifest | None:
        found = find(name, reference)
        return latest.get(reference, found) if found is not None else None

    override(registry.storage, set_tag=noting)
    override(registry.manifests, find=changed)


def _found_elsewhere(methods: tuple[str, ...]) -> Apply:
    """Serve what any repository holds."""

    @around("blob.get", "blob.head")
    async def apply(registry: Registry, request: Request, handler: Handler) -> Response:
        storage, name = registry.storage, request.name
        if request.method in methods and storage.exists(name) and not storage.has_blob(name, request.reference):
            holders = [other for other in storage.repositories() if storage.has_blob(other, request.reference)]
            request.name = holders[0] if holders else name
        return await handler(request)

    return apply


def _unknown_as(status: int, operation: str) -> Apply:
    def change(_request: Request, response: Response) -> None:
        if b"MANIFEST_UNKNOWN" in response.body:
            response.status = status

    return answers(operation, status=404, change=change)


def _unknown_code(_request: Request, response: Response) -> None:
    response.body = response.body.replace(b'"MANIFEST_UNKNOWN"', b'"BLOB_UNKNOWN"')


def _repository_as_400(_request: Request, response: Response) -> None:
    if b"NAME_UNKNOWN" in response.body:
        response.status = 400


def _from_anywhere(registry: Registry) -> None:
    find = registry.manifests.find

    def anywhere(name: str, reference: str) -> Manifest | None:
        found = find(name, reference)
        if found is not None or ":" not in reference or not registry.storage.exists(name):
            return found
        others = (registry.storage.manifest(other, reference) for other in registry.storage.repositories())
        return next((manifest for manifest in others if manifest is not None), None)

    override(registry.manifests, find=anywhere)


def _tags_from_anywhere(registry: Registry) -> None:
    resolve = registry.manifests.resolve

    def anywhere(name: str, reference: str) -> str | None:
        own = resolve(name, reference)
        if own is not None or ":" in reference or not registry.storage.exists(name):
            return own
        holders = [other for other in registry.storage.repositories() if registry.storage.tag(other, reference)]
        digest = registry.storage.tag(holders[0], reference) if holders else None
        manifest = registry.storage.manifest(holders[0], digest) if digest else None
        if manifest is not None:
            registry.storage.put_manifest(name, manifest, None)
        return digest

    override(registry.manifests, resolve=anywhere)


@around("manifest.get", "manifest.head")
async def _blobs_too(registry: Registry, request: Request, handler: Handler) -> Response:
    storage, reference = registry.storage, request.reference
    if ":" not in reference or storage.manifest(request.name, reference) is not None:
        return await handler(request)
    content = registry.blobs.find(request.name, reference)
    if content is None:
        return await handler(request)
    headers = [("Content-Type", OCI_MANIFEST), ("Docker-Content-Digest", reference)]
    return Response(200, headers).stream(content, [(0, content.size)])


def _another_code(_request: Request, response: Response) -> None:
    response.body = response.body.replace(b"NAME_UNKNOWN", b"UNSUPPORTED")


def _manifests_by_prefix(registry: Registry) -> None:
    """Take a digest that is a digit too long for the one before it."""
    resolve = registry.manifests.resolve

    def changed(name: str, reference: str) -> str | None:
        return resolve(name, reference[:DIGEST_LENGTH] if _SHA256.fullmatch(reference) else reference)

    override(registry.manifests, resolve=changed)


FAULTS = (
    Fault(
        name="tag-of-the-latest-repository",
        title="A tag names what was pushed under it last, in whichever repository.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG",),
        apply=_latest_anywhere,
    ),
    Fault(
        name="blob-from-other-repository",
        title="A blob is served under every repository.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        # HEAD does the same, which a catalogue may list apart.
        also=("PULL-BLOB-HEAD-OTHER-REPO-404",),
        apply=_found_elsewhere(("GET", "HEAD")),
    ),
    Fault(
        name="blob-head-from-other-repository",
        title="HEAD finds a blob that only another repository holds; GET does not.",
        breaks=("PULL-BLOB-HEAD-OTHER-REPO-404",),
        also=("MGMT-BLOB-DELETE-HEAD-404",),
        apply=_found_elsewhere(("HEAD",)),
    ),
    Fault(
        name="blob-unknown-repository-400",
        title="A blob in an unknown repository gets 400.",
        breaks=("PULL-BLOB-GET-UNKNOWN-REPO-404",),
        apply=answers(
            "blob.get",
            "blob.head",
            status=404,
            change=lambda request, response: (
                set_status(400)(request, response) if b"NAME_UNKNOWN" in response.body else None
            ),
        ),
    ),
    Fault(
        name="manifest-head-unknown-200",
        title="HEAD of an unknown manifest returns 200.",
        breaks=("PULL-MANIFEST-HEAD-UNKNOWN-404",),
        apply=_unknown_as(200, "manifest.head"),
    ),
    Fault(
        name="manifest-unknown-200",
        title="An unknown manifest gets 200 with the error.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-404",),
        apply=_unknown_as(200, "manifest.get"),
    ),
    Fault(
        name="manifest-unknown-500",
        title="An unknown manifest gets 500.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-404",),
        apply=_unknown_as(500, "manifest.get"),
    ),
    Fault(
        name="manifest-unknown-code",
        title="An unknown manifest has the code BLOB_UNKNOWN.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-CODE",),
        apply=answers("manifest.get", status=404, change=_unknown_code),
    ),
    Fault(
        name="manifest-unknown-repository-400",
        title="A manifest of an unknown repository gets 400.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-REPO-404",),
        apply=answers(*_BOTH, status=404, change=_repository_as_400),
    ),
    Fault(
        name="manifest-bad-reference-200",
        title="A reference that is neither tag nor digest gets 200.",
        breaks=("PULL-MANIFEST-GET-BAD-REFERENCE",),
        # A malformed digest and a malformed tag are such references; a malformed name is refused
        # alike.
        also=("BASE-DIGEST-MALFORMED", "BASE-NAME-REJECT-UPPERCASE"),
        apply=answers(*_BOTH, status=400, change=set_status(200)),
    ),
    Fault(
        name="manifest-from-other-repository",
        title="A manifest is served under every repository by its digest.",
        breaks=("PULL-MANIFEST-OTHER-REPO-DIGEST-404",),
        apply=_from_anywhere,
    ),
    Fault(
        name="manifest-tag-from-other-repository",
        title="A tag that a repository lacks is looked up in the others.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG",),
        # The manifest is then in this repository by its digest as well.
        also=("PULL-MANIFEST-OTHER-REPO-DIGEST-404", "MGMT-TAG-DELETE-GET-404", "MGMT-MANIFEST-DELETE-TAGS-404"),
        apply=_tags_from_anywhere,
    ),
    Fault(
        name="manifest-serves-blobs",
        title="The manifests endpoint serves blobs.",
        breaks=("PULL-MANIFEST-NOT-A-BLOB",),
        apply=_blobs_too,
    ),
    Fault(
        name="unknown-repository-code-wrong",
        title="A pull from an unknown repository has the code UNSUPPORTED.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-REPO-CODE",),
        apply=answers("manifest.get", "blob.get", status=404, change=_another_code),
    ),
    Fault(
        name="manifest-by-digest-with-more-behind",
        title="A manifest is found by its digest with more digits behind.",
        breaks=("PULL-MANIFEST-GET-BAD-REFERENCE",),
        apply=_manifests_by_prefix,
    ),
    Fault(
        name="manifests-by-malformed-digest-500",
        title="Pulls, pushes and deletions of manifests by a malformed digest return 500.",
        breaks=("PULL-MANIFEST-GET-BAD-REFERENCE",),
        apply=failing_where(lambda request: is_malformed(request.reference), *_MANIFESTS),
    ),
)
