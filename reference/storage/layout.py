"""Where everything of a storage in a directory is.

lock                                          held by the one server that uses the root
turn                                          held by the process of it that changes something, where there are several
layout                                        2, the number of this layout
blobs/ALGORITHM/XX/HEX                        content
uploads/ID.HASH                               data of an open session; other names are about to be renamed
repositories/NAME/_blobs/ALGORITHM/HEX        held blobs
repositories/NAME/_manifests/ALGORITHM/HEX    held manifests, HEX.type has the media type
repositories/NAME/_tags/TAG                   the digest
repositories/NAME/_tagged/ALGORITHM/HEX/TAG   empty; the tag points to the digest, or did when the process died
repositories/NAME/_referrers/sha256/HEX/DIGEST  HEX is the hash of the subject's digest
quarantine/ALGORITHM-HEX                      content that went bad, put there by a repair
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from reference.grammar import digest_of
from reference.storage import StorageError

BLOBS, MANIFESTS, TAGS, TAGGED, REFERRERS = "_blobs", "_manifests", "_tags", "_tagged", "_referrers"
VERSION = "2\n"
#: What a configuration calls this layout, and that of the original.
LAYOUTS = LINKS, DISTRIBUTION = ("links", "distribution")


class Layout:
    """The paths below a root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / "blobs"
        self.uploads = root / "uploads"
        self.repositories = root / "repositories"
        self.version = root / "layout"
        self.guard = root / "turn"
        #: What is not yet whole lies beside the sessions.
        self.scratch = self.uploads
        self.folders = (self.blobs, self.uploads, self.repositories)

    def refuse_others(self) -> None:
        """Refuse a root that another registry wrote.

        Raises:
            StorageError: it is one of the original's.
        """
        if (self.root / "docker" / "registry" / "v2").is_dir():
            raise StorageError(f"{self.root}: the original registry wrote it; that is layout: {DISTRIBUTION}")

    def content(self, digest: str) -> Path:
        """Content, whoever holds it."""
        algorithm, encoded = digest.split(":", 1)
        return self.blobs / algorithm / encoded[:2] / encoded

    def held(self, name: str, kind: str, digest: str) -> Path:
        """What a repository holds, or knows of a digest."""
        algorithm, encoded = digest.split(":", 1)
        return self.repositories / name / kind / algorithm / encoded

    def referring(self, name: str, subject: str) -> Path:
        """The folder of those that refer to a subject."""
        # A subject's digest may be of any algorithm and length; a file name may not.
        return self.held(name, REFERRERS, digest_of(subject.encode()))

    def pointing(self, name: str, digest: str) -> Path:
        """The folder of the tags that point to a digest."""
        return self.held(name, TAGGED, digest)

    def tag(self, name: str, tag: str) -> Path:
        """The file of a tag."""
        return self.repositories / name / TAGS / tag

    def tags(self, name: str) -> list[str]:
        """The tags of a repository, in any order."""
        return listed(self.repositories / name / TAGS)

    def session(self, name: str, identifier: str) -> Path:
        """The data of an open session."""
        # A file name is too short for the name of a repository.
        return self.uploads / f"{identifier}.{digest_of(name.encode())[7:39]}"

    def names(self) -> list[str]:
        """The repositories that something was pushed to, in any order."""
        found = []
        for directory, children, _ in os.walk(self.repositories):
            if any(child in (BLOBS, MANIFESTS) for child in children):
                found.append(Path(directory).relative_to(self.repositories).as_posix())
            children[:] = [child for child in children if not child.startswith("_")]
        return found


def is_identifier(value: str) -> bool:
    """Whether it may be the id of a session."""
    try:
        return str(uuid.UUID(value)) == value
    except ValueError:
        return False


def listed(folder: Path) -> list[str]:
    """The names in a folder; none where there is none."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - names only, half the time
    except (FileNotFoundError, NotADirectoryError):
        return []
