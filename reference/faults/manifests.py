"""Faults of pulled manifests."""

from __future__ import annotations

import gzip
import json

from reference.app import Registry
from reference.documents import DOCKER_MANIFEST, OCI_MANIFEST
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, drop_header, on, override, set_header, set_status
from reference.storage import Manifest

BOTH = ("manifest.get", "manifest.head")


def _type_suffixed(_request: Request, response: Response) -> None:
    response.headers.set("Content-Type", response.headers.get("Content-Type") + "; charset=utf-8")


def _other_type(_request: Request, response: Response) -> None:
    if response.headers.get("Content-Type") == OCI_MANIFEST:
        response.headers.set("Content-Type", DOCKER_MANIFEST)


def _reserialised(_request: Request, response: Response) -> None:
    response.body = json.dumps(json.loads(response.body), separators=(",", ":")).encode()


def _coded_silently(request: Request, response: Response) -> None:
    if "gzip" in request.headers.get("accept-encoding"):
        response.body = gzip.compress(response.body, mtime=0)


def _unsized(_request: Request, response: Response) -> None:
    response.sized = False


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


def _blobs_too(registry: Registry) -> None:
    get = registry.handlers["manifest.get"]

    async def get_any(request: Request) -> Response:
        storage, reference = registry.storage, request.reference
        if ":" not in reference or storage.manifest(request.name, reference) is not None:
            return await get(request)
        content = registry.blobs.find(request.name, reference)
        if content is None:
            return await get(request)
        headers = [("Content-Type", OCI_MANIFEST), ("Docker-Content-Digest", reference)]
        return Response(200, headers).stream(content, [(0, content.size)])

    registry.handlers["manifest.get"] = registry.handlers["manifest.head"] = get_any


def _digest_only_if_pushed_so(registry: Registry) -> None:
    find, put = registry.manifests.find, registry.handlers["manifest.put"]
    pushed: set[tuple[str, str]] = set()

    async def remember(request: Request) -> Response:
        response = await put(request)
        if ":" in request.reference:
            pushed.add((request.name, request.reference))
        return response

    def by_digest(name: str, reference: str) -> Manifest | None:
        return None if ":" in reference and (name, reference) not in pushed else find(name, reference)

    registry.handlers["manifest.put"] = remember
    override(registry.manifests, find=by_digest)


def _wrong_digest(_request: Request, response: Response) -> None:
    response.headers.set("Docker-Content-Digest", "sha256:" + "0" * 64)


def _digest_without_algorithm(_request: Request, response: Response) -> None:
    response.headers.set("Docker-Content-Digest", response.headers.get("Docker-Content-Digest").partition(":")[2])


def _empty_body(_request: Request, response: Response) -> Response:
    return Response(405, [("Allow", "GET, PUT, DELETE")])


FAULTS = (
    Fault(
        name="manifest-get-wrong-content-type",
        title="GET of a manifest is labelled text/plain.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        apply=on("manifest.get", status=200, change=set_header("Content-Type", "text/plain")),
    ),
    Fault(
        name="manifest-content-type-json",
        title="A pulled manifest is labelled application/json.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        apply=on(*BOTH, status=200, change=set_header("Content-Type", "application/json")),
    ),
    Fault(
        name="manifest-content-type-charset",
        title="The type of a manifest has a parameter.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE-BARE",),
        apply=on(*BOTH, status=200, change=_type_suffixed),
    ),
    Fault(
        name="manifest-content-type-of-docker",
        title="An OCI image manifest is labelled as one of Docker.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        # The same label contradicts what was asked for, and the member mediaType.
        also=("PULL-ACCEPT-EXACT", "PULL-ACCEPT-MISMATCH", "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE"),
        apply=on(*BOTH, status=200, change=_other_type),
    ),
    Fault(
        name="manifest-reserialised",
        title="A pulled manifest was parsed and written again.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT",),
        apply=on(*BOTH, status=200, change=_reserialised),
    ),
    Fault(
        name="manifest-digest-unknown",
        title="A manifest that was pushed by tag is unknown by its digest.",
        breaks=("PULL-MANIFEST-GET-DIGEST-200",),
        # A manifest pushed by tag cannot be deleted by digest either.
        also=("MGMT-MANIFEST-DELETE-202",),
        apply=_digest_only_if_pushed_so,
    ),
    Fault(
        name="manifest-digest-header-wrong",
        title="Docker-Content-Digest of a manifest is another digest.",
        breaks=("PULL-MANIFEST-GET-DCD-TRUE",),
        apply=on(*BOTH, status=200, change=_wrong_digest),
    ),
    Fault(
        name="manifest-digest-header-malformed",
        title="Docker-Content-Digest of a manifest has no algorithm.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        # What compares the header with a digest finds no digest.
        also=("PULL-MANIFEST-GET-DCD", "PULL-MANIFEST-HEAD-DCD"),
        apply=on(*BOTH, status=200, change=_digest_without_algorithm),
    ),
    Fault(
        name="manifest-without-digest-header",
        title="A pulled manifest has no Docker-Content-Digest.",
        breaks=("PULL-MANIFEST-GET-DCD",),
        # HEAD lacks it as well, which is a statement of its own.
        also=("PULL-MANIFEST-HEAD-DCD",),
        apply=on(*BOTH, change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="manifest-get-without-length",
        title="GET of a manifest has no Content-Length.",
        breaks=("PULL-MANIFEST-GET-CONTENT-LENGTH",),
        apply=on("manifest.get", status=200, change=_unsized),
    ),
    Fault(
        name="manifest-head-405",
        title="HEAD of a manifest is answered 405.",
        breaks=("PULL-MANIFEST-HEAD-200",),
        apply=on("manifest.head", status=200, change=_empty_body),
    ),
    Fault(
        name="manifest-head-without-length",
        title="HEAD of a manifest has no Content-Length.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH",),
        apply=on("manifest.head", status=200, change=_unsized),
    ),
    Fault(
        name="manifest-head-length-zero",
        title="HEAD of a manifest has Content-Length: 0.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        apply=on("manifest.head", status=200, change=set_header("Content-Length", "0")),
    ),
    Fault(
        name="manifest-head-without-type",
        title="HEAD of a manifest has no Content-Type.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE",),
        apply=on("manifest.head", status=200, change=drop_header("Content-Type")),
    ),
    Fault(
        name="manifest-head-other-type",
        title="HEAD of a manifest has another Content-Type than GET.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        apply=on("manifest.head", status=200, change=set_header("Content-Type", "application/json")),
    ),
    Fault(
        name="manifest-head-unknown-200",
        title="HEAD of an unknown manifest is answered 200.",
        breaks=("PULL-MANIFEST-HEAD-UNKNOWN-404",),
        apply=_unknown_as(200, "manifest.head"),
    ),
    Fault(
        name="manifest-unknown-200",
        title="An unknown manifest is answered 200 with the error.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-404",),
        apply=_unknown_as(200, "manifest.get"),
    ),
    Fault(
        name="manifest-unknown-500",
        title="An unknown manifest is answered 500.",
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
        title="A manifest of an unknown repository is answered 400.",
        breaks=("PULL-MANIFEST-GET-UNKNOWN-REPO-404",),
        apply=answers(*BOTH, status=404, change=_repository_as_400),
    ),
    Fault(
        name="manifest-bad-reference-200",
        title="A reference that is neither tag nor digest is answered 200.",
        breaks=("PULL-MANIFEST-GET-BAD-REFERENCE",),
        # A malformed digest and a malformed tag are such references; a malformed name is refused alike.
        also=("BASE-DIGEST-MALFORMED", "BASE-NAME-REJECT-UPPERCASE"),
        apply=answers(*BOTH, status=400, change=set_status(200)),
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
        also=(
            "PULL-MANIFEST-OTHER-REPO-DIGEST-404",
            "MGMT-TAG-DELETE-GET-404",
            "MGMT-MANIFEST-DELETE-TAGS-404",
        ),
        apply=_tags_from_anywhere,
    ),
    Fault(
        name="manifest-serves-blobs",
        title="The manifests endpoint serves blobs.",
        breaks=("PULL-MANIFEST-NOT-A-BLOB",),
        apply=_blobs_too,
    ),
    Fault(
        name="manifest-gzip-undeclared",
        title="A manifest is packed for clients that take gzip, without a Content-Encoding.",
        breaks=("PULL-MANIFEST-GET-CODING-TRUE",),
        apply=on("manifest.get", status=200, change=_coded_silently),
    ),
)
