"""Changes that several modules of faults of push/uploads have in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from reference.app import Registry
from reference.faults.shared import DIGEST_LENGTH, where_answer
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Transform, on, override, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryUpload


def digest_of_any_length(registry: Registry, *operations: str) -> None:
    """Believe sha256 digests of a wrong length: they are looked at as far as both have digits."""
    digests, verified = registry.uploads.digests, registry.uploads.verified

    def changed(request: Request) -> list[str]:
        found = request.query.all("digest")
        short = [d for d in found if re.fullmatch("sha256:[0-9a-f]+", d) and len(d) != DIGEST_LENGTH]
        return found if short and request.operation in operations else digests(request)

    true: dict[str, str] = {}

    def begins(claimed: str, computed: str) -> bool:
        true[claimed] = computed
        shared = min(len(claimed), len(computed))
        return verified(claimed, computed) or (len(claimed) != DIGEST_LENGTH and claimed[:shared] == computed[:shared])

    def told(request: Request, response: Response) -> None:
        if (claimed := request.query.get("digest") or "") in true:
            response.headers.set("Docker-Content-Digest", true[claimed])

    override(registry.uploads, digests=changed, verified=begins)
    on(*operations, status=201, change=told)(registry)


def refused_close_stored(single: bool = False, chunked: bool = False, last: bool = False) -> Apply:
    """Store a refused blob under its wrong digest: from one POST, chunks, or a last chunk."""

    def apply(registry: Registry) -> None:
        close, discard = registry.uploads.close, registry.storage.discard_upload
        claimed: dict[str, tuple[list[str], int]] = {}

        async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
            one = request.operation == "upload.start-digest"
            if (single and one) or (chunked and upload.size and not one) or (last and upload.size and not one):
                claimed[upload.identifier] = (digests, upload.size if last else 0)
            return await close(request, upload, digests, length)

        def discarded(upload: Upload) -> None:
            digests, start = claimed.pop(upload.identifier, ([], 0))
            if digests and not upload.closed and isinstance(upload, MemoryUpload) and upload.data[start:]:
                upload.data = upload.data[start:]
                registry.storage.commit_upload(upload, digests)
                return
            discard(upload)

        override(registry.uploads, close=changed)
        override(registry.storage, discard_upload=discarded)

    return apply


def from_third_request(operation: str, status: int, change: Transform) -> Apply:
    """Change the answers of uploads that had two before."""

    def apply(registry: Registry) -> None:
        seen: Counter[str] = Counter()

        def later(request: Request, _response: Response) -> bool:
            seen[request.path] += 1
            return seen[request.path] > 2

        on(operation, status=status, change=where_answer(later, change))(registry)

    return apply


def range_one_less(_request: Request, response: Response) -> None:
    """A Range that ends one byte early."""
    last = int(response.headers.get("Range").rpartition("-")[2])
    response.headers.set("Range", f"0-{max(last - 1, 0)}")


def where_request(condition: Callable[[Request], object], change: Transform) -> Transform:
    """Change only what some requests are answered."""
    return lambda request, response: change(request, response) if condition(request) else None


def digest_asked_for(request: Request) -> str:
    """The digest in the query of a request."""
    return request.query.get("digest") or ""


def around_upload_put(around: Callable[[Handler], Handler]) -> Apply:
    """Put something around the PUT that closes an upload."""
    return lambda registry: wrap(registry, ["upload.put"], around)


def session_range(change: Callable[[Response], str], *operations: str) -> Apply:
    """Another Range where a session goes on."""

    def edit(_request: Request, response: Response) -> None:
        if response.status in (202, 204) and "Range" in response.headers:
            response.headers.set("Range", change(response))

    return on(*operations, change=edit)


def one_more(response: Response) -> str:
    """A Range that ends one byte too late."""
    return f"0-{int(response.headers.get('Range').rpartition('-')[2]) + 1}"
