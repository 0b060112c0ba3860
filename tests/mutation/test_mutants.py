"""Each mutant is one change with a name of its own."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from tests.mutation.accepted import Accepted
from tests.mutation.mutants import mutants, mutated
from tests.mutation.operators import changes
from tests.mutation.trial import MODULES
from tests.support.weakening import source_of, weaknesses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a == b", {"a != b"}),
        ("a < b", {"a <= b"}),
        ("a in b", {"a not in b"}),
        ("a and b", {"a or b"}),
        ("not a", {"a"}),
        ("a + b", {"a - b"}),
        ("3", {"4"}),
        ("True", {"False"}),
        ("'x'", {"'xXX'"}),
        ("None", set()),
        ("a if f() else b", {"a if not f() else b"}),
    ],
)
def test_expressions(text: str, expected: set[str]) -> None:
    assert {ast.unparse(after) for _, after in changes(ast.parse(text, mode="eval").body)} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("raise ValueError", {"pass"}),
        ("f()", {"pass"}),
        ("a.b = 1", {"pass"}),
        ("a = 1", set()),
        ("a += 1", {"a -= 1"}),
        ("break", {"continue"}),
        ("return a", {"return None"}),
        ("return None", set()),
    ],
)
def test_statements(text: str, expected: set[str]) -> None:
    assert {ast.unparse(after) for _, after in changes(ast.parse(text).body[0])} == expected


@pytest.mark.parametrize("module", MODULES)
def test_each_mutant_is_one_change_with_its_own_name(module: str) -> None:
    found = mutants(module)
    assert not [name for name, count in Counter(mutant.name for mutant in found).items() if count > 1]
    before = ast.unparse(ast.parse(source_of(module).read_text(encoding="utf-8"))).splitlines()
    for mutant in found[:: max(1, len(found) // 12)]:
        tree = mutated(module, mutant.number)
        compile(tree, "mutant", "exec")
        assert ast.unparse(tree).splitlines() != before, mutant.name


def test_an_unknown_mutant_is_an_error() -> None:
    with pytest.raises(LookupError, match="no mutant 100000"):
        mutated(MODULES[0], 100_000)


def test_there_are_many() -> None:
    """An edit of the engine that loses half of them would make every figure better."""
    assert sum(len(mutants(module)) for module in MODULES) > 1500
    assert len(weaknesses()) > 600


def test_reasons_are_about_something() -> None:
    """An entry whose name nothing has is left over from code that is gone."""
    names = [mutant.name for module in MODULES for mutant in mutants(module)]
    assert Accepted.load().idle([*names, *(weakness.name for weakness in weaknesses())]) == []
