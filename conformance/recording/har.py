"""Bring together what the processes of a run wrote into one HAR file."""

from __future__ import annotations

import contextlib
import gzip
import heapq
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from conformance.recording.spool import lines

_LEVEL = 9


def gather(folder: Path, recording: Path, creator: Mapping[str, str], run: Mapping[str, Any]) -> int:
    """Write the recording and return the number of its exchanges; a reader never meets half of one.

    It is compressed where its name ends in ``.gz``. ``run`` becomes the custom field ``_run``.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    handle, made = tempfile.mkstemp(prefix=f".{recording.name}.", suffix=".part", dir=recording.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            if recording.name.endswith(".gz"):
                # The same exchanges give the same bytes: without name and time.
                with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed:
                    count = _write(packed, folder, creator, run)
            else:
                count = _write(file, folder, creator, run)
            file.flush()
            os.fsync(file.fileno())
        Path(made).chmod(0o644)
        Path(made).replace(recording)
    finally:
        with contextlib.suppress(OSError):
            Path(made).unlink(missing_ok=True)
    return count


def _write(file: IO[bytes] | gzip.GzipFile, folder: Path, creator: Mapping[str, str], run: Mapping[str, Any]) -> int:
    pages: list[dict[str, Any]] = []
    count = 0
    out = io.TextIOWrapper(file, encoding="ascii", write_through=True)
    out.write('{"log":{"version":"1.2","creator":' + _json(creator) + ',"_run":' + _json(run) + ',"entries":[')
    for one in heapq.merge(*(_entries(path, pages) for path in sorted(folder.glob("*.gz"))), key=_moment):
        out.write(("," if count else "") + "\n" + _json(one))
        count += 1
    pages.sort(key=lambda page: (page["startedDateTime"], page["id"]))
    out.write('\n],"pages":[' + ",".join("\n" + _json(page) for page in pages) + "\n]}}\n")
    out.flush()
    out.detach()
    return count


def _entries(path: Path, pages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for line in lines(path):
        if "entry" in line:
            yield line["entry"]
        else:
            pages.append(line["page"])


def _moment(entry: Mapping[str, Any]) -> str:
    return str(entry["startedDateTime"])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
