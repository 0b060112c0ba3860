"""The proof, from the files alone, that a storage in the layout of the original is whole; and its repair.

What the original leaves behind is in order: folders whose link was deleted, and content that nobody holds until a
collection. Links to content that its garbage-collect took away are told, and a repair removes them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from reference import errors
from reference.documents import Document, parse, told_type
from reference.grammar import is_name, is_supported, is_tag
from reference.maintenance.findings import Findings
from reference.maintenance.stored import is_plain, is_sound
from reference.storage import StorageError
from reference.storage.distribution.places import DATA, LAYERS, REVISIONS, UPLOADS, Distribution
from reference.storage.files import RootLock
from reference.storage.layout import is_identifier, listed

_STRANGE = "is nothing of the registry"
_KINDS = {LAYERS: "blob", REVISIONS: "manifest"}


def check(root: Path, *, repair: bool = False, partial_images: bool = False) -> Findings[Distribution]:
    """Look at everything below a root that nobody uses; what can be repaired is, where that is wanted.

    Content that went bad is moved to ``quarantine``, and links that lead to nothing are removed. With
    ``partial_images`` manifests may lack parts, as in a cache.

    Raises:
        OSError: the root cannot be read, or not be written to in a repair.
        StorageError: it is none, or another process uses it.
    """
    at = Distribution(root)
    if not at.blobs.is_dir() or not at.repositories.is_dir():
        raise StorageError(f"{root}: there is no storage of the original registry")
    lock = RootLock(root)
    try:
        at.scratch.mkdir(exist_ok=True)
        findings = Findings(at, repair)
        bad = _check_content(findings)
        names = sorted(at.names())
        for name in names:
            _Repository(findings, name, bad, partial_images).check()
        findings.count("repositories", len(names))
        _check_leftovers(findings)
        findings.syncer.flush()
    finally:
        lock.release()
    return findings


def _check_content(findings: Findings[Distribution]) -> set[str]:
    """The digests of content that is not what they say."""
    at, bad = findings.at, set()
    for algorithm, short, encoded, name in _below(at.blobs, 4):
        digest, path = f"{algorithm}:{encoded}", at.blobs / algorithm / short / encoded / name
        if not is_supported(digest) or short != encoded[:2] or name != DATA or not is_plain(path):
            findings.tell(findings.named(path), _STRANGE)
        elif not is_sound(path, digest):
            bad.add(digest)
            remedy = partial(findings.set_apart, path, digest)
            findings.tell(findings.named(path), "is not what its digest says", "moved to quarantine", remedy)
    return bad


def _check_leftovers(findings: Findings[Distribution]) -> None:
    """Sessions, and what a death of the process left."""
    at = findings.at
    for session in sorted(at.sessions()):
        if (session / DATA).is_file():
            findings.count("open uploads")
        else:
            findings.tell(findings.named(session), "is no open upload", "removed", partial(shutil.rmtree, session))
    for name in sorted(listed(at.scratch)):
        path = at.scratch / name
        remedy = partial(shutil.rmtree, path) if path.is_dir() else path.unlink
        findings.tell(findings.named(path), "was not finished", "removed", remedy)


class _Repository:
    def __init__(self, findings: Findings[Distribution], name: str, bad: set[str], partial_images: bool) -> None:
        self._findings = findings
        self._at = findings.at
        self._name = name
        self._bad = bad
        self._partial_images = partial_images

    def check(self) -> None:
        """Everything, from what others are made of to what is made of them."""
        if not is_name(self._name):
            self._findings.tell(self._name, "is no name of a repository")
        top = self._at.repositories / self._name
        known = {LAYERS, UPLOADS, Path(REVISIONS).parts[0]}
        for entry in sorted(listed(top)):
            if entry not in known and (entry.startswith("_") or not (top / entry).is_dir()):
                self._findings.tell(self._name, f"{entry} {_STRANGE}")
        for entry in sorted(listed(top / UPLOADS)):
            if not is_identifier(entry):
                self._findings.tell(self._name, f"{UPLOADS}/{entry} {_STRANGE}")
        blobs, manifests = self._check_links(LAYERS), self._check_links(REVISIONS)
        for digest in sorted(manifests):
            self._check_manifest(digest, blobs, manifests)
        self._check_tags(manifests)

    def _check_links(self, kind: str) -> set[str]:
        """The digests that the repository holds."""
        found, top = set(), self._at.repositories / self._name / kind
        for algorithm, encoded, entry in _below(top, 3):
            digest, path = f"{algorithm}:{encoded}", top / algorithm / encoded / entry
            if is_supported(digest) and entry == "type" and kind == REVISIONS:
                if not path.with_name("link").exists():
                    self._leftover(path, f"the type of {digest} belongs to no manifest")
            elif is_supported(digest) and entry == "signatures" and kind == REVISIONS:
                # Of schema 1, by the earliest versions of the original.
                continue
            elif not is_supported(digest) or entry != "link" or not is_plain(path):
                self._findings.tell(self._findings.named(path), _STRANGE)
            elif (why := self._broken(digest, path)) is not None:
                self._leftover(path, f"{_KINDS[kind]} {digest} {why}")
            else:
                found.add(digest)
                self._findings.count(f"{_KINDS[kind]}s")
        return found

    def _broken(self, digest: str, link: Path) -> str | None:
        """What is wrong with a link to content."""
        target = self._at.target(link)
        if target is None:
            return "has a link that names no digest"
        if target in self._bad:
            return f"has a link to {target}, which is bad"
        if not self._at.has_content(target):
            return f"has a link to {target}, which is not there"
        # The original keeps content of SHA-512 under its SHA-256.
        if target != digest and not is_sound(self._at.content(target), digest):
            return f"has a link to {target}, which is something else"
        return None

    def _check_manifest(self, digest: str, blobs: set[str], manifests: set[str]) -> None:
        target = self._at.target(self._at.link(self._name, REVISIONS, digest))
        kind = self._at.media_type(self._name, digest)
        try:
            content = self._at.content(target or digest).read_bytes()
            members = parse(content)
            document = Document(kind.read_text() if kind.is_file() else told_type(content), members)
            parts, children = document.blobs, document.children
        except (errors.RegistryError, KeyError, TypeError, AttributeError, ValueError):
            self._findings.tell(self._name, f"manifest {digest} cannot be read")
            return
        own = members.get("mediaType")
        if isinstance(own, str) and own and own.lower() != document.media_type.lower():
            self._leftover(
                kind, f"manifest {digest} has the type {document.media_type!r}, and its mediaType is {own!r}"
            )
        elif not document.media_type:
            self._findings.tell(self._name, f"manifest {digest} has no type")
        if not self._partial_images:
            lacking = [f"blob {part}" for part in parts if part not in blobs]
            lacking += [f"manifest {part}" for part in children if part not in manifests | blobs]
            for part in lacking:
                self._findings.tell(self._name, f"manifest {digest} lacks {part}")

    def _check_tags(self, manifests: set[str]) -> None:
        for tag in sorted(listed(self._at.tag(self._name, ""))):
            folder = self._at.tag(self._name, tag)
            if not is_tag(tag) or not folder.is_dir():
                self._findings.tell(self._name, f"{tag!r} is no tag")
                continue
            self._findings.count("tags")
            target = self._at.target(self._at.current(folder))
            if target not in manifests:
                where = f"{target}, which is not there" if target else "nothing"
                remedy = partial(self._remove_tag, folder)
                self._findings.tell(self._name, f"tag {tag} leads to {where}", "removed", remedy)

    def _remove_tag(self, folder: Path) -> None:
        # Aside at once, as the original lists what is left of one.
        gone = self._findings.tree.temporary()
        self._findings.tree.replace(folder, gone)
        self._findings.syncer.note(folder.parent)
        shutil.rmtree(gone)

    def _leftover(self, path: Path, what: str) -> None:
        self._findings.tell(self._name, what, "removed", partial(self._findings.tree.remove, path))


def _below(top: Path, depth: int) -> Iterator[tuple[str, ...]]:
    """The names on the way to each entry so many levels down, or to a file above that level, made as long."""
    for name in sorted(listed(top)):
        if depth == 1:
            yield (name,)
        elif (top / name).is_dir() and not (top / name).is_symlink():
            yield from ((name, *rest) for rest in _below(top / name, depth - 1))
        else:
            yield (name, *[""] * (depth - 1))
