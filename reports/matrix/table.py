"""The rows of the matrix: each requirement, and what each report says of it in each profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reports import view
from reports.matrix.columns import Column
from reports.model import Finding, RequirementResult
from spec.model import Verdict

#: What a cell has where no verdict is shown: the profile says nothing of it, the report does not have it, or it was
#: judged by other words or another level than the newest catalogue has.
SILENT, ABSENT, OUTDATED = "", "ABSENT", "OUTDATED"
_DECIDED = (Verdict.PASS, Verdict.FAIL, Verdict.WARNING, Verdict.KNOWN_FAILURE)


@dataclass(frozen=True, slots=True)
class Cell:
    """What one report says of a requirement: a verdict for each profile, and its finding."""

    column: Column
    entry: RequirementResult | None
    verdicts: tuple[str, ...]
    finding: Finding | None
    #: The finding is by words that are not those of the requirement any more.
    reworded: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A requirement as the newest catalogue has it, and a cell for each report."""

    entry: RequirementResult
    levels: tuple[str, ...]
    cells: tuple[Cell, ...]

    @property
    def found(self) -> list[Cell]:
        """The cells that have a finding, and whose words are still those of the requirement."""
        return [cell for cell in self.cells if cell.finding and not cell.reworded]


@dataclass(frozen=True, slots=True)
class Share:
    """How the requirements of a category fared: by verdict, and how many were decided."""

    counts: dict[str, int]

    @property
    def decided(self) -> int:
        """Those that the answers settled."""
        return sum(self.counts.get(verdict, 0) for verdict in _DECIDED)

    @property
    def passed(self) -> int:
        """Those that held."""
        return self.counts.get(Verdict.PASS, 0)


@dataclass(frozen=True, slots=True)
class Matrix:
    """All reports side by side."""

    columns: Sequence[Column]
    profiles: tuple[str, ...]
    categories: tuple[str, ...]
    rows: tuple[Row, ...]

    def share(self, column: int, profile: int, category: str = "") -> Share:
        """Return how a report fared in a profile, as a whole or in a category."""
        verdicts = (row.cells[column].verdicts[profile] for row in self.rows if category in {"", row.entry["category"]})
        return Share(Counter(v for v in verdicts if v not in {SILENT, ABSENT, OUTDATED}))

    def is_old(self, column: Column) -> bool:
        """Whether a report is by an earlier catalogue than another one."""
        return column.catalogue != self.newest.catalogue

    @property
    def newest(self) -> Column:
        """The report that was made last: by its catalogue requirements are shown."""
        return max(self.columns, key=lambda column: column.started)


def build(columns: Sequence[Column]) -> Matrix:
    """Put reports side by side by the ids of requirements."""
    newest = max(columns, key=lambda column: column.started)
    profiles = tuple(dict.fromkeys(p for column in (newest, *columns) for p in column.report["profiles"]))
    entries = dict(newest.entries)
    for column in sorted(columns, key=lambda column: column.started, reverse=True):
        for name, entry in column.entries.items():
            entries.setdefault(name, entry)
    order = view.categories(newest.report)
    categories = tuple(dict.fromkeys([*order, *sorted({entry["category"] for entry in entries.values()})]))
    rows = [
        Row(
            entry,
            tuple(entry["levels"].get(profile, "") for profile in profiles),
            tuple(_cell(column, entry, profiles) for column in columns),
        )
        for entry in sorted(entries.values(), key=lambda entry: categories.index(entry["category"]))
    ]
    return Matrix(columns, profiles, categories, tuple(rows))


def _cell(column: Column, newest: RequirementResult, profiles: tuple[str, ...]) -> Cell:
    entry = column.entries.get(newest["id"])
    if entry is None:
        said = tuple(ABSENT if profile in newest["levels"] else SILENT for profile in profiles)
        return Cell(column, None, said, None)
    reworded = entry["statement"] != newest["statement"]
    verdicts = tuple(
        SILENT
        if profile not in newest["levels"]
        else OUTDATED
        if reworded or entry["levels"].get(profile) != newest["levels"][profile]
        else entry["verdicts"].get(profile, SILENT)
        for profile in profiles
    )
    return Cell(column, entry, verdicts, column.findings.get(newest["id"]), reworded)
