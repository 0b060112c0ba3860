"""The wheel, installed in an environment and used in a folder that know nothing of the checkout."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import reports
from tests.support.servers import ROOT, Server

_ONE = ("--requirement", "PULL-BLOB-GET-200", "--seed", "7", "--effort", "quick")


class Installed:
    """An environment with the wheel, and with the libraries of the one that the tests run in."""

    def __init__(self, folder: Path) -> None:
        build = [
            sys.executable,
            "-m",
            "build",
            "--no-isolation",
            "--wheel",
            "--outdir",
            str(folder / "dist"),
            str(ROOT),
        ]
        subprocess.run(build, check=True, capture_output=True)
        venv.create(folder / "env", with_pip=False)
        self.bin = folder / "env" / "bin"
        self.packages = next((folder / "env" / "lib").glob("python*/site-packages"))
        (self.packages / "libraries.pth").write_text(
            "\n".join({sysconfig.get_path("purelib"), *site.getsitepackages()})
        )
        wheel = next((folder / "dist").glob("*.whl"))
        pip = [sys.executable, "-m", "pip", "--python", str(self.bin / "python"), "install", "--no-index", "--no-deps"]
        subprocess.run([*pip, "--quiet", str(wheel)], check=True, capture_output=True)

    def run(self, folder: Path, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in a folder."""
        ours = ("REGISTRY_", "PYTEST_", "PYTHON")
        env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return subprocess.run(
            [str(self.bin / program), *words], cwd=folder, env=env, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build and install once."""
    return Installed(tmp_path_factory.mktemp("installed"))


def test_site_packages_has_one_name_of_ours(installed: Installed) -> None:
    found = {path.name for path in installed.packages.iterdir() if "pycache" not in path.name}
    ours = {name for name in found if not name.endswith((".dist-info", ".pth"))}
    assert ours == {"registry_conformance"}
    # Nothing of the suite can be imported by names that others use.
    for name in ("spec", "reports", "reference", "conformance"):
        done = installed.run(ROOT.parent, "python", "-c", f"import {name}")
        assert "ModuleNotFoundError" in done.stderr


def test_it_certifies_as_pytest_does(installed: Installed, open_registry: Server, tmp_path: Path) -> None:
    # A folder of the same name is no part of the suite.
    for name in ("spec", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError")
    by_command = installed.run(tmp_path, "registry-conformance", "certify", open_registry.url, *_ONE)
    assert by_command.returncode == 0, by_command.stdout + by_command.stderr
    report = json.loads((tmp_path / "report" / "report.json").read_bytes())
    options = ("--registry-url", open_registry.url, *_ONE, "--report", "other", "-p", "no:cacheprovider")
    by_pytest = installed.run(tmp_path, "python", "-m", "pytest", "--pyargs", "conformance", *options)
    assert by_pytest.returncode == 0, by_pytest.stdout + by_pytest.stderr
    other = json.loads((tmp_path / "other" / "report.json").read_bytes())
    assert report["requirements"] == other["requirements"]
    entry = next(entry for entry in report["requirements"] if entry["id"] == "PULL-BLOB-GET-200")
    scenario = next(name for name in entry["scenarios"] if name.startswith("conformance/scenarios/pull/"))
    assert report["run"]["command"].startswith(f"registry-conformance certify {open_registry.url} --seed 7")
    again = installed.run(tmp_path, "registry-conformance", "certify", open_registry.url, "--scenario", scenario)
    assert again.returncode == 0, again.stdout + again.stderr


def test_the_embedded_reference_comes_along(installed: Installed, tmp_path: Path) -> None:
    done = installed.run(tmp_path, "registry-conformance", "certify", "embedded", *_ONE, "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert installed.run(tmp_path, "registry", "-version").stdout.startswith("registry ")
    assert installed.run(tmp_path, "dist", "--version").stdout.startswith("dist 0")


def test_a_certificate_of_the_reference(installed: Installed, tmp_path: Path) -> None:
    whole = installed.run(tmp_path, "registry-conformance", "certify", "embedded")
    assert whole.returncode == 0, whole.stdout + whole.stderr
    # Whoever changes the suite tests it before the commit, and such a suite certifies nothing.
    report = json.loads((tmp_path / "report" / "report.json").read_bytes())
    report["suite"]["commit"] = (report["suite"]["commit"] or "").removesuffix("-dirty") or None
    reports.write(report, tmp_path / "report")
    for words in (("genpkey", "-algorithm", "ed25519", "-out", "key.pem"), ("pkey", "-in", "key.pem", "-pubout")):
        made = subprocess.run(["openssl", *words], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "key.pub").write_bytes(made.stdout)
    issued = ("report/report.json", "--key", "key.pem", "-o", "certificate.json")
    done = installed.run(tmp_path, "registry-conformance", "certificate", *issued)
    assert done.returncode == 0, done.stdout + done.stderr
    checked = ("certificate.json", "--key", "key.pub", "--report", "report/report.json", "--page", "report/report.html")
    done = installed.run(tmp_path, "registry-conformance", "verify", *checked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "it says what the report says" in done.stdout
    assert installed.run(tmp_path, "registry-conformance", "verify", *checked, "--at", "2099-01-01").returncode == 1
    # A part of the suite is not certified.
    assert installed.run(tmp_path, "registry-conformance", "certify", "embedded", *_ONE).returncode == 0
    part = ("report/part/report.json", "--key", "key.pem")
    done = installed.run(tmp_path, "registry-conformance", "certificate", *part)
    assert done.returncode == 1
    assert "Only a part of the suite was run" in done.stderr


def test_other_runs_of_pytest_are_left_alone(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys\n\ndef test_own():\n    assert not any('registry_conformance' in path for path in sys.path)\n"
    )
    for words in (("test_own.py",), ("--pyargs", "test_own")):
        done = installed.run(tmp_path, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 passed" in done.stdout
    said = installed.run(tmp_path, "python", "-m", "pytest", "--help").stdout
    assert "--registry-url" not in said
    assert "--registry-variant" not in said


def test_other_programs_embed_the_reference(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "embed.py").write_text(
        "import urllib.request\n"
        "import registry_conformance\n"
        "with registry_conformance.Registry(variants='location-absolute').serve() as running:\n"
        "    print(urllib.request.urlopen(running.url + '/v2/').status)\n"
    )
    assert installed.run(tmp_path, "python", "embed.py").stdout == "200\n"
    # Of ours it takes one name along, and that of somebody else it does not take.
    tried = "import registry_conformance; registry_conformance.load_reference(); import reports"
    assert "No module named 'reports'" in installed.run(tmp_path, "python", "-c", tried).stderr
    (tmp_path / "reference.py").write_text("")
    refused = installed.run(tmp_path, "python", "embed.py").stderr
    assert "reference.py has the name 'reference', so that the registry cannot be loaded beside it" in refused


def test_the_plugin_for_tests_of_clients(installed: Installed, tmp_path: Path) -> None:
    shutil.copy(ROOT / "docs" / "examples" / "test_client.py", tmp_path)
    words = ("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "test_client.py")
    done = installed.run(tmp_path, "python", *words, "-p", "registry_conformance.pytest_plugin")
    assert done.returncode == 0, done.stdout + done.stderr
