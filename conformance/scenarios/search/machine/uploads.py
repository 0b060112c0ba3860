"""Uploads in any order: started, continued, asked for, closed and cancelled beside each other."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.scenarios.search.machine import blame
from conformance.scenarios.search.machine.driver import LARGEST_MINIMUM, Driver, Session
from conformance.scenarios.shared.upload_steps import range_end
from conformance.target.content import digest_of
from conformance.verdict.judge import field_of, status_of

#: Uploads that are open at the same time, at most.
OPEN_AT_ONCE = 3


class UploadDriver(Driver):
    """Operations on uploads."""

    def start(self, repository: int) -> None:
        """Open an upload."""
        if len(self.sessions) >= OPEN_AT_ONCE:
            return
        here = self.place(repository)
        self.count += 1
        self.trial.step(f"start the upload {self.count} in {self.repos[here].name}")
        session = self.open_upload(here)
        if session is not None:
            self.sessions.append(session)
            session.upload = self.world.begin(here)
            self.did("start", here)

    def chunk(self, number: int, size: int) -> None:
        """Send the next chunk of an upload."""
        session = self._session(number)
        if session is None or not self.has("chunked") or session.minimum > LARGEST_MINIMUM:
            return
        data = self._data(session, max(size, session.minimum))
        start = len(session.upload.content)
        self.trial.step(f"send a chunk of {len(data)} bytes to the upload {session.name}")
        repo = self.repos[session.upload.repository]
        answer = repo.patch_upload(session.location, data, f"{start}-{start + len(data) - 1}")
        self.trial.alive(answer)
        if not answer.ok:
            self._refused(session, answer, len(data))
            return
        session.moved(answer)
        session.chunks += 1
        session.least = min(session.least, len(data))
        self.world.received(session.upload, data)
        self.did("chunk", session.upload.repository)
        self._counted(session, answer, "PUSH-PATCH-RANGE-VALUE")

    def status(self, number: int) -> None:
        """Ask an upload how far it is."""
        session = self._session(number)
        if session is None or not session.upload.content or not self.has("upload-status"):
            return
        self.trial.step(f"get the status of the upload {session.name}")
        answer = self.repos[session.upload.repository].get_upload(session.location)
        self.trial.alive(answer)
        # Not every profile has this request: a refusal says nothing of the upload.
        if answer.ok:
            session.moved(answer)
            self._counted(session, answer, "PUSH-STATUS-RANGE-VALUE")

    def _refused(self, session: Session, answer: Response, size: int) -> None:
        """Judge that a following chunk is accepted, unless it may be too small; end the upload."""
        unknown = self._unknown(session, answer)
        if not unknown and answer.status == 416 and size >= session.least:
            requirement = blame.refused_upload(crossed=session.upload.crossed, chunks=session.chunks, last=False)
            expected = f"that a chunk of {size} bytes is taken behind {len(session.upload.content)}"
            self.trial(requirement, False, expected, answer, symptom="upload-refused")
        self._forget(session)

    def look(self) -> None:
        """Ask how far each upload is, too."""
        if not self.looked and (not self.trial.notes.closely or self.trial.notes.pursued.startswith("upload")):
            for number in range(len(self.sessions)):
                self.status(number)
        super().look()

    def _counted(self, session: Session, answer: Response, requirement: str) -> None:
        """Judge the Range of an answer, where it has one."""
        end, last = range_end(answer), len(session.upload.content) - 1
        if session.upload.crossed:
            requirement = "PUSH-SESSION-PARALLEL-ISOLATED"
        expected = f"a Range that ends at {last}"
        shown = f"{status_of(answer)} had {field_of(answer, 'Range')}"
        self.trial(requirement, end in {None, last}, expected, answer, actual=shown, symptom="upload-range")

    def _unknown(self, session: Session, answer: Response) -> bool:
        """Judge that an open upload is not unknown; other refusals may have a reason."""
        if answer.status != 404 or session.expired or not session.upload.crossed:
            return answer.status == 404
        expected = f"that the upload {session.name} goes on"
        self.trial("PUSH-SESSION-PARALLEL-ISOLATED", False, expected, answer, symptom="upload-unknown")
        return True

    def finish(self, number: int, size: int) -> None:
        """Close an upload, with a last chunk where ``size`` is not zero."""
        session = self._session(number)
        if session is None:
            return
        upload = session.upload
        data = self._data(session, size) if size else b""
        span = f"{len(upload.content)}-{len(upload.content) + len(data) - 1}" if data and upload.content else None
        content = upload.content + data
        digest = digest_of(content)
        with_last = f" with a last chunk of {len(data)} bytes" if data else ""
        self.trial.step(f"close the upload {session.name}{with_last}")
        answer = self.repos[upload.repository].put_upload(session.location, digest, data, span)
        self.trial.alive(answer)
        self._forget(session)
        if not content or (answer.refused and session.expired):
            # A registry may refuse a blob without content.
            return
        last = bool(data and session.chunks)
        requirement = blame.refused_upload(crossed=upload.crossed, chunks=session.chunks, last=last)
        requirement = self.again(upload.repository, digest, requirement)
        expected = f"status 201 to the close of an upload of {len(content)} bytes"
        self.trial(requirement, answer.status == 201, expected, answer, symptom="upload-refused")
        if answer.status == 201:
            self.bodies[digest] = content
            self.world.put_blob(upload.repository, digest)
            self.did("close", upload.repository, digest)

    def cancel(self, number: int) -> None:
        """Cancel an upload; it and its bytes are gone."""
        session = self._session(number)
        if session is None or not self.has("upload-cancel"):
            return
        repo = self.repos[session.upload.repository]
        self.trial.step(f"cancel the upload {session.name}")
        answer = repo.cancel_upload(session.location)
        self.trial.alive(answer)
        self._forget(session)
        self.did("cancel", session.upload.repository)
        if not answer.ok:
            return
        if self.has("upload-status"):
            after = repo.get_upload(session.location)
            expected = "that a cancelled upload is unknown"
            self.trial("PUSH-CANCEL-SESSION-GONE", after.refused, expected, answer, after)
        if session.upload.content:
            head = repo.head_blob(digest_of(session.upload.content))
            self.trial("PUSH-CANCEL-NO-BLOB", not head.ok, "no blob of a cancelled upload", answer, head)

    def _session(self, number: int) -> Session | None:
        return self.sessions[number % len(self.sessions)] if self.sessions else None

    def _forget(self, session: Session) -> None:
        self.sessions.remove(session)
        self.world.end(session.upload)

    def _data(self, session: Session, size: int) -> bytes:
        """Return the next bytes of an upload, which no other has."""
        text = f"{self.trial.mark} {session.name}.{session.chunks} "
        return (text + "abcdefgh"[session.chunks % 8] * size)[:size].encode()
