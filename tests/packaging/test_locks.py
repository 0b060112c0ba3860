"""The lock files agree with pyproject.toml, have hashes, and name nothing of the machine."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.servers import ROOT

_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_GENERATOR = "tests/clients/requirements-generator.txt"
_LOCKS = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-load.txt",
    "requirements-registry.txt",
    "requirements-dist.txt",
    _GENERATOR,
)


def _locked(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {canonicalize_name(package): version for package, version in _LOCKED.findall(text)}


def _asked(name: str) -> list[str]:
    runtime: list[str] = _PROJECT["project"]["dependencies"]
    asked: dict[str, list[str]] = {
        "requirements.txt": runtime,
        "requirements-dev.txt": [*runtime, *_PROJECT["project"]["optional-dependencies"]["dev"]],
        "requirements-load.txt": [*runtime, *_PROJECT["project"]["optional-dependencies"]["load"]],
        "requirements-registry.txt": _PROJECT["dependency-groups"]["registry"],
        "requirements-dist.txt": _PROJECT["dependency-groups"]["dist"],
        _GENERATOR: _PROJECT["dependency-groups"]["generator"],
    }
    return asked[name]


@pytest.mark.parametrize("name", _LOCKS)
def test_lock_satisfies_the_project(name: str) -> None:
    locked = _locked(name)
    for wanted in map(Requirement, _asked(name)):
        version = locked.get(canonicalize_name(wanted.name))
        assert version is not None, f"{name} lacks {wanted.name}: run make lock"
        assert wanted.specifier.contains(version, prereleases=True), f"{name}: {wanted} is locked at {version}"


@pytest.mark.parametrize("name", _LOCKS)
def test_each_package_has_a_hash(name: str) -> None:
    lines = [
        line for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")
    ]
    for line, following in pairwise(lines):
        if "==" in line:
            assert following.strip().startswith("--hash=sha256:"), line


@pytest.mark.parametrize("name", _LOCKS)
def test_lock_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)


@pytest.mark.parametrize("extra", ["keyless", "object-storage"])
def test_the_tests_have_the_extras_of_users(extra: str) -> None:
    """Keyless certificates and buckets are tried with what the extras ask for."""
    extras: dict[str, list[str]] = _PROJECT["project"]["optional-dependencies"]
    assert set(extras[extra]) <= set(extras["dev"])
    assert not {canonicalize_name(Requirement(one).name) for one in extras[extra]} & set(_locked("requirements.txt"))


def test_locks_agree() -> None:
    everything = _locked("requirements-dev.txt")
    for name in ("requirements.txt", "requirements-registry.txt", "requirements-dist.txt"):
        assert _locked(name).items() <= everything.items()
    assert _locked("requirements.txt").items() <= _locked("requirements-load.txt").items()


def test_public_files_are_there() -> None:
    for name in ("README.md", "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md"):
        assert (ROOT / name).is_file()
    assert "Apache License" in Path(ROOT / "LICENSE").read_text(encoding="utf-8")
