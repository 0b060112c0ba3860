"""The reader, the tables of keys and the schema have the same keys, and what is not obeyed is refused or said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from reference import __main__ as command
from reference.configuration import schema
from reference.configuration.file import ConfigError, Section
from reference.configuration.keys import CONFIGURATION, STORAGES
from reference.configuration.reading import read
from reference.configuration.table import Idle, Key, Kind, Only, Refused, Table, walk
from reference.settings import Config, Log
from reference.tokens import config as tokens
from tests.reference.configuration.whole import Files, names, plain
from tests.reference.process import test_command, test_options
from tests.reference.storage import test_bucket_settings
from tests.support import valid
from tests.support.obeys import marked
from tests.support.servers import ROOT

MEMBERS = dict(walk(CONFIGURATION))
#: What the schema cannot know, or would be too long for.
BEYOND = (
    "is no file",
    "http.debug.prometheus",
    "must be HOST:PORT",
    "proxy.remoteurl must be a URL with http or https, and",
    "storage.s3.regionendpoint must be",
    "storage.s3.secure: without TLS",
    "storage.azure.accountkey is missing",
    "storage.azure.credentials.clientid is missing",
    "has no place for signatures",
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("whole"))


def test_the_reader_takes_each_key_of_the_tables(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: set[str] = set()
    key, table_of = Section.key, Section.table_of

    def seen_key(self: Section, name: str, *kinds: Kind) -> Key:
        taken.add(plain(self.name(name)))
        return key(self, name, *kinds)

    def seen_table(self: Section, name: str) -> Table:
        found = table_of(self, name)
        taken.add(plain(self.name(name)) + "[]" * found.many)
        return found

    monkeypatch.setattr(Section, "key", seen_key)
    monkeypatch.setattr(Section, "table_of", seen_table)
    for configuration in files.all_of_them():
        assert valid.faults(configuration) == []
        read(files.written(configuration), {})
    assert set(names(Key, Table)) - taken == set()


def test_a_key_that_the_table_has_as_something_else_is_a_mistake_of_ours() -> None:
    section = Section("x", CONFIGURATION, yaml.MappingNode("tag:yaml.org,2002:map", [], yaml.Mark("x", 0, 0, 0, "", 0)))
    with pytest.raises(TypeError, match="the table has no version that is true or false"):
        section.flag("version")
    with pytest.raises(TypeError, match="the table has no section version"):
        section.section("version")


@pytest.mark.parametrize("name", names(Refused))
def test_what_is_refused_says_why(files: Files, name: str) -> None:
    member = MEMBERS[name]
    assert isinstance(member, Refused)
    path = files.with_key(name, {"some": "thing"})
    with pytest.raises(ConfigError) as caught:
        read(path, {})
    assert f": {name.replace('[]', '[0]')} is not supported by the reference: {member.why}" in str(caught.value)


@pytest.mark.parametrize("name", names(Only))
def test_what_may_only_ask_for_what_is_done(files: Files, name: str) -> None:
    member = MEMBERS[name]
    assert isinstance(member, Only)
    for value in schema.described(member)["enum"]:
        path = files.with_key(name, value)
        read(path, {})
        valid.check(path)
    with pytest.raises(ConfigError, match=f"{name} can only be {member.value}: "):
        read(files.with_key(name, "else"), {})


@pytest.mark.parametrize("name", names(Idle))
def test_what_changes_nothing_is_said(files: Files, name: str) -> None:
    member = MEMBERS[name]
    assert isinstance(member, Idle)
    values = {Kind.FLAG: True, Kind.NUMBER: 7, Kind.DURATION: "3s"}
    path = files.with_key(name, values.get(member.kind, "word"))
    said = [remark for remark in read(path, {}).remarks if remark.startswith(name)]
    assert said == [f"{name} changes nothing here" + (f": {member.why}" if member.why else "")]
    valid.check(path)


@pytest.mark.parametrize("name", ["", *names(Table)])
def test_a_key_that_nobody_knows_is_refused(files: Files, name: str) -> None:
    path = files.with_key(f"{name}.nonsense".lstrip("."), 1)
    with pytest.raises(ConfigError, match="nonsense is unknown; known are"):
        read(path, {})
    assert valid.faults(yaml.safe_load(path.read_text()))


def test_a_file_that_says_nothing_is_as_no_file(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("version: 0.1\nstorage: inmemory\n")
    assert read(path, {}) == Config(log=Log(access=True))


def keys_of(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each key of a schema, by its dotted name, with what is said of it."""
    for key, found in node.get("properties", {}).items():
        inner = found if "properties" in found else found.get("items") or found.get("anyOf", [{}])[0]
        name = f"{path}{key}" + "[]" * ("items" in found and "properties" in inner)
        yield name, found
        yield from keys_of(inner, f"{name}.")


@pytest.mark.parametrize("table", [CONFIGURATION, tokens.CONFIGURATION], ids=["registry", "tokens"])
def test_the_schema_has_the_keys_of_the_tables(table: Table) -> None:
    made = schema.schema(table)
    Draft7Validator.check_schema(made)
    found, members = dict(keys_of(made)), dict(walk(table))
    assert set(found) == set(members)
    for name, member in members.items():
        assert found[name]["description"].endswith((".", ")")), name
        assert (found[name].get("not") == {}) == isinstance(member, Refused), name
        if isinstance(member, Refused | Only):
            assert member.why in found[name]["description"]
        if isinstance(member, Key) and member.default is not None:
            assert found[name]["default"] == member.default


def test_the_file_is_made_anew() -> None:
    says = "run python -m reference.configuration.schema"
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), says


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema.schema()
    assert command.main(["schema", "--tokens"]) == 0
    assert json.loads(capsys.readouterr().out) == schema.schema(tokens.CONFIGURATION)


def wrong() -> Iterator[tuple[Any, str]]:
    """Configurations that other tests have refused, with what is said of them."""
    for test in (test_options.test_what_is_not_done_is_refused, test_command.test_a_wrong_configuration_names_the_line):
        for text, _, says in vars(test)["pytestmark"][0].args[1]:
            if "not valid YAML" not in says and "given twice" not in says:
                version = "version: 0.1\n" if test is test_options.test_what_is_not_done_is_refused else ""
                yield yaml.safe_load(text if text.startswith("version") else version + text), says
    for kind, parameters, says in vars(test_bucket_settings.test_what_is_not_done_is_refused)["pytestmark"][0].args[1]:
        yield {"version": "0.1", "storage": {kind: parameters}}, says


def test_what_the_reader_refuses_is_wrong_in_an_editor() -> None:
    found = list(wrong())
    taken = [says for configuration, says in found if not valid.faults(configuration)]
    assert [says for says in taken if not any(part in says for part in BEYOND)] == []
    assert len(found) > 5 * len(taken)


def shown() -> Iterator[tuple[str, Any]]:
    """The configurations of the registry that documents show, whole or in part."""
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for block in re.findall(r"^```yaml\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            found = yaml.safe_load(block)
            if isinstance(found, dict) and set(found) & set(CONFIGURATION.members) and "services" not in found:
                yield str(document.relative_to(ROOT)), {"version": 0.1, "storage": "inmemory", **found}


def test_what_documents_show_is_right() -> None:
    found = list(shown())
    assert len({name for name, _ in found}) >= 3
    for name, configuration in found:
        storage = configuration["storage"]
        if isinstance(storage, dict):
            storage.pop("tape", None)
            storage |= {} if set(storage) & set(STORAGES) else {"inmemory": None}
        assert valid.faults(configuration) == [], name


def test_each_key_that_is_obeyed_has_a_test() -> None:
    named = {name for name, _, _ in marked(ROOT / "tests" / "reference")}
    assert named == set(names(Key))
