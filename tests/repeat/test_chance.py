"""`make test` runs the same each day: no test reads the date or a source of chance."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.servers import ROOT

#: Calls whose values are another each day, or each time.
_OF_THE_DAY = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today"})
_OF_CHANCE = frozenset({"os.urandom", "uuid.uuid1", "uuid.uuid4"})
_SECRETS = frozenset(
    f"secrets.{name}" for name in ("choice", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe")
)
#: Without an argument: the time of day, or a seed that nobody knows.
_BARE = frozenset({"random.Random", "time.gmtime", "time.localtime", "time.ctime", "time.strftime"})
#: Modules that may, and why.
_ALLOWED = {
    "tests/bench/__main__.py": "make bench prints the date of what it measured",
    "tests/bench/baseline.py": "figures are kept with the date of their measurement",
    "tests/proof/__main__.py": "make prove takes the date for a seed, and prints it; tests give a seed of their own",
    "tests/proof/page.py": "the page of the proof has the date of the proof",
    "tests/reports/certificate/desk.py": "a certificate is of a run some days old, which the rules compare",
    "tests/reports/certificate/services.py": "keys and promises are of now, which the package of sigstore compares",
    "tests/reports/certificate/test_certificate.py": "a certificate is verified some days from now",
    "tests/reference/auth/test_token_auth.py": "certificates are good for days from now, which the reference compares",
}


def _calls(text: str) -> Iterator[str]:
    """Give what a module does that differs from day to day, or from time to time."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        called = ".".join(ast.unparse(node.func).split(".")[-2:])
        module, _, function = called.partition(".")
        free = (module == "random" and function != "Random") or f"{module}.{function}" in _SECRETS
        bare = called in _BARE and not node.args and not node.keywords
        if called in _OF_THE_DAY | _OF_CHANCE or free or bare:
            yield f"{called} in line {node.lineno}"


def test_no_test_reads_the_date_or_a_die() -> None:
    paths = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "tests").rglob("*.py")}
    found = {name: [*_calls(path.read_text(encoding="utf-8"))] for name, path in paths.items()}
    assert {name: calls for name, calls in found.items() if calls and name not in _ALLOWED} == {}
    assert [name for name in _ALLOWED if not found.get(name)] == []


@pytest.mark.parametrize(
    "line",
    [
        "day = datetime.datetime.now(tz=datetime.UTC).date()",
        "day = date.today()",
        "port = random.randrange(10)",
        "chooser = random.Random()",
        "content = os.urandom(3)",
        "word = secrets.token_hex(3)",
        "name = uuid.uuid4()",
    ],
)
def test_what_reads_them_is_seen(line: str) -> None:
    assert len([*_calls(line)]) == 1


@pytest.mark.parametrize("line", ["chooser = random.Random(SAMPLE)", "chooser.sample(names, 3)", "now = time.time()"])
def test_what_does_not_is_passed_over(line: str) -> None:
    assert [*_calls(line)] == []


def test_runs_of_the_suite_and_of_the_proof_have_a_seed() -> None:
    """Whoever starts one says with which seed, or takes the environment that has one."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if re.search(r'"-m", "(pytest", "conformance|tests\.proof)"', text):
            assert re.search(r"environment\(|_environment\(|\"--seed\"", text), path


def test_the_makefile_leaves_the_tests_to_no_date() -> None:
    recipes = dict(re.findall(r"^([a-z-]+):[^\n]*\n((?:\t[^\n]*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name in ("test", "test-all", "lint"):
        assert not re.search(r"\bdate\b|PROOF_SAMPLE|--seed", recipes[name]), name
    assert "PROOF_SAMPLE" in recipes["nightly"]
    assert not re.search(r"\bdate\b|PROOF_SAMPLE", (ROOT / ".ci" / "run").read_text())


_CHOSEN = """
import json
from tests.faults import test_proof
from tests.support.chance import SAMPLE, SEED
marks = test_proof.test_a_variant_is_acquitted.pytestmark[0].args[1]
print(json.dumps([SAMPLE, SEED, [chosen.values[0] for chosen in marks if not chosen.marks]]))
"""


def _chosen(**environment: str) -> str:
    env = {name: value for name, value in os.environ.items() if name != "PROOF_SAMPLE"} | environment
    command = [sys.executable, "-c", _CHOSEN]
    return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout


def test_a_sample_is_the_same_until_another_is_asked_for() -> None:
    first, second, other = _chosen(), _chosen(), _chosen(PROOF_SAMPLE="2026-11-27")
    assert first == second != other
