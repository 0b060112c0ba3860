"""Certificates: what the rules refuse, and what a changed byte, another key or another day does to one."""

from __future__ import annotations

import base64
import copy
import datetime
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from reports.__main__ import main
from reports.certificate.envelope import PAYLOAD_TYPE
from spec.catalogue import load
from tests.reports import samples
from tests.reports.certificate.desk import PROFILE, Desk, started


def test_a_certificate_verifies(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.issue() == 0
    assert desk.verify() == 0
    said = capsys.readouterr().out
    assert "certificate.json is good." in said
    assert f"docker-registry 2.8.2 conforms to {PROFILE}" in said
    assert "it says what the report says" in said
    assert "Not proven:\n  - who holds the key" in said
    # Without the documents it is good too, and says that they were not seen.
    assert desk.verify(whole=False) == 0
    assert "none was given (--report)" in capsys.readouterr().out


def test_the_statement_is_of_in_toto(desk: Desk) -> None:
    assert desk.issue("--artifact", f"registry.tar={'sha256:' + 'a' * 64}") == 0
    made = desk.statement()
    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert [subject["name"] for subject in made["subject"]] == ["report.json", "report.html", "registry.tar"]
    predicate = made["predicate"]
    assert predicate["result"] == "PASSED" and not predicate["failedTests"]
    assert len(predicate["passedTests"]) == len(load().of_profile(PROFILE))
    assert desk.verify() == 0


def test_a_warning_is_told(desk: Desk) -> None:
    name = next(r.id for r in load().of_profile(PROFILE) if r.levels[PROFILE] == "SHOULD")
    desk.become(name, "broken")
    assert desk.issue() == 0
    assert desk.statement()["predicate"]["warnedTests"] == [name]
    assert desk.statement()["predicate"]["result"] == "WARNED"


@pytest.mark.parametrize("name", ["report/report.json", "report/report.html", "certificate.json"])
def test_a_changed_byte_is_seen(desk: Desk, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.issue() == 0
    path = desk.folder / name
    data = path.read_bytes()
    for place in (len(data) // 3, len(data) // 2):
        changed = bytearray(data)
        changed[place] ^= 1
        path.write_bytes(bytes(changed))
        assert desk.verify() == 1
        assert "NOT good" in capsys.readouterr().out
    path.write_bytes(data)
    assert desk.verify() == 0


def test_another_key_does_not_verify(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.issue() == 0
    assert desk.verify(key="other") == 1
    said = capsys.readouterr().out
    assert "is not signed by this key, or was changed since" in said
    assert "It says" not in said
    assert desk.issue(key="other") == 0
    assert desk.verify(key="other") == 0


def test_it_expires(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.issue("--days", "10") == 0
    today = datetime.datetime.now(tz=datetime.UTC).date()
    for days, code in ((0, 0), (9, 0), (12, 1), (-2, 1)):
        assert desk.verify("--at", (today + datetime.timedelta(days=days)).isoformat()) == code
    assert "it expired on" in capsys.readouterr().out
    assert desk.issue("--days", "400") == 4
    assert desk.verify("--at", "soon") == 4


def test_another_statement_in_its_place(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """An envelope with its signature, and another payload or kind of it."""
    assert desk.issue() == 0
    path = desk.folder / "certificate.json"
    envelope = json.loads(path.read_bytes())
    made = desk.statement()
    made["predicate"]["configuration"][1]["annotations"]["expires"] = "2099-01-01"
    changes: tuple[dict[str, Any], ...] = (
        {"payload": base64.b64encode(json.dumps(made).encode()).decode()},
        {"payloadType": "application/json"},
        {"signatures": []},
        {"signatures": [{"sig": "!"}]},
        {"payload": None},
    )
    for change in changes:
        path.write_text(json.dumps(envelope | change), encoding="utf-8")
        assert desk.verify() == 1
    assert envelope["payloadType"] == PAYLOAD_TYPE
    path.write_text("[]", encoding="utf-8")
    assert desk.verify() == 1
    assert "Traceback" not in capsys.readouterr().err


def _first(level: str) -> str:
    return next(r.id for r in load().of_profile(PROFILE) if r.levels[PROFILE] == level and not r.untestable)


def test_refused_for_its_run(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    good = copy.deepcopy(desk.report)
    for part, change, said in (
        ("run", {"complete": False}, "Only a part of the suite was run"),
        ("run", {"exit_code": 3}, "ended with exit code 3"),
        ("run", {"exit_code": 2}, "ended with exit code 2"),
        ("run", {"options": {"effort": "quick"}}, "--effort quick"),
        ("run", {"started": started(40)}, "within 30 days of the run"),
        ("run", {"started": started(-2)}, "which has not come yet"),
        ("suite", {"commit": "0123456789ab-dirty"}, "changes that no commit has"),
        ("target", {"product": None, "version": None}, "give --product and --product-version"),
    ):
        desk.report = copy.deepcopy(good)
        desk.report[part].update(change)
        assert desk.issue() == 1
        assert said in capsys.readouterr().err
        assert not (desk.folder / "certificate.json").exists()


@pytest.mark.parametrize(
    ("became", "said"),
    [
        (("broken", "", ""), "1 MUST are broken."),
        (("broken", "", "KNOWN_FAILURE"), "which declaring them known does not change"),
        (("inconclusive", "", ""), "1 MUST could not be decided."),
        (("not tested", "", ""), "1 MUST were not tested."),
        (("not tested", "writing", ""), "for want of writing, which may not be withheld"),
        (("not tested", "content", ""), "for want of content, which may not be withheld"),
        (("error", "", ""), "The suite itself erred"),
    ],
)
def test_refused_for_a_must(
    desk: Desk, became: tuple[str, str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.become(_first("MUST"), *became)
    if became[2]:
        for profile, result in desk.report["profiles"].items():
            result["verdict"] = "KNOWN_FAILURE" if profile == PROFILE else "FAIL"
    assert desk.issue() == 1
    assert said in capsys.readouterr().err


def test_a_known_failure_of_a_should_is_listed(desk: Desk) -> None:
    name = _first("SHOULD")
    desk.become(name, "broken", verdict="KNOWN_FAILURE")
    for profile, result in desk.report["profiles"].items():
        result["verdict"] = "KNOWN_FAILURE" if profile == PROFILE else "FAIL"
    assert desk.issue() == 0
    annotations = desk.statement()["predicate"]["configuration"][1]["annotations"]
    assert annotations["knownFailures"] == [name]
    assert desk.verify() == 0


def test_accounts_may_be_withheld_and_are_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.become(_first("MUST"), "not tested", "accounts")
    assert desk.issue() == 0
    assert desk.verify() == 0
    assert "1 not tested" in capsys.readouterr().out


def test_refused_for_an_outdated_catalogue(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    entries = [entry for entry in desk.report["requirements"] if entry["id"] != _first("MAY")]
    kept = {part: desk.report[part] for part in ("suite", "target", "run")}
    desk.report = samples.report(entries) | kept
    assert desk.issue() == 1
    assert "by another catalogue of requirements" in capsys.readouterr().err


def test_refused_for_categories_that_were_left_out(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    for result in desk.report["profiles"].values():
        result["scope"]["claimed"] = [c for c in result["categories"] if c not in {"push", "management"}]
    assert desk.issue() == 1
    assert "The categories push, management were left out." in capsys.readouterr().err
    # A registry that takes no pushes has none.
    desk.report["target"]["capabilities"]["push"]["present"] = False
    assert desk.issue() == 0


def test_refused_for_another_page(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.write()
    page = desk.folder / "other.html"
    page.write_text("<h1>PASS</h1>", encoding="utf-8")
    assert desk.issue("--page", str(page)) == 1
    assert "is not the page of this report" in capsys.readouterr().err


def test_keys_that_cannot_be_used(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Ed25519PrivateKey.generate()
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"c4nary"))
    (desk.folder / "locked.pem").write_bytes(locked)
    (desk.folder / "text.pem").write_text("c4nary", encoding="utf-8")
    large = rsa(public_exponent=65537, key_size=2048)
    (desk.folder / "rsa.pem").write_bytes(
        large.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    for name, said in (
        ("locked", "needs one: the password of the key"),
        ("text", "is not an Ed25519 key"),
        ("rsa", "is not an Ed25519 key"),
        ("none", "cannot be read"),
    ):
        assert desk.issue(key=name) == 4
        told = capsys.readouterr().err
        assert said in told and "c4nary" not in told and "--key" in told
    monkeypatch.setenv("CERTIFICATE_KEY_PASSWORD", "c4nary")
    assert desk.issue(key="locked") == 0
    assert main(["verify", desk.place("certificate.json"), "--key", desk.place("own.pem")]) == 4
    assert "is a private key" in capsys.readouterr().err


def test_as_json(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.issue() == 0
    capsys.readouterr()
    assert desk.verify("--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["good"] and not told["problems"]
    assert told["statement"] == desk.statement()


def test_options_that_cannot_be_used(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.write()
    report, key, digest = desk.place("report/report.json"), desk.place("own.pem"), "a" * 64
    for options, said in (
        (("--profile", "oci-9"), "--profile: "),
        (("--artifact", f"report.json=sha256:{digest}"), "--artifact: 'report.json' is taken"),
        (("--artifact", f"a=sha256:{digest}", "--artifact", f"a=sha256:{digest}"), "--artifact: 'a' is taken"),
        (("--artifact", f"a\x1b=sha256:{digest}"), "cannot be the name of one"),
        (("--page", desk.place("none.html")), "--page: "),
        (("-o", str(desk.folder)), "--output "),
    ):
        assert main(["certificate", report, "--key", key, *options]) == 4
        assert said in capsys.readouterr().err
    assert main(["verify", report, "--key", desk.place("own.pub"), "--at", ""]) == 4
    assert "--at: expected a date" in capsys.readouterr().err
