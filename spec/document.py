"""The OpenAPI document: many files, read once and bundled into one with local references only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from spec.catalogue import ROOT
from spec.marks import Marked, Problem, SpecError, read_yaml

METHODS = ("get", "head", "put", "post", "patch", "delete", "options", "trace")
_SCHEMA_SUFFIX = ".schema.json"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the API: its ids, path template, method, and its part of the document."""

    id: str
    ids: tuple[str, ...]
    path: str
    method: str
    node: Mapping[str, Any]
    webhook: bool = False


@lru_cache(maxsize=4)
def load(root: Path = ROOT) -> dict[str, Any]:
    """Load and bundle ``openapi.yaml`` with all that it refers to, once for each folder.

    Schema files become ``#/components/schemas/<name>``; path files take the place of their
    references. The result is shared: do not change it.

    Raises:
        SpecError: a file is missing or no YAML, or a reference leads nowhere.
    """
    return Bundler(root).bundle()


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Give each operation of a bundled document, webhooks last; ``x-operations`` has more ids."""
    for part in ("paths", "webhooks"):
        for path, item in document.get(part, {}).items():
            for method in METHODS:
                node = item.get(method)
                if node is not None:
                    name = node["operationId"]
                    ids = tuple(node.get("x-operations") or (name,))
                    yield Operation(name, ids, path, method, node, part == "webhooks")


@lru_cache(maxsize=4)
def operation_ids(root: Path = ROOT) -> frozenset[str]:
    """Give the ids of all operations, as requirements name them."""
    return frozenset(name for operation in operations(load(root)) for name in operation.ids)


class Bundler:
    """Brings the files of one document together; ``files`` has each with its line numbers."""

    def __init__(self, root: Path) -> None:
        """Begin with no file read."""
        self.root = root
        self.files: dict[str, Marked] = {}
        self._schemas: dict[str, Any] = {}

    def bundle(self) -> dict[str, Any]:
        """Return the document with every reference local.

        Raises:
            SpecError: a file is missing or no YAML, or a reference leads nowhere.
        """
        main = self._read("openapi.yaml")
        if not isinstance(main.value, dict):
            raise SpecError([main.problem("is no OpenAPI document")])
        document: dict[str, Any] = self._rewrite(main.value, "openapi.yaml", ())
        components = document.setdefault("components", {})
        components["schemas"] = {**components.get("schemas", {}), **self._schemas}
        self._verify(document, document, main)
        return document

    def locate(self, path: Iterable[str | int]) -> tuple[str, int]:
        """Give the file and line of a path of the bundled document, or of its nearest ancestor."""
        file, here = "openapi.yaml", list[str | int]()
        node: Any = self.files[file].value
        steps = list(path)
        if steps[:2] == ["components", "schemas"] and len(steps) > 2:
            file = f"schemas/{steps[2]}{_SCHEMA_SUFFIX}"
            node, steps = self.files[file].value if file in self.files else None, steps[3:]
        for step in steps:
            node = _child(node, step)
            if node is None:
                break
            here.append(step)
            reference = node.get("$ref", "#") if isinstance(node, dict) else "#"
            target = _normalise(PurePosixPath(file).parent / reference.partition("#")[0])
            if not reference.startswith("#") and target in self.files and "#" not in reference:
                file, node, here = target, self.files[target].value, []
        known = self.files.get(file, self.files["openapi.yaml"])
        return known.file, known.line(*here)

    def _read(self, name: str, at: Problem | None = None) -> Marked:
        if name not in self.files:
            if not (self.root / name).is_file():
                raise SpecError([at or Problem(f"{self.root.name}/{name}", 1, "cannot be read: no such file")])
            self.files[name] = read_yaml(self.root / name, f"{self.root.name}/{name}")
        return self.files[name]

    def _rewrite(self, node: Any, file: str, path: tuple[str | int, ...]) -> Any:
        if isinstance(node, list):
            return [self._rewrite(item, file, (*path, index)) for index, item in enumerate(node)]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return {key: self._rewrite(value, file, (*path, key)) for key, value in node.items()}
        name, _, pointer = reference.partition("#")
        target = _normalise(PurePosixPath(file).parent / name) if name else file
        at = self.files[file].problem(f"reference {reference} leads to no file", *path, "$ref")
        beside = {key: self._rewrite(value, file, (*path, key)) for key, value in node.items() if key != "$ref"}
        if target == "openapi.yaml":
            return {"$ref": f"#{pointer}", **beside}
        if target.endswith(_SCHEMA_SUFFIX):
            return {"$ref": f"#/components/schemas/{self._schema(target, at)}{pointer}", **beside}
        read = self._read(target, at)
        return {**self._rewrite(read.value, target, ()), **beside}

    def _schema(self, file: str, at: Problem) -> str:
        name = PurePosixPath(file).name.removesuffix(_SCHEMA_SUFFIX)
        if name not in self._schemas:
            read = self._read(file, at)
            self._schemas[name] = None
            bundled = self._rewrite(read.value, file, ())
            self._schemas[name] = {key: value for key, value in bundled.items() if key not in {"$id", "$schema"}}
        return name

    def _verify(self, node: Any, document: dict[str, Any], main: Marked) -> None:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and not _leads_somewhere(document, reference):
                raise SpecError([main.problem(f"reference {reference} leads nowhere")])
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            self._verify(child, document, main)


def _child(node: Any, step: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(step)
    return node[step] if isinstance(node, list) and isinstance(step, int) and step < len(node) else None


def _normalise(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _leads_somewhere(document: Any, reference: str) -> bool:
    node = document
    for step in reference.removeprefix("#/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            return False
        node = node[key]
    return True
