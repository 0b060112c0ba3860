"""How a blob comes to a repository: each way that the interface has, and what is judged on the way."""

from __future__ import annotations

from collections.abc import Callable

from conformance.client.http.exchange import Response
from conformance.client.http.transport import Payload
from conformance.client.registry import OCI_MANIFEST, Repository, upload_location
from conformance.scenarios.conditions.blobs.checks import (
    ABSENT,
    CANCEL,
    CANCELLED,
    CANCELLED_KEPT,
    CLOSED,
    ENDED,
    FALLEN_BACK,
    GOT,
    OTHER_CLOSED,
    PUSHED,
    REFUSED,
    REFUSED_STATUS,
    STATUS_COUNTED,
    UNPUSHED,
    UNPUSHED_HEAD,
    USED,
)
from conformance.scenarios.conditions.blobs.uploads import UNSATISFIABLE, Session
from conformance.scenarios.conditions.rows.attempt import (
    ACCEPTED,
    CREATED,
    NOT_FOUND,
    SERVER_ERROR,
    UNKNOWN,
    Declined,
    denies,
)
from conformance.scenarios.conditions.rows.places import near
from conformance.scenarios.shared.upload_steps import not_granted
from conformance.target.content import OCI_LAYER, Descriptor, Manifest, digest_of, image
from conformance.target.policy import may_be
from conformance.verdict.judge import describe

#: Of so few bytes other rows may have the same.
COMMON = 2
#: Bytes that are sent to be refused, at most.
MOST_REFUSED = 1 << 21
#: The codes that say of a part of a manifest that it is not there.
_LACKING = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"})
#: Chunks of a push, by its way.
CHUNKS = {"chunks-2": 2, "chunks-4": 4, "chunks-7": 7}
#: So many that their numbers are of one digit and of two, and above what a careless server counts to.
MOST_CHUNKS = 17


class Arrival(Session):
    """One push of one content to the repository of a row."""

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
            return self._chunks(self._count(CHUNKS[way]))
        ways: dict[str, Callable[[], Response]] = {
            "put": self.put,
            "post": self._post,
            "streamed": self._streamed,
            "mounted": self._mounted,
        }
        return ways[way]()

    def _count(self, chunks: int) -> int:
        """Return into how many chunks a blob is cut: where there are most, in each third row into more than ten."""
        if chunks < CHUNKS["chunks-7"] or self.attempt.number % 3 != 1:
            return chunks
        self.attempt.notes.append(f"in {MOST_CHUNKS} chunks rather")
        return MOST_CHUNKS

    def _pushed(self) -> None:
        """Push it beforehand; before its push under another digest than sha256, under that as well."""
        digest = self.digest
        if self.attempt.row["algorithm"] != "sha256":
            self.digest = self.content.digest("sha256")
            self.put()
            self.digest = digest
        way = self.attempt.row["arrival"]
        if way == "post" and self.attempt.number % 2:
            self._post()
        elif way == "put" and self.attempt.number % 2 and self.attempt.neighbour and self.attempt.has("mount"):
            answer = self.repo.mount(self.digest, self._elsewhere(self.attempt.neighbour).name)
            if self.attempt.answered(answer).status == CREATED:
                self.attempt.notes.append("by a mount")
                self.beside = True
            else:
                self.put()
        else:
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
        if answer.status >= SERVER_ERROR or not _LACKING.isdisjoint(answer.error_codes or ()):
            there = [self.attempt.answered(self.repo.head_blob(part["digest"])) for part in (own, near)]
            held = not all(head.ok for head in there)
            expected = "status 201 to an image whose parts are there"
            self.attempt(USED, held, expected, answer, *there, actual=describe([answer]))
        if answer.status != CREATED:
            # Pushes of manifests are judged elsewhere.
            raise Declined("use")

    # -- whole

    def put(self) -> Response:
        """Push with one PUT; return the 201."""
        location, _ = self._open()
        created = self._created(self._close(location, self.content.payload(), self.content.size))
        if not self.content.size and self.attempt.has("upload-status"):
            state = self.attempt.answered(self.repo.get_upload(location))
            self.attempt(ENDED, not state.ok, "no upload that is still open", created, state)
        return created

    def _post(self) -> Response:
        if self.attempt.number % 3 == 2:
            self.attempt.notes.append("without a length")
            answer = self.repo.upload_single(self.digest, self.content.pieces)
            if not self.attempt.answered(answer).ok:
                # The texts show this request with its length.
                raise Declined("arrival")
        else:
            length = self._length(self.content.size)
            answer = self.repo.upload_single(self.digest, self.content.payload(), headers=length)
        if answer.status == ACCEPTED:
            # It may be an upload like any other, at which the blob is pushed.
            location = upload_location(answer)
            if location is not None:
                closed = self.attempt.answered(self._close(location, self.content.payload(), self.content.size))
                self.attempt(FALLEN_BACK, closed.status != NOT_FOUND, "an upload that is open", answer, closed)
            raise Declined("arrival")
        return self._created(answer)

    def _streamed(self) -> Response:
        """Send a body of unknown length: in a PATCH and, in each second row, in the closing PUT."""
        location, least = self._open()
        if self.attempt.number % 2 and self.attempt.row["session"] != "status":
            self.attempt.notes.append("in the closing PUT")
            answer = self.repo.put_upload(location, self.digest, self.content.pieces)
            if self.attempt.answered(answer).refused:
                # The texts show this request with its length.
                raise Declined("arrival")
            return self._created(answer)
        # In each fourth row a chunk follows what was streamed.
        end = self.content.size // 2 if self.attempt.number % 4 == 2 and least == 1 else self.content.size
        end = end or self.content.size
        answer = self.attempt.answered(self.repo.patch_upload(location, lambda: self.content.pieces(0, end)))
        if not answer.ok:
            # A scenario of its own judges whether streams are taken.
            if may_be(answer) or not self._usual([(0, 0)]):
                raise Declined("arrival")
            self.attempt(CLOSED, False, "status 202 to a stream, as in another repository", answer)
        self._counts(answer, end)
        location = self._status(upload_location(answer) or location, end)
        if end < self.content.size:
            if self.attempt.number % 8 == 2:
                self.attempt.notes.append("in two streams")
                return self._created(self._close(self._second_stream(location, end)))
            self.attempt.notes.append("with a chunk behind it")
            return self._created(self._close(self._behind(location, end)))
        return self._created(self._close(self._nothing(location)))

    def _second_stream(self, location: str, end: int) -> str:
        """Send the rest as another stream, which a target may refuse; return the location for the next request."""
        answer = self.attempt.answered(self.repo.patch_upload(location, lambda: self.content.pieces(end)))
        if not answer.ok:
            raise Declined("arrival")
        self._counts(answer, self.content.size)
        return upload_location(answer) or location

    def _behind(self, location: str, end: int) -> str:
        """Send the rest as a chunk behind what was streamed; return the location for the next request."""
        span = f"{end}-{self.content.size - 1}"
        answer = self.attempt.answered(self.repo.patch_upload(location, self.content.payload(end), span))
        if answer.status == UNSATISFIABLE and self.attempt.has("upload-status"):
            # Its own status says where the upload goes on.
            state = self.attempt.answered(self.repo.get_upload(location))
            self._counts(state, end, STATUS_COUNTED)
            held = not state.ok or not self._usual([(0, end), (end, self.content.size)])
            self.attempt(PUSHED, held, f"status 202 to the chunk for byte {end}", answer, state)
        if not answer.ok:
            raise Declined("arrival")
        self._counts(answer, self.content.size)
        return upload_location(answer) or location

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
        there = self._mount(other, self._elsewhere(third))
        try:
            return self._mount(self.repo, other)
        except Declined:
            # A target takes the blob from where it is, or a mount that it acknowledged did nothing.
            head = self.attempt.answered(other.head_blob(self.digest))
            self.attempt(GOT, head.status != NOT_FOUND, "the blob where it was mounted", there, head)
            raise

    def _elsewhere(self, repo: Repository | None) -> Repository:
        """Push the blob to another repository, and return that."""
        if repo is None:
            raise Declined("arrival")
        Arrival(self.attempt, self.content, repo).put()
        return repo

    def _mount(self, here: Repository, source: Repository) -> Response:
        # A slash may stand in a query as it is (RFC 3986, 3.4).
        turned = self.attempt.number % 3 == 1
        answer = here.mount(self.digest, source.name, safe="/" if self.attempt.number // 2 % 2 else "", turned=turned)
        if turned and "with from ahead of mount" not in self.attempt.notes:
            self.attempt.notes.append("with from ahead of mount")
        if answer.status == ACCEPTED or not_granted(answer, self.attempt.session.settings):
            raise Declined("arrival")
        return self._created(answer)

    def _push_and_delete(self) -> None:
        self.put()
        if self.attempt.answered(self.repo.delete_blob(self.digest)).status != ACCEPTED:
            # Rows in which it is deleted at last judge that; here nothing is said of a push after it.
            raise Declined("before")
        self.attempt.gone(lambda: self.repo.head_blob(self.digest))

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
        shared = size <= COMMON
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
        self.attempt(REFUSED_STATUS, denies(refused), "status 400 to bytes under the digest of others", refused)
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
        if way == "streamed" or (way in CHUNKS and least == 1):
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
        location, least = self._open()
        near, taken = None, True
        if self.attempt.has("chunked"):
            sent = self.attempt.make.bytes(70_000)
            # More than a registry may keep in memory or, in each second row, the bytes of a blob that is there.
            if self.attempt.number % 4 < 2 or least > 1:
                near = self.attempt.place.blob(self.attempt.session)
                sent = near.content
            if self.attempt.number % 3 == 0:
                self.attempt.notes.append("which had been streamed")
                answer = self.repo.patch_upload(location, lambda: iter((sent,)))
            else:
                answer = self.repo.patch_upload(location, sent, f"0-{len(sent) - 1}")
            # What a refusal leaves of the upload other looks judge.
            taken = self.attempt.answered(answer).ok
            location = upload_location(answer) or location
        here = self.repo
        if self.attempt.number % 2:
            here = self.attempt.elsewhere()
            self.attempt.notes.append("on another connection")
        answer = self.attempt.answered(here.cancel_upload(location))
        if not answer.ok:
            lost = answer.status == NOT_FOUND or answer.status >= SERVER_ERROR
            self.attempt(CANCEL, not lost or not taken, "status 204 to the cancellation of an open upload", answer)
            raise Declined("session")
        gone = self.attempt.answered(self.repo.get_upload(location))
        self.attempt(CANCELLED, not gone.ok, "no upload after it was cancelled", answer, gone)
        if near is not None:
            head = self.attempt.answered(self.repo.head_blob(near.digest))
            self.attempt(CANCELLED_KEPT, head.status != NOT_FOUND, "the blob of the same bytes as before", answer, head)

    def _beside(self) -> None:
        """Open another upload, and send a chunk of other bytes to it."""
        location, least = self._open()
        content = self.attempt.make.bytes(99)
        rest = content
        if self.attempt.has("chunked") and least <= len(content):
            answer = self.attempt.answered(self.repo.patch_upload(location, content, f"0-{len(content) - 1}"))
            if not answer.ok:
                return
            location, rest = upload_location(answer) or location, b""
        self._other = location, content, rest

    def finish_other(self) -> None:
        """Close the other upload, which is open still whatever was done meanwhile."""
        if self._other is None:
            return
        location, content, rest = self._other
        answer = self.attempt.answered(self.repo.put_upload(location, digest_of(content), rest))
        lost = answer.status == NOT_FOUND or answer.status >= SERVER_ERROR or answer.status == UNSATISFIABLE
        self.attempt(OTHER_CLOSED, not lost, "status 201 to the close of the other upload", answer)


def _payload(way: str, part: bytes) -> Payload:
    return (lambda: iter((part,))) if way == "streamed" else part
