"""Where everything is in the layout of docker/distribution 2, by its registry/storage/paths.go.

scratch                                       what is not yet whole; ours
lock                                          held by the one process that uses the root; ours
docker/registry/v2/
  blobs/ALGORITHM/XX/HEX/data                 content
  repositories/NAME/
    _layers/ALGORITHM/HEX/link                the digest of the content of a held blob; the folder marks a repository
    _manifests/revisions/ALGORITHM/HEX/link   the same of a manifest
    _manifests/revisions/ALGORITHM/HEX/type   the media type, where the manifest does not tell it; ours
    _manifests/tags/TAG/current/link          the digest that a tag points to
    _manifests/tags/TAG/index/ALGORITHM/HEX/link  a digest that it points to or once did
    _uploads/ID/data, startedat               an open session; the original also keeps states of its hash there

What is deleted leaves its folder behind, without a link in it. Content stays until a collection.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from reference.grammar import is_supported
from reference.storage import StorageError
from reference.storage.layout import is_identifier, listed

LAYERS, REVISIONS, UPLOADS = "_layers", "_manifests/revisions", "_uploads"
_MANIFESTS = "_manifests"
_LINK, DATA = "link", "data"
#: No digest is as long as that.
_LONGEST = 1000


class Distribution:
    """The paths below a root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._top = root / "docker" / "registry" / "v2"
        self.blobs = self._top / "blobs"
        self.repositories = self._top / "repositories"
        self.scratch = root / "scratch"
        self.folders = (self.blobs, self.repositories, self.scratch)

    def refuse_others(self) -> None:
        """Refuse a root in another layout.

        Raises:
            StorageError: it has content, and not in the place where the original has it.
        """
        if not self._top.is_dir() and any((self.root / name).exists() for name in ("layout", "blobs", "repositories")):
            raise StorageError(f"{self.root}: it has content of another layout, and no docker/registry/v2")

    def content(self, digest: str) -> Path:
        """Content, whoever holds it."""
        algorithm, encoded = digest.split(":", 1)
        return self.blobs / algorithm / encoded[:2] / encoded / DATA

    def contents(self) -> Iterator[str]:
        """The digests of all content."""
        for algorithm in listed(self.blobs):
            for short in listed(self.blobs / algorithm):
                for encoded in listed(self.blobs / algorithm / short):
                    digest = f"{algorithm}:{encoded}"
                    if is_supported(digest) and self.has_content(digest):
                        yield digest

    def has_content(self, digest: str) -> bool:
        """Whether there is such content."""
        algorithm, encoded = digest.split(":", 1)
        return os.path.isfile(f"{self.blobs}/{algorithm}/{encoded[:2]}/{encoded}/{DATA}")  # noqa: PTH113 - half the time

    def layers(self, name: str) -> Path:
        """The folder by which the original knows that there is a repository."""
        return self.repositories / name / LAYERS

    def link(self, name: str, kind: str, digest: str) -> Path:
        """The link of a held blob or manifest."""
        algorithm, encoded = digest.split(":", 1)
        return self.repositories / name / kind / algorithm / encoded / _LINK

    def links(self, name: str, kind: str) -> Iterator[tuple[str, str]]:
        """The digests of held blobs or manifests, each with that of its content."""
        top = self.repositories / name / kind
        for algorithm in listed(top):
            folder = top / algorithm
            for encoded in listed(folder):
                digest = f"{algorithm}:{encoded}"
                if is_supported(digest) and (target := self.target(f"{folder}/{encoded}/{_LINK}")) is not None:
                    yield digest, target

    def target(self, link: Path | str) -> str | None:
        """The digest in a link; None where there is no link, or where a power cut emptied it."""
        try:
            file = os.open(link, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            digest = os.read(file, _LONGEST).decode(errors="replace")
        finally:
            os.close(file)
        return digest if is_supported(digest) else None

    def media_type(self, name: str, digest: str) -> Path:
        """The file with the type of a manifest that does not tell it."""
        return self.link(name, REVISIONS, digest).with_name("type")

    def tag(self, name: str, tag: str) -> Path:
        """The folder of a tag."""
        return self.repositories / name / _MANIFESTS / "tags" / tag

    def current(self, folder: Path) -> Path:
        """The link of a tag, in its folder."""
        return folder / "current" / _LINK

    def indexed(self, folder: Path, digest: str) -> Path:
        """The link for one of the digests that a tag has pointed to."""
        algorithm, encoded = digest.split(":", 1)
        return folder / "index" / algorithm / encoded / _LINK

    def tags(self, name: str) -> list[str]:
        """The tags of a repository, in any order."""
        return [tag for tag, _ in self.pointers(name)]

    def pointers(self, name: str) -> Iterator[tuple[str, str]]:
        """The tags, each with the digest that it points to."""
        top = self.tag(name, "")
        for tag in listed(top):
            if (target := self.target(f"{top}/{tag}/current/{_LINK}")) is not None:
                yield tag, target

    def session(self, name: str, identifier: str) -> Path:
        """The data of an open session."""
        return self.repositories / name / UPLOADS / identifier / DATA

    def started(self, data: Path) -> Path:
        """The time at which a session began, beside its data; the original knows no session without it."""
        return data.with_name("startedat")

    def sessions(self) -> Iterator[Path]:
        """The folders of the sessions, also of those that have no data any more."""
        for folder, children in self._walk():
            if UPLOADS in children:
                top = folder / UPLOADS
                yield from (top / identifier for identifier in listed(top) if is_identifier(identifier))

    def names(self) -> list[str]:
        """The repositories that something was pushed to, in any order."""
        found = []
        for folder, children in self._walk():
            if LAYERS in children or _MANIFESTS in children:
                found.append(folder.relative_to(self.repositories).as_posix())
        return found

    def is_repository(self, name: str) -> bool:
        """Whether something was pushed to it."""
        return self.layers(name).is_dir() or (self.repositories / name / _MANIFESTS).is_dir()

    def _walk(self) -> Iterator[tuple[Path, list[str]]]:
        for folder, children, _ in os.walk(self.repositories):
            yield Path(folder), list(children)
            children[:] = [child for child in children if not child.startswith("_")]
