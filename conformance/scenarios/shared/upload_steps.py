"""Steps that scenarios of pushing share: upload sessions, sizes of chunks, their answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, upload_location
from conformance.client.settling import ask_until
from conformance.settings import Settings
from conformance.target.content import Blob, Manifest, digest_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Blocked, Judge, Undecided, field_of, told

#: The text of Docker writes ``bytes=0-N`` in places, that of OCI ``0-N``.
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]+)")
#: Chunks above this are not sent only to please an announced minimum.
MAX_CHUNK = 8 * 1024 * 1024
#: A minimum that is not announced is looked for up to here.
LARGE_CHUNK = 6 * 1024 * 1024
GONE = (404,)
UUID = "PUSH-UPLOAD-UUID-TRUE"
FRESH = "PUSH-SESSION-FRESH-RANGE-TRUE"


def not_granted(answer: Response, settings: Settings) -> bool:
    """Whether a mount was refused by access control: a token may cover one repository only."""
    return settings.credentials is not None and answer.status in {401, 403}


@dataclass(slots=True)
class Upload:
    """An open upload: repository, location, what was sent, and the least size of a chunk."""

    repo: Repository
    location: str
    minimum: int
    start: Response
    content: bytes = b""

    @property
    def end(self) -> int:
        """The position of the last byte sent."""
        return len(self.content) - 1

    def content_range(self, data: bytes, start: int | None = None) -> str:
        """Return the Content-Range of some data: behind what was sent, or at another start."""
        first = len(self.content) if start is None else start
        return f"{first}-{first + len(data) - 1}"

    def size(self, size: int) -> int:
        """Return a chunk size of at least the minimum."""
        return max(size, self.minimum)

    def moved(self, answer: Response) -> None:
        """Go on at the Location of an answer, where it has one."""
        self.location = upload_location(answer) or self.location

    def patch(self, data: bytes, start: int | None = None) -> Response:
        """Send a chunk, in order or at another start, without judging or remembering it."""
        return self.repo.patch_upload(self.location, data, self.content_range(data, start))


def opened(repo: Repository) -> Upload:
    """Open an upload session."""
    answer = repo.start_upload()
    if answer.status != 202:
        raise Blocked("PUSH-START-STATUS-202", "status 202 to the start of an upload", answer)
    location = SetUp.location(answer, "PUSH-START-LOCATION-PRESENT")
    minimum = repo.least_chunk(answer)
    if minimum > MAX_CHUNK:
        raise Undecided(f"the target takes no chunk below {minimum} bytes, which is more than is sent here")
    return Upload(repo, location, minimum, answer)


def accepted(upload: Upload, data: bytes) -> Response:
    """Send the next chunk, which must be accepted before something else is asked.

    A refusal is not held against the target here: an unannounced minimum size may be its cause.
    """
    answer = upload.patch(data)
    if answer.refused:
        raise Undecided(f"blocked by PUSH-PATCH-STATUS-202: a chunk was answered with status {answer.status}", answer)
    if answer.status != 202:
        raise Blocked("PUSH-PATCH-STATUS-202", "status 202 to a chunk that follows", answer)
    upload.location = SetUp.location(answer, "PUSH-PATCH-LOCATION-PRESENT")
    upload.content += data
    return answer


def with_chunk(setup: SetUp, repo: Repository, size: int = 40) -> Upload:
    """Open an upload session and send a first chunk."""
    upload = opened(repo)
    accepted(upload, setup.make.bytes(upload.size(size)))
    return upload


def closed(upload: Upload, data: bytes = b"") -> Response:
    """Close an upload; ``data`` is the whole blob if nothing was sent yet."""
    upload.content += data
    return upload.repo.put_upload(upload.location, digest_of(upload.content), data)


def in_pieces(data: bytes) -> Callable[[], Iterator[bytes]]:
    """Return a body that is sent in chunked transfer coding, in two pieces."""
    half = len(data) // 2
    return lambda: iter((data[:half], data[half:]))


def breaks_off(sent: bytes) -> Callable[[], Iterator[bytes]]:
    """Return a body that ends, with its connection, before what was announced of it."""

    def pieces() -> Iterator[bytes]:
        yield sent
        raise OSError("the connection is cut here on purpose")

    return pieces


def range_end(answer: Response) -> int | None:
    """Return the end of an upload's Range, in either spelling; ``None`` if it has no such form."""
    match = _RANGE.fullmatch((answer.header("Range") or "").strip())
    return int(match[1]) if match else None


def judge_fresh(judge: Judge, answer: Response) -> None:
    """Judge the Range of an upload without data: absent, or 0-0."""
    end = range_end(answer)
    if end is None:
        judge.unsupported(FRESH, "the answer has no Range that can be read")
    else:
        expected = "a Range that ends at 0 at most, as nothing was sent"
        judge(FRESH, end == 0, expected, answer, actual=told(answer, "Range"))


def judge_uuid(judge: Judge, requirement: str, upload: Upload, answer: Response) -> None:
    """Judge that an answer of an upload has the Docker-Upload-UUID of the upload."""
    judge.header(requirement, answer, "Docker-Upload-UUID")
    first, uuid = upload.start.header("Docker-Upload-UUID"), answer.header("Docker-Upload-UUID")
    if not first or not uuid:
        judge.unsupported(UUID, "not every answer of the upload has a Docker-Upload-UUID")
        return
    expected = f"Docker-Upload-UUID: {first}, as on the POST of the upload"
    judge(UUID, uuid == first, expected, upload.start, answer, actual=f"it was {uuid}")


def leads_to(judge: Judge, requirement: str, created: Response, pushed: Blob | Manifest, *, repo: Repository) -> bool:
    """Judge that what was pushed can be pulled from the Location of its 201."""
    expected = "the pushed bytes at the Location of the 201"
    url = upload_location(created)
    if url is None:
        return judge(requirement, False, expected, created, actual=f"the 201 had {field_of(created, 'Location')}")
    content, headers, operation, parameters = (
        (pushed.content, (), "blob.get", {"digest": pushed.digest})
        if isinstance(pushed, Blob)
        else (pushed.body, (("Accept", pushed.media_type),), "manifest.get", {"reference": pushed.digest})
    )
    parameters |= {"name": repo.name}
    got = ask_until(
        repo.registry.settling.left(repo.name, pushed.digest),
        lambda: repo.registry.request("GET", url, operation=operation, parameters=parameters, headers=headers),
        lambda answer: answer.status == 200,
    )
    return judge.gives(requirement, got, content, expected, created)
