"""Faults of what is there that show after a mount, a refusal, a deletion, or under another name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.grammar import digest_of
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, override, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryUpload


def _linked_over(registry: Registry) -> None:
    """The link of a mount is made where the old one is taken away afterwards."""
    storage = registry.storage
    mount = storage.mount_blob

    def changed(source: str, name: str, digest: str) -> bool:
        held = storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and held:
            storage.delete_blob(name, digest)
        return done

    override(storage, mount_blob=changed)


def _one_name_for_content(registry: Registry) -> None:
    """Content that the repository has is not stored again, whatever digest it comes by."""
    storage = registry.storage
    commit = storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        if isinstance(upload, MemoryUpload):
            data = bytes(upload.data)
            names = {digest_of(data, algorithm) for algorithm in ("sha256", "sha512")}
            if any(storage.has_blob(upload.repository, other) for other in names.difference(digests)):
                storage.discard_upload(upload)
                return
        commit(upload, digests)

    override(storage, commit_upload=changed)


def _slot_given_again(registry: Registry) -> None:
    """A deleted blob leaves its slot to the next one, and its entry in the index."""
    free: defaultdict[str, list[str]] = defaultdict(list)
    stale: dict[tuple[str, str], str] = {}
    storage = registry.storage
    delete, commit, open_blob = storage.delete_blob, storage.commit_upload, storage.open_blob

    def deleted(name: str, digest: str) -> bool:
        done = delete(name, digest)
        if done:
            free[name].append(digest)
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        name = upload.repository
        commit(upload, digests)
        for digest in digests:
            stale.pop((name, digest), None)
            if digest in free[name]:
                free[name].remove(digest)
            elif free[name]:
                stale[name, free[name].pop()] = digest

    def opened(name: str, digest: str) -> Content | None:
        return open_blob(name, digest) or open_blob(name, stale.get((name, digest), digest))

    override(storage, delete_blob=deleted, commit_upload=committed, open_blob=opened)


def _left_at_the_source(registry: Registry) -> None:
    """The upload that a mount falls back to belongs to the repository that it was to be from."""
    sources: dict[str, str] = {}
    mount, commit = registry.handlers["upload.mount"], registry.storage.commit_upload

    async def changed(request: Request) -> Response:
        response = await mount(request)
        source = request.query.get("from")
        if response.status == 202 and source:
            sources[response.headers.get("Docker-Upload-UUID")] = source
        return response

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        upload.repository = sources.pop(upload.identifier, upload.repository)
        commit(upload, digests)

    registry.handlers["upload.mount"] = changed
    override(registry.storage, commit_upload=committed)


def _cleaned_up(registry: Registry) -> None:
    """After a wrong digest what is under it is removed."""
    close = registry.uploads.close

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        try:
            return await close(request, upload, digests, length)
        except errors.RegistryError:
            if upload.closed:
                registry.storage.delete_blob(request.name, digests[0])
            raise

    override(registry.uploads, close=changed)


def _a_letter_first(registry: Registry) -> None:
    """The route of pulls wants a letter in each component."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if any(component.isdecimal() for component in request.name.split("/")):
                raise errors.name_unknown(request.name)
            return await handler(request)

        return changed

    wrap(registry, ("blob.get", "blob.head"), around)


FAULTS = (
    Fault(
        name="mounted-where-it-is-lost",
        title="A blob that is mounted into a repository that has it already is answered 201, and unknown there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=(
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "PUSH-BLOB-KEPT",
            "PUSH-CONCURRENT-MOUNT-AVAILABLE",
        ),
        apply=_linked_over,
    ),
    Fault(
        name="content-by-its-first-digest-alone",
        title="A blob whose bytes are there by another algorithm is answered 201, and unknown by the new digest.",
        breaks=("BASE-DIGEST-SHA512",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-BLOB-SHA512-ACCEPTED",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-PUT-DIGEST-MULTIPLE",
            "PUSH-BLOB-REUPLOAD-IDEMPOTENT",
            "PULL-BLOB-GET-200",
        ),
        apply=_one_name_for_content,
    ),
    Fault(
        name="deleted-blob-is-the-next",
        title="A deleted blob is there again, with other bytes, as soon as another one is pushed to its repository.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=(
            "MGMT-BLOB-DELETE-HEAD-404",
            "PULL-BLOB-GET-BODY-EXACT",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "PULL-BLOB-HEAD-DCD-TRUE",
        ),
        apply=_slot_given_again,
    ),
    Fault(
        name="fallback-of-mount-at-its-source",
        title="A blob that is pushed by the upload of a failed mount is stored in the repository that from named.",
        breaks=("PUSH-MOUNT-FALLBACK-SESSION-USABLE",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PULL-BLOB-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
            "PULL-BLOB-GET-200",
            "PULL-BLOB-HEAD-200",
        ),
        apply=_left_at_the_source,
    ),
    Fault(
        name="refusal-removes-what-is-there",
        title="A blob that is there is unknown after other bytes were refused under its digest.",
        breaks=("PUSH-BLOB-KEPT", "PULL-BLOB-GET-200"),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
            "PULL-CONSIST-REPEATABLE",
            "PULL-BLOB-HEAD-200",
        ),
        apply=_cleaned_up,
    ),
    Fault(
        name="component-of-digits-not-pulled",
        title="A blob is accepted and unknown in a repository with a component of digits alone.",
        breaks=("BASE-NAME-ACCEPTED-KEPT",),
        also=(
            "BASE-NAME-PLAIN",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PULL-BLOB-GET-200",
        ),
        apply=_a_letter_first,
    ),
)
