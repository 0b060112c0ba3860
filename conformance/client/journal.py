"""What a run makes on the target, written down at once, so that it can be removed whatever becomes of the run."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

_PIECE = 1 << 20
#: A repository and a digest, a tag or a location in it.
Place = tuple[str, str]


@dataclass(slots=True)
class Made:
    """What is there of a run: manifests with what they name, tags with their manifest, blobs, open uploads."""

    manifests: dict[Place, tuple[str, ...]] = field(default_factory=dict)
    tags: dict[Place, str] = field(default_factory=dict)
    blobs: dict[Place, None] = field(default_factory=dict)
    uploads: dict[Place, str] = field(default_factory=dict)

    @property
    def repositories(self) -> frozenset[str]:
        """The repositories that something was pushed to."""
        return frozenset(name for group in (self.manifests, self.tags, self.blobs) for name, _ in group)

    def __len__(self) -> int:
        return len(self.manifests) + len(self.tags) + len(self.blobs) + len(self.uploads)


class Journal:
    """A file to which each process of a run appends; without a path nothing is written down.

    ``hide`` takes credentials, which a target may echo in a location, out of what is written.
    """

    def __init__(self, path: Path | None = None, hide: Callable[[str], str] = str) -> None:
        self.path = path
        self._hide = hide
        self._file: int | None = None
        #: What could not be written, as the disk is full.
        self._unwritten: list[bytes] = []
        #: Locations from which something was hidden, by what was written of them.
        self._whole: dict[str, str] = {}
        self._lock = threading.Lock()
        #: The present location of each open upload, and the first one, which names it.
        self._uploads: dict[str, Place] = {}

    # What is pushed is written down before it is sent: an interrupt may come before the answer.

    def manifest(self, name: str, digest: str, body: bytes) -> None:
        """A manifest will be pushed."""
        self._write("manifest", name, digest, *_named(body))

    def tag(self, name: str, tag: str, digest: str) -> None:
        """A tag will be pushed, or moved, to a manifest."""
        self._write("tag", name, tag, digest)

    def blob(self, name: str, digest: str) -> None:
        """A blob will be pushed or mounted."""
        self._write("blob", name, digest)

    def refused(self, name: str, *references: str) -> None:
        """The last push of a manifest, tag or blob was refused."""
        for reference in references:
            self._write("refused", name, reference)

    def opened(self, name: str, location: str) -> None:
        """An upload was started."""
        self._uploads[location] = (name, location)
        self._write("upload", name, self._shown(location), self._shown(location))

    def moved(self, location: str, following: str) -> None:
        """An upload goes on at another location."""
        place = self._uploads.pop(location, None)
        if place is not None:
            self._uploads[following] = place
            if location != following:
                self._write("upload", place[0], self._shown(place[1]), self._shown(following))

    def closed(self, location: str) -> None:
        """An upload has ended."""
        place = self._uploads.pop(location, None)
        if place is not None:
            self._write("closed", place[0], self._shown(place[1]))

    def _shown(self, location: str) -> str:
        shown = self._hide(location)
        if shown != location:
            self._whole[shown] = location
        return shown

    def _write(self, *words: str) -> None:
        if self.path is None:
            return
        line = json.dumps(words).encode() + b"\n"
        with self._lock:
            try:
                if self._file is None:
                    self._open(self.path)
                written = os.write(self._file or 0, line)
            except OSError:
                written = 0
            if written < len(line):
                self._unwritten.append(b"\n" + line)

    def _open(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)

    def open(self) -> None:
        """Open the file before anything is written: it is kept even where its folder is removed."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                self._open(self.path)

    def give(self) -> list[bytes]:
        """Hand over what could not be written, to the process that reads it in the end."""
        given, self._unwritten = self._unwritten, []
        return given

    def take(self, given: list[bytes]) -> None:
        """Keep what another process of the run could not write."""
        self._unwritten += given

    def read(self) -> Made:
        """Return what all processes of the run wrote down, and what this one could not write."""
        data = b""
        if self._file is not None:
            while piece := os.pread(self._file, _PIECE, len(data)):
                data += piece
        made = read(data + b"".join(self._unwritten))
        made.uploads = {place: self._whole.get(location, location) for place, location in made.uploads.items()}
        return made

    def remove(self) -> None:
        """Close the file and remove it, as far as its folder lets it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._unwritten.clear()
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
        self.path = None


def read(data: bytes) -> Made:
    """Return what the content of a journal says is there; a line that was cut off is left out."""
    made = Made()
    times: Counter[Place] = Counter()
    for line in data.splitlines():
        try:
            kind, name, reference, *rest = json.loads(line)
        except ValueError:
            continue
        place = (name, reference)
        times[place] += -1 if kind == "refused" else 1
        if kind != "refused" or not times[place]:
            _apply(made, kind, place, rest)
    return made


def _apply(made: Made, kind: str, place: Place, rest: list[str]) -> None:
    if kind == "manifest":
        made.manifests[place] = tuple(rest)
    elif kind == "tag":
        made.tags[place] = rest[0]
    elif kind == "blob":
        made.blobs[place] = None
    elif kind == "upload":
        made.uploads[place] = rest[0]
    elif kind == "closed":
        made.uploads.pop(place, None)
    else:
        for group in (made.manifests, made.tags, made.blobs):
            group.pop(place, None)


def _named(body: bytes) -> Iterable[str]:
    """Return the digests of the manifests that a manifest names: what it lists, and its subject."""
    if b'"manifests"' not in body and b'"subject"' not in body:
        return []
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return []
    if not isinstance(document, dict):
        return []
    listed = document.get("manifests")
    entries = [*(listed if isinstance(listed, list) else []), document.get("subject")]
    return [str(entry["digest"]) for entry in entries if isinstance(entry, dict) and "digest" in entry]
