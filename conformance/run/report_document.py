"""Make the one record of a run, ``report.json``, out of what the scenarios found."""

from __future__ import annotations

import datetime
import subprocess
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from conformance.scenarios.conditions.coverage import laws_tried
from conformance.settings import Settings
from conformance.target.capabilities import Capabilities
from conformance.verdict.profile_verdicts import ProfileVerdicts
from conformance.verdict.rollup import Finding, RollUp
from spec.catalogue import Catalogue
from spec.model import Verdict

FORMAT = "1"
NAME = "registry-conformance"


@dataclass(frozen=True, slots=True)
class Run:
    """The facts of a run that the outcomes do not tell."""

    settings: Settings
    capabilities: Capabilities
    started: datetime.datetime
    seconds: float
    complete: bool
    #: Repositories that the run made.
    repositories: int = 0


def claimed_categories(catalogue: Catalogue, run: Run) -> tuple[str, ...]:
    """Return the categories that are judged: those the options name, and without push where it is absent."""
    if run.settings.categories:
        return run.settings.categories
    writable = run.capabilities.has("push") and not run.settings.read_only
    return tuple(c for c in catalogue.by_category if writable or c not in {"push", "management"})


def make(catalogue: Catalogue, rollup: RollUp, run: Run) -> dict[str, Any]:
    """Return the report (``report.schema.json``), but for its exit code."""
    known = frozenset(failure.id for failure in run.settings.known_failures)
    claimed = claimed_categories(catalogue, run)
    profiles = {
        profile: ProfileVerdicts(rollup, profile, known, claimed, run.complete).plain()
        for profile in catalogue.profiles
    }
    return {
        "format": FORMAT,
        "suite": {"name": NAME, "version": suite_version(), "commit": commit()},
        "target": {
            "url": run.settings.url,
            "product": run.settings.product or None,
            "version": run.settings.version or None,
            **({"embedded": True} if run.settings.embedded else {}),
            "capabilities": {
                name: {"present": run.capabilities.shown(name), "declared": name in run.capabilities.declared}
                for name in catalogue.capabilities
            },
        },
        "run": {
            "started": run.started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "duration_seconds": round(run.seconds, 3),
            "seed": run.settings.seed,
            "options": run.settings.public(),
            "profile": run.settings.profile,
            "exchanges": {
                "count": rollup.exchanges,
                "contract_checks_ms_total": round(rollup.contract_seconds * 1000, 3),
                "contract_ms_per_exchange": round(rollup.contract_seconds * 1000 / max(rollup.exchanges, 1), 4),
            },
            "complete": run.complete,
            "exit_code": 0,
            **({"repositories": run.repositories} if run.repositories else {}),
            **({"sampled": sorted(rollup.sampled)} if rollup.sampled else {}),
            **({"command": run.settings.command} if run.settings.command else {}),
            **({"left": "everything that the run made (--keep)"} if run.settings.keep else {}),
        },
        "profiles": profiles,
        "requirements": [_requirement(catalogue, rollup, name, known) for name in rollup.results],
        "findings": [_finding(finding, run) for finding in rollup.findings],
        "laws": laws_tried(rollup.tried),
    }


def exit_code(report: dict[str, Any], rollup: RollUp) -> int:
    """Return 0 conformant, 1 findings, 3 our own error, 5 nothing decided."""
    profile = report["profiles"][report["run"]["profile"]]
    if rollup.errors:
        return 3
    if not rollup.decided:
        return 5
    if profile["verdict"] in {Verdict.PASS.value, Verdict.UNSUPPORTED.value}:
        return 0
    if profile["verdict"] == Verdict.KNOWN_FAILURE.value:
        return 0
    partial = not report["run"]["complete"]
    return 0 if partial and profile["verdict"] == Verdict.NOT_TESTED.value else 1


def _requirement(catalogue: Catalogue, rollup: RollUp, name: str, known: frozenset[str]) -> dict[str, Any]:
    requirement = catalogue.requirement(name)
    result = rollup.results[name]
    return {
        "id": name,
        "statement": requirement.statement,
        "category": requirement.category,
        "levels": {profile: level.value for profile, level in requirement.levels.items()},
        "sources": [
            {
                "document": citation.document,
                "section": citation.section,
                "title": catalogue.sources[citation.document].title,
                "url": catalogue.sources[citation.document].url,
            }
            for citation in requirement.sources
        ],
        "outcome": result.outcome.value,
        "verdicts": rollup.verdicts(requirement, known),
        "scenarios": sorted(result.scenarios),
        "reason": result.reason,
        "withheld": result.withheld,
    }


def _finding(finding: Finding, run: Run) -> dict[str, Any]:
    judgement = finding.judgement
    why = next((f.why for f in run.settings.known_failures if f.id == finding.requirement), "")
    return {
        "requirement": finding.requirement,
        "scenario": finding.scenario,
        "expected": judgement["expected"],
        "actual": judgement["actual"],
        "exchanges": judgement["exchanges"],
        "curl": judgement["curl"],
        **({"script": script} if (script := judgement.get("script")) else {}),
        "also_affected": sorted(finding.also_affected),
        "note": f"known to the owner: {why}" if why else "",
    }


def stale(report: dict[str, Any], settings: Settings) -> list[str]:
    """Return the known failures that did not fail: entries that have to go."""
    outcomes = {entry["id"]: entry["outcome"] for entry in report["requirements"]}
    return [f.id for f in settings.known_failures if outcomes.get(f.id) == "held"]


@lru_cache(maxsize=1)
def suite_version() -> str:
    """Return the version of this suite, installed or as a checkout."""
    try:
        return version(NAME)
    except PackageNotFoundError:
        project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])


@lru_cache(maxsize=1)
def commit() -> str | None:
    """Return the commit of the checkout that the suite runs from or was built from, ``None`` where none is known."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        built = folder / "commit.txt"
        return built.read_text(encoding="ascii").strip() if built.is_file() else None

    def git(*words: str) -> str:
        done = subprocess.run(  # fixed words
            ["git", "-C", str(folder), *words],  # the user's own git
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        head = git("rev-parse", "--short=12", "HEAD")
        changed = bool(git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.TimeoutExpired):
        return None
    return f"{head}-dirty" if head and changed else head or None
