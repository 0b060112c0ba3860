"""All pages of the specification, and their comparison with those that are there."""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from spec import catalogue, document, trace
from spec.catalogue import CATEGORIES, Catalogue
from spec.marks import read_yaml
from spec.model import Level, Requirement
from spec.render.contract import Reader, View
from spec.render.wording import prose, source_text

TEMPLATES = Path(__file__).parent / "templates"
STYLE = "style.css"
TITLES = {
    "base": "Base",
    "pull": "Pull",
    "push": "Push",
    "discovery": "Content discovery",
    "management": "Content management",
    "auth": "Authentication",
    "notifications": "Notifications",
}


class Site:
    """The pages of one repository, as they are in ``output``."""

    def __init__(self, repository: Path, output: Path) -> None:
        """Read the specification, and what the suite and the reference say of it."""
        self.output = output
        self.root = repository / "spec"
        self.known: Catalogue = catalogue.load(self.root)
        self.trace = trace.scan(repository, self.root)
        self.reader = Reader(document.load(self.root))
        self._to_repository = Path(os.path.relpath(repository, output)).as_posix()
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    # -- what the pages are

    def pages(self) -> dict[str, str]:
        """Give the content of every file by its name in the output folder."""
        found = {STYLE: (TEMPLATES / STYLE).read_text(encoding="utf-8")}
        for name, template, more in self._plan():
            found[name] = self._page(name, template, more)
        return found

    def _plan(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        yield "index.html", "index.html.j2", {"counts": self.counts()}
        for category in self.categories:
            yield (
                f"requirements/{category}.html",
                "category.html.j2",
                {"category": category, "groups": self.groups(category)},
            )
        for view in self.views:
            yield f"operations/{view.name}.html", "operation.html.j2", {"view": view, "asked": self.asked(view)}
        yield "profiles.html", "profiles.html.j2", {"codes": self.codes()}
        yield "schemas.html", "schemas.html.j2", {}
        yield "faults.html", "faults.html.j2", {}
        yield "variants.html", "variants.html.j2", {}

    def _page(self, name: str, template: str, more: Mapping[str, Any]) -> str:
        up = "../" * name.count("/")

        def link(requirement: str) -> str | None:
            found = self.known.requirements.get(requirement)
            page = f"requirements/{found.category}.html" if found else ""
            return f"{'' if page == name else up + page}#{requirement}" if found else None

        def say(text: object) -> Markup:
            return prose(str(text), link)

        def as_json(node: Any) -> Markup:
            return source_text(node, self.part_links(up), link)

        def file(path: str) -> str:
            return f"{up}{self._to_repository}/{path}"

        text = self._environment.get_template(template).render(
            site=self, known=self.known, up=up, here=name, link=link, say=say, as_json=as_json, file=file, **more
        )
        return f"{text.strip()}\n"

    # -- what stands in them

    @cached_property
    def categories(self) -> dict[str, str]:
        """The categories that have requirements, with their titles."""
        return {name: TITLES[name] for name in CATEGORIES if self.known.category(name)}

    @cached_property
    def views(self) -> list[View]:
        """The operations, in the order of the OpenAPI document."""
        return self.reader.views()

    @cached_property
    def operation_pages(self) -> dict[str, str]:
        """The page of each id of an operation."""
        return {each: view.name for view in self.views for each in view.operation.ids}

    @cached_property
    def scenarios(self) -> dict[str, list[trace.Scenario]]:
        """The scenarios of each requirement, sorted by file and name, each once."""
        found: dict[str, dict[tuple[str, str], trace.Scenario]] = {}
        for scenario in sorted(self.trace.scenarios, key=lambda each: (each.file, each.name)):
            for name in scenario.ids:
                found.setdefault(name, {})[scenario.file, scenario.name] = scenario
        return {name: list(each.values()) for name, each in found.items()}

    @cached_property
    def faults(self) -> dict[str, list[trace.Modification]]:
        """The faults that break each requirement."""
        return _by_requirement(self.trace.faults)

    @cached_property
    def variants(self) -> dict[str, list[trace.Modification]]:
        """The variants that name each requirement."""
        return _by_requirement(self.trace.variants)

    def lacking(self, capability: str) -> list[trace.Modification]:
        """Give the variants that do without a capability."""
        return [variant for variant in self.trace.variants if capability in variant.words.get("lacks", ())]

    @cached_property
    def places(self) -> dict[str, list[tuple[str, str]]]:
        """The places of each requirement in the OpenAPI document: a page with anchor, and what is there."""
        pages = self._files()
        found: dict[str, dict[tuple[str, str], None]] = {}
        for place in self.trace.places:
            name = place.file.partition("/")[2]
            method, _, rest = place.path.partition(".")
            if name.startswith("schemas/"):
                schema = name.removeprefix("schemas/").removesuffix(".schema.json")
                target = (f"schemas.html#schemas-{schema}", f"schema {schema}")
            elif (name, method) in pages:
                target = (f"operations/{pages[name, method]}.html", f"{pages[name, method]} {_spelt(rest)}".strip())
            else:
                kind, part = [*place.path.split(".")[1:3], "", ""][:2]
                target = (f"schemas.html#{kind}-{part}", f"{kind.removesuffix('s')} {part}")
            found.setdefault(place.id, {})[target] = None
        return {name: list(targets) for name, targets in found.items()}

    def _files(self) -> dict[tuple[str, str], str]:
        """Give the operation of each file of paths and method."""
        main = read_yaml(self.root / "openapi.yaml", "openapi.yaml").value
        files: dict[tuple[str, str], str] = {}
        for view in self.views:
            operation = view.operation
            item = main["webhooks" if operation.webhook else "paths"][operation.path]
            files[item.get("$ref", "openapi.yaml"), operation.method] = operation.id
        return files

    def groups(self, category: str) -> dict[str, list[Requirement]]:
        """Give the requirements of a category by the first two words of their ids."""
        found: dict[str, list[Requirement]] = {}
        for requirement in self.known.category(category):
            found.setdefault("-".join(requirement.id.split("-")[:2]), []).append(requirement)
        return found

    def counts(self) -> dict[str, dict[str, dict[Level, int]]]:
        """Count the requirements by category, profile and level."""
        return {
            category: {
                profile: {
                    level: sum(each.levels.get(profile) is level for each in self.known.category(category))
                    for level in Level
                }
                for profile in self.known.profiles
            }
            for category in self.categories
        }

    def asked(self, view: View) -> dict[str, list[Requirement]]:
        """Give the requirements that speak of an operation, by category."""
        own = set(view.operation.ids)
        found = {name: [r for r in self.known.category(name) if own & set(r.operations)] for name in self.categories}
        return {name: requirements for name, requirements in found.items() if requirements}

    def codes(self) -> dict[str, list[str]]:
        """Give each error code with the requirements whose statements name it."""
        return {
            code: [each.id for each in self.known if f" {code}" in f" {each.statement}"] for code in self.reader.codes()
        }

    def part_links(self, up: str) -> dict[str, str]:
        """Give the addresses of schemas and shared parts."""
        parts = [("schemas", name) for name in self.reader.schemas()]
        parts += [(kind, name) for kind, name, _ in self.reader.parts()]
        return {f"{kind}/{name}": f"{up}schemas.html#{kind}-{name}" for kind, name in parts}


def write(site: Site) -> list[Path]:
    """Write the pages, and remove the pages of before that are none any more; give what was changed."""
    changed = []
    pages = site.pages()
    for name, text in pages.items():
        path = site.output / name
        if _read(path) != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            changed.append(path)
    for path in _pages_there(site.output):
        if path.relative_to(site.output).as_posix() not in pages:
            path.unlink()
            changed.append(path)
    return changed


def stale(site: Site) -> list[str]:
    """Say which pages are not what the specification gives."""
    pages = site.pages()
    problems = []
    for name, text in pages.items():
        there = _read(site.output / name)
        if there != text:
            problems.append(f"{site.output / name}: {'is missing' if there is None else 'is stale'}")
    problems += [
        f"{path}: is no page any more"
        for path in _pages_there(site.output)
        if path.relative_to(site.output).as_posix() not in pages
    ]
    return problems


def _pages_there(output: Path) -> list[Path]:
    return sorted(path for path in output.rglob("*") if path.suffix in (".html", ".css"))


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _by_requirement(modifications: list[trace.Modification]) -> dict[str, list[trace.Modification]]:
    found: dict[str, list[trace.Modification]] = {}
    for each in sorted(modifications, key=lambda modification: modification.name):
        for name in dict.fromkeys(each.ids):
            found.setdefault(name, []).append(each)
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
