"""The stubs of a scenario and of a fault, put into modules of which the text is known."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Container, Iterator

from spec.catalogue import PREFIXES
from spec.new.wanted import NewError, Wanted

_WIDTH = 120


def name_of(wanted: Wanted, taken: Container[str], form: str, joint: str) -> str:
    """Name a scenario or a fault after the id, without the category's prefix if free.

    Raises:
        NewError: the whole id as a name is taken as well.
    """
    short = wanted.id.removeprefix(PREFIXES[wanted.category] + "-")
    names = [form.format(text.lower().replace("-", joint)) for text in (short, wanted.id)]
    for name in names:
        if name not in taken:
            return name
    raise NewError(f"the names {' and '.join(names)} are taken: rename what has them, or choose another id")


# --------------------------------------------------------------------------------------------- scenarios


def parameters(text: str) -> str | None:
    """Give the most common parameters of a module's scenarios; None without scenarios."""
    counted = Counter(
        ast.unparse(node.args)
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
        and len(node.decorator_list) == 1
        and ast.unparse(node.decorator_list[0]).startswith("verifies(")
    )
    return counted.most_common(1)[0][0] if counted else None


def functions(text: str) -> set[str]:
    """Give the names of the functions of a module."""
    return {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


def with_scenario(text: str | None, wanted: Wanted, model: str) -> tuple[str, int]:
    """Give a module's text with the new scenario at its end, and its line; None makes a module.

    The parameters, and the imports of a new module, are those of the module ``model``.
    """
    arguments = parameters(model)
    if arguments is None:
        raise NewError("the module has no scenario whose parameters a new one could have")
    name = name_of(wanted, functions(text or ""), "test_{}", "_")
    if text is None:
        needed = {
            node.id for node in ast.walk(ast.parse(f"def f({arguments}): verifies")) if isinstance(node, ast.Name)
        }
        head = [
            '"""TODO: say what the scenarios of this module are about."""',
            "",
            "from __future__ import annotations",
        ]
        text = "\n".join([*head, "", *_imports(model, needed)])
    stub = [
        f'@verifies("{wanted.id}")',
        *_definition(name, arguments),
        '    """TODO: say in one sentence what must follow."""',
        f'    raise NotImplementedError("TODO: judge {wanted.id}")',
    ]
    lines = [*text.rstrip("\n").split("\n"), "", ""]
    return "\n".join([*lines, *stub]) + "\n", len(lines) + 1


def _definition(name: str, arguments: str) -> Iterator[str]:
    """Give the head of a function as the formatter would break it."""
    one = f"def {name}({arguments}) -> None:"
    if len(one) <= _WIDTH:
        yield one
        return
    yield f"def {name}("
    if len(arguments) + 4 <= _WIDTH:
        yield f"    {arguments}"
    else:
        yield from (f"    {argument}," for argument in arguments.split(", "))
    yield ") -> None:"


def _imports(model: str, needed: set[str]) -> Iterator[str]:
    """Give those of a module's imports that bind some names."""
    for node in ast.parse(model).body:
        if isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names if (alias.asname or alias.name) in needed]
            if names:
                yield f"from {node.module} import {', '.join(names)}"


# ------------------------------------------------------------------------------------------------ faults


def takes_faults(text: str) -> bool:
    """Whether a module has a table of faults that can be added to."""
    return _end_of_table(text) is not None


def with_fault(text: str | None, wanted: Wanted, taken: Container[str], model: str) -> tuple[str, int]:
    """Give a module's text with the new fault in its table, and its line; None makes a module.

    ``taken`` are the names of all faults and variants, ``model`` is the text of a module whose
    imports a new one has.
    """
    name = name_of(wanted, taken, "{}", "-")
    if text is None:
        head = [
            '"""TODO: say what the faults of this module are about."""',
            "",
            "from __future__ import annotations",
            "",
        ]
        text = "\n".join([*head, *_imports(model, {"Fault"}), "", "FAULTS = (", ")", ""])
    end = _end_of_table(text)
    if end is None:
        raise NewError("the module has no table FAULTS = (...) of which the last line is its parenthesis")
    stub = [
        "    Fault(",
        f'        name="{name}",',
        '        title="TODO: say in one sentence what the registry does wrong.",',
        f'        breaks=("{wanted.id}",),',
        "    ),",
    ]
    lines = text.split("\n")
    return "\n".join([*lines[: end - 1], *stub, *lines[end - 1 :]]), end


def _end_of_table(text: str) -> int | None:
    """Give the line (from 1) of the parenthesis that closes ``FAULTS = (...)``."""
    for node in ast.parse(text).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and target.id == "FAULTS" and isinstance(value, ast.Tuple):
            end = value.end_lineno or 0
            return end if text.split("\n")[end - 1] == ")" else None
    return None
