"""Events in files, so that they are still there when the registry starts again.

A queue is a folder of segments, each a file with an event a line; ``done`` has the number of a segment and the bytes of
it that were delivered. What is not yet in ``done`` is sent again after a start: each event at least once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from urllib.parse import quote

from reference.notifications.events import Event
from reference.storage.sync import Syncer

#: Bytes of a segment; one that was delivered is removed.
SEGMENT = 1 << 20


def folder_of(name: str) -> str:
    """The folder of an endpoint's queue; its name has no limit, and any letters."""
    return f"{quote(name, safe='')[:100]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


class Journal:
    """The events of one endpoint, in order: appended, read, and done with. Not for several threads at once.

    Raises:
        OSError: the folder cannot be used; an event that is not appended leaves nothing.
    """

    def __init__(self, folder: Path, syncer: Syncer) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        syncer.note(folder.parent, folder)
        self._folder = folder
        self._syncer = syncer
        self._done = folder / "done"
        self._sizes = {int(path.stem): path.stat().st_size for path in folder.glob("*.events")}
        number, offset = self._left_at()
        for old in [each for each in self._sizes if each < number]:
            self._remove(old)
        if number not in self._sizes:
            number, offset = min(self._sizes, default=number), 0
        self._last = max(self._sizes, default=number)
        self._cut()
        # A power cut may have taken what was delivered, and not the note of it.
        self._delivered = self._read = (number, min(offset, self._sizes.get(number, 0)))
        self._file = os.open(self._path(self._last), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._sizes.setdefault(self._last, 0)
        #: How many events wait; how many of them were read.
        self.pending = self._count()
        self._ahead = 0

    def _left_at(self) -> tuple[int, int]:
        try:
            number, offset = self._done.read_text().split()
            return int(number), int(offset)
        except (FileNotFoundError, ValueError):
            return 0, 0

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.events"

    def _remove(self, number: int) -> None:
        self._path(number).unlink(missing_ok=True)
        self._sizes.pop(number, None)

    def _cut(self) -> None:
        """Take away the half of an event that a power cut left."""
        path = self._path(self._last)
        if path.exists():
            whole = path.read_bytes().rfind(b"\n") + 1
            if whole != self._sizes[self._last]:
                os.truncate(path, whole)
                self._sizes[self._last] = whole

    def _count(self) -> int:
        count = 0
        for number in self._sizes:
            with self._path(number).open("rb") as file:
                file.seek(self._delivered[1] if number == self._delivered[0] else 0)
                count += sum(1 for _ in file)
        return count

    def append(self, event: Event) -> None:
        """Keep an event."""
        line = json.dumps(event).encode() + b"\n"
        if self._sizes[self._last] >= SEGMENT:
            self._begin()
        size = self._sizes[self._last]
        try:
            written = os.write(self._file, line)
            if written != len(line):
                written += os.write(self._file, line[written:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, size)
            raise
        self._sizes[self._last] = size + written
        self._syncer.note(self._path(self._last))
        self.pending += 1

    def _begin(self) -> None:
        following = self._last + 1
        file = os.open(self._path(following), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.close(self._file)
        self._file, self._last, self._sizes[following] = file, following, 0
        self._syncer.note(self._folder)

    def next(self) -> Event | None:
        """The next event that was not read, if there is one."""
        number, offset = self._read
        while True:
            while offset >= self._sizes.get(number, 0):
                if number >= self._last:
                    return None
                number, offset = number + 1, 0
            with self._path(number).open("rb") as file:
                file.seek(offset)
                line = file.readline()
            offset += len(line)
            self._read = number, offset
            self._ahead += 1
            # What cannot be read, nobody can send; what stands behind it can be.
            with contextlib.suppress(ValueError):
                event: Event = json.loads(line)
                return event

    def unread(self) -> bool:
        """Whether there is an event that was not read."""
        return self.pending > self._ahead

    def advance(self) -> None:
        """What was read is delivered."""
        self._delivered = self._read
        self.pending -= self._ahead
        self._ahead = 0
        # It may be lost, and then something is sent again. It is short enough to be written at once.
        self._done.write_text(f"{self._delivered[0]} {self._delivered[1]}\n")
        for number in [each for each in self._sizes if each < self._delivered[0]]:
            self._remove(number)

    def close(self) -> None:
        """Leave it to the next start."""
        os.close(self._file)
