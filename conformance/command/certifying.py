"""``registry-conformance certify``: the run of ``pytest conformance``, with its options and its exit codes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from conformance.run.option_table import OPTIONS, Option
from conformance.target.names import SCENARIOS
from spec.catalogue import CATEGORIES, load

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
_URL = "registry-url"
#: The plugins of a run; those that happen to be installed beside the suite have no part in it.
_PLUGINS = ("xdist", "allure_pytest.plugin", "_hypothesis_pytestplugin")


def _known(name: str) -> Iterable[str]:
    catalogue = load()
    if name in {"capability"}:
        return [f"{part}={answer}" for part in catalogue.capabilities for answer in ("yes", "no")]
    found: dict[str, Iterable[str]] = {
        "profile": catalogue.profiles,
        "category": CATEGORIES,
        "requirement": catalogue.requirements,
    }
    return found.get(name, ())


def _complete(option: Option) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    def complete(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        if option.metavar in {"FILE", "DIR"}:
            return [CompletionItem(begun, type=option.metavar.lower())]
        words = option.choices or _known(option.name)
        return [CompletionItem(word) for word in words if word.startswith(begun)]

    return complete


def _parameter(option: Option) -> click.Option:
    text = option.help + (f" [{option.default}]" if option.default else "") + f" ({option.variable})"
    if option.kind == "flag":
        return click.Option([option.flag, option.ini], is_flag=True, help=text)
    return click.Option(
        [option.flag, option.ini],
        metavar=option.metavar.strip("'"),
        multiple=option.kind in {"list", "lines"},
        help=text,
        shell_complete=_complete(option),
    )


_OUTPUTS = (
    click.Option(["--scenario"], multiple=True, metavar="NAME", help="judge only this scenario, as a finding names it"),
    click.Option(["--junitxml"], metavar="FILE", help="write JUnit: a test case is a requirement"),
    click.Option(["--alluredir"], metavar="DIR", help="write Allure results"),
    click.Option(["-n", "--numprocesses", "processes"], metavar="NUMBER", help="processes; as many as fit by default"),
)
#: By these a shell tells pytest what its other runs are to have.
_NOT_OURS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
_TOLD = """Certify the registry at URL by the specification.

It is the same run as `pytest --pyargs conformance`. URL is scheme, host and port, or `embedded` for the reference that
comes along. Each option may be given in the environment, by the variable that stands beside it, or in
registry-conformance.yaml.

Exit codes: 0 conformant, 1 findings, 2 interrupted, 3 an error of the suite, 4 an option or the target is wrong,
5 nothing was decided.
"""


def _run(url: str | None, scenario: tuple[str, ...], processes: str | None, **given: Any) -> None:
    if url is not None and given[Option(_URL, "").ini]:
        raise click.UsageError("the registry is named twice: as URL and by --registry-url")
    words = [] if url is None else [f"--{_URL}={url}"]
    for option in OPTIONS:
        value = given.pop(option.ini)
        if option.kind == "flag":
            words += [option.flag] if value else []
        else:
            words += [f"{option.flag}={one}" for one in _values(value)]
    words += [f"--{name}={value}" for name, value in given.items() if value is not None]
    words += [] if processes is None else ["-n", processes]
    raise SystemExit(start(scenario, words))


def _values(value: Any) -> Iterable[str]:
    return () if value is None else value if isinstance(value, tuple) else (value,)


def start(scenarios: Iterable[str], options: Iterable[str]) -> int:
    """Run the suite, or some scenarios of it, in this process, and return its exit code."""
    import pytest  # noqa: PLC0415  # no other command needs it

    for variable in _NOT_OURS:
        os.environ.pop(variable, None)
    places = [_place(name) for name in scenarios] or [str(_ROOT / "conformance")]
    words = ["--rootdir", str(_ROOT), "--confcutdir", str(_ROOT), "-c", str(_HERE / "certify.ini")]
    words += ["--disable-plugin-autoload"]
    words += [word for plugin in _PLUGINS for word in ("-p", plugin)]
    # It would be written into the folder of the installation.
    words += ["-p", "no:cacheprovider"]
    return int(pytest.main([*words, *places, *options]))


def _place(name: str) -> str:
    path = name.partition("::")[0]
    if not path.startswith(SCENARIOS) or ".." in path or not (_ROOT / path).is_file():
        raise click.UsageError(
            f"--scenario: there is no {name!r}; a finding names its scenario as {SCENARIOS}...::test_..."
        )
    return str(_ROOT / name)


certify = click.Command(
    "certify",
    callback=_run,
    params=[click.Argument(["url"], required=False), *map(_parameter, OPTIONS), *_OUTPUTS],
    help=_TOLD,
)
