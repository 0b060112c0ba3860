"""The options of keyless certificates, and an installation without the package of sigstore."""

from __future__ import annotations

import sys

import pytest

from reports.__main__ import main
from tests.reports.certificate.desk import Desk

_IDENTITY = ("--identity", "ann@example.com", "--issuer", "https://issuer.example.com")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("certificate", "report.json"), "expected one of --key FILE and --keyless"),
        (("certificate", "report.json", "--key", "key.pem", "--keyless"), "expected one of --key FILE and --keyless"),
        (("certificate", "report.json", "--key", "key.pem", "--identity-token-file", "t"), "go with --keyless"),
        (("certificate", "report.json", "--key", "key.pem", "--trust-config", "t"), "go with --keyless"),
        (("verify", "certificate.json"), "expected either --key FILE, or --identity ID and --issuer URL"),
        (("verify", "certificate.json", *_IDENTITY[:2]), "expected either --key FILE"),
        (("verify", "certificate.json", *_IDENTITY[2:]), "expected either --key FILE"),
        (("verify", "certificate.json", "--key", "key.pub", *_IDENTITY), "expected either --key FILE"),
        (("verify", "certificate.json", "--key", "key.pub", "--trust-config", "t"), "goes with --identity"),
    ],
)
def test_options_that_do_not_go_together(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 4
    assert said in capsys.readouterr().err


def test_without_the_package(desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "sigstore", None)
    monkeypatch.delitem(sys.modules, "reports.certificate.keyless", raising=False)
    desk.write()
    output = desk.folder / "certificate.json"
    for words in (
        ["certificate", desk.place("report/report.json"), "--keyless", "-o", str(output)],
        ["verify", desk.place("report/report.json"), *_IDENTITY],
    ):
        assert main(words) == 4
        told = capsys.readouterr().err
        assert "sigstore is not installed; pip install 'registry-conformance[keyless]' installs it." in told
        assert len(told.splitlines()) == 1
    assert not output.exists()
    # A key needs none of it.
    assert desk.issue() == 0 and desk.verify() == 0
