"""Faults that show with content that came in one way only."""

from __future__ import annotations

from collections.abc import Iterable

from reference.app import Registry
from reference.documents import Json
from reference.faults.history import Way, pushed
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Manifest, Upload
from reference.storage.memory import MemoryContent

_SEVEN = 7


def _pieces(way: Way) -> int:
    return way.chunks + way.streams + way.rest


def _middle(content: Content) -> Content:
    """Another byte in the middle."""
    if not isinstance(content, MemoryContent) or not content.size:
        return content
    data = bytearray(content.data)
    data[len(data) // 2] ^= 1
    return MemoryContent(bytes(data))


def _length_unknown(registry: Registry) -> None:
    """What came without a length is told to have none."""
    streamed: set[tuple[str, str]] = set()

    def note(request: Request, response: Response) -> None:
        entry = request.name, response.headers.get("docker-content-digest")
        if request.headers.get("transfer-encoding"):
            streamed.add(entry)
        else:
            streamed.discard(entry)

    def change(request: Request, response: Response) -> None:
        if (request.name, response.headers.get("docker-content-digest")) in streamed:
            response.headers.set("Content-Length", "0")

    on("manifest.put", status=201, change=note)(registry)
    on("manifest.head", status=200, change=change)(registry)


def _second_mount(registry: Registry) -> None:
    """What is itself mounted is not found when it is mounted from there."""
    mounts: set[tuple[str, str]] = set()
    mounted, commit = registry.uploads.mounted, registry.storage.commit_upload

    def changed(source: str | None, name: str, digest: str) -> bool:
        if (source, digest) in mounts:
            return registry.storage.has_blob(source or "", digest)
        done = mounted(source, name, digest)
        if done:
            mounts.add((name, digest))
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        mounts.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    override(registry.uploads, mounted=changed)
    override(registry.storage, commit_upload=committed)


def _again(registry: Registry) -> None:
    """The list of referrers is appended to."""
    twice: set[tuple[str, str]] = set()
    put, delete, collect = registry.storage.put_manifest, registry.storage.delete_manifest, registry.referrers.collect

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        if subject is not None and registry.storage.manifest(name, manifest.digest) is not None:
            twice.add((name, manifest.digest))
        put(name, manifest, subject)

    def deleted(name: str, digest: str, subject: str | None) -> None:
        twice.discard((name, digest))
        delete(name, digest, subject)

    def collected(name: str, subject: str) -> list[Json]:
        found = collect(name, subject)
        return [entry for each in found for entry in [each] * (2 if (name, each["digest"]) in twice else 1)]

    override(registry.storage, put_manifest=changed, delete_manifest=deleted)
    override(registry.referrers, collect=collected)


def _elsewhere(registry: Registry) -> None:
    """Another connection sees an upload as it was before the last chunk."""
    before: dict[str, tuple[str, int]] = {}

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            size = registry.uploads.find(request).size
            response = await handler(request)
            before[request.reference] = request.address, size
            return response

        return changed

    def change(request: Request, response: Response) -> None:
        address, size = before.get(request.reference, (request.address, 0))
        if address != request.address:
            response.headers.set("Range", registry.uploads.range(size))

    wrap(registry, ["upload.patch"], around)
    on("upload.get", status=204, change=change)(registry)


FAULTS = (
    Fault(
        name="blob-of-seven-chunks-spoilt",
        title="A blob that came in seven chunks or more has another byte in its middle.",
        breaks=(
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-BODY-EXACT",
        ),
        apply=pushed(lambda way: _pieces(way) >= _SEVEN, _middle),
    ),
    Fault(
        name="head-of-streamed-manifest-tells-none",
        title="HEAD of a manifest that came in chunked transfer coding tells the length 0.",
        breaks=(
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-HEAD-GET-AGREE",
        ),
        apply=_length_unknown,
    ),
    Fault(
        name="mount-of-a-mount-lost",
        title="A blob that is mounted from a repository that has it by a mount is answered 201 and not there.",
        breaks=(
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
        ),
        apply=_second_mount,
    ),
    Fault(
        name="referrer-pushed-again-twice",
        title="A referrer that is pushed a second time is listed twice.",
        breaks=(
            "DISC-REFERRERS-COMPLETE",
            "PUSH-MANIFEST-IDEMPOTENT",
        ),
        apply=_again,
    ),
    Fault(
        name="status-elsewhere-behind",
        title="The status of an upload on another connection than that of the last chunk lacks that chunk.",
        breaks=(
            "PUSH-STATUS-RANGE-VALUE",
            "PUSH-STATUS-RESUME",
        ),
        also=(
            "PUSH-INTERRUPTED-RANGE",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-STATUS-NO-SIDE-EFFECT",
        ),
        apply=_elsewhere,
    ),
)
