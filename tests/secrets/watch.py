"""Watch short-lived places: command lines of processes, and files that a run removes again."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from tests.secrets.canaries import Canaries

_PAUSE = 0.05


class Watch:
    """A thread that looks into /proc and some folders until it is told to stop."""

    def __init__(self, canaries: Canaries, folders: Iterable[Path], own: int) -> None:
        self._canaries = canaries
        self._folders = tuple(folders)
        self._own = own
        self._seen: dict[Path, tuple[int, int]] = {}
        self._stop = threading.Event()
        #: What was found, as sentences.
        self.found: set[str] = set()
        #: Whether the journal was there to be looked at.
        self.files: set[str] = set()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look for the last time."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_PAUSE):
            self._processes()
            for folder in self._folders:
                self._files(folder)

    def _processes(self) -> None:
        # Read anew each time: at first the process may have none yet.
        own = _command_line(self._own)
        for name in os.listdir("/proc"):  # noqa: PTH208  # pathlib makes an object of each of its names
            if not name.isdigit() or int(name) in {self._own, os.getpid()}:
                continue
            text = _command_line(int(name))
            # A child that was just forked has the command line of its parent still.
            if text and text != own:
                self.found |= {f"{canary} in the command line of a process" for canary in self._canaries.found(text)}

    def _files(self, folder: Path) -> None:
        for path in folder.rglob("*"):
            try:
                state = path.stat()
                if not path.is_file() or self._seen.get(path) == (state.st_mtime_ns, state.st_size):
                    continue
                self._seen[path] = (state.st_mtime_ns, state.st_size)
                text = path.read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
            name = str(path.relative_to(folder.parent))
            self.files.add(name)
            self.found |= {f"{canary} in {name}, during the run" for canary in self._canaries.found(text)}


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
