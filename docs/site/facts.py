"""The data of the generated pages: the specification, the suite and the reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from conformance.run.option_table import OPTIONS, Option
from docs.site.contract import Reader, View
from reference.faults import ALL as FAULTS
from reference.modifications import Fault, Variant
from reference.variants import ALL as VARIANTS
from spec import catalogue, conditions, document
from spec.catalogue import CATEGORIES, Catalogue
from spec.conditions import Conditions
from spec.marks import read_yaml
from spec.model import Requirement
from spec.trace import Scenario, Trace, scan

TITLES = {
    "base": "Base",
    "pull": "Pull",
    "push": "Push",
    "discovery": "Content discovery",
    "management": "Content management",
    "auth": "Authentication",
    "notifications": "Notifications",
}


@dataclass(frozen=True)
class Facts:
    """All of it, read once for a build."""

    repository: Path

    @cached_property
    def known(self) -> Catalogue:
        """The catalogue."""
        return catalogue.load(self.repository / "spec")

    @cached_property
    def trace(self) -> Trace:
        """Where requirements are spoken of."""
        return scan(self.repository, self.repository / "spec")

    @cached_property
    def reader(self) -> Reader:
        """The OpenAPI document."""
        return Reader(document.load(self.repository / "spec"))

    @cached_property
    def laws(self) -> Conditions:
        """The laws, and the conditions under which they are tried."""
        return conditions.load(self.repository / "spec")

    @cached_property
    def views(self) -> list[View]:
        """The operations, in the order of the OpenAPI document."""
        return self.reader.views()

    @property
    def options(self) -> tuple[Option, ...]:
        """The options of the suite."""
        return OPTIONS

    @property
    def faults(self) -> Mapping[str, Fault]:
        """The faults of the reference."""
        return FAULTS

    @property
    def variants(self) -> Mapping[str, Variant]:
        """The variants of the reference."""
        return VARIANTS

    @property
    def categories(self) -> dict[str, str]:
        """The categories, with their titles."""
        return {name: TITLES[name] for name in CATEGORIES}

    def groups(self, category: str) -> dict[str, list[Requirement]]:
        """Give the requirements of a category by the first two words of their ids."""
        found: dict[str, list[Requirement]] = {}
        for requirement in self.known.category(category):
            found.setdefault(group(requirement.id), []).append(requirement)
        return found

    @cached_property
    def scenarios(self) -> dict[str, list[Scenario]]:
        """The scenarios of each requirement, sorted by file and name, each once."""
        found: dict[str, dict[tuple[str, str], Scenario]] = {}
        for scenario in sorted(self.trace.scenarios, key=lambda each: (each.file, each.name)):
            for name in scenario.ids:
                found.setdefault(name, {})[scenario.file, scenario.name] = scenario
        return {name: list(each.values()) for name, each in found.items()}

    @cached_property
    def faults_of(self) -> dict[str, list[str]]:
        """The names of the faults that break each requirement."""
        return _by_requirement((fault.name, fault.breaks) for fault in self.faults.values())

    @cached_property
    def variants_of(self) -> dict[str, list[str]]:
        """The names of the variants that are warned of each requirement."""
        return _by_requirement((variant.name, variant.warns) for variant in self.variants.values())

    @cached_property
    def places(self) -> dict[str, list[tuple[str, str]]]:
        """The places of each requirement in the OpenAPI document, as links and as paths."""
        operations = self._files()
        found: dict[str, dict[tuple[str, str], None]] = {}
        for place in self.trace.places:
            name = place.file.partition("/")[2]
            method, _, rest = place.path.partition(".")
            if name.startswith("schemas/"):
                schema = name.removeprefix("schemas/").removesuffix(".schema.json")
                target = (f"{{schema}}`{schema}`", "schema")
            elif (name, method) in operations:
                target = (f"{{operation}}`{operations[name, method]}`", _spelt(rest))
            else:
                kind, part = [*place.path.split(".")[1:3], "", ""][:2]
                target = (f"{{part}}`{part}`", kind.removesuffix("s"))
            found.setdefault(place.id, {})[target] = None
        return {name: list(targets) for name, targets in found.items()}

    def _files(self) -> dict[tuple[str, str], str]:
        """Give the operation of each file of paths and method."""
        main = read_yaml(self.repository / "spec" / "openapi.yaml", "openapi.yaml").value
        files: dict[tuple[str, str], str] = {}
        for view in self.views:
            operation = view.operation
            item = main["webhooks" if operation.webhook else "paths"][operation.path]
            files[item.get("$ref", "openapi.yaml"), operation.method] = operation.id
        return files


def group(requirement: str) -> str:
    """Give the first two words of an id."""
    return "-".join(requirement.split("-")[:2])


def _by_requirement(named: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, ids in sorted(named):
        for requirement in dict.fromkeys(ids):
            found.setdefault(requirement, []).append(name)
    return found


def _spelt(path: str) -> str:
    """Give a place within an operation in words: the status, and the header or the body."""
    steps = path.split(".")
    if steps[0] != "responses" or len(steps) < 2:
        return ""
    rest = steps[2:]
    if rest[:1] == ["headers"]:
        return f"{steps[1]} {rest[1]}"
    return f"{steps[1]} body" if rest[:1] == ["content"] else steps[1]
