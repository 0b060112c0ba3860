"""A model of a registry: which content, tags, referrers and uploads are there, gone or open.

Pure data: it asks nothing and judges nothing. What the specification leaves open becomes ``OPEN``:
content that nothing refers to any more may be collected, and what a target was seen to do wrong is
no longer expected of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum


class There(Enum):
    """Whether something is in a repository."""

    PRESENT = "present"
    GONE = "gone"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest: its digest, and the digests that it refers to."""

    digest: str
    blobs: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    subject: str | None = None


Fits = Callable[[Document], bool]


@dataclass(slots=True, eq=False)
class Upload:
    """An open upload: what was received, and whether another upload was active since it began."""

    repository: int
    content: bytes = b""
    crossed: bool = False


@dataclass(slots=True)
class Contents:
    """One repository. ``tags`` has the target of each tag; one in ``loose`` may lead elsewhere.

    ``used`` are all tags that were ever pushed there.
    """

    blobs: dict[str, There] = field(default_factory=dict)
    manifests: dict[str, There] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    gone_tags: dict[str, str] = field(default_factory=dict)
    loose: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def blob(self, digest: str) -> There:
        """Return whether a blob is there."""
        return self.blobs.get(digest, There.GONE)

    def manifest(self, digest: str) -> There:
        """Return whether a manifest is there."""
        return self.manifests.get(digest, There.GONE)

    def tagged(self) -> dict[str, str]:
        """Return the tags that are certainly there, and where they lead."""
        return {tag: digest for tag, digest in self.tags.items() if tag not in self.loose}


class World:
    """Some repositories, the manifests that were ever made, and the uploads that are open."""

    def __init__(self, repositories: int) -> None:
        self.repositories = [Contents() for _ in range(repositories)]
        self.documents: dict[str, Document] = {}
        self.uploads: list[Upload] = []

    # -- blobs and uploads

    def begin(self, repository: int) -> Upload:
        """Open an upload."""
        upload = Upload(repository)
        self._cross(upload)
        self.uploads.append(upload)
        return upload

    def received(self, upload: Upload, data: bytes) -> None:
        """Take a chunk."""
        upload.content += data
        self._cross(upload)

    def end(self, upload: Upload) -> None:
        """Close or cancel an upload."""
        self._cross(upload)
        self.uploads.remove(upload)

    def _cross(self, upload: Upload) -> None:
        for other in self.uploads:
            if other is not upload:
                other.crossed = upload.crossed = True

    def put_blob(self, repository: int, digest: str) -> None:
        """Push or mount a blob."""
        self.repositories[repository].blobs[digest] = There.PRESENT

    def delete_blob(self, repository: int, digest: str) -> None:
        """Delete a blob; what refers to it may suffer."""
        contents = self.repositories[repository]
        contents.blobs[digest] = There.GONE
        for name in self._with(contents, lambda document: digest in document.blobs):
            self._loosen_manifest(contents, name)

    def used(self, repository: int, digest: str) -> bool:
        """Whether a manifest that is, or may be, there refers to a blob."""
        return bool(self._with(self.repositories[repository], lambda document: digest in document.blobs))

    # -- manifests and tags

    def put_manifest(self, repository: int, document: Document, tag: str | None) -> None:
        """Push a manifest by its digest, or under a tag, which it takes from another."""
        contents = self.repositories[repository]
        self.documents[document.digest] = document
        contents.manifests[document.digest] = There.PRESENT
        if tag is None:
            return
        contents.used.add(tag)
        before = contents.tags.get(tag)
        contents.tags[tag] = document.digest
        contents.gone_tags.pop(tag, None)
        contents.loose.discard(tag)
        if before not in {None, document.digest}:
            self._collect(contents)

    def delete_tag(self, repository: int, tag: str) -> None:
        """Delete a tag and nothing else."""
        contents = self.repositories[repository]
        del contents.tags[tag]
        contents.loose.discard(tag)
        contents.gone_tags[tag] = "tag"
        self._collect(contents)

    def delete_manifest(self, repository: int, digest: str) -> None:
        """Delete a manifest with its tags."""
        contents = self.repositories[repository]
        contents.manifests[digest] = There.GONE
        for tag in [tag for tag, target in contents.tags.items() if target == digest]:
            del contents.tags[tag]
            if tag in contents.loose:
                contents.loose.discard(tag)
            else:
                contents.gone_tags[tag] = "manifest"
        self._collect(contents)

    def referrers(self, repository: int, subject: str) -> tuple[set[str], set[str]]:
        """Return the manifests that the referrers of a digest must have, and may have."""
        contents = self.repositories[repository]
        must = {
            digest
            for digest, there in contents.manifests.items()
            if there is There.PRESENT and self.documents[digest].subject == subject
        }
        may = {
            digest
            for digest, there in contents.manifests.items()
            if there is There.OPEN and self.documents[digest].subject == subject
        }
        # Without its subject a referrer may stay or go, but as long as it stays it may be listed.
        if contents.manifests.get(subject) in {There.GONE, There.OPEN}:
            return set(), must | may
        return must, may

    # -- what is no longer certain

    def certain(self, repository: int, reference: str) -> bool:
        """Return whether a tag, a blob or a manifest is certainly there."""
        contents = self.repositories[repository]
        states = {contents.blob(reference), contents.manifest(reference)}
        return reference in contents.tagged() or There.PRESENT in states

    def loosen(self, repository: int, reference: str) -> None:
        """Expect nothing more of a tag, a blob or a manifest."""
        contents = self.repositories[repository]
        if reference in contents.tags:
            contents.loose.add(reference)
        contents.gone_tags.pop(reference, None)
        if reference in contents.blobs or reference not in contents.manifests:
            contents.blobs[reference] = There.OPEN
        if reference in contents.manifests:
            self._loosen_manifest(contents, reference)

    def _loosen_manifest(self, contents: Contents, digest: str) -> None:
        contents.manifests[digest] = There.OPEN
        contents.loose |= {tag for tag, target in contents.tags.items() if target == digest}
        self._collect(contents)

    def _collect(self, contents: Contents) -> None:
        """Something was deleted, or a tag moved: what no tag leads to any more may be collected."""
        kept = self._reached(contents)
        for digest in certain(contents.manifests, There.PRESENT):
            if digest not in kept:
                contents.manifests[digest] = There.OPEN
        used = {blob for digest in kept for blob in self.documents[digest].blobs}
        for digest in certain(contents.blobs, There.PRESENT):
            if digest not in used:
                contents.blobs[digest] = There.OPEN

    def _reached(self, contents: Contents) -> set[str]:
        """Return the manifests that a tag leads to, with their children and referrers."""
        found: set[str] = set()
        queue = list(contents.tagged().values())
        while queue:
            digest = queue.pop()
            if digest in found or contents.manifest(digest) is not There.PRESENT:
                continue
            found.add(digest)
            queue += [*self.documents[digest].children, *self._referring(contents, digest)]
        return found

    def _referring(self, contents: Contents, subject: str) -> list[str]:
        return self._with(contents, lambda document: document.subject == subject)

    def _with(self, contents: Contents, fits: Fits) -> list[str]:
        return [
            digest
            for digest, there in contents.manifests.items()
            if there is not There.GONE and digest in self.documents and fits(self.documents[digest])
        ]


def certain(states: dict[str, There], wanted: There) -> list[str]:
    """Return what is in a state, in the order in which it came."""
    return [name for name, there in states.items() if there is wanted]


def pick(names: Iterable[str], number: int) -> str | None:
    """Return one of some names by a number; ``None`` where there is none."""
    found = list(names)
    return found[number % len(found)] if found else None
