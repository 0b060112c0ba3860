"""Each requirement has the outcome at each real registry that is known of it.

``pytest tests/real --update-expected`` writes the files anew; look at the difference before it is
committed. Where the registry's own timing decides, an entry names two outcomes: ``held or
inconclusive``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.conftest import program
from tests.real.registries import REGISTRIES, Registry
from tests.support.suite import SuiteRun, run_suite

_BY_NAME = pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.name)
_HEADING = re.compile(r"^#{2,}\s.*$", re.MULTILINE)
_ID = re.compile(r"[A-Z][A-Z0-9]+(?:-[A-Z0-9]+)+")


def _compare(expected: Mapping[str, str], run: SuiteRun) -> str:
    """One line for each requirement that differs, and what the report says of it."""
    lines = []
    for id_ in sorted({*expected, *run.decided}):
        before, now = expected.get(id_, "not tested"), run.outcomes.get(id_, "no such requirement")
        if now not in before.split(" or "):
            lines.append(f"{id_}: expected {before}, found {now}\n{run.explain(id_)}")
    return "\n".join(lines)


def _write(path: Path, outcomes: Mapping[str, str]) -> None:
    before = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept = {id_: text for id_, text in before.items() if " or " in text and outcomes.get(id_) in text.split(" or ")}
    outcomes = {**outcomes, **kept}
    head = "# Outcome of each requirement that is decided; written by `pytest tests/real --update-expected`.\n"
    path.write_text(head + "".join(f"{id_}: {outcome}\n" for id_, outcome in sorted(outcomes.items())), "utf-8")


@_BY_NAME
def test_outcomes_are_those_known(registry: Registry, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    if program(registry.program) is None:
        pytest.skip(f"missing program: {registry.program}")
    with registry.start(tmp_path) as server:
        run = run_suite(server.url, *registry.options)
    assert run.report is not None, run.stdout + run.stderr
    assert run.exit_code in {0, 1}, run.stdout + run.stderr

    if pytestconfig.getoption("--update-expected"):
        _write(registry.expected, run.decided)
    expected = yaml.safe_load(registry.expected.read_text(encoding="utf-8"))
    difference = _compare(expected, run)
    assert not difference, f"{registry.name}:\n{difference}"


@_BY_NAME
def test_each_finding_is_justified(registry: Registry) -> None:
    expected = yaml.safe_load(registry.expected.read_text(encoding="utf-8"))
    headings = "\n".join(_HEADING.findall(registry.page.read_text(encoding="utf-8")))

    missing = {id_ for id_, outcome in expected.items() if "broken" in outcome.split(" or ")} - set(
        _ID.findall(headings)
    )

    assert not missing, f"{registry.page.name} has no heading for {', '.join(sorted(missing))}"


@pytest.mark.parametrize("page", sorted({registry.page for registry in REGISTRIES}), ids=lambda page: page.stem)
def test_no_finding_is_stale(page: Path) -> None:
    broken = set()
    for registry in REGISTRIES:
        if registry.page == page:
            expected = yaml.safe_load(registry.expected.read_text(encoding="utf-8"))
            broken |= {id_ for id_, outcome in expected.items() if "broken" in outcome.split(" or ")}

    justified = {id_ for heading in _HEADING.findall(page.read_text(encoding="utf-8")) for id_ in _ID.findall(heading)}

    assert not justified - broken
