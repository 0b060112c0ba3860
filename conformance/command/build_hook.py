"""Tells a distribution the commit that it is built from: ``commit.txt``, which a report then names."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PLACES = {"wheel": "registry_conformance/lib/commit.txt", "sdist": "commit.txt"}


class CommitHook(BuildHookInterface[Any]):
    """Adds the file where the sources are a checkout, or a source distribution that was made of one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the file aside, and have it included."""
        told = Path(self.root) / "commit.txt"
        commit = told.read_text(encoding="ascii") if told.is_file() else _commit(self.root)
        if commit and version != "editable":
            self._folder = tempfile.TemporaryDirectory(prefix="registry-conformance-")
            made = Path(self._folder.name) / "commit.txt"
            made.write_text(commit, encoding="ascii")
            build_data["force_include"][str(made)] = _PLACES[self.target_name]

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove it."""
        if folder := getattr(self, "_folder", None):
            folder.cleanup()


def _commit(root: str) -> str:
    """Return the commit of a checkout, marked where files of it were changed; empty where there is none."""
    if not (Path(root) / ".git").exists():
        return ""
    try:
        head, changed = (
            subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=True).stdout.strip()
            for words in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{head}-dirty\n" if changed else f"{head}\n"
