"""What a run makes on the target, written down at once, so that it can be removed whatever becomes of the run."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

#: A repository and a digest, a tag or a location in it.
Place = tuple[str, str]


@dataclass(slots=True)
class Made:
    """What is there of a run: manifests with what they name, tags with their manifest, blobs, open uploads."""

    manifests: dict[Place, tuple[str, ...]] = field(default_factory=dict)
    tags: dict[Place, str] = field(default_factory=dict)
    blobs: dict[Place, None] = field(default_factory=dict)
    uploads: dict[Place, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.manifests) + len(self.tags) + len(self.blobs) + len(self.uploads)


class Journal:
    """A file to which each process of a run appends; without a path nothing is written down."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._file: int | None = None
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
        self._write("upload", name, location, location)

    def moved(self, location: str, following: str) -> None:
        """An upload goes on at another location."""
        place = self._uploads.pop(location, None)
        if place is not None:
            self._uploads[following] = place
            if location != following:
                self._write("upload", *place, following)

    def closed(self, location: str) -> None:
        """An upload has ended."""
        place = self._uploads.pop(location, None)
        if place is not None:
            self._write("closed", *place)

    def _write(self, *words: str) -> None:
        if self.path is None:
            return
        line = json.dumps(words).encode() + b"\n"
        with self._lock:
            if self._file is None:
                self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            os.write(self._file, line)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def read(path: Path) -> Made:
    """Return what a journal says is there; a last line that was cut off is left out."""
    made = Made()
    times: Counter[Place] = Counter()
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return made
    for line in lines:
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
