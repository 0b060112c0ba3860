"""What was found in a storage, and what was done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from reference.storage.folder import At
from reference.storage.sync import ALWAYS, Syncer
from reference.storage.tree import Tree


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be: where, what, and what was done about it, if anything."""

    where: str
    what: str
    done: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}{f': {self.done}' if self.done else ''}"


class Findings(Generic[At]):
    """What is found below a root; with ``repair`` what can be done about it is done."""

    def __init__(self, at: At, repair: bool) -> None:
        self.at = at
        self.repair = repair
        self.found: list[Finding] = []
        self.counted: Counter[str] = Counter()
        self.syncer = Syncer(ALWAYS)
        self.tree = Tree(at.scratch, self.syncer)

    def count(self, kind: str, number: int = 1) -> None:
        """Note that something was looked at."""
        self.counted[kind] += number

    def tell(self, where: str, what: str, done: str = "", remedy: Callable[[], object] | None = None) -> None:
        """Note a finding, and do what repairs it, where there is something."""
        if self.repair and remedy is not None:
            remedy()
        self.found.append(Finding(where, what, done if self.repair and remedy is not None else ""))

    def named(self, path: Path) -> str:
        """What a file is called below the root."""
        return path.relative_to(self.at.root).as_posix()

    def set_apart(self, path: Path, digest: str) -> None:
        """Keep one of the files with the name of a digest in quarantine; the others have nothing that is not lost."""
        target = self.at.root / "quarantine" / digest.replace(":", "-")
        self.tree.folder(target.parent)
        number = 0
        while target.exists() and not target.samefile(path):
            number += 1
            target = target.with_name(f"{digest.replace(':', '-')}.{number}")
        # Of the file that is there already, a rename would do nothing.
        if target.exists():
            self.tree.remove(path)
        else:
            self.tree.replace(path, target)
            self.syncer.note(path.parent)

    @property
    def left(self) -> list[Finding]:
        """Those about which nothing was done."""
        return [finding for finding in self.found if not finding.done]

    def __str__(self) -> str:
        kinds = ("repositories", "manifests", "blobs", "tags", "open uploads")
        looked = ", ".join(f"{self.counted[kind]} {kind}" for kind in kinds)
        repaired = len(self.found) - len(self.left)
        return f"{looked}: {len(self.found)} findings" + (f", {repaired} repaired" if self.repair else "")
