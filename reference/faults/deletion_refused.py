"""Faults of deletions that are refused, repeated, or of a tag alone."""

from __future__ import annotations

from reference.app import Registry
from reference.errors import ErrorEntry, RegistryError
from reference.faults.deletion import code_instead
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, override, set_header
from reference.storage import Manifest

_MANIFEST, _BLOB = "manifest.delete", "blob.delete"


def _is_tag(request: Request) -> bool:
    return ":" not in request.reference


def _accepted(request: Request) -> Response:
    return Response(202, [] if _is_tag(request) else [("Docker-Content-Digest", request.reference)])


def _tags_404(registry: Registry) -> None:
    """Refuse to delete tags, as if there were none."""
    delete = registry.handlers[_MANIFEST]

    async def changed(request: Request) -> Response:
        if _is_tag(request):
            raise RegistryError(404, (ErrorEntry("UNSUPPORTED"),))
        return await delete(request)

    registry.handlers[_MANIFEST] = changed


def _head_remembers_tags(registry: Registry) -> None:
    seen: dict[tuple[str, str], Manifest] = {}
    remove, head = registry.manifests.remove_tag, registry.handlers["manifest.head"]

    def remember(name: str, tag: str) -> None:
        manifest = registry.manifests.find(name, tag)
        if manifest is not None:
            seen[name, tag] = manifest
        remove(name, tag)

    async def changed(request: Request) -> Response:
        manifest = seen.get((request.name, request.reference))
        if manifest is None or registry.storage.tag(request.name, request.reference) is not None:
            return await head(request)
        headers = [("Content-Type", manifest.media_type), ("Docker-Content-Digest", manifest.digest)]
        return Response(200, headers, manifest.content)

    override(registry.manifests, remove_tag=remember)
    registry.handlers["manifest.head"] = changed


def _last_tag_takes_manifest(registry: Registry) -> None:
    storage, remove = registry.storage, registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        digest = storage.tag(name, tag)
        remove(name, tag)
        if digest is not None and digest not in {storage.tag(name, other) for other in storage.tags(name)}:
            registry.manifests.remove(name, digest)

    override(registry.manifests, remove_tag=changed)


def _unknown_tag_202(request: Request, response: Response) -> Response | None:
    return _accepted(request) if _is_tag(request) and b"MANIFEST_UNKNOWN" in response.body else None


def _again(operation: str) -> Apply:
    """Accept to delete what was deleted before."""

    def apply(registry: Registry) -> None:
        gone: set[tuple[str, str]] = set()

        def change(request: Request, response: Response) -> Response | None:
            if response.status == 202:
                gone.add((request.name, request.reference))
            repeated = response.status == 404 and not _is_tag(request) and (request.name, request.reference) in gone
            return _accepted(request) if repeated else None

        answers(operation, change=change)(registry)

    return apply


def _disabled_400(request: Request, response: Response) -> None:
    if not _is_tag(request):
        response.status = 400


def _malformed(operation: str, answer: Response | None) -> Apply:
    """Answer a malformed digest otherwise; None where it is as an unknown one."""

    def change(_request: Request, response: Response) -> Response | None:
        if b"DIGEST_INVALID" not in response.body:
            return None
        if answer is not None:
            return answer
        response.status = 404
        code = b"BLOB_UNKNOWN" if operation == _BLOB else b"MANIFEST_UNKNOWN"
        response.body = response.body.replace(b"DIGEST_INVALID", code)
        return response

    return answers(operation, status=400, change=change)


FAULTS = (
    Fault(
        name="delete-tag-disabled-404",
        title="Tags cannot be deleted: 404.",
        breaks=("MGMT-TAG-DELETE-DISABLED-400-405",),
        apply=_tags_404,
    ),
    Fault(
        name="delete-tag-head-200",
        title="HEAD still finds a deleted tag.",
        breaks=("MGMT-TAG-DELETE-HEAD-404",),
        apply=_head_remembers_tags,
    ),
    Fault(
        name="delete-last-tag-takes-manifest",
        title="With its last tag a manifest is deleted.",
        breaks=("MGMT-TAG-DELETE-MANIFEST-BY-DIGEST-KEPT",),
        apply=_last_tag_takes_manifest,
    ),
    Fault(
        name="delete-tag-unknown-202",
        title="DELETE of an unknown tag is answered 202.",
        breaks=("MGMT-TAG-DELETE-UNKNOWN-404",),
        apply=answers(_MANIFEST, status=404, change=_unknown_tag_202),
    ),
    Fault(
        name="delete-manifest-disabled-400",
        title="Manifests cannot be deleted: 400.",
        breaks=("MGMT-MANIFEST-DELETE-DISABLED-405",),
        configuration="delete-off",
        apply=answers(_MANIFEST, status=405, change=_disabled_400),
    ),
    Fault(
        name="delete-manifest-disabled-code",
        title="Manifests cannot be deleted: DENIED.",
        breaks=("MGMT-MANIFEST-DELETE-DISABLED-CODE",),
        # It is the code of every 405.
        also=("BASE-METHOD-405-CODE",),
        configuration="delete-off",
        apply=code_instead(_MANIFEST, b"UNSUPPORTED", b"DENIED", status=405),
    ),
    Fault(
        name="delete-manifest-twice-202",
        title="A manifest can be deleted again and again.",
        breaks=("MGMT-MANIFEST-DELETE-TWICE-404",),
        apply=_again(_MANIFEST),
    ),
    Fault(
        name="delete-manifest-malformed-202",
        title="DELETE of a manifest by what is no digest is answered 202.",
        breaks=("MGMT-MANIFEST-DELETE-MALFORMED-REFUSED",),
        apply=_malformed(_MANIFEST, Response(202)),
    ),
    Fault(
        name="delete-manifest-malformed-404",
        title="DELETE of a manifest by what is no digest is answered 404.",
        breaks=("MGMT-MANIFEST-DELETE-MALFORMED-400",),
        apply=_malformed(_MANIFEST, None),
    ),
    Fault(
        name="delete-blob-twice-202",
        title="A blob can be deleted again and again.",
        breaks=("MGMT-BLOB-DELETE-TWICE-404",),
        apply=_again(_BLOB),
    ),
    Fault(
        name="delete-blob-disabled-400",
        title="Blobs cannot be deleted: 400.",
        breaks=("MGMT-BLOB-DELETE-DISABLED-405",),
        configuration="delete-off",
        apply=answers(_BLOB, status=405, change=_disabled_400),
    ),
    Fault(
        name="delete-blob-disabled-code",
        title="Blobs cannot be deleted: DENIED.",
        breaks=("MGMT-BLOB-DELETE-DISABLED-CODE",),
        # It is the code of every 405.
        also=("BASE-METHOD-405-CODE",),
        configuration="delete-off",
        apply=code_instead(_BLOB, b"UNSUPPORTED", b"DENIED", status=405),
    ),
    Fault(
        name="delete-blob-malformed-202",
        title="DELETE of what is no digest is answered 202.",
        breaks=("MGMT-BLOB-DELETE-MALFORMED-REFUSED",),
        # There is no digest to name in the header of the 202.
        also=("MGMT-BLOB-DELETE-HEADERS",),
        apply=_malformed(_BLOB, Response(202)),
    ),
    Fault(
        name="delete-blob-malformed-404",
        title="DELETE of what is no digest is answered 404.",
        breaks=("MGMT-BLOB-DELETE-MALFORMED-400",),
        apply=_malformed(_BLOB, None),
    ),
    Fault(
        name="delete-disabled-allow-lists-it",
        title="Deletion is refused with 405, and Allow lists DELETE.",
        breaks=("MGMT-DELETE-405-ALLOW",),
        configuration="delete-off",
        apply=answers(_MANIFEST, _BLOB, status=405, change=set_header("Allow", "GET, HEAD, DELETE")),
    ),
)
