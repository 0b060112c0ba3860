"""Do the operations of a state machine on the target, and keep the model beside it up to date."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.client.http.exchange import Response
from conformance.client.registry import upload_location
from conformance.scenarios.search.machine.audit import Audit
from conformance.scenarios.search.machine.blame import Deed
from conformance.scenarios.search.machine.model import There, Upload, World, certain, pick
from conformance.scenarios.search.trial import ByPolicy, Trial, Unclear
from conformance.target.content import Blob
from conformance.verdict.judge import status_of, told

#: Seconds after which an upload may have ended by itself.
_EXPIRES = 4.0
#: Where a target announces a larger minimum, no chunks are sent: what is searched here takes many
#: of them.
LARGEST_MINIMUM = 1 << 20


@dataclass(slots=True, eq=False)
class Session:
    """An open upload: its location, the least size of a chunk, and the time of its last use."""

    upload: Upload
    name: str
    location: str
    minimum: int
    used: float
    chunks: int = 0
    #: The smallest chunk that was taken.
    least: int = 1 << 30

    @property
    def expired(self) -> bool:
        """Whether it may have ended by itself."""
        return time.monotonic() - self.used > _EXPIRES

    def moved(self, answer: Response) -> None:
        """Go on at the Location of an answer, where it has one."""
        self.location = upload_location(answer) or self.location
        self.used = time.monotonic()


class Driver:
    """The operations of one example; numbers choose among what exists, and nothing else happens."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.repos = trial.repositories(2)
        self.world = World(len(self.repos))
        self.sessions: list[Session] = []
        self.bodies: dict[str, bytes] = {}
        self.deed = Deed()
        self.has = trial.session.capabilities.has
        self.types: dict[str, str] = {}
        self.count = 0
        self._stopped = trial.dry
        self.looked = True

    def do(self, operation: Callable[[], None]) -> None:
        """Carry out an operation; after one that proves nothing the example is over."""
        if self._stopped:
            return
        try:
            operation()
            if self.trial.notes.closely:
                self.look()
        except Unclear as unclear:
            self._stopped = True
            self.trial.notes.unclear += not isinstance(unclear, ByPolicy)

    def look(self) -> None:
        """Compare everything with the model, unless nothing was done since the last look."""
        if self.looked:
            return
        self.looked = True
        if not self.trial.notes.closely:
            self.trial.step("look at what is there")
        self._look(self.trial.notes.pursued if self.trial.notes.closely else "")

    def _look(self, symptom: str) -> None:
        audit = Audit(self.trial, self.world, self.repos, self.deed, self.bodies)
        with self.trial.looking():
            audit.run(symptom, referrers=self.has("referrers"))

    def look_first(self) -> None:
        """Compare everything before a refusal is judged: its content may have been lost before."""
        self._look("")

    def did(self, kind: str, repository: int, target: str = "", **more: Any) -> None:
        """Remember what was done last."""
        self.deed = Deed(kind, repository, target, **more)
        self.looked = False

    def place(self, number: int) -> int:
        """Return the number of a repository that is there."""
        return number % len(self.repos)

    # -- blobs

    def blob(self, number: int) -> Blob:
        """Return the blob of a number, the same throughout the example."""
        blob = Blob.of(f"blob {number} of {self.trial.mark}".encode())
        self.bodies[blob.digest] = blob.content
        return blob

    def again(self, here: int, digest: str, otherwise: str) -> str:
        """Return the requirement of an upload: a blob that was there before has another one."""
        before = self.world.repositories[here].blobs.get(digest)
        if before is None:
            return otherwise
        return "MGMT-BLOB-DELETE-REUPLOAD" if before is There.GONE else "PUSH-BLOB-REUPLOAD-IDEMPOTENT"

    def push_blob(self, repository: int, number: int) -> None:
        """Push a blob with POST and PUT."""
        here, blob = self.place(repository), self.blob(number)
        self.trial.step(f"push the blob {number} to {self.repos[here].name}")
        requirement = self.again(here, blob.digest, "PUSH-PUT-MONOLITHIC-201")
        session = self.open_upload(here)
        if session is None:
            return
        self.world.end(self.world.begin(here))
        answer = self.repos[here].put_upload(session.location, blob.digest, blob.content)
        shown = status_of(answer)
        held = self.trial(requirement, answer.status == 201, "status 201 to the PUT of a blob", answer, actual=shown)
        if held and answer.status == 201:
            self.did("close", here, blob.digest)
            self.world.put_blob(here, blob.digest)

    def mount(self, target: int, number: int) -> None:
        """Mount a blob of the other repository; a target may open an upload or refuse."""
        if len(self.repos) == 1:
            return
        here, blob = self.place(target), self.blob(number)
        source = 1 - here
        self.trial.step(f"mount the blob {number} from {self.repos[source].name} to {self.repos[here].name}")
        answer = self.repos[here].mount(blob.digest, self.repos[source].name)
        self.trial.alive(answer)
        if answer.status == 201:
            self.did("mount", here, blob.digest)
            self.world.put_blob(here, blob.digest)
            return
        if self.world.repositories[source].blob(blob.digest) is There.PRESENT:
            expected = "status 201 or 202 to the mount of a blob that is there"
            self.trial("PUSH-MOUNT-STATUS", answer.status == 202, expected, answer)
        location = upload_location(answer) if answer.status == 202 else None
        if location and self.has("upload-cancel"):
            self.repos[here].cancel_upload(location)

    def delete_blob(self, repository: int, number: int) -> None:
        """Delete a blob that no manifest names."""
        here = self.place(repository)
        blobs = certain(self.world.repositories[here].blobs, There.PRESENT)
        digest = pick((d for d in blobs if not self.world.used(here, d)), number)
        if digest is None:
            return
        self.trial.step(f"delete the blob {digest[:19]} in {self.repos[here].name}")
        answer = self.repos[here].delete_blob(digest)
        if self.deleted(answer, "delete-blob", "MGMT-BLOB-DELETE-202", here, digest):
            self.world.delete_blob(here, digest)

    def deleted(self, answer: Response, kind: str, requirement: str, here: int, target: str) -> bool:
        """Judge a deletion of something that is there; a refusal has no effect."""
        self.trial.alive(answer)
        refused = answer.refused and answer.status != 404
        if answer.status == 404:
            self.look_first()
            if not self.world.certain(here, target):
                # It was lost before, which is known.
                return False
        held = self.trial(
            requirement, answer.ok or refused, "status 202 to the deletion of what is there", answer, symptom=kind
        )
        self.did(kind, here, target, refused=not answer.ok)
        if not held:
            self.world.loosen(here, target)
        return answer.ok

    def open_upload(self, here: int) -> Session | None:
        """Open an upload at the target."""
        answer = self.repos[here].start_upload()
        location = upload_location(answer)
        shown = told(answer, "Location")
        held = answer.status == 202 and location is not None
        expected = "status 202 and a Location to the start of an upload"
        self.trial("PUSH-START-STATUS-202", held, expected, answer, actual=shown)
        if location is None or answer.status != 202:
            return None
        least = self.repos[here].least_chunk(answer)
        return Session(Upload(here), str(self.count), location, least, time.monotonic())
