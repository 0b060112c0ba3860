"""Faults are convicted of what they break and of nothing else; variants are acquitted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reference.faults import ALL as FAULTS
from reference.variants import ALL as VARIANTS
from spec.catalogue import load
from tests.proof.cases import hidden_faults
from tests.support.collected import Collected
from tests.support.configurations import configured
from tests.support.sampling import sampled
from tests.support.suite import SuiteRun

#: The faults that the first issue names: each gives exactly one broken requirement.
NAMED = frozenset(
    {
        "upload-start-without-location",
        "manifest-put-200",
        "manifest-get-wrong-content-type",
        "blob-head-405",
        "blob-wrong-digest-accepted",
        "range-wrong-bytes",
        "tags-without-name",
        "tags-n-ignored",
        "tags-link-loops",
        "delete-deletes-nothing",
    }
)


@pytest.fixture(scope="session")
def forker() -> Iterator[Collected]:
    """Runs of the suite that share their start."""
    process = Collected()
    yield process
    process.close()


def told(run: SuiteRun) -> str:
    """What a run says of each requirement it found broken."""
    return run.stderr[-2000:] + "\n".join(run.explain(name) for name in run.broken)


@pytest.mark.parametrize("name", sampled([name for name, found in FAULTS.items() if not found.under_load], 6, NAMED))
def test_a_fault_is_convicted_of_what_it_breaks(name: str, tmp_path: Path, forker: Collected) -> None:
    """A requirement that the fault names is broken, and none that it does not name."""
    fault = FAULTS[name]
    with configured(fault.configuration, tmp_path, faults=[fault.name], variants=fault.variants) as target:
        options = (*target.options, *fault.options, "--timeout", "3", "--keep")
        run = forker.run(target.url, *options, env=target.env)
    assert run.exit_code in {0, 1}, run.stdout + run.stderr
    assert set(run.broken) & set(fault.breaks), f"missed; broken: {run.broken}\n{told(run)}"
    assert set(run.broken) <= {*fault.breaks, *fault.also}, f"too many\n{told(run)}"
    if fault.name in NAMED:
        assert len(run.broken) == 1, told(run)


@pytest.mark.parametrize("name", sampled(VARIANTS, 6))
def test_a_variant_is_acquitted(name: str, tmp_path: Path, forker: Collected) -> None:
    """A variant fails in no profile that allows it; the capabilities it lacks are absent."""
    variant = VARIANTS[name]
    with configured(variant.configuration, tmp_path, variants=[variant.name]) as target:
        run = forker.run(target.url, *target.options, "--keep", *variant.options, env=target.env)
    assert run.report is not None, run.stdout + run.stderr
    entries = run.report["requirements"]
    failed = [
        e["id"]
        for e in entries
        if e["outcome"] == "error" or "FAIL" in {e["verdicts"].get(profile) for profile in variant.profiles}
    ]
    assert not failed, told(run)
    verdicts = {profile: run.report["profiles"][profile]["verdict"] for profile in variant.profiles}
    if not variant.undecided:
        assert set(verdicts.values()) == {"PASS"}, (verdicts, told(run), _undecided(run))
    for lacking in variant.lacks:
        assert not run.report["target"]["capabilities"][lacking]["present"], lacking


def _undecided(run: SuiteRun) -> list[str]:
    assert run.report is not None
    return [f"{e['id']}: {e['reason']}" for e in run.report["requirements"] if e["outcome"] == "inconclusive"]


def test_the_faults_of_the_issue_are_there() -> None:
    """The faults that must each give exactly one finding exist under their names."""
    assert set(FAULTS) >= NAMED
    assert len(FAULTS) >= len(NAMED) * 4
    assert len(VARIANTS) >= 15  # so many were promised


def test_faults_name_requirements_of_the_catalogue() -> None:
    """What a fault says it breaks exists."""
    known = load()
    named = {name for fault in FAULTS.values() for name in (*fault.breaks, *fault.also)}
    assert not {name for name in named if name not in known}
    assert {name for fault in FAULTS.values() for name in fault.variants} <= set(VARIANTS)


def test_what_cannot_show_exists() -> None:
    """The faults and variants that are kept apart exist, and want the same set-up."""
    apart = [(FAULTS[fault], VARIANTS[variant]) for variant, faults in hidden_faults().items() for fault in faults]
    assert not [(f.name, v.name) for f, v in apart if f.configuration != v.configuration]
