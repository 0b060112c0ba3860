"""Published runs: a report of each, and a recording where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from reports.loading import ReportError, load
from reports.model import Report, RequirementResult
from spec.model import Outcome

_REPORTS = (".json", ".json.gz")
_RECORDINGS = (".har.gz", ".har")


class RunError(ValueError):
    """A published run that cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True)
class Run:
    """One run: its report, and the file of its recording."""

    path: Path
    report: Report = field(repr=False)
    recording: Path | None = None
    #: What tells it from other runs of the same registry; nothing for the first of them.
    apart: str = ""

    @property
    def name(self) -> str:
        """The registry and its version, as people call it, and which of its runs this is."""
        target = self.report["target"]
        apart = f"({self.apart})" if self.apart else ""
        return " ".join(filter(None, (target["product"] or target["url"], target["version"], apart)))

    @cached_property
    def results(self) -> Mapping[str, RequirementResult]:
        """What was found of each requirement, by its id."""
        return {entry["id"]: entry for entry in self.report["requirements"]}

    @cached_property
    def found_by(self) -> Mapping[str, str]:
        """The scenario of each finding, by the id of its requirement."""
        return {finding["requirement"]: finding["scenario"] for finding in self.report["findings"]}

    def lacks(self, capability: str) -> bool:
        """Whether the registry lacks an optional part, as far as is known."""
        found = self.report["target"]["capabilities"].get(capability)
        return found is not None and found["present"] is False

    def outcome(self, name: str) -> Outcome | None:
        """Return what was found of a requirement; ``None`` where the run does not know it."""
        entry = self.results.get(name)
        return Outcome(entry["outcome"]) if entry else None


def published(folders: list[Path]) -> list[Run]:
    """Give the runs of some folders, or of single reports, in the order of their names.

    Raises:
        RunError: a folder has none, or one cannot be read.
    """
    runs = list(_read(folders))
    firsts: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: len(_bare(run.path))):
        firsts.setdefault(run.name, run)
    return [run if run is firsts[run.name] else replace(run, apart=_apart(run, firsts[run.name])) for run in runs]


def _apart(run: Run, first: Run) -> str:
    """Give what the name of a file says beyond that of another run of the same registry, or else its path."""
    return _bare(run.path).removeprefix(_bare(first.path)).lstrip("-_. ") or str(run.path)


def _read(folders: list[Path]) -> Iterator[Run]:
    for place in folders:
        paths = [place]
        if place.is_dir():
            paths = sorted(path for path in place.iterdir() if path.name.endswith(_REPORTS))
        if not paths:
            raise RunError(f"--runs: {place} has no report (*.json or *.json.gz)")
        for path in paths:
            try:
                yield Run(path, load(path), _recording(path))
            except ReportError as error:
                raise RunError(f"--runs: {error}") from None


def _recording(report: Path) -> Path | None:
    return next((path for end in _RECORDINGS if (path := report.with_name(_bare(report) + end)).is_file()), None)


def _bare(report: Path) -> str:
    return report.name.removesuffix(".gz").removesuffix(".json")
