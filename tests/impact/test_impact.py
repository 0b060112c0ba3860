"""The six prepared changes give exactly the expected impact, and a replay gives what the live run gave."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from conformance.contract import Contract
from conformance.impact.__main__ import main as impact_main
from conformance.impact.effects import Effect, Way
from conformance.impact.impact import Impact, impact
from conformance.impact.lines import lines
from conformance.impact.runs import published
from conformance.recording import entries
from spec import diff
from spec.__main__ import main
from spec.implemented import by_outcome
from tests.spec import prepared
from tests.support.servers import ROOT

PUBLISHED = ROOT / "reports" / "published"
#: One run of each registry.
RUNS = [
    PUBLISHED / f"{name}.json.gz"
    for name in ("distribution-v3", "docker-registry", "go-containerregistry", "olareg", "reference", "zuul-registry")
]
ALL = ("docker-v2", "oci-1.0", "oci-1.1", "oci-1.2-dev")
DOCKER, ZUUL, REFERENCE = "docker-registry 2.8.2", "zuul-registry 1.3.0", "registry-conformance/reference 0.1.0"
OTHERS = ("distribution v3 0d6b721dc", "go-containerregistry 3f4ff3ca", "olareg 79de6b4")

_Row = tuple[str, str, str, str, tuple[str, ...]]


def rows(found: Impact) -> set[_Row]:
    together: dict[tuple[str, str, str, str], list[str]] = {}
    for outlook in found.outlooks:
        key = (outlook.effect.value, outlook.requirement, outlook.registry, outlook.way.value)
        together.setdefault(key, []).append(outlook.profile)
    return {(*key, tuple(profiles)) for key, profiles in together.items()}


def of(folder: Path, changes: Iterable[str]) -> Impact:
    old, new = prepared.tree(folder / "old"), prepared.tree(folder / "new", changes)
    with diff.tree(str(old), old) as before, diff.tree(str(new), new) as after:
        return impact(before, after, published(RUNS))


EXPECTED: dict[str, set[_Row]] = {
    "raise": {("newly FAIL", "PULL-ACCEPT-CASE", DOCKER, "weighed", ("oci-1.2-dev",))},
    "lower": {
        ("FAIL no more, WARNING now", "PUSH-PATCH-OUT-OF-ORDER-GAP-416", registry, "weighed", ("oci-1.1",))
        for registry in (DOCKER, ZUUL)
    },
    "null": {
        ("no longer asked", "DISC-TAGS-ORDER-MIXED-CASE", registry, "weighed", ("oci-1.1",))
        for registry in (DOCKER, REFERENCE, *OTHERS)
    },
    "new": {
        ("newly FAIL", "PULL-BLOB-GET-ETAG", ZUUL, "replayed", ("oci-1.2-dev",)),
        ("newly PASS", "PULL-BLOB-GET-ETAG", DOCKER, "replayed", ("oci-1.2-dev",)),
        ("newly PASS", "PULL-BLOB-GET-ETAG", REFERENCE, "replayed", ("oci-1.2-dev",)),
        *(("unknown", "PULL-BLOB-GET-ETAG", registry, "unknown", ("oci-1.2-dev",)) for registry in OTHERS),
    },
    "status": {
        ("newly FAIL", "MGMT-BLOB-DELETE-202", DOCKER, "replayed", ALL),
        ("newly FAIL", "MGMT-BLOB-DELETE-202", REFERENCE, "replayed", ALL),
        *(("unknown", "MGMT-BLOB-DELETE-202", registry, "unknown", ALL) for registry in (ZUUL, *OTHERS)),
    },
    "schema": {
        ("newly FAIL", "BASE-ERROR-JSON-SHAPE", DOCKER, "replayed", ALL),
        ("newly FAIL", "BASE-ERROR-JSON-SHAPE", REFERENCE, "replayed", ALL),
        # What presumes it is its consequence now.
        ("no longer decided", "BASE-NAME-INVALID-400", DOCKER, "weighed", ("docker-v2",)),
        ("no longer decided", "PUSH-MANIFEST-MALFORMED-REJECTED", DOCKER, "weighed", ALL),
        ("no longer decided", "PUSH-MANIFEST-MISSING-BLOB-DETAIL", DOCKER, "weighed", ("docker-v2",)),
        *(("unknown", "BASE-ERROR-JSON-SHAPE", registry, "unknown", ALL) for registry in OTHERS),
    },
}


def test_six_prepared_changes_give_exactly_their_impact(tmp_path: Path) -> None:
    found = of(tmp_path, prepared.CHANGES)
    assert rows(found) == set().union(*EXPECTED.values())
    told = [*lines(found)]
    assert told[0] == (
        f"raises PULL-ACCEPT-CASE to MUST in oci-1.2-dev: newly failing: {DOCKER}; "
        f"holding it: distribution v3 0d6b721dc, go-containerregistry 3f4ff3ca, olareg 79de6b4, {REFERENCE}; "
        f"undecided: {ZUUL}; no one else is known"
    )
    assert len(told) == 9
    assert set(found.replayed) == {DOCKER, ZUUL, REFERENCE}


@pytest.mark.parametrize("change", ["raise", "lower", "null"])
def test_one_change_of_a_level_gives_its_own(tmp_path: Path, change: str) -> None:
    found = of(tmp_path, [change])
    assert rows(found) == EXPECTED[change]
    assert found.replayed == {}


def test_several_runs_of_a_registry_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    again = tmp_path / "again" / "docker-registry.json.gz"
    again.write_bytes((PUBLISHED / "docker-registry.json.gz").read_bytes())
    names = [run.name for run in published([PUBLISHED, again]) if run.name.startswith(DOCKER)]
    assert names == [f"{DOCKER} (delete-off)", f"{DOCKER} (tokens)", DOCKER, f"{DOCKER} ({again})"]
    off = by_outcome(ROOT, "MGMT-BLOB-DELETE-DISABLED-400-405")
    assert DOCKER in off["held"], "it is held by the run without deletion alone"


def test_nothing_changed_says_nothing(tmp_path: Path) -> None:
    assert of(tmp_path, ()).outlooks == ()


@pytest.mark.parametrize("name", sorted(path.name for path in PUBLISHED.glob("*.har.gz")))
def test_a_replay_of_a_published_run_is_its_live_run(name: str) -> None:
    """Each exchange gives the same judgements of the contract as it gave when it came."""
    (run,) = published([PUBLISHED / name.replace(".har.gz", ".json.gz")])
    assert run.recording is not None
    contract = Contract.load()
    found = [(each, contract.check(each.exchange)) for each in entries(run.recording)]
    assert len(found) >= run.report["run"]["exchanges"]["count"]
    live = [(each.exercised, {*each.breaches}) for each, _ in found]
    assert [(checked.exercised, {b.requirement for b in checked.breaches}) for _, checked in found] == live
    assert run.recording.stat().st_size < 3 * 1024 * 1024


def test_the_command_prints_each_form(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    old, new = prepared.tree(tmp_path / "old"), prepared.tree(tmp_path / "new", ["raise"])
    report = str(PUBLISHED / "docker-registry.json.gz")
    assert main(["impact", str(old), str(new), "--runs", report, "--format", "json", "--fail-on", "fails"]) == 1
    data = json.loads(capfd.readouterr().out)
    assert [(o["requirement"], o["effect"]) for o in data["outlooks"]] == [("PULL-ACCEPT-CASE", Effect.FAILS)]
    assert impact_main([str(old), str(new), "--runs", report]) == 0
    assert (
        "PULL-ACCEPT-CASE on docker-registry 2.8.2: WARNING -> FAIL (weighed) in oci-1.2-dev" in capfd.readouterr().out
    )
    assert impact_main([str(old), str(new), "--runs", report, "--format", "markdown"]) == 0
    assert "## Newly FAIL (1)" in capfd.readouterr().out
    assert impact_main([str(old), str(new), "--runs", report, "--profile", "oci-1.1", "--fail-on", "unknown"]) == 0


def test_what_is_unknown_comes_with_its_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = prepared.tree(tmp_path / "old"), prepared.tree(tmp_path / "new", ["new"])
    report = str(PUBLISHED / "olareg.json.gz")
    assert impact_main([str(old), str(new), "--runs", report, "--fail-on", "unknown"]) == 1
    assert "--registry-url URL --requirement PULL-BLOB-GET-ETAG" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--runs", "nowhere.json"), "--runs: nowhere.json cannot be read"),
        (("--runs", "{empty}"), "has no report (*.json or *.json.gz)"),
        (("--runs", "{damaged}"), "is not a report: no valid JSON (it is compressed, and damaged)"),
        (("--profile", "oci-9"), "--profile: there is no 'oci-9'"),
    ],
)
def test_bad_input_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    old = prepared.tree(tmp_path / "old")
    (tmp_path / "empty").mkdir()
    damaged = tmp_path / "damaged.json.gz"
    damaged.write_bytes(gzip.compress(b"{}" * 1000)[:20])
    filled = [word.format(empty=tmp_path / "empty", damaged=damaged) for word in words]
    assert impact_main([str(old), str(old), *filled]) == 4
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_damaged_recording_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = prepared.tree(tmp_path / "old"), prepared.tree(tmp_path / "new", ["status"])
    (tmp_path / "runs").mkdir()
    name = "reference.json.gz"
    (tmp_path / "runs" / name).write_bytes((PUBLISHED / name).read_bytes())
    (tmp_path / "runs" / "reference.har.gz").write_bytes(b"\x1f\x8b damaged")
    assert impact_main([str(old), str(new), "--runs", str(tmp_path / "runs")]) == 4
    assert "reference.har.gz is no recording" in capsys.readouterr().err


def test_ways_are_told_apart() -> None:
    assert {row[3] for rows_ in EXPECTED.values() for row in rows_} == {way.value for way in Way}
