"""A plugin that records the files, programs and connections of a run."""

from __future__ import annotations

import os
import sys
from typing import Any

#: The variable that names the file to write to.
LOG = "HOSTILE_AUDIT"
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MADE = frozenset({"os.mkdir", "os.symlink", "os.link", "os.rename", "os.truncate"})
_STARTED = frozenset({"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"})


def _told(event: str, args: tuple[Any, ...]) -> str:
    """Return what to write down of an event, empty where it is nothing."""
    if event == "open":
        path, _, flags = args
        return f"file {path}" if isinstance(path, str) and isinstance(flags, int) and flags & _WRITES else ""
    if event in _MADE:
        return f"file {args[1] if event in {'os.rename', 'os.symlink', 'os.link'} else args[0]}"
    if event in _STARTED:
        return f"program {args[0]}"
    if event == "socket.connect" and isinstance(args[1], tuple):
        return f"address {args[1][0]}:{args[1][1]}"
    return ""


def _install() -> None:
    path = os.environ.get(LOG)
    if not path:
        return
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if told := _told(event, args):
            os.write(log, ascii(told).encode() + b"\n")

    sys.addaudithook(hook)


_install()
