"""How a blob comes to a repository: each way that the interface has, and what is judged on the way."""

from __future__ import annotations

from collections.abc import Callable

from conformance.client.exchange import Response
from conformance.client.registry import Repository, upload_location
from conformance.client.transport import Payload
from conformance.content import digest_of
from conformance.judge import field_of, status_of, told
from conformance.push.steps import MAX_CHUNK, range_end

from .attempt import ACCEPTED, CREATED, Attempt, Declined
from .checks import ABSENT, CLOSED, COUNTED, MISPLACED_TAKEN, PUSHED, REFUSED, UNPUSHED, UNTOUCHED
from .contents import Content

#: Of so few bytes other rows may have the same.
COMMON = 1
#: Bytes that are sent to be refused, at most.
MOST_REFUSED = 1 << 21
#: Chunks of a push of which one more is refused.
MISPLACED = 5
#: Chunks of a push, by its way.
CHUNKS = {"chunks-2": 2, "chunks-4": 4, "chunks-7": 7}


class Arrival:
    """One push of one content to the repository of a row."""

    def __init__(self, attempt: Attempt, content: Content, repo: Repository | None = None) -> None:
        self.attempt = attempt
        self.content = content
        self.digest = content.digest(attempt.row["algorithm"])
        self.repo = repo or attempt.repo

    def run(self) -> Response:
        """Do what the row has before the push, and push as it says; return the 201."""
        before: dict[str, Callable[[], object]] = {
            "pushed": self.put,
            "deleted": self._push_and_delete,
            "mismatch": self._mismatch,
            "asked": self._ask,
        }
        before.get(self.attempt.row["before"], lambda: None)()
        way = self.attempt.row["arrival"]
        if way in CHUNKS:
            return self._chunks(CHUNKS[way])
        ways: dict[str, Callable[[], Response]] = {
            "put": self.put,
            "post": self._post,
            "streamed": self._streamed,
            "mounted": self._mounted,
            "resumed": self._resumed,
            "misplaced": self._misplaced,
        }
        return ways[way]()

    # -- whole

    def put(self) -> Response:
        """Push with one PUT; return the 201."""
        location, _ = self._open()
        return self._created(self._close(location, self.content.payload(), self.content.size))

    def _post(self) -> Response:
        answer = self.repo.upload_single(self.digest, self.content.payload(), headers=self._length(self.content.size))
        if answer.status == ACCEPTED:
            raise Declined
        return self._created(answer)

    def _streamed(self) -> Response:
        location, _ = self._open()
        answer = self.attempt.answered(self.repo.patch_upload(location, self.content.pieces))
        if not answer.ok:
            # A scenario of its own judges whether streams are taken.
            raise Declined
        self._counts(answer, self.content.size)
        return self._created(self._close(upload_location(answer) or location))

    def _mounted(self) -> Response:
        """Mount from another repository; in each second row it came there by a mount, too."""
        other, third = self.attempt.neighbour, self.attempt.place.third
        if other is None or third is None or self.attempt.number % 2:
            return self._mount(self.repo, self._elsewhere(other))
        self.attempt.notes.append("where it came by a mount, too")
        self._mount(other, self._elsewhere(third))
        return self._mount(self.repo, other)

    def _elsewhere(self, repo: Repository | None) -> Repository:
        """Push the blob to another repository, and return that."""
        if repo is None:
            raise Declined
        Arrival(self.attempt, self.content, repo).put()
        return repo

    def _mount(self, here: Repository, source: Repository) -> Response:
        answer = here.mount(self.digest, source.name)
        if answer.status == ACCEPTED:
            raise Declined
        return self._created(answer)

    def _push_and_delete(self) -> None:
        self.put()
        if self.attempt.answered(self.repo.delete_blob(self.digest)).status != ACCEPTED:
            raise Declined

    # -- in chunks

    def _chunks(self, count: int) -> Response:
        """Send chunks of different sizes; of an even count the last goes with the closing PUT."""
        location, least = self._open()
        cuts = self._cuts(count, least)
        for start, end in cuts[:-1]:
            location = self._chunk(self.repo, location, start, end)
        start, end = cuts[-1]
        if count % 2:
            location = self._chunk(self.repo, location, start, end)
            return self._created(self._close(location))
        answer = self._close(location, self.content.payload(start, end), end - start, f"{start}-{end - 1}")
        return self._created(answer)

    def _resumed(self) -> Response:
        location, least = self._open()
        (start, end), (_, last) = self._cuts(2, least)
        self._chunk(self.repo, location, start, end)
        there = self.attempt.elsewhere()
        state = self.attempt.answered(there.get_upload(location))
        if not state.ok:
            raise Declined
        self._counts(state, end)
        location = self._chunk(there, upload_location(state) or location, end, last)
        return self._created(self._close(location, repo=there))

    def _misplaced(self) -> Response:
        """Send chunks, and before the last one that has another place: it is refused and adds nothing."""
        location, least = self._open()
        *cuts, (end, last) = self._cuts(MISPLACED, least)
        for start, stop in cuts:
            location = self._chunk(self.repo, location, start, stop)
        kind = self.attempt.number % 3
        wrong = (end + 1, cuts[-1][0], end - 1)[kind]
        size = max(least, last - end)
        refused = self.repo.patch_upload(location, b"x" * size, f"{wrong}-{wrong + size - 1}")
        if not self.attempt.answered(refused).refused:
            shown = f"a chunk for byte {wrong} was taken where byte {end} comes next: {status_of(refused)}"
            self.attempt(MISPLACED_TAKEN[kind], False, "a refusal of a chunk for another place", refused, actual=shown)
        location = self._as_before(upload_location(refused) or location, refused, end)
        location = self._chunk(self.repo, location, end, last)
        return self._created(self._close(location))

    def _as_before(self, location: str, refused: Response, size: int) -> str:
        """Judge by the status of an upload that a refusal added nothing; return the location for the next request."""
        if not self.attempt.has("upload-status"):
            return location
        state = self.attempt.answered(self.repo.get_upload(location))
        if not state.ok:
            return location
        held = range_end(state) in {None, size - 1}
        expected = f"a Range that ends at {size - 1}, as before the refused chunk"
        shown = f"{status_of(state)} had {field_of(state, 'Range')}"
        self.attempt(UNTOUCHED, held, expected, refused, state, actual=shown)
        return upload_location(state) or location

    def _cuts(self, count: int, least: int) -> list[tuple[int, int]]:
        """Return the ends of chunks of different sizes, none but the last shorter than the target takes."""
        size = self.content.size
        if size < count or least * count > size or (least and size // count > MAX_CHUNK):
            raise Declined
        step = size // count
        ends = [
            max((number + 1) * step - (number % 3 if step > 3 else 0), (number + 1) * least)
            for number in range(count - 1)
        ]
        starts = [0, *ends]
        return list(zip(starts, [*ends, size], strict=True))

    def _chunk(self, repo: Repository, location: str, start: int, end: int) -> str:
        """Send the bytes from one position up to another; return the location for the next request."""
        payload = self.content.payload(start, end)
        answer = repo.patch_upload(location, payload, f"{start}-{end - 1}", headers=self._length(end - start))
        self.attempt.answered(answer)
        if answer.refused:
            # A minimum may not be announced; what was refused for another reason is judged by scenarios of its own.
            raise Declined
        self.attempt(PUSHED, answer.ok, "status 202 to a chunk", answer, actual=status_of(answer))
        self._counts(answer, end)
        return upload_location(answer) or location

    def _counts(self, answer: Response, size: int) -> None:
        """Judge the Range of an upload's answer, where it has one."""
        end = range_end(answer) if size else None
        shown = told(answer, "Range")
        self.attempt(COUNTED, end in {None, size - 1}, f"a Range that ends at {size - 1}", answer, actual=shown)

    # -- what goes before

    def _ask(self) -> None:
        """Ask for the blob, by HEAD as clients do before a push and by GET: it is not there."""
        for ask in (self.repo.head_blob, self.repo.get_blob):
            answer = self.attempt.answered(ask(self.digest))
            if self.content.size > COMMON:
                self.attempt(UNPUSHED, not answer.ok, "no blob where none was pushed", answer)

    def _mismatch(self) -> None:
        """Close an upload of other and more bytes under the digest: it is refused, and nothing is there."""
        location, _ = self._open()
        other = self.attempt.make.bytes(min(self.content.size, MOST_REFUSED) + 100)
        refused = self.repo.put_upload(location, self.digest, other)
        self.attempt.answered(refused)
        self.attempt(REFUSED, not refused.ok, "a refusal of other bytes under this digest", refused)
        for digest in (self.digest, digest_of(other)):
            if self.content.size <= COMMON and digest == self.digest:
                # Another row may have pushed the same few bytes.
                continue
            head = self.attempt.answered(self.repo.head_blob(digest))
            self.attempt(ABSENT, not head.ok, "no blob where none was accepted", refused, head)

    # -- requests

    def _open(self) -> tuple[str, int]:
        """Open an upload; return its location and the least size of a chunk that the target announces."""
        answer = self.attempt.answered(self.repo.start_upload())
        location = upload_location(answer)
        if answer.status != ACCEPTED or location is None:
            if answer.refused or answer.ok:
                # Names may be a matter of policy, and scenarios of their own judge the start of uploads.
                raise Declined
            self.attempt.status(PUSHED, answer, ACCEPTED)
        announced = (answer.header("OCI-Chunk-Min-Length") or "").strip()
        plain = announced.isascii() and announced.isdigit() and len(announced) < 16
        return location or "", int(announced) if plain else 0

    def _close(
        self,
        location: str,
        payload: Payload = b"",
        size: int = 0,
        span: str | None = None,
        repo: Repository | None = None,
    ) -> Response:
        target = repo or self.repo
        return target.put_upload(location, self.digest, payload, span, headers=self._length(size))

    def _length(self, size: int) -> tuple[tuple[str, str], ...]:
        """Announce the length of what is sent in pieces."""
        return (("Content-Length", str(size)),) if self.content.large else ()

    def _created(self, answer: Response) -> Response:
        """Judge that a sound push is accepted, as far as the target has to take it."""
        row = self.attempt.row
        if answer.refused and (row["algorithm"] != "sha256" or not self.content.size):
            raise Declined
        self.attempt.taken(answer)
        self.attempt(CLOSED, answer.status == CREATED, "status 201 to a push of a blob", answer)
        return answer
