"""What a load refuses: a host that is not named twice, and options and mixes that are none; each in one sentence."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from conformance.load import command, mix, options

URL = "http://registry.example:5000"
AGREED = ("--registry-url", URL, "--yes-load", "registry.example:5000")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Locust seems to be installed, and neither environment nor folder names options."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("REGISTRY_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--registry-url", URL), "--yes-load: a load may bring a registry down; if this one is yours"),
        (("--registry-url", URL, "--yes-load", "other.example"), "--yes-load: 'other.example' is not the host"),
        (("--registry-url", URL, "--yes-load", "registry.example"), "is not the host of --registry-url, which is"),
        ((), "--registry-url: is not given"),
        (("--registry-url", "embedded", "--yes-load", "embedded"), "--registry-url: embedded is for a run"),
        ((*AGREED, "--users", "0"), "--users: expected a number from 1 to 10000, not '0'"),
        ((*AGREED, "--users", "many"), "--users: expected a number"),
        ((*AGREED, "--time", "soon"), "--time: expected 1s to 6h"),
        ((*AGREED, "--time", "7h"), "--time: expected 1s to 6h"),
        ((*AGREED, "--requests", "-1"), "expected"),
        ((*AGREED, "--mix", "missing.yaml"), "--mix: missing.yaml cannot be read"),
        ((*AGREED, "--page-port", "70000"), "--page-port: expected a number from 1 to 65535"),
        ((*AGREED, "--timeout", "soon"), "--timeout: expected seconds"),
        ((*AGREED, "--read-only"), "unrecognized arguments: --read-only"),
    ],
)
def test_one_sentence_and_exit_code_4(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.run(arguments) == 4
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.err.startswith("ERROR: ")
    assert captured.err.count("\n") == 1
    assert not Path("report").exists()


def test_without_locust_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert command.run(AGREED) == 4
    assert "Locust is not installed" in capsys.readouterr().err


@pytest.mark.parametrize("named", ["registry.example:5000", "Registry.Example:5000"])
def test_the_host_named_twice_is_agreed_to(named: str) -> None:
    asked = options.read(("--registry-url", URL, "--yes-load", named, "--users", "8", "--time", "1m30s"))
    assert asked.steps.users == (1, 2, 4, 8)
    assert asked.steps.seconds == pytest.approx(90)
    assert asked.settings.report == Path("report/load")
    assert asked.mix.deeds["pull"] == 12


def test_options_of_the_environment_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_URL", URL)
    monkeypatch.setenv("REGISTRY_USERNAME", "loader")
    monkeypatch.setenv("REGISTRY_PASSWORD", "of-a-test")
    asked = options.read(("--yes-load", "registry.example:5000"))
    assert asked.settings.credentials is not None
    assert "of-a-test" not in repr(asked)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("deeds: {pull: 1}\ndeeds: {push: 1}\n", ":2: deeds stands twice"),
        ("deeds:\n  pull: 1\n  tag: 2\n", ":3: there is no 'tag'; there are pull, push, list, mount, delete"),
        ("deeds:\n  pull: 0\n", ":1: deeds has to name one of"),
        ("deeds: {pull: -1}\n", ":1: pull is a number from 0 to 1000000"),
        ("deeds: {pull: 1}\nimage:\n  layers: 0\n", ":3: layers is a number from 1 to 50"),
        ("deeds: {pull: 1}\nkept: [1]\n", ":2: kept is a number from 1 to 10000"),
        ("deeds: {pull: 1}\npause: [3, 1]\n", ":2: pause is [LEAST, MOST] in seconds"),
        ("deeds: {pull: 1}\npause: [a, b, c]\n", ":2: pause is [LEAST, MOST] in seconds"),
        ("deeds: {pull: 1}\nusers: 4\n", ":2: there is no member 'users'"),
        ("deeds: pull\n", ":1: expected members named"),
        ("- deeds\n", ":1: expected members such as deeds and image"),
        ("deeds: {pull: 1\n", ": is not valid YAML"),
    ],
)
def test_a_mix_that_is_none(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "mix.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(mix.MixError) as raised:
        mix.read(path)
    assert str(raised.value).startswith(str(path))
    assert told in str(raised.value)
