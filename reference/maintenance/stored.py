"""Content against its digests: that of the storage, and that which repositories hold."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from reference.grammar import ALGORITHMS, is_supported
from reference.maintenance.findings import Findings
from reference.storage.layout import BLOBS, MANIFESTS, Layout, listed

_STRANGE = "is nothing of the registry"
_BAD = "is not what its digest says"


def is_sound(path: Path, digest: str) -> bool:
    """Whether a file has the bytes of a digest."""
    algorithm, _, encoded = digest.partition(":")
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest() == encoded


def is_plain(path: Path) -> bool:
    """Whether it is a file, and no link to one."""
    return path.is_file() and not path.is_symlink()


class Stored:
    """Each file of content is read once, however many names it has; holders may have other files than the storage."""

    def __init__(self, findings: Findings[Layout]) -> None:
        self._findings = findings
        self._at = findings.at
        #: The number of the file with the right bytes, by digest; of bad content the number of its file.
        self._good: dict[str, int] = {}
        self._bad: dict[str, int] = {}
        #: Held files with wrong bytes, for which no good ones are known yet: repository, kind, digest.
        self._waiting: list[tuple[str, str, str]] = []
        #: What is held as another file than that of the storage, which then need not have a holder.
        self._elsewhere: set[str] = set()

    def check_content(self) -> None:
        """Look at what is stored."""
        for path in self._content_files():
            digest = f"{path.parent.parent.name}:{path.name}"
            number = path.stat().st_ino
            if is_sound(path, digest):
                self._good[digest] = number
            else:
                self._bad[digest] = number

    def _content_files(self) -> Iterator[Path]:
        for algorithm in sorted(listed(self._at.blobs)):
            for short in sorted(_folders(self._findings, self._at.blobs / algorithm, algorithm in ALGORITHMS)):
                folder = self._at.blobs / algorithm / short
                for encoded in sorted(_folders(self._findings, folder, len(short) == 2)):
                    path, digest = folder / encoded, f"{algorithm}:{encoded}"
                    if is_supported(digest) and encoded.startswith(short) and is_plain(path):
                        yield path
                    else:
                        self._findings.tell(self._findings.named(path), _STRANGE)

    def check_held(self, name: str) -> None:
        """Look at what a repository holds."""
        for kind in (BLOBS, MANIFESTS):
            top = self._at.repositories / name / kind
            for algorithm in sorted(listed(top)):
                for encoded in sorted(_folders(self._findings, top / algorithm, algorithm in ALGORITHMS)):
                    path, digest = top / algorithm / encoded, f"{algorithm}:{encoded}"
                    if kind == MANIFESTS and is_supported(digest.removesuffix(".type")) and encoded.endswith(".type"):
                        continue
                    if is_supported(digest) and is_plain(path):
                        self._findings.count("blobs" if kind == BLOBS else "manifests")
                        self._check(name, kind, digest, path)
                    else:
                        self._findings.tell(self._findings.named(path), _STRANGE)

    def _check(self, name: str, kind: str, digest: str, path: Path) -> None:
        number = path.stat().st_ino
        good = self._good.get(digest)
        if number == good:
            return
        self._elsewhere.add(digest)
        if number == self._bad.get(digest) or not is_sound(path, digest):
            self._waiting.append((name, kind, digest))
        elif good is None:
            content = self._at.content(digest)
            what = _BAD if digest in self._bad else "is missing, and a repository holds it"
            self._findings.tell(
                self._findings.named(content), what, "taken from there", partial(self._store, path, content)
            )
            self._bad.pop(digest, None)
            self._good[digest] = number
            self._elsewhere.discard(digest)

    def _store(self, path: Path, content: Path) -> None:
        self._findings.tree.folder(content.parent)
        self._findings.tree.link(path, content)

    def finish(self) -> None:
        """Say what is bad, when all is known; and what nobody holds."""
        for name, kind, digest in self._waiting:
            held, content = self._at.held(name, kind, digest), self._at.content(digest)
            what = f"{kind[1:-1]} {digest} {_BAD}"
            if digest in self._good:
                self._findings.tell(
                    name,
                    what,
                    "replaced by good content",
                    partial(self._findings.tree.link, content, held),
                )
            else:
                self._findings.tell(
                    name,
                    what,
                    "moved to quarantine",
                    partial(self._findings.set_apart, held, digest),
                )
        for digest in sorted(self._bad):
            content = self._at.content(digest)
            if content.exists():
                self._findings.tell(
                    self._findings.named(content),
                    _BAD,
                    "moved to quarantine",
                    partial(self._findings.set_apart, content, digest),
                )
        for digest in sorted(self._good.keys() - self._elsewhere):
            content = self._at.content(digest)
            if content.exists() and content.stat().st_nlink == 1:
                self._findings.tell(
                    self._findings.named(content),
                    "is held by no repository",
                    "removed",
                    partial(self._findings.tree.remove, content),
                )


def _folders(findings: Findings[Layout], folder: Path, known: bool) -> list[str]:
    """What is in a folder that is as it should be; of another one nothing."""
    if known and folder.is_dir() and not folder.is_symlink():
        return os.listdir(folder)  # noqa: PTH208 - names only, half the time
    findings.tell(findings.named(folder), _STRANGE)
    return []
