"""The columns of the matrix: a report each, with its name in links and how it was run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reports import view
from reports.digests import of_judged
from reports.loading import ReportError, load
from reports.model import Finding, Report, RequirementResult

#: A text beside report.json that says how it was run; NAME.txt does beside NAME.json.gz.
HOW = "how.txt"
#: The end of the name of a report that is compressed and has a name of its own.
PACKED = ".json.gz"
_LONGEST_HOW = 8192
_SLUG = re.compile(r"[^a-z0-9.]+")


@dataclass(frozen=True, slots=True)
class Column:
    """A report: what was tested in which variant, and under which name it is linked."""

    report: Report
    slug: str
    how: str
    catalogue: str
    entries: dict[str, RequirementResult]
    findings: dict[str, Finding]

    @property
    def product(self) -> str:
        """The name of the product."""
        return self.report["target"]["product"] or view.product(self.report)

    @property
    def version(self) -> str:
        """The version of the product."""
        return self.report["target"]["version"] or ""

    @property
    def variant(self) -> str:
        """What its name says beside product and version, such as ``delete-off``."""
        for named in (_slug(f"{self.product} {self.version}"), _slug(self.product)):
            if self.slug.startswith(named):
                return self.slug.removeprefix(named).strip("-")
        return ""

    @property
    def title(self) -> str:
        """Product, version and variant, in words."""
        return " ".join(part for part in (self.product, self.version, f"({self.variant})" * bool(self.variant)) if part)

    @property
    def started(self) -> str:
        """When it was run."""
        return self.report["run"]["started"]


def read(paths: Iterable[Path]) -> list[Column]:
    """Read reports: each a file, or a folder that has ``report.json`` or ``NAME.json.gz`` in it or in its folders.

    Raises:
        ReportError: a report cannot be read, is of a part of the suite, or two would have the same name.
    """
    columns: dict[str, Column] = {}
    for path in _files(paths):
        report = load(path)
        if not report["run"]["complete"]:
            raise ReportError(f"{path} is of a part of the suite; the matrix shows whole runs only.")
        packed = path.name.endswith(PACKED)
        name = path.name.removesuffix(PACKED) if packed else path.stem
        slug = _slug(path.parent.resolve().name if path.name == "report.json" else name)
        if slug in columns:
            raise ReportError(f"{path}: another report is named {slug} too; name it, or its folder, otherwise.")
        columns[slug] = Column(
            report,
            slug,
            _how(path.with_name(f"{name}.txt" if packed else HOW)),
            of_judged(report),
            {entry["id"]: entry for entry in report["requirements"]},
            {finding["requirement"]: finding for finding in report["findings"]},
        )
    if not columns:
        raise ReportError("there is no report.")
    return sorted(columns.values(), key=lambda column: (column.product.casefold(), column.version, column.slug))


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        plain = [one for one in path.rglob("report.json") if not _is_part(one)]
        found = sorted([*plain, *path.rglob(f"*{PACKED}")])
        if not found:
            raise ReportError(f"{path} has no report.json and no report NAME.json.gz.")
        yield from found


def _is_part(path: Path) -> bool:
    """Whether a report is one of a part that a run left beside that of a whole one."""
    return path.parent.name == "part" and (path.parent.parent / path.name).is_file()


def _how(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:_LONGEST_HOW].strip()
    except OSError:
        return ""


def _slug(text: str) -> str:
    return _SLUG.sub("-", text.casefold()).strip("-.") or "report"
