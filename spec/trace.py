"""References to requirements: in the OpenAPI document, in scenarios, and in faults.

Python files are read, not imported: a scenario that cannot run still says what it verifies.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spec.marks import Marked, Problem, SpecError, read_yaml

#: What a requirement's id looks like.
ID = re.compile(r"(?:BASE|PULL|PUSH|DISC|MGMT|AUTH|NOTIF)-[A-Z0-9-]+")
KEY = "x-requirement"
#: How a text begins in whose place another is to be written.
UNWRITTEN = "TODO: "
#: What has no text and no call inside.
_LEAVES = (ast.Name, ast.expr_context, ast.operator, ast.unaryop, ast.boolop)
#: The members of a fault that change the registry; one without them changes nothing.
_CHANGES = frozenset({"apply", "layer", "tokens"})
#: What a file has that says anything of requirements, or is a fault or a variant; going through a
#: tree takes time.
_WORTH = re.compile(r"(?:BASE|PULL|PUSH|DISC|MGMT|AUTH|NOTIF)-|verifies|breaks|ariant")


@dataclass(frozen=True, slots=True)
class Place:
    """An ``x-requirement``: its id, its operation (all if empty), and its place."""

    id: str
    operation: str
    file: str
    line: int
    path: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """A ``verifies(...)`` in the suite, by the function or class that it decorates or stands in."""

    ids: tuple[str, ...]
    name: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Modification:
    """A fault of the reference with the requirements that it breaks, or a variant.

    ``title`` and ``words`` are its sentence and its other members that are plain text: ``also``,
    ``configuration``, ``latitude``, ``profiles``, ``lacks`` and so on. ``changes`` says whether it
    has a member that changes the registry.
    """

    name: str
    ids: tuple[str, ...]
    file: str
    line: int
    title: str = ""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    changes: bool = True


@dataclass(slots=True)
class Trace:
    """All that was found in one tree."""

    places: list[Place] = field(default_factory=list)
    scenarios: list[Scenario] = field(default_factory=list)
    faults: list[Modification] = field(default_factory=list)
    variants: list[Modification] = field(default_factory=list)
    #: Text in the code that looks like an id, the file and the line; ``*`` stands for an expression
    #: in an f-string.
    mentions: list[tuple[str, str, int]] = field(default_factory=list)
    #: Texts in whose place others are to be written, with the file and the line.
    unwritten: list[tuple[str, str, int]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def scenarios_of(self, requirement: str) -> list[Scenario]:
        """Give the scenarios that verify a requirement."""
        return [scenario for scenario in self.scenarios if requirement in scenario.ids]

    def places_of(self, requirement: str) -> list[Place]:
        """Give the places of a requirement in the OpenAPI document."""
        return [place for place in self.places if place.id == requirement]

    def faults_of(self, requirement: str) -> list[Modification]:
        """Give the faults that break a requirement."""
        return [fault for fault in self.faults if requirement in fault.ids]

    def variants_of(self, requirement: str) -> list[Modification]:
        """Give the variants that name a requirement."""
        return [variant for variant in self.variants if requirement in variant.ids]


def scan(repository: Path, spec: Path) -> Trace:
    """Read the OpenAPI files of ``spec`` and the code of the suite and the reference beside it."""
    trace = Trace()
    for path in _openapi_files(spec):
        try:
            document = read_yaml(path, f"{spec.name}/{path.relative_to(spec).as_posix()}")
        except SpecError as error:
            trace.problems.extend(error.problems)
        else:
            trace.places.extend(places(document))
    _scan_code(repository, ("conformance", "reference"), trace)
    return trace


def scenarios(repository: Path) -> list[Scenario]:
    """Read the suite alone, which takes a fraction of the time."""
    trace = Trace()
    _scan_code(repository, ("conformance/scenarios",), trace)
    return trace.scenarios


def _scan_code(repository: Path, folders: Iterable[str], trace: Trace) -> None:
    with _uncollected():
        for folder in folders:
            for path in sorted((repository / folder).rglob("*.py")):
                _scan_python(path, path.relative_to(repository).as_posix(), trace)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Leave cyclic garbage where it is: a syntax tree has none, and looking for it takes a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def places(document: Marked) -> Iterator[Place]:
    """Give each ``x-requirement`` of a file."""
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(document.value, ())]
    while stack:
        node, path = stack.pop()
        if isinstance(node, list):
            stack.extend((item, (*path, index)) for index, item in reversed(list(enumerate(node))))
        elif isinstance(node, dict):
            stack.extend((child, (*path, key)) for key, child in reversed(list(node.items())) if key != KEY)
            value = node.get(KEY)
            of = value if isinstance(value, dict) else {} if value is None else {"": value}
            for operation, name in of.items():
                line = document.line(*path, KEY, *([operation] if operation else []))
                yield Place(str(name), operation, document.file, line, ".".join(map(str, path)))


def _openapi_files(spec: Path) -> Iterator[Path]:
    if (spec / "openapi.yaml").is_file():
        yield spec / "openapi.yaml"
    yield from sorted((spec / "paths").glob("*.yaml"))
    yield from sorted((spec / "schemas").glob("*.schema.json"))


def of_module(text: str, file: str) -> Trace:
    """Give what one module says of requirements; ``file`` is its path below the repository."""
    trace = Trace()
    _scan_text(text, file, trace)
    return trace


def _scan_python(path: Path, file: str, trace: Trace) -> None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        trace.problems.append(Problem(file, 1, f"is not valid Python: {error}"))
        return
    _scan_text(text, file, trace)


def _scan_text(text: str, file: str, trace: Trace) -> None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        trace.problems.append(Problem(file, getattr(error, "lineno", 1) or 1, f"is not valid Python: {error}"))
        return
    if not _WORTH.search(text):
        return
    constants = _constants(tree)
    helpers = _helpers(tree) if file.split("/")[1:2] in (["faults"], ["variants"]) else {}
    for node, owner in _walk(tree):
        if isinstance(node, ast.Call):
            if owner not in helpers:
                _scan_call(_unfolded(node, helpers), owner, constants, file, trace)
            continue
        text = _pattern(node)
        if ID.fullmatch(text.replace("*", "X")):
            trace.mentions.append((text, file, node.lineno))
        elif text.startswith(UNWRITTEN):
            trace.unwritten.append((text, file, node.lineno))


def _helpers(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """Give the functions of a module that make a fault or a variant of what they are told of it."""
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    return {each.name: each for each in functions if getattr(each.returns, "id", "") in ("Fault", "Variant")}


def _unfolded(call: ast.Call, helpers: Mapping[str, ast.FunctionDef]) -> ast.Call:
    """Give the call that a helper makes of its arguments, or else the call itself."""
    helper = helpers.get(getattr(call.func, "id", ""))
    made = next((node.value for node in helper.body if isinstance(node, ast.Return)), None) if helper else None
    if helper is None or not isinstance(made, ast.Call):
        return call
    names = [argument.arg for argument in (*helper.args.posonlyargs, *helper.args.args)]
    bound: dict[str, ast.expr] = dict(zip(names, call.args, strict=False))
    if helper.args.vararg is not None:
        bound[helper.args.vararg.arg] = ast.Tuple(call.args[len(names) :])
    bound |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    defaults = dict(zip(names[::-1], helper.args.defaults[::-1], strict=False))
    defaults |= {
        a.arg: value for a, value in zip(helper.args.kwonlyargs, helper.args.kw_defaults, strict=True) if value
    }
    bound = defaults | bound

    def value(keyword: ast.keyword) -> ast.expr:
        # A value that is worked over before it is handed on is taken as the argument of the same
        # name.
        named = getattr(keyword.value, "id", "")
        return bound.get(named) or bound.get(keyword.arg or "") or keyword.value

    keywords = [ast.keyword(keyword.arg, value(keyword)) for keyword in made.keywords]
    return ast.Call(made.func, made.args, keywords, lineno=call.lineno)


def _scan_call(call: ast.Call, owner: str, constants: dict[str, tuple[str, ...]], file: str, trace: Trace) -> None:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called == "verifies":
        ids = tuple(text for argument in call.args for text in _texts(argument, constants))
        if ids:
            trace.scenarios.append(Scenario(ids, owner or "module", file, call.lineno))
        return
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    kind = file.split("/")[1] if "/" in file else ""
    if kind not in ("faults", "variants"):
        return
    words = {name: tuple(_texts(value, constants)) for name, value in keywords.items() if name}
    words = {name: texts for name, texts in words.items() if texts}
    name, title = _name(call, keywords, owner), _title(call, words)
    if kind == "faults" and "breaks" in keywords:
        changes = None in keywords or not _CHANGES.isdisjoint(keywords)
        trace.faults.append(Modification(name, words.get("breaks", ()), file, call.lineno, title, words, changes))
    elif kind == "variants" and called.lower() == "variant":
        named = tuple(text for texts in words.values() for text in texts if ID.fullmatch(text))
        trace.variants.append(Modification(name, named, file, call.lineno, title, words))


def _pattern(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_pattern(part) if isinstance(part, ast.Constant) else "*" for part in node.values)
    return node.value if isinstance(node.value, str) else ""


def _name(call: ast.Call, keywords: dict[str | None, ast.expr], owner: str) -> str:
    for node in (keywords.get("name"), *call.args):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
    return owner or "unnamed"


def _title(call: ast.Call, words: Mapping[str, tuple[str, ...]]) -> str:
    positional = [node.value for node in call.args if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return words["title"][0] if "title" in words else (positional[1:] or [""])[0]


def _texts(node: ast.expr, constants: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Give the strings of a literal, a tuple or list of them, or a constant of the module."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for item in node.elts:
            yield from _texts(item, constants)
    elif isinstance(node, ast.Starred):
        yield from _texts(node.value, constants)
    elif isinstance(node, ast.Name):
        yield from constants.get(node.id, ())


def _constants(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    known: dict[str, tuple[str, ...]] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = tuple(_texts(node.value, known))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            known[node.target.id] = tuple(_texts(node.value, known))
    return known


def _walk(module: ast.Module) -> Iterator[tuple[ast.Call | ast.Constant | ast.JoinedStr, str]]:
    """Give each call and each text with its function or class, in the order of the source.

    A decorator belongs to what it decorates.
    """
    stack: list[tuple[ast.AST, str]] = [(module, "")]
    while stack:
        node, owner = stack.pop()
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node, owner
            continue
        if isinstance(node, ast.JoinedStr):
            yield node, owner
            continue
        if isinstance(node, ast.Call):
            yield node, owner
        inside: list[tuple[ast.AST, str]] = []
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                inside += [(child, _owner(child, owner)) for child in value if isinstance(child, ast.AST)]
            elif isinstance(value, ast.AST) and not isinstance(value, _LEAVES):
                inside.append((value, owner))
        stack.extend(reversed(inside))


def _owner(node: ast.AST, owner: str) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return f"{owner}.{node.name}" if owner else node.name
    return owner
