"""How a blob comes to a repository: each way that the interface has, and what is judged on the way."""

from __future__ import annotations

from collections.abc import Callable

from conformance.client.http.exchange import Response
from conformance.client.http.transport import Payload
from conformance.client.registry import OCI_MANIFEST, Repository, upload_location
from conformance.scenarios.conditions.blobs.checks import (
    ABSENT,
    CANCELLED,
    CLOSED,
    COUNTED,
    FRESH,
    MISPLACED_TAKEN,
    PUSHED,
    REFUSED,
    STATUS,
    STATUS_COUNTED,
    UNPUSHED,
    UNPUSHED_HEAD,
    UNTOUCHED,
    USED,
)
from conformance.scenarios.conditions.blobs.contents import Content
from conformance.scenarios.conditions.rows.attempt import ACCEPTED, CREATED, UNKNOWN, Attempt, Check, Declined
from conformance.scenarios.conditions.rows.places import near
from conformance.scenarios.shared.upload_steps import MAX_CHUNK, not_granted, range_end
from conformance.target.content import OCI_LAYER, Descriptor, Manifest, digest_of, image
from conformance.verdict.judge import field_of, status_of, told

NO_CONTENT = 204
#: Of so few bytes other rows may have the same.
COMMON = 2
#: Bytes that are sent to be refused, at most.
MOST_REFUSED = 1 << 21
#: Statuses that no rule on chunks gives: the upload is unknown, or its own location is too long.
_NO_REASON = frozenset({404, 414})
#: The codes that say of a part of a manifest that it is not there.
_LACKING = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"})
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
            "pushed": self._pushed,
            "deleted": self._push_and_delete,
            "asked": self._ask,
        }
        before.get(self.attempt.row["before"], lambda: None)()
        if self.attempt.row["refused"] == "earlier":
            self.refuse(present=self.attempt.row["before"] == "pushed")
        session = {"cancelled": self._cancelled, "beside": self._beside}.get(self.attempt.row["session"])
        if session is not None:
            session()
        way = self.attempt.row["arrival"]
        if way in CHUNKS:
            return self._chunks(CHUNKS[way])
        ways: dict[str, Callable[[], Response]] = {
            "put": self.put,
            "post": self._post,
            "streamed": self._streamed,
            "mounted": self._mounted,
        }
        return ways[way]()

    def _pushed(self) -> None:
        """Push it beforehand; before its push under another digest than sha256, under that as well."""
        digest = self.digest
        if self.attempt.row["algorithm"] != "sha256":
            self.digest = self.content.digest("sha256")
            self.put()
            self.digest = digest
        self.put()

    def use(self) -> None:
        """Push an image that has the blob as a part, as the row says."""
        if self.attempt.row["use"] == "nothing":
            return
        near = self.attempt.place.blob(self.attempt.session).descriptor()
        own: Descriptor = {"mediaType": OCI_LAYER, "digest": self.digest, "size": self.content.size}
        parts = {"config": (own, near), "layer": (near, own)}[self.attempt.row["use"]]
        made = Manifest.of(image(parts[0], [parts[1]]), OCI_MANIFEST)
        answer = self.attempt.answered(self.repo.put_manifest(made.digest, made.body, made.media_type))
        if not _LACKING.isdisjoint(answer.error_codes or ()):
            there = [self.attempt.answered(self.repo.head_blob(part["digest"])) for part in (own, near)]
            held = not all(head.ok for head in there)
            self.attempt(USED, held, "status 201 to an image whose parts are there", answer, *there)
        if answer.status != CREATED:
            # Pushes of manifests are judged elsewhere.
            raise Declined("use")

    # -- whole

    def put(self) -> Response:
        """Push with one PUT; return the 201."""
        location, _ = self._open()
        return self._created(self._close(location, self.content.payload(), self.content.size))

    def _post(self) -> Response:
        answer = self.repo.upload_single(self.digest, self.content.payload(), headers=self._length(self.content.size))
        if answer.status == ACCEPTED:
            raise Declined("arrival")
        return self._created(answer)

    def _streamed(self) -> Response:
        """Send a body of unknown length: in a PATCH and, in each second row, in the closing PUT."""
        location, _ = self._open()
        if self.attempt.number % 2:
            self.attempt.notes.append("in the closing PUT")
            answer = self.repo.put_upload(location, self.digest, self.content.pieces)
            if self.attempt.answered(answer).refused:
                # The texts show this request with its length.
                raise Declined("arrival")
            return self._created(answer)
        answer = self.attempt.answered(self.repo.patch_upload(location, self.content.pieces))
        if not answer.ok:
            # A scenario of its own judges whether streams are taken.
            raise Declined("arrival")
        self._counts(answer, self.content.size)
        return self._created(self._close(self._nothing(upload_location(answer) or location)))

    def _nothing(self, location: str) -> str:
        """Send a stream without any bytes to an upload that has some; return the location for the next request.

        Raises:
            Declined: the target takes none.
        """
        if self.attempt.number % 4:
            return location
        self.attempt.notes.append("with nothing sent behind it")
        answer = self.attempt.answered(self.repo.patch_upload(location, b""))
        if not answer.ok:
            raise Declined("arrival")
        self._counts(answer, self.content.size)
        return upload_location(answer) or location

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
            raise Declined("arrival")
        Arrival(self.attempt, self.content, repo).put()
        return repo

    def _mount(self, here: Repository, source: Repository) -> Response:
        answer = here.mount(self.digest, source.name)
        if answer.status == ACCEPTED or not_granted(answer, self.attempt.session.settings):
            raise Declined("arrival")
        return self._created(answer)

    def _push_and_delete(self) -> None:
        self.put()
        if self.attempt.answered(self.repo.delete_blob(self.digest)).status != ACCEPTED:
            raise Declined("before")
        self.attempt.gone(lambda: self.repo.head_blob(self.digest))

    # -- in chunks

    def _chunks(self, count: int) -> Response:
        """Send chunks of different sizes; of an even count the last goes with the closing PUT."""
        location, least = self._open()
        cuts = self._cuts(count, least)
        for start, end in cuts[:-1]:
            location = self._chunk(location, start, end)
        start, end = cuts[-1]
        if self.attempt.row["session"] == "resumed":
            location = self._elsewhere_from(location, start)
        if self.attempt.row["refused"] == "chunk":
            location = self._misplaced(location, cuts, least)
        if count % 2:
            location = self._chunk(location, start, end)
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
        if size < count or least * count > size or (least and size // count > MAX_CHUNK):
            raise Declined("arrival")
        step = size // count
        ends = [
            max((number + 1) * step - (number % 3 if step > 3 else 0), (number + 1) * least)
            for number in range(count - 1)
        ]
        starts = [0, *ends]
        return list(zip(starts, [*ends, size], strict=True))

    def _chunk(self, location: str, start: int, end: int) -> str:
        """Send the bytes from one position up to another; return the location for the next request."""
        payload = self.content.payload(start, end)
        answer = self.repo.patch_upload(location, payload, f"{start}-{end - 1}", headers=self._length(end - start))
        self.attempt.answered(answer)
        if answer.refused and answer.status not in _NO_REASON:
            # A minimum may not be announced; what was refused for another reason is judged by scenarios of its own.
            raise Declined("arrival")
        self.attempt(PUSHED, answer.ok, "status 202 to a chunk", answer, actual=status_of(answer))
        self._counts(answer, end)
        location = upload_location(answer) or location
        return self._status(location, end) if end == self.content.size or not start else location

    def _counts(self, answer: Response, size: int, check: Check = COUNTED) -> None:
        """Judge the Range of an upload's answer, where it has one."""
        end = range_end(answer) if size else None
        shown = told(answer, "Range")
        self.attempt(check, end in {None, size - 1}, f"a Range that ends at {size - 1}", answer, actual=shown)

    # -- what goes before

    def _ask(self) -> None:
        """Ask for the blob, by HEAD as clients do before a push and by GET: it is not there."""
        for check, ask in ((UNPUSHED_HEAD, self.repo.head_blob), (UNPUSHED, self.repo.get_blob)):
            answer = self.attempt.answered(ask(self.digest))
            if self.content.size > COMMON:
                self.attempt(check, answer.status in UNKNOWN, "status 404 where no blob was pushed", answer)

    def refuse(self, *, present: bool) -> None:
        """Push bytes under the digest of others, on the way of the row: they are refused, and nothing is there.

        Before the push of the blob these are as many others under its digest or, in each second row, its own under
        another digest; after it they are more. ``present`` says that the blob is there.
        """
        later, size = self.attempt.row["refused"] == "later", self.content.size
        # Other rows read what they share with this one; where the wrong bytes are taken, they would be blamed.
        shared = size <= COMMON and self.attempt.row["algorithm"] == "sha512"
        if shared or (not later and self.attempt.number % 2 and COMMON < size <= MOST_REFUSED):
            # One that a registry takes for its own where it compares a part of the digest.
            sent = self.content.part(0, size) or self.attempt.make.bytes(100)
            claimed = near(self.digest, self.attempt.number // 2)
            absent = [claimed]
        else:
            more = 100 if later or size <= COMMON else 0
            sent, claimed = self.attempt.make.bytes(min(size, MOST_REFUSED) + more), self.digest
            absent = [digest_of(sent)]
        refused = self._push_wrong(sent, claimed, present=present and claimed == self.digest)
        if refused is None:
            return
        self.attempt(REFUSED, not refused.ok, "a refusal of bytes under the digest of others", refused)
        digests = absent + ([self.digest] if not present and size > COMMON else [])
        for digest in digests:
            answer = self.attempt.answered(self.repo.get_blob(digest))
            self.attempt(ABSENT, not answer.ok, "no blob where none was accepted", refused, answer)

    def _push_wrong(self, other: bytes, claimed: str, *, present: bool) -> Response | None:
        """Push bytes under the digest of others; return the answer that decides, nothing where there is none."""
        way = self.attempt.row["arrival"]
        if way == "post" and present:
            # A registry may say of what it has that it is there, and read nothing.
            return None
        if way == "post" and self.attempt.has("single-post"):
            answer = self.attempt.answered(self.repo.upload_single(claimed, other))
            return None if answer.status == ACCEPTED else answer
        location, least = self._open()
        if way == "streamed" or (way in CHUNKS and not least):
            step = -(-len(other) // CHUNKS.get(way, 1))
            for start in range(0, len(other), step):
                part = other[start : start + step]
                span = None if way == "streamed" else f"{start}-{start + len(part) - 1}"
                patched = self.attempt.answered(self.repo.patch_upload(location, _payload(way, part), span))
                if not patched.ok:
                    return None
                location = upload_location(patched) or location
            other = b""
        return self.attempt.answered(self.repo.put_upload(location, claimed, other))

    # -- other uploads

    def _cancelled(self) -> None:
        """Open an upload, send something to it, and cancel it: it is gone."""
        location, _ = self._open()
        if self.attempt.has("chunked"):
            answer = self.attempt.answered(self.repo.patch_upload(location, self.attempt.make.bytes(99), "0-98"))
            location = upload_location(answer) or location
        here = self.repo
        if self.attempt.number % 2:
            here = self.attempt.elsewhere()
            self.attempt.notes.append("on another connection")
        answer = self.attempt.answered(here.cancel_upload(location))
        if not answer.ok:
            raise Declined("session")
        gone = self.attempt.answered(self.repo.get_upload(location))
        self.attempt(CANCELLED, not gone.ok, "no upload after it was cancelled", answer, gone)

    def _beside(self) -> None:
        """Leave another upload open, with other bytes in it."""
        location, _ = self._open()
        if self.attempt.has("chunked"):
            self.attempt.answered(self.repo.patch_upload(location, self.attempt.make.bytes(99), "0-98"))

    def _status(self, location: str, size: int) -> str:
        """Ask for the status of an upload, where the row does; return the location for the next request."""
        if self.attempt.row["session"] != "status":
            return location
        state = self.attempt.answered(self.repo.get_upload(location))
        self.attempt(STATUS, state.status == NO_CONTENT, "status 204 to the status of an open upload", state)
        if size:
            self._counts(state, size, STATUS_COUNTED)
        return upload_location(state) or location

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
        end = range_end(answer)
        shown = told(answer, "Range")
        self.attempt(FRESH, end in {None, 0, -1}, "a Range of no more than the first byte", answer, actual=shown)
        announced = (answer.header("OCI-Chunk-Min-Length") or "").strip()
        plain = announced.isascii() and announced.isdigit() and len(announced) < 16
        least = int(announced) if plain else 0
        return self._status(location or "", 0), least

    def _close(
        self,
        location: str,
        payload: Payload = b"",
        size: int = 0,
        span: str | None = None,
    ) -> Response:
        return self.repo.put_upload(location, self.digest, payload, span, headers=self._length(size))

    def _length(self, size: int) -> tuple[tuple[str, str], ...]:
        """Announce the length of what is sent in pieces."""
        return (("Content-Length", str(size)),) if self.content.large else ()

    def _ordinary(self) -> Response:
        """Push the blob with one PUT, as a control."""
        opened = self.repo.start_upload()
        location = upload_location(opened)
        return opened if location is None else self._close(location, self.content.payload(), self.content.size)

    def _created(self, answer: Response) -> Response:
        """Judge that a sound push is accepted, as far as the target has to take it."""
        row = self.attempt.row
        if answer.refused and row["algorithm"] != "sha256":
            raise Declined("algorithm")
        if answer.refused and not self.content.size:
            raise Declined("content")
        self.attempt.taken(answer, None if row["arrival"] == "put" else self._ordinary)
        self.attempt(CLOSED, answer.status == CREATED, "status 201 to a push of a blob", answer)
        return answer


def _payload(way: str, part: bytes) -> Payload:
    return (lambda: iter((part,))) if way == "streamed" else part
