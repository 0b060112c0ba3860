"""Faults of blobs that are stored, and of uploads that are open side by side."""

from __future__ import annotations

from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.faults.chunks import before
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Upload
from reference.storage.memory import MemoryContent

#: Blobs up to this size are shared between repositories, in bytes.
_SMALL = 5


def _gzip_ends(registry: Registry) -> None:
    """What follows the beginning of gzip data within a blob is lost."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if not isinstance(content, MemoryContent) or content.size > 1 << 16:
            return content
        data = content.data
        at = data.find(b"\x1f\x8b\x08\x00", 1)
        return MemoryContent(data[:at]) if at > 0 else content

    override(registry.blobs, find=changed)


def _once_at_a_time(registry: Registry) -> None:
    """A session is refused whose content another one stored in the meantime."""
    stored: dict[tuple[str, str], float] = {}
    close, commit = registry.uploads.close, registry.storage.commit_upload

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        stored.update({(upload.repository, digest): upload.started for digest in digests})
        commit(upload, digests)
        ended[upload.repository] = [*ended.get(upload.repository, []), *digests]

    ended: dict[str, list[str]] = {}
    begun: dict[str, int] = {}
    start = registry.storage.start_upload

    def started(name: str) -> Upload:
        upload = start(name)
        begun[upload.identifier] = len(ended.get(name, []))
        return upload

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        since = ended.get(upload.repository, [])[begun.get(upload.identifier, 0) :]
        if set(digests) & set(since):
            raise errors.RegistryError(409)
        return await close(request, upload, digests, length)

    override(registry.uploads, close=changed)
    override(registry.storage, commit_upload=committed, start_upload=started)


def _linked_once(registry: Registry) -> None:
    """What another repository has is not stored again, and forgotten for this one."""
    holders: dict[str, str] = {}
    commit = registry.storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        elsewhere = any(holders.setdefault(digest, upload.repository) != upload.repository for digest in digests)
        if elsewhere and upload.size > _SMALL:
            registry.storage.discard_upload(upload)
            return
        commit(upload, digests)

    override(registry.storage, commit_upload=changed)


def _range_of_the_first(registry: Registry) -> None:
    """The Range of a chunk is that of the upload that was begun first of those that are open."""
    open_ones: dict[str, list[Upload]] = {}

    def remember(upload: Upload, _request: Request) -> None:
        here = open_ones.setdefault(upload.repository, [])
        if upload not in here:
            here.append(upload)

    def change(request: Request, response: Response) -> None:
        here = [upload for upload in open_ones.get(request.name, ()) if not upload.closed and upload.size]
        open_ones[request.name] = here
        if len(here) > 1:
            response.headers.set("Range", registry.uploads.range(here[0].size))

    before("upload.patch", remember)(registry)
    on("upload.patch", status=202, change=change)(registry)


FAULTS = (
    Fault(
        name="blob-ends-at-gzip",
        title="A blob ends where gzip data begins within it.",
        breaks=("PUSH-BLOB-BINARY-EXACT",),
        apply=_gzip_ends,
    ),
    Fault(
        name="upload-overtaken-409",
        title="An upload whose content another one stored in the meantime is answered 409.",
        breaks=("PUSH-BLOB-PARALLEL-SAME-DIGEST",),
        apply=_once_at_a_time,
    ),
    Fault(
        name="blob-of-two-repositories-lost",
        title="A blob of some bytes that another repository has is answered 201, and not there.",
        breaks=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",),
        # A manifest of such a blob is refused then.
        also=(
            "PUSH-MANIFEST-STATUS-201",
            "PULL-BLOB-GET-200",
        ),
        apply=_linked_once,
    ),
    Fault(
        name="range-of-another-upload",
        title="Where two uploads are open, the Range of a chunk is that of the first.",
        breaks=("PUSH-SESSION-PARALLEL-ISOLATED",),
        apply=_range_of_the_first,
    ),
)
