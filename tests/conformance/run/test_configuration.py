"""The configuration file of an owner: what it may say, and how each mistake in it is told."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from conformance.run.configuration import schema
from conformance.run.option_table import OPTIONS
from tests.conformance.run.reading import read
from tests.reports import samples
from tests.support.servers import ROOT

_EXAMPLE = """\
registry-url: https://registry.example.com
profile: oci-1.0
timeout: 20
insecure: false
keep: true
capability: [mount=no, delete-tag=yes]
category: pull
product-version: 1.10
known-failures: known.yaml
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_file_of_the_folder_is_read() -> None:
    Path("registry-conformance.yaml").write_text(_EXAMPLE, encoding="utf-8")
    Path("known.yaml").write_text("- {id: PULL-BLOB-GET-200, why: w}", encoding="utf-8")
    found = read(table={"registry_url": ""})
    assert (found.url, found.profile, found.timeout) == ("https://registry.example.com", "oci-1.0", 20.0)
    assert (found.keep, found.insecure, found.categories) == (True, False, ("pull",))
    assert found.capabilities == {"mount": False, "delete-tag": True}
    assert found.version == "1.10"
    assert [failure.id for failure in found.known_failures] == ["PULL-BLOB-GET-200"]


def test_what_stands_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("registry-conformance.yaml").write_text("timeout: 20\nkeep: true\ncategory: [pull]", encoding="utf-8")
    table = {"timeout": "30"}
    assert read(table=table).timeout == 20.0
    monkeypatch.setenv("REGISTRY_TIMEOUT", "40")
    monkeypatch.setenv("REGISTRY_KEEP", "no")
    monkeypatch.setenv("REGISTRY_CATEGORY", "base push")
    found = read(table=table)
    assert (found.timeout, found.keep, found.categories) == (40.0, False, ("base", "push"))
    assert read("--timeout=50", table=table).timeout == 50.0


def test_files_are_meant_from_its_folder() -> None:
    Path("sub").mkdir()
    Path("sub/known.yaml").write_text("- {id: PULL-BLOB-GET-200, why: w}", encoding="utf-8")
    Path("sub/own.yaml").write_text("known-failures: known.yaml\nreport: out", encoding="utf-8")
    found = read("--config=sub/own.yaml")
    assert len(found.known_failures) == 1
    assert found.report == Path("sub/out")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profile: oci-1.0\nproflie: x", "own.yaml:2: there is no option 'proflie'; did you mean profile?"),
        ("\nregistry_url: http://a", "own.yaml:2: there is no option 'registry_url'; did you mean registry-url?"),
        ("profile: oci-1.0\nprofile: oci-1.1", "own.yaml:2: profile stands twice"),
        ("registry-url:", "own.yaml:1: registry-url has no value"),
        ("registry-url: ''", "own.yaml:1: registry-url has no value"),
        ("keep: perhaps", "own.yaml:1: keep takes true or false"),
        ("timeout: [1, 2]", "own.yaml:1: timeout takes one value"),
        ("category: {a: b}", "own.yaml:1: category takes a list of texts"),
        ("password: c4nary", "own.yaml:1: password is a secret, and belongs into the environment: REGISTRY_PASSWORD"),
        (
            "header: 'X: c4nary'",
            "own.yaml:1: header is a secret, and belongs into the environment: REGISTRY_HEADER",
        ),
        ("config: other.yaml", "own.yaml:1: a configuration file names no other"),
        ("- profile", "own.yaml:1: expected options by their names, such as profile: oci-1.1"),
        ("a: b: c", "own.yaml:1: is not valid YAML"),
        ("profile: oci-9", "there is no 'oci-9'; choose one of docker-v2"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, message: str) -> None:
    Path("own.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(pytest.UsageError) as told:
        read("--config=own.yaml")
    assert message in str(told.value)
    assert "c4nary" not in str(told.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(pytest.UsageError, match=r"--config: none.yaml cannot be read \(No such file"):
        read("--config=none.yaml")


def test_the_schema_is_current_and_fits() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), (
        "run python -m conformance.run.configuration.schema"
    )
    jsonschema.Draft202012Validator.check_schema(schema.schema())
    jsonschema.validate(yaml.safe_load(_EXAMPLE), schema.schema())
    for wrong in ({"password": "x"}, {"proflie": "x"}, {"keep": "perhaps"}, {"capability": ["mount=maybe"]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema.schema())


def test_the_example_of_the_documents_fits() -> None:
    text = (ROOT / "docs" / "how-to" / "certify.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n# registry-conformance.yaml\n")[2].partition("```")[0]
    assert example
    jsonschema.validate(yaml.safe_load(example), schema.schema())


def test_only_what_failed() -> None:
    Path("report.json").write_text(json.dumps(samples.report()), encoding="utf-8")
    assert "PULL-MANIFEST-GET-CONTENT-TYPE" in read("--only-failed=report.json").requirements
    whole = [entry for entry in samples.report()["requirements"] if entry["outcome"] == "held"]
    Path("held.json").write_text(json.dumps(samples.report(whole)), encoding="utf-8")
    with pytest.raises(pytest.UsageError, match=r"--only-failed: held.json has nothing that is broken"):
        read("--only-failed=held.json")
    with pytest.raises(pytest.UsageError, match=r"--only-failed: none.json cannot be read"):
        read("--only-failed=none.json")


@pytest.mark.parametrize("name", ["Authorization", "host", "If-None-Match", "Content-Type"])
def test_headers_of_the_suite_s_own_are_refused(name: str) -> None:
    with pytest.raises(pytest.UsageError, match="is for the suite to send") as told:
        read(f"--header={name}: c4nary")
    assert "c4nary" not in str(told.value)
