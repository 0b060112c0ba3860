"""Uploads of blobs: the requests of a session, and what is judged of each answer."""

from __future__ import annotations

from functools import partial

from conformance.client.http.exchange import Response
from conformance.client.http.transport import Payload
from conformance.client.locations import with_query
from conformance.client.registry import Repository, upload_location
from conformance.scenarios.conditions.blobs.checks import (
    CLOSED,
    COUNTED,
    FRESH,
    MISPLACED_COUNTED,
    MISPLACED_TAKEN,
    PUSHED,
    STATUS,
    STATUS_COUNTED,
    UNTOUCHED,
)
from conformance.scenarios.conditions.blobs.contents import Content
from conformance.scenarios.conditions.rows.attempt import ACCEPTED, CREATED, Attempt, Check, Declined
from conformance.scenarios.shared.upload_steps import MAX_CHUNK, range_end
from conformance.target.policy import may_be
from conformance.verdict.judge import field_of, status_of, told

NO_CONTENT, EXPECTATION_FAILED, UNSATISFIABLE = 204, 417, 416
#: By the number of a row, how the colon of a digest is written otherwise than as usual: it may be encoded or not, in
#: digits of either case (RFC 3986, 2.1 and 3.4).
SPELLED = {1: ":", 3: "%3a"}
#: Bytes that a careless server takes of one request at most.
MEBIBYTE = 1 << 20
#: Bytes of a chunk that is sent to see whether it is taken, at most.
MOST_TRIED = 2 * MEBIBYTE
EXPECT = ("Expect", "100-continue")
#: Statuses that no rule on chunks gives: the upload is unknown, or its own location is too long.
_NO_REASON = frozenset({404, 414})


class Session:
    """Uploads to the repository of a row: opened, filled in chunks, closed."""

    def __init__(self, attempt: Attempt, content: Content, repo: Repository | None = None) -> None:
        self.attempt = attempt
        self.content = content
        self.digest = content.digest(attempt.row["algorithm"])
        self.repo = repo or attempt.repo
        #: Whether another repository has it, too.
        self.beside = attempt.row["arrival"] == "mounted"
        #: Another upload that is open: its location, its content, and what of that is to be sent.
        self._other: tuple[str, bytes, bytes] | None = None
        #: The ends of the chunks that are sent.
        self._sent: list[tuple[int, int]] = []

    # -- in chunks

    def _chunks(self, count: int) -> Response:
        """Send chunks of different sizes; of an even count the last goes with the closing PUT."""
        location, least = self._open()
        self._sent = cuts = self._cuts(count, least)
        for start, end in cuts[:-1]:
            location = self._chunk(location, start, end)
        start, end = cuts[-1]
        resumed = self.attempt.row["session"] == "resumed"
        if resumed:
            location = self._elsewhere_from(location, start)
        if self.attempt.row["refused"] == "chunk":
            location = self._misplaced(location, cuts, least)
        if count % 2:
            location = self._chunk(location, start, end)
            if resumed:
                # The closing request comes on a third one.
                self.repo = self.attempt.elsewhere()
            return self._created(self._close(location))
        answer = self._close(location, self.content.payload(start, end), end - start, f"{start}-{end - 1}")
        return self._created(answer)

    def _elsewhere_from(self, location: str, end: int) -> str:
        """Ask for the status on another connection, on which the upload goes on; return the next location."""
        there = self.attempt.elsewhere()
        state = self.attempt.answered(there.get_upload(location))
        self.attempt(STATUS, state.status == NO_CONTENT, "status 204 to the status of an open upload", state)
        self._counts(state, end, STATUS_COUNTED)
        self.repo = there
        return upload_location(state) or location

    def _misplaced(self, location: str, cuts: list[tuple[int, int]], least: int) -> str:
        """Send, before the last chunk, one that has another place: it is refused; return where to go on."""
        end, last = cuts[-1]
        kind = self.attempt.number % 3
        wrong = (end + 1, cuts[-2][0], end - 1)[kind]
        size = max(least, last - end)
        refused = self.repo.patch_upload(location, b"x" * size, f"{wrong}-{wrong + size - 1}")
        if not self.attempt.answered(refused).refused:
            shown = f"a chunk for byte {wrong} was taken where byte {end} comes next: {status_of(refused)}"
            self.attempt(MISPLACED_TAKEN[kind], False, "a refusal of a chunk for another place", refused, actual=shown)
        if refused.status == UNSATISFIABLE:
            self._counts(refused, end, MISPLACED_COUNTED)
        return self._as_before(upload_location(refused) or location, refused, end)

    def _as_before(self, location: str, refused: Response, size: int) -> str:
        """Judge by the status of an upload that a refusal added nothing; return the location for the next request."""
        if not self.attempt.has("upload-status"):
            return location
        state = self.attempt.answered(self.repo.get_upload(location))
        if not state.ok:
            return location
        end = range_end(state)
        expected = f"a Range that ends at {size - 1}, as before the refused chunk"
        shown = f"{status_of(state)} had {field_of(state, 'Range')}"
        self.attempt(UNTOUCHED, end is None or end < size, expected, refused, state, actual=shown)
        # Less than there was is nothing that the refused chunk has left.
        self._counts(state, size, STATUS_COUNTED)
        return upload_location(state) or location

    def _cuts(self, count: int, least: int) -> list[tuple[int, int]]:
        """Return the ends of chunks of different sizes, none but the last shorter than the target takes."""
        size = self.content.size
        if size < count or least * count > size or (least > 1 and size // count > MAX_CHUNK):
            raise Declined("arrival")
        if size > MEBIBYTE and count == 2 and least < size - MEBIBYTE:
            # One that goes a little beyond a mebibyte.
            return [(0, size - 2), (size - 2, size)]
        step = size // count
        ends = [
            max((number + 1) * step - (number % 3 if step > 3 else 0), (number + 1) * least)
            for number in range(count - 1)
        ]
        starts = [0, *ends]
        return list(zip(starts, [*ends, size], strict=True))

    def _chunk(self, location: str, start: int, end: int) -> str:
        """Send the bytes from one position up to another; return the location for the next request."""
        answer = self._chunk_sent(location, start, end)
        if answer.refused and answer.status not in _NO_REASON and (may_be(answer) or not self._usual(self._sent)):
            # A quota may be full, or a minimum not announced.
            raise Declined("arrival")
        self.attempt(PUSHED, answer.ok, "status 202 to a chunk", answer, actual=status_of(answer))
        self._counts(answer, end)
        location = upload_location(answer) or location
        return self._status(location, end) if end == self.content.size or not start else location

    def _usual(self, cuts: list[tuple[int, int]]) -> bool:
        """Tell whether other bytes are taken in chunks of the same lengths where nothing else is done.

        One without an end is a stream.
        """
        there = self.attempt.session.policy.control(self.repo)
        location = upload_location(self.attempt.answered(there.start_upload()))
        for start, end in cuts:
            if location is None:
                return False
            size = end - start if end else self.content.size
            data = self.attempt.make.bytes(min(size, MOST_TRIED))
            span = f"{start}-{start + len(data) - 1}" if end else None
            sent: Payload = data if end else partial(iter, (data,))
            answer = self.attempt.answered(there.patch_upload(location, sent, span))
            if not answer.ok:
                return False
            location = upload_location(answer) or location
        return True

    def _chunk_sent(self, location: str, start: int, end: int) -> Response:
        """Send a chunk; in some rows in a form that the texts do not show and HTTP knows, if the target takes that."""
        span, forms = f"{start}-{end - 1}", self.attempt.number % 4
        if forms == 1:
            expecting = (*self._length(end - start), EXPECT)
            answer = self.repo.patch_upload(location, self.content.payload(start, end), span, headers=expecting)
            if self.attempt.answered(answer).status != EXPECTATION_FAILED:
                self._noted("with Expect: 100-continue")
                return answer
        elif forms == 3:
            answer = self.repo.patch_upload(location, lambda: self.content.pieces(start, end), span)
            if not self.attempt.answered(answer).refused:
                self._noted("in chunked transfer coding")
                return answer
        payload = self.content.payload(start, end)
        answer = self.repo.patch_upload(location, payload, span, headers=self._length(end - start))
        return self.attempt.answered(answer)

    def _noted(self, what: str) -> None:
        if what not in self.attempt.notes:
            self.attempt.notes.append(what)

    def _counts(self, answer: Response, size: int, check: Check = COUNTED) -> None:
        """Judge the Range of an upload's answer, where it has one."""
        end = range_end(answer) if size else None
        shown = told(answer, "Range")
        self.attempt(check, end in {None, size - 1}, f"a Range that ends at {size - 1}", answer, actual=shown)

    # -- requests

    def _open(self) -> tuple[str, int]:
        """Open an upload; return its location and the least size of a chunk that the target takes."""
        answer = self.attempt.answered(self.repo.start_upload())
        location = upload_location(answer)
        if answer.status != ACCEPTED or location is None:
            if answer.refused or answer.ok:
                # Names may be a matter of policy, and scenarios of their own judge the start of uploads.
                raise Declined
            self.attempt.status(PUSHED, answer, ACCEPTED)
        end = range_end(answer)
        shown = told(answer, "Range")
        self.attempt(FRESH, end in {None, 0, -1}, "a Range of no more than the first byte", answer, actual=shown)
        return self._status(location or "", 0), self.repo.least_chunk(answer)

    def _close(
        self,
        location: str,
        payload: Payload = b"",
        size: int = 0,
        span: str | None = None,
    ) -> Response:
        spelled = SPELLED.get(self.attempt.number % 4)
        digest = self.digest if spelled is None else None
        if spelled is not None:
            location = with_query(location, f"digest={self.digest.replace(':', spelled)}")
        headers = self._length(size)
        if size and self.attempt.number % 5 == 2:
            # Clients that do not wait for the interim answer are no others to a server (RFC 9110, 10.1.1).
            answer = self.repo.put_upload(location, digest, payload, span, headers=(*headers, EXPECT))
            if answer.status != EXPECTATION_FAILED:
                return answer
        # What has no body needs no type.
        typed = bool(size) or not isinstance(payload, bytes) or self.attempt.number % 3 != 0
        return self.repo.put_upload(location, digest, payload, span, typed=typed, headers=headers)

    def _length(self, size: int) -> tuple[tuple[str, str], ...]:
        """Announce the length of what is sent in pieces."""
        return (("Content-Length", str(size)),) if self.content.large else ()

    def _ordinary(self) -> Response:
        """Push the blob with one PUT, as a control."""
        opened = self.repo.start_upload()
        location = upload_location(opened)
        if location is None:
            return opened
        length = self._length(self.content.size)
        return self.repo.put_upload(location, self.digest, self.content.payload(), headers=length)

    def _created(self, answer: Response) -> Response:
        """Judge that a sound push is accepted, as far as the target has to take it."""
        row = self.attempt.row
        if answer.refused and row["algorithm"] != "sha256":
            raise Declined("algorithm")
        if answer.refused and not self.content.size:
            raise Declined("content")
        plain = row["arrival"] == "put" and self.attempt.number % 4 not in SPELLED
        self.attempt.taken(answer, None if plain else self._ordinary)
        self.attempt(CLOSED, answer.status == CREATED, "status 201 to a push of a blob", answer)
        return answer

    def _status(self, location: str, size: int) -> str:
        """Ask for the status of an upload, where the row does; return the location for the next request."""
        if self.attempt.row["session"] != "status":
            return location
        state = self.attempt.answered(self.repo.get_upload(location))
        self.attempt(STATUS, state.status == NO_CONTENT, "status 204 to the status of an open upload", state)
        if size:
            self._counts(state, size, STATUS_COUNTED)
        return upload_location(state) or location
