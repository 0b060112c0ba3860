"""Faults that look like a policy: refusals of what the same registry takes a moment later in the ordinary way."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import INDEXES, Document
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, override
from reference.variants.digests import answering


def _denied(status: int = 403, code: str = "DENIED") -> errors.RegistryError:
    return errors.RegistryError(status, (errors.ErrorEntry(code, "not wanted"),))


def _pushes(unwanted: Callable[[Registry, Request, str], bool], status: int = 403, code: str = "DENIED") -> Apply:
    """Refuse pushes of manifests by what is there; the digest of what is pushed is known."""

    def apply(registry: Registry) -> None:
        check, digest = registry.manifests.check_condition, registry.manifests.digest
        pushed: list[str] = []

        def noting(reference: str, content: bytes) -> str:
            pushed[:] = [digest(reference, content)]
            return pushed[0]

        def changed(request: Request) -> None:
            if unwanted(registry, request, pushed[0]):
                raise _denied(status, code)
            check(request)

        override(registry.manifests, check_condition=changed, digest=noting)

    return apply


def _is_there(registry: Registry, request: Request, digest: str) -> bool:
    """The same manifest is there, under the same tag if it has one."""
    if ":" in request.reference:
        return registry.storage.manifest(request.name, digest) is not None
    return registry.storage.tag(request.name, request.reference) == digest


def _is_anothers(registry: Registry, request: Request, digest: str) -> bool:
    tagged = registry.storage.tag(request.name, request.reference) if ":" not in request.reference else None
    return tagged not in (None, digest)


def _documents(unwanted: Callable[[Registry, str, Document], bool]) -> Apply:
    """Refuse manifests by what they say."""

    def apply(registry: Registry) -> None:
        check = registry.manifests.check_references

        def changed(name: str, document: Document) -> None:
            if unwanted(registry, name, document):
                raise _denied()
            check(name, document)

        override(registry.manifests, check_references=changed)

    return apply


def _lacks_its_subject(registry: Registry, name: str, document: Document) -> bool:
    return document.subject is not None and registry.storage.manifest(name, document.subject) is None


def _blob_again(registry: Registry) -> None:
    close = registry.handlers["upload.put"]

    async def changed(request: Request) -> Response:
        if registry.storage.has_blob(request.name, request.query.get("digest") or ""):
            raise _denied(409)
        return await close(request)

    registry.handlers["upload.put"] = changed


def _third_session(registry: Registry) -> None:
    """Of the sessions of a repository each third is refused once."""
    start = registry.storage.start_upload
    count: dict[str, int] = {}

    def changed(name: str) -> object:
        count[name] = count.get(name, 0) + 1
        if count[name] == 3:
            raise _denied()
        return start(name)

    override(registry.storage, start_upload=changed)


def _other_digest(_content: bytes) -> str:
    return "sha384:" + "5" * 96


FAULTS = (
    Fault(
        name="manifest-again-denied",
        title="A manifest that is there already is answered 403 DENIED.",
        breaks=("PUSH-MANIFEST-IDEMPOTENT",),
        apply=_pushes(_is_there),
    ),
    Fault(
        name="tag-moved-404",
        title="A manifest that is pushed to the tag of another is answered 404.",
        breaks=("PUSH-MANIFEST-RETAG-MOVES",),
        apply=_pushes(_is_anothers, 404, "MANIFEST_UNKNOWN"),
    ),
    Fault(
        name="subject-absent-denied",
        title="A manifest whose subject is absent is answered 403 DENIED.",
        breaks=("PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED",),
        apply=_documents(_lacks_its_subject),
    ),
    Fault(
        name="index-denied",
        title="An index is answered 403 DENIED.",
        breaks=("PUSH-MANIFEST-INDEX-ACCEPTED",),
        also=("PULL-TYPE-OCI-INDEX", "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE", "PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED"),
        apply=_documents(lambda _registry, _name, document: document.media_type in INDEXES[:1]),
    ),
    Fault(
        name="blob-again-denied",
        title="The upload of a blob that is there already is answered 409 DENIED.",
        breaks=("PUSH-BLOB-REUPLOAD-IDEMPOTENT",),
        # Several clients push one blob at a time, or in the session that a mount left open.
        also=("PUSH-BLOB-PARALLEL-SAME-DIGEST", "PUSH-MOUNT-FALLBACK-SESSION-USABLE"),
        apply=_blob_again,
    ),
    Fault(
        name="third-session-denied",
        title="The third upload of a repository is answered 403 DENIED, and the fourth begins.",
        breaks=("PUSH-START-STATUS-202",),
        apply=_third_session,
    ),
    Fault(
        name="digest-header-of-other-content",
        title="Docker-Content-Digest is a sha384 digest of other content.",
        breaks=("PULL-BLOB-GET-DCD-TRUE",),
        also=(
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-PUT-DIGEST-HEADER-VALUE",
            "PUSH-MOUNT-DIGEST-HEADER-TRUE",
            "PUSH-MANIFEST-DIGEST-HEADER-VALUE",
            "PUSH-MANIFEST-DIGEST-HEADER-TRUE",
        ),
        apply=answering(_other_digest),
    ),
)
