"""Changes that several modules of faults of management have in common."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, answers, around, on
from reference.storage import Manifest

#: What happens, given the registry, the repository and the digest of a manifest that was deleted,
#: and the manifest.
_After = Callable[[Registry, str, Manifest], None]
_BLOB = "blob.delete"


def after_deletion(effect: _After) -> Apply:
    """Do something as soon as a manifest is deleted by its digest."""

    @around("manifest.delete")
    async def apply(registry: Registry, request: Request, handler: Handler) -> Response:
        manifest = registry.storage.manifest(request.name, request.reference)
        response = await handler(request)
        if manifest is not None and response.status == 202:
            effect(registry, request.name, manifest)
        return response

    return apply


def deleted_manifests(registry: Registry) -> set[tuple[str, str]]:
    """The repositories and digests of the manifests that were deleted; it grows with each."""
    deleted: set[tuple[str, str]] = set()
    after_deletion(lambda _registry, name, manifest: deleted.add((name, manifest.digest)))(registry)
    return deleted


def deletion_status(by_tag: bool, status: int) -> Apply:
    """Another status of a successful deletion, by tag or by digest."""

    def change(request: Request, response: Response) -> None:
        if (":" not in request.reference) is by_tag:
            response.status = status

    return on("manifest.delete", status=202, change=change)


def unknown_is_fine(operation: str, code: bytes) -> Apply:
    """Answer 202 where what is to be deleted is unknown."""

    def change(request: Request, response: Response) -> Response | None:
        if code not in response.body:
            return None
        return Response(202, [("Docker-Content-Digest", request.reference)] if ":" in request.reference else [])

    return answers(operation, status=404, change=change)


def disabled_as(operation: str, status: int) -> Apply:
    """Refuse to delete anything."""

    def apply(registry: Registry) -> None:
        async def refuse(_request: Request) -> Response:
            raise errors.RegistryError(status, (errors.ErrorEntry("UNSUPPORTED"),))

        registry.handlers[operation] = refuse

    return apply


def is_tag(request: Request) -> bool:
    """Whether a manifest is named by a tag."""
    return ":" not in request.reference


def deletion_accepted(request: Request) -> Response:
    """The answer to a deletion that is carried out."""
    return Response(202, [] if is_tag(request) else [("Docker-Content-Digest", request.reference)])


def deletable_again(operation: str) -> Apply:
    """Accept to delete what was deleted before."""

    def apply(registry: Registry) -> None:
        gone: set[tuple[str, str]] = set()

        def change(request: Request, response: Response) -> Response | None:
            if response.status == 202:
                gone.add((request.name, request.reference))
            repeated = response.status == 404 and not is_tag(request) and (request.name, request.reference) in gone
            return deletion_accepted(request) if repeated else None

        answers(operation, change=change)(registry)

    return apply


def disabled_400(request: Request, response: Response) -> None:
    """Answer 400 where deletion by digest is disabled."""
    if not is_tag(request):
        response.status = 400


def malformed_digest_answered(operation: str, answer: Response | None) -> Apply:
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
