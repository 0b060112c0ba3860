"""Write reports so that a reader never meets half of one."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, cast

from reports import allure, html, junit, summary
from reports.excerpts import known_failures
from reports.loading import check
from reports.model import Report


def render(report: Report) -> dict[str, str]:
    """Return the files of a checked report by name; ``report.json`` stands last."""
    return {
        "report.html": html.render(report),
        "summary.md": summary.render(report) + "\n",
        # Plain ASCII: no control character, lone surrogate or bidi override reaches the file as such.
        "report.json": json.dumps(report, indent=1, ensure_ascii=True, allow_nan=False) + "\n",
    }


def write(report: dict[str, Any], folder: Path) -> None:
    """Check a report and write report.json, report.html and summary.md into a folder.

    All three are complete before the first gets its name, so an earlier report stays whole if this fails.

    Raises:
        ReportError: the data are no valid report; nothing is written.
        OSError: the folder cannot be made or written; nothing of the new report is left in it.
    """
    texts = render(check(report))
    folder.mkdir(parents=True, exist_ok=True)
    store(texts, folder)


def write_junit(report: dict[str, Any] | None, path: Path, reason: str = "", code: int = 0) -> None:
    """Write the JUnit file of a report that `write` has written, or of a run that left none for a reason.

    Raises:
        OSError: it cannot be written.
    """
    text = junit.without_report(reason, code) if report is None else junit.render(cast("Report", report))
    path.parent.mkdir(parents=True, exist_ok=True)
    store_at(path, text)


def write_allure(report: dict[str, Any], folder: Path) -> None:
    """Write the folder of Allure results of a report that `write` has written.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store(allure.render(cast("Report", report)), folder)


def write_known_failures(report: dict[str, Any], path: Path) -> None:
    """Write a list for ``--known-failures`` of what a report that `write` has written has as broken.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    store_at(path, known_failures.render(cast("Report", report)))


def store_at(path: Path, text: str) -> None:
    """Write a file, whole or not at all.

    A link stays one. A device or a pipe is written to: what is renamed over /dev/null would take its place.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(text.encode("utf-8"))
        return
    place = path.resolve() if path.is_symlink() else path
    store({place.name: text}, place.parent)


def store(texts: dict[str, str], folder: Path) -> None:
    """Write files into a folder, all or none: each is written aside first, then all are renamed."""
    aside: dict[str, Path] = {}
    try:
        for name, text in texts.items():
            handle, made = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder)
            aside[name] = Path(made)
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            aside[name].chmod(0o666 & ~_umask())
        for name, path in aside.items():
            path.replace(folder / name)
    finally:
        for path in aside.values():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
