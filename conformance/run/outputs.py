"""JUnit and Allure are told what the report says: by requirement and profile, and not by test function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance import recording
from conformance.settings import Settings
from conformance.verdict.rollup import Record

#: What an earlier run may have left in the folder of Allure results.
_OF_ALLURE = ("*-result.json", "*-container.json", "*-attachment*", "categories.json", "environment.properties")


#: The folder of a report of a part of the suite, in the folder of one of the whole.
PART = "part"


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files that ``--junitxml`` and ``--alluredir`` ask for, each absolute; whether Allure's are to be new."""

    junit: Path | None = None
    allure: Path | None = None
    clean: bool = False


_OUTPUTS = pytest.StashKey[Outputs]()


class Takeover:
    """Takes both options away from the plugins that they belong to, before these look at them."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Keep what the options say, and leave the plugins none."""
        option, base = config.option, config.invocation_params.dir
        junit, allure = getattr(option, "xmlpath", None), getattr(option, "allure_report_dir", None)
        config.stash[_OUTPUTS] = Outputs(
            base / Path(junit).expanduser() if junit else None,
            base / Path(allure).expanduser() if allure else None,
            bool(getattr(option, "clean_alluredir", False)),
        )
        for name in ("xmlpath", "allure_report_dir"):
            if hasattr(option, name):
                setattr(option, name, None)


def folder(given: Path, report: dict[str, Any]) -> Path:
    """Return the folder for a report: a part of the suite has its own where that of a whole run would be lost."""
    if report["run"]["complete"] or not _has_whole(given / "report.json"):
        return given
    return given / PART


def _has_whole(path: Path) -> bool:
    try:
        found = json.loads(path.read_bytes())
        return bool(found["run"]["complete"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False


def write(config: pytest.Config, report: dict[str, Any], known: Path | None) -> str:
    """Write what was asked for of a report that was checked; return a sentence on what could not be written.

    Args:
        config: pytest's, which has the places of JUnit and Allure.
        report: the report.
        known: where a list of known failures is to be written, if anywhere.
    """
    import reports  # noqa: PLC0415  # as where the report is written: not in workers

    wanted = config.stash.get(_OUTPUTS, Outputs())
    if wanted.allure and wanted.clean:
        for path in (path for pattern in _OF_ALLURE for path in wanted.allure.glob(pattern)):
            path.unlink(missing_ok=True)
    places = (("--junitxml", wanted.junit), ("--alluredir", wanted.allure), ("--known-failures-write", known))
    for option, place in places:
        try:
            if place and option == "--junitxml":
                reports.write_junit(report, place)
            elif place and option == "--alluredir":
                reports.write_allure(report, place)
            elif place:
                reports.write_known_failures(report, place)
        except OSError as error:
            return f"{option}: {place} cannot be written ({error.strerror})"
    return ""


def write_recording(settings: Settings, records: Mapping[str, Record], report: dict[str, Any]) -> str:
    """Bring the recordings of all processes together; return a sentence where that is not to be had."""
    if settings.record is None or settings.spool is None:
        return ""
    problem = next(filter(None, (found.get("unrecorded") for found in records.values())), "")
    suite, target, run = report["suite"], report["target"], report["run"]
    creator = {"name": suite["name"], "version": f"{suite['version']} ({suite['commit'] or 'no commit'})"}
    of_run = {name: target[name] for name in ("url", "product", "version")}
    of_run |= {name: run[name] for name in ("started", "profile", "seed", "options")}
    try:
        if not problem:
            recording.gather(settings.spool, settings.record, creator, of_run)
    except OSError as error:
        problem = error.strerror or type(error).__name__
    return f"--record: {settings.record} cannot be written ({problem})" if problem else ""


def write_none(config: pytest.Config, reason: str, code: int) -> None:
    """Leave a JUnit file that shows no green where a run left no report."""
    import reports  # noqa: PLC0415  # as above

    wanted = config.stash.get(_OUTPUTS, Outputs())
    if wanted.junit:
        with suppress(OSError):
            reports.write_junit(None, wanted.junit, reason or "Nothing was decided: no scenario ran.", code)
