"""The plugin for the tests of clients: the fixture, the marker, the options, and what they refuse."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from reference import Registry, legal_variants, pytest_plugin
from tests.support.servers import ROOT

_HEAD = "import pytest, requests\n\n"
_PUSHED = """
def location(registry):
    return requests.post(f"{registry.url}/v2/a/blobs/uploads/", timeout=5).headers["Location"]
"""
_GOOD = (
    _HEAD
    + _PUSHED
    + """
pytestmark = pytest.mark.registry(users={"me": "secret"})


@pytest.fixture
def client(registry):
    with requests.Session() as session:
        session.auth = ("me", "secret")
        yield session


@pytest.mark.parametrize("number", [1, 2])
def test_own(registry, client, number):
    assert requests.get(registry.url + "/v2/", timeout=5).status_code == 401
    assert client.get(registry.url + "/v2/a/tags/list").status_code == 404
    assert client.post(registry.url + "/v2/a/blobs/uploads/?digest=sha256:" + 64 * "0").status_code == 400
    digest = "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    assert client.post(registry.url + "/v2/a/blobs/uploads/?digest=" + digest, data=b"a").status_code == 201
    assert client.get(registry.url + "/v2/a/tags/list").status_code == 200


@pytest.mark.registry(variant="location-absolute")
class TestOdd:
    @pytest.mark.registry(variant=["digest-header-sha384"], fault="blob-spoilt-when-large", delete=False)
    def test_added_up(self, registry):
        assert registry.variants == ("location-absolute", "digest-header-sha384")
        assert registry.faults == ("blob-spoilt-when-large",)

    def test_alone(self, registry, client):
        assert registry.variants == ("location-absolute",)
        started = client.post(f"{registry.url}/v2/a/blobs/uploads/")
        assert started.headers["Location"].startswith(registry.url)

    @pytest.mark.registry(users={})
    def test_nearest(self, registry):
        assert location(registry).startswith(registry.url)


@pytest.mark.registry(variants=["push.locations", "manifest-ranges"], without="location-by-tag")
def test_each(registry, registry_variant):
    assert registry.variants == (registry_variant,)


@pytest.mark.registry(variants="all", needs="delete-tag", profile="oci-1.1")
def test_without_the_fixture():
    pass
"""
)
#: Modules that are refused, each with what is said.
_BAD = {
    'variant="location-absolut"': "there is no variant 'location-absolut'; close matches: location-absolute,",
    'variants="push.location"': "there is no variant or theme 'push.location'; close matches: push.locations,",
    'fault="blob-truncate"': "there is no fault 'blob-truncate'; close matches: blob-truncated",
    'varient="slow"': "has no argument 'varient'; close matches: variant",
    '"slow"': "takes arguments by name, such as variant='location-absolute'",
    "variant=None": "variant=None is not a name or a list of names",
    "delete=0": "delete=0 is not True or False",
    "profile=1": "profile=1 is not the name of a profile",
    'users=["me:very-secret"]': "users is not a dictionary of passwords by name",
    'without="push"': "without needs variants='all' or a theme",
    'variant="tls-only"': "needs the configuration 'tls', which no embedded registry has",
    'variant="large-blobs-on-another-host"': "needs the argument users=",
}


def _run(folder: Path, modules: Mapping[str, str], *words: str) -> tuple[int, str]:
    """Run pytest in a folder of its own, with no plugin but ours; where there is a conftest.py, that names it."""
    named = () if "conftest.py" in modules else ("-p", "reference.pytest_plugin")
    for name, text in modules.items():
        (folder / name).write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -W error\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "REGISTRY_"))}
    env |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words]
    done = subprocess.run(
        [*command, *named, "--color=no", "-rA"], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a run says of tests that hold, those of the documentation among them."""
    example = (ROOT / "docs" / "examples" / "test_client.py").read_text(encoding="utf-8")
    code, said = _run(tmp_path_factory.mktemp("held"), {"test_good.py": _GOOD, "test_client.py": example})
    assert code == 0, said
    return said


def test_the_example_of_the_documentation_holds(told: str) -> None:
    assert told.count("PASSED test_client.py") == len(legal_variants("push.locations")) + 2


def test_markers_say_what_the_registry_of_a_test_is_like(told: str) -> None:
    locations = [name for name in legal_variants("push.locations") if name != "location-by-tag"]
    for name in (*locations, "manifest-ranges"):
        assert f"PASSED test_good.py::test_each[{name}]" in told
    assert told.count("PASSED test_good.py") == 2 + 3 + len(locations) + 1 + 1


def test_what_a_marker_does_not_say_rightly_is_refused_at_the_collection(tmp_path: Path) -> None:
    modules = {
        f"test_{number}.py": f"{_HEAD}@pytest.mark.registry({words})\ndef test_it(registry):\n    raise KeyError\n"
        for number, words in enumerate(_BAD)
    }
    code, said = _run(tmp_path, modules)
    assert code == 2
    for number, message in enumerate(_BAD.values()):
        assert re.search(f"^test_{number}.py::test_it: @pytest.mark.registry.*{re.escape(message)}", said, re.M), said
    assert "very-secret" not in said
    assert "KeyError" not in said
    assert f"{len(_BAD)} errors" in said


_SUITE = (
    _HEAD
    + _PUSHED
    + """
def test_location(registry):
    assert location(registry).startswith(registry.url)

@pytest.mark.registry(variant="location-with-query")
def test_with_one_of_its_own(registry):
    assert "?" in location(registry)
    assert location(registry).startswith(registry.url)

@pytest.mark.registry(variants="pull.ranges")
def test_with_some_of_its_own(registry, registry_variant):
    assert location(registry).startswith(registry.url)
    assert registry_variant in registry.variants

def test_no_registry():
    pass
"""
)


def test_an_option_gives_a_variant_to_each_test(tmp_path: Path) -> None:
    words = ("--registry-variant", "digest-header-sha384", "--registry-variant", "location-absolute")
    modules = {"test_suite.py": _SUITE, "conftest.py": "pytest_plugins = ['reference.pytest_plugin']\n"}
    code, said = _run(tmp_path, modules, *words)
    assert code == 0, said
    assert "registry: --registry-variant digest-header-sha384, --registry-variant location-absolute" in said
    assert f"{3 + len(legal_variants('pull.ranges'))} passed" in said


def test_an_option_runs_each_test_against_a_theme(tmp_path: Path) -> None:
    code, said = _run(tmp_path, {"test_suite.py": _SUITE}, "--registry-variants", "push.locations")
    locations = legal_variants("push.locations")
    assert code == 1
    assert "PASSED test_suite.py::test_location[location-absolute]" in said
    assert "FAILED test_suite.py::test_location[location-by-tag]" in said
    assert f"test_with_one_of_its_own[{locations[0]}]" in said
    assert f"test_with_some_of_its_own[{locations[0]}]" not in said
    assert "PASSED test_suite.py::test_no_registry\n" in said


def test_an_option_with_an_unknown_name_ends_the_run(tmp_path: Path) -> None:
    option = "--registry-variants"
    code, said = _run(tmp_path, {"test_suite.py": _SUITE}, option, "push.locations", option, "location-absolut")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert re.search(
        f"^ERROR: {option}: there is no variant.* 'location-absolut'; close matches: location-abs", said, re.M
    )


def test_the_plugin_is_in_no_run_that_does_not_name_it(pytestconfig: pytest.Config) -> None:
    assert not pytestconfig.pluginmanager.has_plugin("reference.pytest_plugin")


def test_the_page_names_each_argument_and_option() -> None:
    page = (ROOT / "docs" / "how-to" / "test-a-client-in-python.md").read_text(encoding="utf-8")
    assert not [name for name in pytest_plugin.ARGUMENTS if f"`{name}=" not in page]
    assert not [name for name in inspect.signature(Registry).parameters if f"{name}=" not in page]
    assert all(f"$ pytest {option} " in page for option in ("--registry-variant", "--registry-variants"))
