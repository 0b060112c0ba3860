"""Faults of manifests that show beside a refused push."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reference import errors
from reference.app import Registry
from reference.documents import Document
from reference.grammar import digest_of, is_tag
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Manifest, Upload


def _untagged_first(registry: Registry) -> None:
    """A tag is taken from its manifest before the new one is looked at."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            try:
                return await handler(request)
            except errors.RegistryError as error:
                unknown = any(entry.code == "MANIFEST_BLOB_UNKNOWN" for entry in error.entries)
                if unknown and registry.storage.tag(request.name, request.reference) is not None:
                    registry.storage.delete_tag(request.name, request.reference)
                raise

        return changed

    wrap(registry, ["manifest.put"], around)


def _refused_tag_listed(registry: Registry) -> None:
    """The index of tags is written before the manifest is looked at."""
    noted: set[tuple[str, str]] = set()
    tags = registry.storage.tags

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            key = request.name, request.reference
            try:
                response = await handler(request)
            except errors.RegistryError:
                if is_tag(request.reference):
                    noted.add(key)
                raise
            noted.discard(key)
            return response

        return changed

    def listed(name: str) -> list[str]:
        return list(dict.fromkeys([*tags(name), *(tag for owner, tag in noted if owner == name)]))

    wrap(registry, ["manifest.put"], around)
    override(registry.storage, tags=listed)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A manifest that waits for its content."""

    name: str
    reference: str
    content: bytes
    document: Document


def _drafts(registry: Registry) -> None:
    """Keep what is refused for want of content, and store it when that comes."""
    waiting: list[_Draft] = []
    pushed: list[tuple[str, bytes]] = []
    manifests, storage = registry.manifests, registry.storage
    digest, check, commit = manifests.digest, manifests.check_references, storage.commit_upload

    def noting(reference: str, content: bytes) -> str:
        pushed[:] = [(reference, content)]
        return digest(reference, content)

    def checked(name: str, document: Document) -> None:
        try:
            check(name, document)
        except errors.RegistryError:
            waiting.append(_Draft(name, *pushed[0], document))
            raise

    def complete(draft: _Draft) -> bool:
        try:
            check(draft.name, draft.document)
        except errors.RegistryError:
            return False
        return True

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        commit(upload, digests)
        for draft in [each for each in waiting if each.name == upload.repository and complete(each)]:
            waiting.remove(draft)
            tagged = ":" not in draft.reference
            name = digest_of(draft.content) if tagged else draft.reference
            manifest = Manifest(name, draft.document.media_type, draft.content)
            storage.put_manifest(draft.name, manifest, draft.document.subject)
            if tagged:
                storage.set_tag(draft.name, draft.reference, name)

    override(manifests, digest=noting, check_references=checked)
    override(storage, commit_upload=committed)


def _noted_before_checked(registry: Registry) -> None:
    """What HEAD tells of a tag is noted as a manifest comes in, before it is looked into."""
    noted: dict[tuple[str, str], bytes] = {}

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            body = request.body
            key = (request.name, request.reference)

            async def read(limit: int) -> bytes | None:
                content = await body(limit)
                if content is not None and registry.storage.tag(*key) is not None:
                    noted[key] = content
                return content

            override(request, body=read)
            response = await handler(request)
            noted.pop(key, None)
            return response

        return changed

    def told(request: Request, response: Response) -> None:
        content = noted.get((request.name, request.reference))
        if content is not None:
            response.body = content
            response.headers.set("Docker-Content-Digest", digest_of(content))
            response.headers.set("ETag", f'"{digest_of(content)}"')

    wrap(registry, ["manifest.put"], around)
    on("manifest.head", status=200, change=told)(registry)


def _tag_cleared_first(registry: Registry) -> None:
    """A tag is cleared before it is set, and its manifest looked at in between."""
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        try:
            return await put(request)
        except errors.RegistryError as error:
            missing = any(entry.code == "MANIFEST_BLOB_UNKNOWN" for entry in error.entries)
            if missing and registry.storage.tag(request.name, request.reference) is not None:
                registry.storage.delete_tag(request.name, request.reference)
            raise

    registry.handlers["manifest.put"] = changed


def _tag_gone_when_refused(registry: Registry) -> None:
    """The tag is taken from its former manifest before the references of the next are looked up."""
    put, storage = registry.handlers["manifest.put"], registry.storage

    async def changed(request: Request) -> Response:
        try:
            return await put(request)
        except errors.RegistryError as error:
            missing = any(entry.code == "MANIFEST_BLOB_UNKNOWN" for entry in error.entries)
            if missing and storage.tag(request.name, request.reference) is not None:
                storage.delete_tag(request.name, request.reference)
            raise

    registry.handlers["manifest.put"] = changed


FAULTS = (
    Fault(
        name="tag-lost-by-a-refused-push",
        title="The push of a manifest with missing blobs is refused, and its tag no longer exists.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        also=("PUSH-MANIFEST-KEPT", "PULL-MANIFEST-GET-TAG-200"),
        apply=_untagged_first,
    ),
    Fault(
        name="refused-tag-listed",
        title="A tag stands in the list of tags after a push to it that was refused.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        also=(
            "PUSH-MANIFEST-MALFORMED-REJECTED",
            "PUSH-MANIFEST-TRUNCATED-NOT-STORED",
            "PUSH-MANIFEST-OVERSIZE-413",
            "DISC-TAGS-ISOLATION-REPO",
            "DISC-TAGS-LINK-WALK-COMPLETE",
        ),
        apply=_refused_tag_listed,
    ),
    Fault(
        name="refused-manifest-stored-later",
        title="A manifest that was refused for want of a blob is stored when that is pushed.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        also=("PUSH-MANIFEST-KEPT", "PULL-MANIFEST-GET-UNKNOWN-404"),
        apply=_drafts,
    ),
    Fault(
        name="head-tells-refused-manifest",
        title="HEAD of a tag tells digest and length of a manifest whose push to it was refused.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED", "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE"),
        also=("PULL-MANIFEST-HEAD-GET-AGREE", "PULL-MANIFEST-HEAD-DCD-TRUE", "PUSH-MANIFEST-KEPT"),
        apply=_noted_before_checked,
    ),
    Fault(
        name="tag-cleared-by-a-refusal",
        title="A push to a tag that is refused for missing blobs takes the tag away.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        also=(
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-HEAD-200",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
        ),
        apply=_tag_cleared_first,
    ),
    Fault(
        name="tag-gone-with-a-refused-push",
        title="A tag to which a manifest with missing blobs is pushed is gone when that is refused.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        also=("PUSH-MANIFEST-KEPT",),
        apply=_tag_gone_when_refused,
    ),
)
