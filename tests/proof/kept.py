"""Results of a proof that are kept as they come, so that one that was interrupted goes on where it was."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any

from tests.proof.workshop import Result
from tests.support.servers import ROOT


class Kept:
    """A file of JSON lines: of which commit, seed and extent the results are, and then one result in each line.

    A file of another commit, seed or extent begins anew, as does one without a path.
    """

    def __init__(self, path: Path | None, seed: str, *, whole: bool) -> None:
        self._path = path
        self._results: dict[tuple[str, str], Result] = {}
        if path is None:
            return
        of = {"commit": _commit(), "seed": seed, "whole": whole}
        lines = path.read_text("utf-8").splitlines() if path.is_file() else []
        known = [found for line in lines if (found := _parsed(line)) is not None]
        if known[:1] != [of]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{json.dumps(of)}\n", "utf-8")
            return
        if not path.read_text("utf-8").endswith("\n"):
            self._append("")
        for line in known[1:]:
            result = Result(**line)
            self._results[result.kind, result.name] = result

    def find(self, kind: str, name: str) -> Result | None:
        """Return the good result of a case that was run before; what was not good runs again."""
        result = self._results.get((kind, name))
        return result if result is not None and result.good else None

    def add(self, result: Result) -> None:
        """Keep a result."""
        self._append(json.dumps(dataclasses.asdict(result)))

    def _append(self, line: str) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:  # the line that was being written when the proof was ended
        return None
    return found if isinstance(found, dict) else None


def _commit() -> str:
    """Return the commit, and whether the files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
