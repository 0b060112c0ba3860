"""Two reports compared: what changed in the registry, and what changed in the catalogue."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from reports import ReportError, check, comparison
from reports.__main__ import main
from reports.compare import Comparison, Kind, compare
from reports.text import is_deceptive
from spec.model import Level, Outcome, weigh
from tests.reports import samples


def _report(**outcomes: str) -> dict[str, Any]:
    """The sample with other outcomes of some requirements, by ids with underscores."""
    entries = samples.report()["requirements"]
    for entry in entries:
        outcome = outcomes.get(entry["id"].replace("-", "_"))
        if outcome:
            entry["outcome"], _, entry["reason"] = outcome.partition(": ")
            entry["verdicts"] = {p: str(weigh(Outcome(entry["outcome"]), Level(x))) for p, x in entry["levels"].items()}
    return samples.report(entries)


def _compare(old: dict[str, Any], new: dict[str, Any], profile: str = "") -> Comparison:
    return compare(check(old), check(new), profile)


def _ids(compared: Comparison) -> dict[Kind, list[str]]:
    return {kind: ids for kind in Kind if (ids := [change.id for change in compared.of(kind)])}


def test_a_report_differs_in_nothing_from_itself() -> None:
    compared = _compare(samples.report(), samples.report())
    assert not compared.changes and not compared.notes and not compared.regressed
    assert "nothing differs" in comparison.text(compared)


@pytest.mark.parametrize(
    ("before", "after", "kind", "regressed"),
    [
        ("held", "broken", Kind.BROKEN, True),
        ("not tested", "broken", Kind.BROKEN, True),
        ("unsupported", "broken", Kind.BROKEN, True),
        ("broken", "held", Kind.REPAIRED, False),
        ("inconclusive", "held", Kind.DECIDED, False),
        ("unsupported", "held", Kind.DECIDED, False),
        ("held", "inconclusive", Kind.UNDECIDED, False),
        ("held", "error", Kind.UNDECIDED, False),
        ("broken", "unsupported", Kind.UNDECIDED, False),
        ("held", "unsupported: no answer of this kind came", Kind.UNDECIDED, False),
        ("held", "unsupported: the target lacks ranges", Kind.UNDECIDED, False),
        ("not tested", "inconclusive", None, False),
    ],
)
def test_what_happened_to_a_requirement(before: str, after: str, kind: Kind | None, regressed: bool) -> None:
    compared = _compare(_report(PULL_BLOB_GET_200=before), _report(PULL_BLOB_GET_200=after))
    assert _ids(compared) == ({kind: ["PULL-BLOB-GET-200"]} if kind else {})
    assert compared.regressed == regressed


def test_a_part_that_is_no_longer_offered() -> None:
    old, new = _report(PUSH_MOUNT_201="held"), _report(PUSH_MOUNT_201="unsupported: the target lacks ranges, mount")
    for report, there in ((old, True), (new, False)):
        report["target"]["capabilities"]["mount"] = {"present": there, "declared": False}
    compared = _compare(old, new)
    assert _ids(compared) == {Kind.LOST: ["PUSH-MOUNT-201"]}
    assert compared.regressed


def test_a_broken_permission_is_no_regression() -> None:
    """In docker-v2 the sample's mount is a MAY, elsewhere a SHOULD."""
    old, new = _report(PUSH_MOUNT_201="held"), _report(PUSH_MOUNT_201="broken")
    assert not _compare(old, new, "docker-v2").changes
    assert _ids(_compare(old, new, "oci-1.1")) == {Kind.BROKEN: ["PUSH-MOUNT-201"]}


def test_the_catalogue_is_told_apart() -> None:
    old, new = samples.report(), samples.report()
    entries = copy.deepcopy(new["requirements"])
    entries = [entry for entry in entries if entry["id"] != "BASE-GET-200"]
    mount = next(entry for entry in entries if entry["id"] == "PUSH-MOUNT-201")
    mount["levels"]["oci-1.1"] = "MUST"
    added = copy.deepcopy(mount) | {"id": "PUSH-NEW", "statement": "Something new."}
    digest = next(entry for entry in entries if entry["id"] == "PULL-MANIFEST-HEAD-DIGEST")
    digest["levels"]["oci-1.1"] = "MUST"
    digest["verdicts"]["oci-1.1"] = "FAIL"
    new = samples.report([*entries, added])
    compared = _compare(old, new)
    assert _ids(compared) == {
        Kind.LEVEL: ["PULL-MANIFEST-HEAD-DIGEST", "PUSH-MOUNT-201"],
        Kind.ADDED: ["PUSH-NEW"],
        Kind.DROPPED: ["BASE-GET-200"],
    }
    assert not compared.regressed
    assert "PULL-MANIFEST-HEAD-DIGEST: SHOULD, now MUST" in comparison.text(compared)


def test_a_part_of_the_suite_leaves_nothing_undecided() -> None:
    new = _report(PULL_BLOB_GET_200="not tested", PUSH_MOUNT_201="broken")
    new["run"]["complete"] = False
    compared = _compare(_report(PUSH_MOUNT_201="held"), new)
    assert _ids(compared) == {Kind.BROKEN: ["PUSH-MOUNT-201"]}
    assert any("Only a part of the suite" in note for note in compared.notes)


def test_a_profile_that_one_does_not_have() -> None:
    with pytest.raises(ReportError, match="OLD has no profile oci-9; it has docker-v2"):
        _compare(samples.report(), samples.report(), "oci-9")


def test_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    for path, report in ((old, _report(PULL_BLOB_GET_200="held")), (new, _report(PULL_BLOB_GET_200="broken"))):
        path.write_text(json.dumps(report), encoding="utf-8")
    assert main(["compare", str(old), str(new)]) == 1
    said = capsys.readouterr().out
    assert "1 newly broken" in said and "PULL-BLOB-GET-200: PASS, now FAIL" in said
    assert main(["compare", str(new), str(old)]) == 0
    assert main(["compare", str(old), str(new), "--format", "json", "-o", str(tmp_path / "out.json")]) == 1
    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert document["regressed"]
    assert document["counts"]["newly broken"] == 1
    assert document["changes"][0] | {"reason": "", "statement": ""} == {
        "kind": "newly broken",
        "of": "registry",
        "requirement": "PULL-BLOB-GET-200",
        "category": "pull",
        "statement": "",
        "levels": ["MUST", "MUST"],
        "verdicts": ["PASS", "FAIL"],
        "reason": "",
        "reworded": False,
    }
    assert main(["compare", str(old), str(tmp_path / "none.json")]) == 4
    capsys.readouterr()
    assert main(["compare", str(old), str(new), "--format", "markdown"]) == 1
    assert capsys.readouterr().out.startswith("# ❌ docker-registry 2.8.2")


def test_hostile_texts_are_plain() -> None:
    old, new = samples.hostile(samples.report()), samples.hostile(_report(PULL_BLOB_GET_200="broken"))
    compared = _compare(old, new)
    for text in (comparison.text(compared), comparison.as_markdown(compared), comparison.as_json(compared)):
        assert not any(is_deceptive(c) and c not in "\n\t" for c in text)
    made = re.sub(r"(`+).+?\1|<!-- -->|</?details>|</?summary>", "", comparison.as_markdown(compared))
    assert "<" not in made
