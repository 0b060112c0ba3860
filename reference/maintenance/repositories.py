"""What a repository says against what it holds: manifests, tags, referrers, and the lists made of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from reference import errors
from reference.documents import Document, parse
from reference.grammar import is_name, is_supported, is_tag
from reference.maintenance.findings import Findings
from reference.storage.layout import BLOBS, MANIFESTS, REFERRERS, TAGGED, TAGS, Layout, listed

_PLACES = (BLOBS, MANIFESTS, TAGS, TAGGED, REFERRERS)


def check_repository(findings: Findings[Layout], name: str, *, partial_images: bool = False) -> None:
    """Look at a repository whose content is as its digests say, or was told of."""
    _Repository(findings, name, partial_images).check()


class _Repository:
    def __init__(self, findings: Findings[Layout], name: str, partial_images: bool) -> None:
        self._partial_images = partial_images
        self._findings = findings
        self._at = findings.at
        self._tree = findings.tree
        self._name = name
        self._folder = self._at.repositories / name

    def check(self) -> None:
        """Everything, from what others are made of to what is made of them."""
        if not is_name(self._name):
            self._tell("is no name of a repository")
        for entry in sorted(listed(self._folder)):
            if entry.startswith("_") and entry not in _PLACES:
                self._tell(f"{entry} is nothing of the registry")
        wanted = self._check_manifests()
        self._check_referrers(wanted)
        self._check_tags()

    def _tell(self, what: str) -> None:
        self._findings.tell(self._name, what)

    def _digests(self, kind: str) -> list[str]:
        top = self._folder / kind
        return sorted(f"{algorithm}:{encoded}" for algorithm in listed(top) for encoded in listed(top / algorithm))

    def _check_manifests(self) -> set[tuple[str, str]]:
        """The subjects and the manifests that refer to them."""
        wanted = set()
        for entry in self._digests(MANIFESTS):
            if entry.endswith(".type"):
                path = self._at.held(self._name, MANIFESTS, entry.removesuffix(".type"))
                if is_supported(entry.removesuffix(".type")) and not path.exists():
                    self._leftover(path.with_suffix(".type"), f"{entry} belongs to no manifest")
            elif is_supported(entry):
                document = self._document(entry)
                if document is not None:
                    if not self._partial_images:
                        self._check_parts(entry, document)
                    if document.subject is not None:
                        wanted.add((document.subject, entry))
        return wanted

    def _document(self, digest: str) -> Document | None:
        path = self._at.held(self._name, MANIFESTS, digest)
        kind = path.with_suffix(".type")
        try:
            members = parse(path.read_bytes())
            document = Document(kind.read_text() if kind.is_file() else "", members)
            own = members.get("mediaType")
            if not document.media_type or (isinstance(own, str) and own.lower() != document.media_type.lower()):
                self._mistyped(digest, kind, document.media_type, own)
                return None
            # They are read here, so that a type that does not fit shows.
            _ = document.blobs, document.children, document.subject
        except (errors.RegistryError, KeyError, TypeError, AttributeError, ValueError):
            self._tell(f"manifest {digest} cannot be read")
            return None
        return document

    def _mistyped(self, digest: str, kind: Path, given: str, own: object) -> None:
        what = f"manifest {digest} has the type {given!r}, and its mediaType is {own!r}"
        if isinstance(own, str) and own:
            data = own.encode()
            self._findings.tell(self._name, what, "the latter was taken", partial(self._tree.write, kind, data))
        else:
            self._tell(f"manifest {digest} has no type")

    def _check_parts(self, digest: str, document: Document) -> None:
        for part in document.blobs:
            if not self._holds(BLOBS, part):
                self._tell(f"manifest {digest} lacks blob {part}")
        for part in document.children:
            if not self._holds(MANIFESTS, part) and not self._holds(BLOBS, part):
                self._tell(f"manifest {digest} lacks manifest {part}")

    def _holds(self, kind: str, digest: str) -> bool:
        return is_supported(digest) and self._at.held(self._name, kind, digest).is_file()

    def _check_referrers(self, wanted: set[tuple[str, str]]) -> None:
        paths = {self._at.referring(self._name, subject) / digest: (subject, digest) for subject, digest in wanted}
        for path, (subject, digest) in sorted(paths.items()):
            if not path.is_file():
                self._findings.tell(
                    self._name,
                    f"{digest} is not in the list of referrers of {subject}",
                    "added",
                    partial(self._touch, path),
                )
        top = self._folder / REFERRERS
        for algorithm in sorted(listed(top)):
            for encoded in sorted(listed(top / algorithm)):
                for digest in sorted(listed(top / algorithm / encoded)):
                    path = top / algorithm / encoded / digest
                    if path not in paths:
                        self._leftover(path, f"{digest} is in a list of referrers, and refers to nothing there")

    def _check_tags(self) -> None:
        targets: dict[str, str] = {}
        for tag in sorted(listed(self._folder / TAGS)):
            path = self._at.tag(self._name, tag)
            if not is_tag(tag) or not path.is_file():
                self._tell(f"{tag!r} is no tag")
                continue
            self._findings.count("tags")
            digest = path.read_bytes().decode(errors="replace")
            if not self._holds(MANIFESTS, digest):
                target = f"{digest if is_supported(digest) else ascii(digest)}, which is not there"
                self._leftover(path, f"tag {tag} leads to {target if digest else 'nothing'}")
                continue
            targets[tag] = digest
            pointing = self._at.pointing(self._name, digest) / tag
            if not pointing.is_file():
                self._findings.tell(
                    self._name,
                    f"{digest} does not know of its tag {tag}",
                    "noted",
                    partial(self._touch, pointing),
                )
        for digest in self._digests(TAGGED):
            folder = self._folder / TAGGED / digest.replace(":", "/")
            for tag in sorted(listed(folder)):
                if targets.get(tag) != digest:
                    self._leftover(folder / tag, f"{digest} was left by its tag {tag}")

    def _touch(self, path: Path) -> None:
        self._tree.folder(path.parent)
        self._tree.touch(path)

    def _leftover(self, path: Path, what: str) -> None:
        self._findings.tell(self._name, what, "removed", partial(self._tree.remove, path))
