"""The baseline: a commit, and what its runs cost on some machine on some day; ``baseline.json``."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("baseline.json")
_MODEL = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)


def machine() -> str:
    """Return what this machine is, in words: its processor, how many of it, and Python."""
    model = platform.machine()
    try:
        if found := _MODEL.search(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")):
            model = found[1].strip()
    except OSError:
        pass
    return f"{len(os.sched_getaffinity(0))} processors ({model}), Python {platform.python_version()}"


@dataclass(slots=True)
class Baseline:
    """A commit, the options that its runs take, and by setting its figures with machine and date."""

    commit: str
    options: tuple[str, ...] = ()
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path = PATH) -> Baseline:
        """Read the file."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(found["commit"], tuple(found["options"]), found["figures"])

    def note(self, setting: str, figures: Mapping[str, Any]) -> None:
        """Keep what was measured now."""
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        self.figures[setting] = {**figures, "machine": machine(), "date": today}

    def write(self, path: Path = PATH) -> None:
        """Write the file."""
        plain = {"commit": self.commit, "options": list(self.options), "figures": dict(sorted(self.figures.items()))}
        path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
