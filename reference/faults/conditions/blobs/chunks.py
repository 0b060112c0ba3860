"""Faults of blobs that show with some numbers of chunks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from reference.app import Registry
from reference.faults.upload_history import Way, blobs_pushed
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryContent, MemoryUpload

_SEVEN = 7
#: How many parts of an upload are listed at once, and how many components of a name are told.
_PARTS_5 = 5
_PARTS_7 = 7
_SOURCES = 5
_PARTS_4 = 4
_LISTED_PARTS = 5


def _pieces(way: Way) -> int:
    return way.chunks + way.streams + way.rest


def _middle(content: Content) -> Content:
    """Another byte in the middle."""
    if not isinstance(content, MemoryContent) or not content.size:
        return content
    data = bytearray(content.data)
    data[len(data) // 2] ^= 1
    return MemoryContent(bytes(data))


def _first_page_of_parts(registry: Registry) -> None:
    """The parts of an upload are put together from one page of their list."""
    ends: dict[str, list[int]] = {}
    cuts: dict[tuple[str, str], int] = {}
    commit, find = registry.storage.commit_upload, registry.blobs.find

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            upload = registry.storage.find_upload(request.name, request.reference)
            if upload is not None:
                ends.setdefault(upload.identifier, []).append(upload.size)
            return response

        return changed

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        parts = ends.pop(upload.identifier, [])
        for digest in digests:
            cuts.pop((upload.repository, digest), None)
            if len(parts) > _PARTS_5:
                cuts[upload.repository, digest] = parts[_PARTS_5 - 1]
        commit(upload, digests)

    def cut(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        end = cuts.get((name, digest))
        return MemoryContent(content.data[:end]) if end is not None and isinstance(content, MemoryContent) else content

    wrap(registry, ["upload.patch"], around)
    override(registry.storage, commit_upload=committed)
    override(registry.blobs, find=cut)


def _part_table_full(registry: Registry) -> None:
    """The table of parts has five rows; a chunk that finds none tells of itself alone."""
    parts: Counter[str] = Counter()

    def change(request: Request, response: Response) -> None:
        parts[request.reference] += 1
        if parts[request.reference] > _PARTS_5:
            response.headers.set("Range", f"0-{max((request.content_length or 0) - 1, 0)}")

    on("upload.patch", status=202, change=change)(registry)


def _many_parts_trusted(registry: Registry) -> None:
    """The hash of an upload is lost with its seventh part, and whatever closes it is believed."""
    parts: Counter[str] = Counter()
    claims: dict[str, list[str]] = {}
    close, receive = registry.uploads.close, registry.uploads.receive

    async def closing(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        claims[upload.identifier] = digests
        return await close(request, upload, digests, length)

    async def received(request: Request, upload: Upload) -> None:
        before = upload.size
        await receive(request, upload)
        parts[upload.identifier] += upload.size > before
        if parts[upload.identifier] >= _PARTS_7:
            override(upload, digest=believing(upload))

    def believing(upload: Upload) -> object:
        async def digest(algorithm: str) -> str:
            return next(claim for claim in claims[upload.identifier] if claim.startswith(f"{algorithm}:"))

        return digest

    override(registry.uploads, close=closing, receive=received)


def _parts_by_name(registry: Registry) -> None:
    """The fifth part and the sixth change places when the parts are put together."""
    ends: dict[str, list[int]] = {}
    patch, commit = registry.handlers["upload.patch"], registry.storage.commit_upload

    async def patched(request: Request) -> Response:
        response = await patch(request)
        upload = registry.storage.find_upload(request.name, request.reference)
        if response.status == 202 and upload is not None:
            ends.setdefault(upload.identifier, [0]).append(upload.size)
        return response

    def committed(upload: Upload, digests: list[str]) -> None:
        marks, data = ends.pop(upload.identifier, []), getattr(upload, "data", None)
        if len(marks) > 6 and isinstance(data, bytearray):
            first, middle, last = marks[4:7]
            data[first:last] = data[middle:last] + data[first:middle]
        commit(upload, digests)

    registry.handlers["upload.patch"] = patched
    override(registry.storage, commit_upload=committed)


def _composed_in_turns(registry: Registry) -> None:
    """Compose five objects at a time; what they make goes to the end of the queue."""
    ends: dict[str, list[int]] = {}
    receive, commit = registry.uploads.receive, registry.storage.commit_upload

    async def noting(request: Request, upload: Upload) -> None:
        before = upload.size
        await receive(request, upload)
        known = [end for end in ends.get(upload.identifier, []) if end <= before]
        ends[upload.identifier] = [*known, upload.size] if upload.size > before else known

    def composed(upload: Upload, digests: Iterable[str]) -> None:
        if isinstance(upload, MemoryUpload):
            found = ends.pop(upload.identifier, [])
            starts = [0, *found[:-1]]
            parts = [bytes(upload.data[start:end]) for start, end in zip(starts, found, strict=True)] if found else []
            while len(parts) > _SOURCES:
                parts = [*parts[_SOURCES:], b"".join(parts[:_SOURCES])]
            upload.data = bytearray(b"".join(parts))
        commit(upload, digests)

    override(registry.uploads, receive=noting)
    override(registry.storage, commit_upload=composed)


def _squeezed(parts: list[bytes]) -> bytes:
    """Too many parts are made one, which goes to the wrong end."""
    kept: list[bytes] = []
    for part in parts:
        kept.append(part)
        if len(kept) > _PARTS_4:
            kept = [*kept[_PARTS_4:], b"".join(kept[:_PARTS_4])]
    return b"".join(kept)


def _parts_squeezed(registry: Registry) -> None:
    ends: dict[str, list[int]] = defaultdict(list)
    receive, commit = registry.uploads.receive, registry.storage.commit_upload

    async def received(request: Request, upload: Upload) -> None:
        before = upload.size
        await receive(request, upload)
        if upload.size > before:
            ends[upload.identifier].append(upload.size)

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        marks = ends.pop(upload.identifier, [])
        if isinstance(upload, MemoryUpload) and len(marks) > _PARTS_4:
            parts = [bytes(upload.data[start:end]) for start, end in zip([0, *marks], marks, strict=False)]
            upload.data = bytearray(_squeezed(parts))
        commit(upload, digests)

    override(registry.uploads, receive=received)
    override(registry.storage, commit_upload=committed)


def _compacted(registry: Registry) -> None:
    """The first parts of an upload become one as soon as there is another, which is filed behind the rest."""
    ends: dict[str, list[int]] = {}
    patch, commit = registry.handlers["upload.patch"], registry.storage.commit_upload

    async def patched(request: Request) -> Response:
        response = await patch(request)
        upload = registry.storage.find_upload(request.name, request.reference)
        if upload is not None and response.status == 202:
            ends.setdefault(upload.identifier, []).append(upload.size)
        return response

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        parts = ends.pop(upload.identifier, [])
        if isinstance(upload, MemoryUpload) and len(parts) > _PARTS_4:
            end = parts[_PARTS_4 - 1]
            upload.data = upload.data[end:] + upload.data[:end]
        commit(upload, digests)

    registry.handlers["upload.patch"] = patched
    override(registry.storage, commit_upload=committed)


def _parts_listed_once(registry: Registry) -> None:
    """The parts of an upload are listed once, as many as one page of that list has, and joined."""
    ends: defaultdict[str, list[int]] = defaultdict(list)
    patch, commit = registry.handlers["upload.patch"], registry.storage.commit_upload

    async def noted(request: Request) -> Response:
        upload = registry.uploads.find(request)
        response = await patch(request)
        ends[upload.identifier].append(upload.size)
        return response

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        parts = ends.pop(upload.identifier, [])
        if isinstance(upload, MemoryUpload) and len(parts) > _LISTED_PARTS:
            del upload.data[parts[_LISTED_PARTS - 1] :]
        commit(upload, digests)

    registry.handlers["upload.patch"] = noted
    override(registry.storage, commit_upload=changed)


FAULTS = (
    Fault(
        name="blob-of-seven-chunks-spoilt",
        title="A blob that came in seven chunks or more has another byte in its middle.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PULL-BLOB-GET-BODY-EXACT"),
        apply=blobs_pushed(lambda way: _pieces(way) >= _SEVEN, _middle),
    ),
    Fault(
        name="blob-ends-after-fifth-chunk",
        title="A blob whose upload took more than five chunks ends behind the fifth.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PULL-BLOB-GET-BODY-EXACT", "PUSH-PUT-LOCATION-PULLABLE"),
        apply=_first_page_of_parts,
    ),
    Fault(
        name="range-restarts-at-sixth-chunk",
        title="The Range counts only the last chunk, from the sixth chunk of an upload on.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        also=("PUSH-PATCH-STREAM-RANGE-VALUE", "PUSH-PATCH-CHUNKS-CONCATENATED"),
        apply=_part_table_full,
    ),
    Fault(
        name="seven-chunks-not-verified",
        title="An upload in seven chunks is accepted whatever its digest.",
        breaks=("PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
        ),
        apply=_many_parts_trusted,
    ),
    Fault(
        name="fifth-chunk-behind-sixth",
        title="The fifth chunk of an upload and the sixth change places.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-KEPT",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PUT-DIGEST-OF-WHOLE",
        ),
        apply=_parts_by_name,
    ),
    Fault(
        name="sixth-chunk-first",
        title="A blob of more than five chunks begins with the sixth.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=("PULL-BLOB-GET-BODY-EXACT", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PUSH-PUT-LOCATION-PULLABLE"),
        apply=_composed_in_turns,
    ),
    Fault(
        name="fifth-chunk-first",
        title="A blob of more than four chunks begins with the fifth.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-STATUS-RESUME",
        ),
        apply=_parts_squeezed,
    ),
    Fault(
        name="first-four-chunks-last",
        title="The first four chunks of a blob in more than four chunks are stored after the others.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-LARGE-EXACT",
            "PUSH-BLOB-BINARY-EXACT",
            "PUSH-BLOB-KEPT",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-STATUS-RESUME",
            "PULL-BLOB-GET-DCD-TRUE",
        ),
        apply=_compacted,
    ),
    Fault(
        name="chunks-after-fifth-lost",
        title="The registry stores the first five chunks of an upload only, though it verifies all of them.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-LARGE-EXACT",
            "PULL-BLOB-GET-DCD-TRUE",
        ),
        apply=_parts_listed_once,
    ),
)
