"""What the processes of a run write down of their exchanges until it ends."""

from __future__ import annotations

import contextlib
import errno
import gzip
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.client.http.exchange import Exchange
from conformance.client.redaction import Redactor
from conformance.contract import ContractResult
from conformance.recording.entry import entry, moment

#: Quick, and enough: the recording itself is compressed anew.
_LEVEL = 1


def open_spool(recording: Path, run_id: str) -> Path:
    """Make the folder beside a recording in which the processes of a run write.

    Raises:
        OSError: it cannot be made, or the recording could not be put there.
    """
    folder = recording.parent / f".{recording.name}.{run_id}"
    if recording.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(recording))
    folder.mkdir(parents=True)
    return folder


def remove_spool(folder: Path) -> None:
    """Remove the folder and what is in it."""
    shutil.rmtree(folder, ignore_errors=True)


class Recorder:
    """Writes the exchanges of one process; each scenario is whole in its file or not there."""

    def __init__(self, folder: Path, redactor: Redactor, check: Callable[[Exchange], ContractResult]) -> None:
        self._folder = folder
        self._redactor = redactor
        self._check = check
        #: Why exchanges could not be written; nothing more is written then.
        self.problem = ""

    def add(
        self,
        scenario: str,
        exchanges: Sequence[Exchange],
        outcomes: Mapping[str, str] | None = None,
        evidence: Iterable[tuple[str, str, Iterable[Exchange]]] = (),
    ) -> None:
        """Write what a scenario exchanged.

        ``outcomes`` has what it found of its requirements. ``evidence`` has, for a judgement, the requirement, the
        outcome and the exchanges that show it. ``problem`` says what stood in the way.
        """
        if self.problem or not (exchanges or outcomes):
            return
        judged: dict[int, dict[str, str]] = {}
        for requirement, outcome, shown in evidence:
            for exchange in shown:
                judged.setdefault(id(exchange), {})[requirement] = outcome
        lines: list[dict[str, Any]] = [{"page": _page(scenario, exchanges, outcomes or {})}]
        for exchange in exchanges:
            found = self._check(exchange)
            made = entry(exchange, self._redactor, scenario, judged.get(id(exchange), {}), found)
            lines.append({"entry": made})
        data = "".join(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n" for line in lines)
        try:
            self._write(gzip.compress(data.encode("ascii"), _LEVEL))
        except OSError as error:
            self.problem = error.strerror or type(error).__name__

    def _write(self, data: bytes) -> None:
        # By the number of the process, which a fork changes.
        handle = os.open(self._folder / f"{os.getpid()}.gz", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(handle, left) :]
        finally:
            os.close(handle)


def _page(scenario: str, exchanges: Sequence[Exchange], outcomes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "startedDateTime": moment(exchanges[0].started_at if exchanges else time.time()),
        "id": scenario,
        "title": scenario,
        "pageTimings": {},
        "_requirements": dict(outcomes),
    }


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Give what one process wrote, as far as it came."""
    # The process may have been ended in the middle of a line.
    with contextlib.suppress(EOFError, ValueError, gzip.BadGzipFile), gzip.open(path, "rt", encoding="ascii") as file:
        for line in file:
            yield json.loads(line)
