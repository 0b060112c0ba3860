"""Faults of uploads and mounts after reports about registries that are in use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import count

from reference import errors
from reference.app import Registry
from reference.faults.shared import instead, where_answer
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, on, override, set_status, wrap
from reference.storage import Upload

_PATCH = "upload.patch"


def _is_stream(request: Request) -> bool:
    return "content-range" not in request.headers


def _is_coded_stream(request: Request, _response: Response) -> bool:
    return _is_stream(request) and request.content_length is None


def _invalid(_request: Request) -> Response:
    raise errors.RegistryError(400, (errors.ErrorEntry("BLOB_UPLOAD_INVALID"),))


def _range_stuck(registry: Registry) -> None:
    """A chunk that is as long as the one before gets the answer of that one."""
    former: dict[str, tuple[int | None, str]] = {}

    def change(request: Request, response: Response) -> None:
        length, range_ = former.get(request.reference, (None, ""))
        if length is not None and length == request.content_length and not _is_stream(request):
            response.headers.set("Range", range_)
        else:
            former[request.reference] = request.content_length, response.headers.get("Range")

    on(_PATCH, status=202, change=change)(registry)


def _later_chunks(status: int) -> Apply:
    def apply(registry: Registry) -> None:
        chunks: Counter[str] = Counter()

        def is_later(request: Request, _response: Response) -> bool:
            chunks[request.reference] += 1
            return chunks[request.reference] > 1

        on(_PATCH, status=202, change=where_answer(is_later, set_status(status)))(registry)

    return apply


def _one_too_far(_request: Request, response: Response) -> None:
    last = int(response.headers.get("Range").rpartition("-")[2])
    response.headers.set("Range", f"0-{last + 1}")


def _overtaken(registry: Registry) -> None:
    """Who is the second to close an upload of the same bytes is refused."""
    clock = count()
    begun: dict[str, int] = {}
    stored: dict[tuple[str, str], int] = {}
    start, commit = registry.storage.start_upload, registry.storage.commit_upload

    def started(name: str) -> Upload:
        upload = start(name)
        begun[upload.identifier] = next(clock)
        return upload

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        names = list(digests)
        commit(upload, names)
        for digest in names:
            stored.setdefault((upload.repository, digest), next(clock))

    def when(request: Request) -> bool:
        finished = stored.get((request.name, request.query.get("digest") or ""))
        return finished is not None and finished > begun.get(request.reference, finished)

    override(registry.storage, start_upload=started, commit_upload=committed)
    instead("upload.put", when=when, answer=_invalid)(registry)


def _deleted_remembered(registry: Registry) -> None:
    """What HEAD once told of a blob it tells for ever."""
    told: dict[tuple[str, str], Response] = {}

    def wrapped(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            place = request.name, request.reference
            try:
                response = await handler(request)
            except errors.RegistryError as error:
                if error.status != 404 or place not in told:
                    raise
                return told[place]
            if response.status == 200:
                length = ("Content-Length", str(response.length))
                told[place] = Response(200, [*response.headers.pairs, length])
            return response

        return changed

    wrap(registry, ["blob.head"], wrapped)


FAULTS = (
    Fault(
        name="range-stuck-at-equal-chunks",
        title="The Range of a chunk that is as long as the one before it ends where that of the one before did.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        apply=_range_stuck,
    ),
    Fault(
        name="later-chunks-answered-204",
        title="The first chunk of an upload is answered 202, each that follows it 204.",
        breaks=("PUSH-PATCH-STATUS-202",),
        also=("PUSH-PATCH-BODY-EMPTY",),
        apply=_later_chunks(204),
    ),
    Fault(
        name="coded-stream-range-one-too-far",
        title="The Range of a stream in chunked transfer coding ends one byte behind the last that came.",
        breaks=(
            "PUSH-PATCH-STREAM-RANGE-VALUE",
            "PUSH-PATCH-RANGE-VALUE",
        ),
        apply=on(_PATCH, status=202, change=where_answer(_is_coded_stream, _one_too_far)),
    ),
    Fault(
        name="upload-overtaken-by-its-like",
        title="An upload is refused whose bytes another upload brought to the repository since it was opened.",
        breaks=("PUSH-SESSION-PARALLEL-ISOLATED", "PUSH-BLOB-PARALLEL-SAME-DIGEST"),
        also=("PUSH-PUT-MONOLITHIC-201", "BASE-CONCURRENT-NO-500"),
        apply=_overtaken,
    ),
    Fault(
        name="deleted-blob-remembered-by-head",
        title="HEAD finds a deleted blob, if HEAD found it before its deletion; GET does not.",
        breaks=("MGMT-BLOB-DELETE-HEAD-404",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PULL-BLOB-HEAD-UNKNOWN-404"),
        apply=_deleted_remembered,
    ),
)
