"""Variants of policies: what may be pushed, under which names, and what may be deleted, by whom and when."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import IMAGES, INDEXES, OCI_MANIFEST, Document
from reference.messages import Request, Response
from reference.modifications import OCI, Apply, Variant, answers, override
from reference.variants.limits import denied

_IMAGE_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
#: Seconds for which a manifest is held against deletion, or what was deleted against a new push.
_HELD = 30.0
_TAG = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_DEEPEST = 3


def _immutable(status: int, code: str) -> Apply:
    """A tag stays where it was first."""

    def apply(registry: Registry) -> None:
        check = registry.manifests.check_condition
        digest = registry.manifests.digest
        named: list[tuple[str, str]] = []

        def noting(reference: str, content: bytes) -> str:
            named[:] = [(reference, found := digest(reference, content))]
            return found

        def changed(request: Request) -> None:
            check(request)
            tagged = registry.storage.tag(request.name, request.reference) if ":" not in request.reference else None
            if tagged is not None and (request.reference, tagged) != named[0]:
                raise denied("the tag is immutable", status, code)

        override(registry.manifests, check_condition=changed, digest=noting)

    return apply


def _documents(refused: Callable[[Document], bool], status: int, code: str) -> Apply:
    """Manifests of a kind are not taken."""

    def apply(registry: Registry) -> None:
        check = registry.manifests.check_references

        def changed(name: str, document: Document) -> None:
            if refused(document):
                raise denied("manifests of this kind are not taken", status, code)
            check(name, document)

        override(registry.manifests, check_references=changed)

    return apply


def _is_artifact(document: Document) -> bool:
    if document.media_type in INDEXES:
        return bool(document.members.get("artifactType"))
    if document.media_type not in IMAGES:
        return True
    other = document.members["config"]["mediaType"] not in _IMAGE_CONFIGS
    return other or bool(document.members.get("artifactType"))


def _lacks_platform(document: Document) -> bool:
    children = document.members["manifests"] if document.media_type in INDEXES else []
    images = [child for child in children if child["mediaType"] == OCI_MANIFEST]
    return any("platform" not in child for child in images)


def _tag_names(registry: Registry) -> None:
    """Tags are short and in lower case."""
    check = registry.manifests.check_condition

    def changed(request: Request) -> None:
        check(request)
        if ":" not in request.reference and not _TAG.fullmatch(request.reference):
            raise denied("tags are short and in lower case")

    override(registry.manifests, check_condition=changed)


def _shallow(registry: Registry) -> None:
    """Names have so many components at most."""
    check = registry.check_allowed

    def changed(request: Request) -> None:
        check(request)
        if request.method == "POST" and request.name.count("/") >= _DEEPEST:
            raise denied(f"names have {_DEEPEST} components at most")

    override(registry, check_allowed=changed)


def _deletions(refused: Callable[[Registry, Request], errors.RegistryError | None]) -> Apply:
    """Some deletions of what is there are refused."""

    def apply(registry: Registry) -> None:
        check = registry.check_allowed

        def changed(request: Request) -> None:
            check(request)
            if request.operation in ("manifest.delete", "blob.delete"):
                error = refused(registry, request)
                if error is not None:
                    raise error

        override(registry, check_allowed=changed)

    return apply


def _is_there(registry: Registry, request: Request) -> bool:
    if request.operation == "blob.delete":
        return registry.storage.has_blob(request.name, request.reference)
    if ":" in request.reference:
        return registry.storage.manifest(request.name, request.reference) is not None
    return registry.storage.tag(request.name, request.reference) is not None


def _retained(status: int) -> Apply:
    """What is there is held against deletion for longer than a run takes."""
    return _deletions(
        lambda registry, request: denied("a retention rule holds it", status) if _is_there(registry, request) else None
    )


def _of_tagged(registry: Registry, request: Request) -> errors.RegistryError | None:
    """A manifest that a tag leads to stays until the tag is deleted."""
    tags = registry.storage.tags(request.name) if request.operation == "manifest.delete" else []
    if any(registry.storage.tag(request.name, tag) == request.reference for tag in tags):
        return denied("a tag leads to it", 409)
    return None


def _by_tag_only(_registry: Registry, request: Request) -> errors.RegistryError | None:
    if ":" in request.reference:
        return errors.unsupported(["GET", "HEAD", "PUT"] if request.operation == "manifest.delete" else ["GET", "HEAD"])
    return None


def _held_after_deletion(registry: Registry) -> None:
    """A manifest that was deleted is not taken again for a while."""
    gone: dict[tuple[str, str], float] = {}
    delete, check, digest = (
        registry.storage.delete_manifest,
        registry.manifests.check_condition,
        registry.manifests.digest,
    )
    pushed: list[str] = []

    def noting(reference: str, content: bytes) -> str:
        pushed[:] = [digest(reference, content)]
        return pushed[0]

    def deleted(name: str, digest: str, subject: str | None) -> None:
        gone[name, digest] = time.monotonic()
        delete(name, digest, subject)

    def changed(request: Request) -> None:
        check(request)
        if time.monotonic() - gone.get((request.name, pushed[0]), -_HELD) < _HELD:
            raise denied("it was deleted a moment ago", 409)

    override(registry.storage, delete_manifest=deleted)
    override(registry.manifests, check_condition=changed, digest=noting)


def _mounts_denied(registry: Registry) -> None:
    """Nobody may mount from another repository."""

    async def refuse(_request: Request) -> Response:
        raise denied("nothing is mounted from another repository")

    registry.handlers["upload.mount"] = refuse


def _admins(_request: Request, response: Response) -> None:
    refused = errors.RegistryError(403, (errors.ErrorEntry("DENIED", "the catalogue is for administrators"),))
    response.status, response.body = refused.status, refused.body()
    response.headers.set("Content-Type", "application/json")
    response.headers.drop("Link")


VARIANTS = (
    Variant(
        name="tag-immutable-403",
        title="A tag cannot be moved: 403.",
        latitude=("TAG-IMMUTABLE",),
        apply=_immutable(403, "DENIED"),
    ),
    Variant(
        name="tag-immutable-412",
        title="A tag cannot be moved: 412.",
        latitude=("TAG-IMMUTABLE",),
        apply=_immutable(412, "UNSUPPORTED"),
    ),
    Variant(
        name="tag-immutable-400",
        title="A tag cannot be moved: 400.",
        latitude=("TAG-IMMUTABLE",),
        apply=_immutable(400, "MANIFEST_INVALID"),
    ),
    Variant(
        name="artifacts-denied",
        title="Manifests that are no images are answered 403.",
        latitude=("MANIFEST-TYPE-REFUSED",),
        apply=_documents(_is_artifact, 403, "DENIED"),
    ),
    Variant(
        name="platform-wanted",
        title="An index whose images have no platform is answered 400.",
        latitude=("MANIFEST-VALIDATION-DEPTH",),
        warns=("PUSH-MANIFEST-INDEX-NO-PLATFORM",),
        apply=_documents(_lacks_platform, 400, "MANIFEST_INVALID"),
    ),
    Variant(
        name="tag-names-limited",
        title="Tags with capitals or signs, and long ones, are answered 403.",
        latitude=("TAG-NAMES-LIMITED",),
        apply=_tag_names,
    ),
    Variant(
        name="names-not-deep",
        title="Repositories whose names have many components are answered 403.",
        latitude=("REPOSITORY-NOT-CREATED-ON-PUSH",),
        apply=_shallow,
    ),
    Variant(
        name="manifests-retained",
        title="What was pushed is held against deletion: 409.",
        latitude=("DELETE-OF-USED-CONTENT",),
        apply=_retained(409),
    ),
    Variant(
        name="deletions-denied",
        title="Nobody may delete: 403.",
        latitude=("DELETE-OF-USED-CONTENT",),
        lacks=("delete-manifest", "delete-tag", "delete-blob"),
        apply=_retained(403),
    ),
    Variant(
        name="tagged-manifests-kept",
        title="A manifest that has a tag cannot be deleted: 409.",
        latitude=("DELETE-OF-USED-CONTENT",),
        apply=_deletions(_of_tagged),
    ),
    Variant(
        name="delete-by-tag-only",
        title="Tags can be deleted, manifests and blobs cannot: 405.",
        latitude=("DELETE-UNSUPPORTED",),
        lacks=("delete-manifest", "delete-blob"),
        apply=_deletions(_by_tag_only),
    ),
    Variant(
        name="deleted-manifests-held",
        title="A manifest that was deleted is not taken again for a while: 409.",
        latitude=("DELETED-CONTENT-HELD",),
        apply=_held_after_deletion,
    ),
    Variant(
        name="mounts-denied",
        title="A mount is answered 403.",
        latitude=("MOUNT-IMPOSSIBLE-STATUS",),
        profiles=OCI,
        lacks=("mount",),
        warns=("PUSH-MOUNT-STATUS",),
        apply=_mounts_denied,
    ),
    Variant(
        name="catalog-for-admins",
        title="The catalogue is answered 403.",
        latitude=("CATALOG-UNSUPPORTED-OR-PARTIAL",),
        lacks=("catalog",),
        apply=answers("catalog.list", change=_admins),
    ),
)
