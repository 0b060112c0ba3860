"""The trees that are compared: a folder, or a revision of git in a folder of its own."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: What is taken out of a revision: the specification, and the code that refers to it.
PARTS = ("spec", "conformance", "reference")


class TreeError(Exception):
    """There is no specification under a name; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A specification with the code beside it: ``name`` for people, the folder that holds ``spec/``."""

    name: str
    repository: Path

    @property
    def root(self) -> Path:
        """The folder of the specification itself."""
        return self.repository / "spec"


@contextmanager
def tree(name: str, repository: Path, parts: Sequence[str] = PARTS) -> Iterator[Tree]:
    """Give a tree by the name of a folder that holds ``spec/``, or of a revision of ``repository``.

    Raises:
        TreeError: it is neither, or git cannot be run.
    """
    folder = Path(name)
    if (folder / "spec" / "openapi.yaml").is_file():
        yield Tree(name, folder)
        return
    if folder.is_dir() and (folder.exists() and "/" in name):
        raise TreeError(f"{name}: the folder does not hold a spec/openapi.yaml")
    commit = _commit(name, repository)
    with tempfile.TemporaryDirectory(prefix="spec-diff-") as made:
        _unpack(commit, repository, parts, Path(made))
        if not (Path(made) / "spec" / "openapi.yaml").is_file():
            raise TreeError(f"{name}: the revision {commit[:12]} has no spec/openapi.yaml")
        yield Tree(f"{name} ({commit[:12]})" if not commit.startswith(name) else commit[:12], Path(made))


def _commit(name: str, repository: Path) -> str:
    done = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if done.returncode:
        where = f"of the repository at {repository}"
        raise TreeError(f"{name!r} is neither a folder that holds spec/openapi.yaml, nor a revision {where}")
    return done.stdout.decode().strip()


def _unpack(commit: str, repository: Path, parts: Sequence[str], into: Path) -> None:
    there = _git(repository, "ls-tree", "--name-only", commit, "--", *parts).stdout.decode().split()
    done = _git(repository, "archive", "--format=tar", commit, "--", *there) if there else None
    if done is None or done.returncode:
        told = done.stderr.decode(errors="replace").strip() if done else "it has no folder spec"
        raise TreeError(f"the revision {commit[:12]} cannot be read: {told}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                path = into / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())


def _git(repository: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(repository), *words], capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TreeError(f"git cannot be run: {error}") from error
