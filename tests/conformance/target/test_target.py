"""Nothing but what was asked for is certified: a forgotten or mistyped name ends the run with 4."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from conformance.run import variables
from conformance.run.option_table import OPTIONS
from conformance.settings import NAMESPACE
from reports import view
from tests.conformance.run.test_bad_input import refused
from tests.support.configurations import read_only
from tests.support.forking import Forker, environment
from tests.support.scripted.server import Answer, Asked, forward, serve
from tests.support.servers import ROOT, Server, reference

_BY_TAG = "--requirement=PULL-MANIFEST-GET-TAG-200"


def test_no_target(suite: Forker) -> None:
    refused(suite.run(None), "--registry-url: is not given, nor REGISTRY_URL; name the registry to certify, or 'emb")


@pytest.mark.parametrize("value", ["", " ", "\t\n"])
def test_an_empty_variable_names_no_target(value: str, suite: Forker, tmp_path: Path, open_registry: Server) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f'[tool.pytest]\nregistry_url = "{open_registry.url}"\n')
    for options in ((), ("-c", str(path))):
        refused(suite.run(None, *options, env={"REGISTRY_URL": value}), "REGISTRY_URL: is set, but empty; name the reg")


def test_the_reference_says_that_it_is_no_other(suite: Forker) -> None:
    for run in (
        suite.run("embedded", "--requirement=PULL-BLOB-GET-200"),
        suite.run(None, "--requirement=PULL-BLOB-GET-200", env={"REGISTRY_URL": "embedded"}),
    ):
        assert run.exit_code == 0, run.stdout + run.stderr
        assert run.stdout.splitlines()[0].startswith("Certifying the embedded reference, and no registry of yours")
        assert "verdict on the reference" in run.stdout
        assert view.EMBEDDED in " ".join(run.stdout.split())
        assert run.report is not None
        assert run.report["target"]["embedded"]


def test_another_target_is_no_reference(suite: Forker, open_registry: Server) -> None:
    run = suite.run(open_registry.url, "--requirement=PULL-BLOB-GET-200", "--product=registry-conformance/reference")
    assert run.stdout.splitlines()[0].startswith(f"Certifying {open_registry.url} by oci-1.1")
    assert run.report is not None
    assert "embedded" not in run.report["target"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"REGISTRY_USER": "c4nary"}, "REGISTRY_USER (did you mean REGISTRY_USERNAME?): is no option of the suite"),
        ({"REGISTRY_PROFIL": "c4nary"}, "REGISTRY_PROFIL (did you mean REGISTRY_PROFILE?): is no option"),
        ({"REGISTRY_CABUNDLE": "c4nary", "REGISTRY_X": ""}, "(did you mean REGISTRY_CA_BUNDLE?), REGISTRY_X: are no"),
    ],
)
def test_a_variable_that_nobody_reads(given: Mapping[str, str], words: str, suite: Forker) -> None:
    run = suite.run("embedded", env=given)
    refused(run, words)
    assert "c4nary" not in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("REGISTRY_HOST", "REGISTRY_URL"),
        ("REGISTRY_REGISTRY_URL", "REGISTRY_URL"),
        ("REGISTRY_PASS", "REGISTRY_PASSWORD"),
        ("REGISTRY_NAMESPACES", "REGISTRY_NAMESPACE"),
        ("REGISTRY_READONLY", "REGISTRY_READ_ONLY"),
        ("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", ""),
        ("url", "REGISTRY_URL"),
        ("OPTION", "OPTIONS"),
    ],
)
def test_what_was_meant(name: str, near: str) -> None:
    assert variables.meant(name, ("OPTIONS", "REPORT")) == near


def test_variables_of_others() -> None:
    """Variables of Kubernetes for a service named registry, and of skopeo, are no mistakes."""
    service = {
        "REGISTRY_SERVICE_HOST": "10.0.0.1",
        "REGISTRY_SERVICE_PORT": "5000",
        "REGISTRY_SERVICE_PORT_HTTP": "5000",
        "REGISTRY_PORT": "tcp://10.0.0.1:5000",
        "REGISTRY_PORT_5000_TCP": "tcp://10.0.0.1:5000",
        "REGISTRY_PORT_5000_TCP_ADDR": "10.0.0.1",
        "REGISTRY_MIRROR_SERVICE_HOST": "10.0.0.2",
        "REGISTRY_MIRROR_PORT": "tcp://10.0.0.2:5000",
    }
    assert not variables.unknown({**service, "REGISTRY_AUTH_FILE": "auth.json", "REGISTRY": "x", "CI_REGISTRY_URL": ""})
    assert variables.unknown({"REGISTRY_PORT": "5000"}) == ["REGISTRY_PORT"]
    assert not variables.unknown({option.variable: "" for option in OPTIONS})
    assert next(option.default for option in OPTIONS if option.name == "namespace") == NAMESPACE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("URL=http://127.0.0.1:1",), "there is no variable URL; did you mean REGISTRY_URL"),
        (("PROFILE=oci-1.0", "certify"), "there is no variable PROFILE; did you mean REGISTRY_PROFILE"),
        (("certify", "OPTION=--keep"), "there is no variable OPTION; did you mean OPTIONS"),
        (("test", "SOMETHING=x"), "there is no variable SOMETHING; there are CI DATE "),
    ],
)
def test_variables_of_make(words: tuple[str, ...], said: str) -> None:
    run = _make(*words)
    assert run.returncode == 2
    assert said in run.stderr
    assert "pytest" not in run.stdout


@pytest.mark.parametrize(
    ("words", "given", "embedded"),
    [
        ((), {}, True),
        (("OPTIONS=--category=base -n auto",), {}, True),
        (("REGISTRY_USERNAME=ann",), {}, True),
        (("REGISTRY_URL=http://127.0.0.1:1",), {}, False),
        (("REGISTRY_URL=",), {}, False),
        ((), {"REGISTRY_URL": ""}, False),
        ((), {"REGISTRY_URL": "http://127.0.0.1:1"}, False),
        (("OPTIONS=--registry-url http://127.0.0.1:1",), {}, False),
        (("OPTIONS=-c own.toml",), {}, False),
        (("OPTIONS=--config own.yaml",), {}, False),
        ((), {"REGISTRY_CONFIG": "own.yaml"}, False),
        ((), {"PYTEST_ADDOPTS": "--registry-url=http://127.0.0.1:1"}, False),
    ],
)
def test_make_names_the_reference_where_nothing_else_is(
    words: tuple[str, ...], given: Mapping[str, str], embedded: bool
) -> None:
    line = _make("-n", "certify", *words, env=given).stdout.splitlines()[-1]
    assert "-m pytest conformance" in line
    assert ("--registry-url embedded" in line) == embedded


def _make(*words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    given = environment({}) | dict(env or {})
    command = ["make", "--no-print-directory", *words]
    return subprocess.run(command, check=False, cwd=ROOT, env=given, capture_output=True, text=True, timeout=60)


def test_make_tells_the_exit_code() -> None:
    """GNU make ends with 2 whatever its recipe ended with; that code is in its last line."""
    run = _make("certify", env={"REGISTRY_URL": "http://127.0.0.1:1"})
    assert run.returncode == 2
    assert "the connection was refused" in run.stderr
    assert run.stderr.splitlines()[-1].endswith("certify] Error 4")


@pytest.mark.parametrize("name", ["team/one:nope", "team/nope:v1", "team/one@sha256:" + 64 * "0"])
def test_existing_that_is_not_there(name: str, suite: Forker, tmp_path: Path) -> None:
    with read_only(tmp_path) as target:
        run = suite.run(target.url, "--read-only", "--existing", name)
    refused(run, f"--existing: {name} is not there (status 404 to the pull of its manifest from {target.url})")


@pytest.mark.parametrize("status", [403, 404])
def test_existing_that_is_listed_was_not_mistyped(status: int, suite: Forker, tmp_path: Path) -> None:
    """The run goes on, and says of what could not be pulled that it is undecided."""

    def deny(asked: Asked) -> Answer:
        return Answer(status) if "/manifests/" in asked.path else forward(asked, target.server.url)

    with read_only(tmp_path) as target, serve(deny) as server:
        run = suite.run(server.url, *target.options, _BY_TAG)
    assert run.exit_code == 5, run.stdout + run.stderr
    assert f"cannot be pulled (status {status})" in run.explain("PULL-MANIFEST-GET-TAG-200")


def test_existing_in_a_server_with_a_fault_is_judged(suite: Forker) -> None:
    with serve(lambda asked: Answer(200 if asked.path == "/v2/" else 500, b"{}")) as server:
        run = suite.run(server.url, "--read-only", "--existing=a:b", _BY_TAG)
    assert run.exit_code != 4, run.stdout + run.stderr


@pytest.mark.needs("openssl")
def test_http_where_tls_is_spoken(suite: Forker, tls_files: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = tls_files
    tls = {"tls": {"certificate": str(cert), "key": str(key)}}
    with reference(tmp_path, config={"version": "0.1", "storage": {"inmemory": {}}, "http": tls}) as server:
        url = server.url.replace("https:", "http:")
        refused(suite.run(url), f"--registry-url: {url}: the server speaks TLS there; give https:// for http://")
