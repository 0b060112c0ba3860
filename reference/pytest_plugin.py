"""A plugin for the tests of clients: a registry for each test, and the same test against what registries may do.

It is loaded by ``-p reference.pytest_plugin`` or ``pytest_plugins``, never by itself: its fixture has a name that other
tests use too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from reference.embedding.names import EmbeddingError, legal_variants, like
from reference.embedding.registry import Registry, RunningRegistry, choose

MARKER = "registry"
_VARIANT, _VARIANTS = "--registry-variant", "--registry-variants"
_NAMES = ("fault", "variant", "variants", "without", "needs")
_FLAGS = ("delete", "read_only", "schema1")
#: What the marker takes.
ARGUMENTS = (*_NAMES, "profile", *_FLAGS, "users")
_HELP = (
    f"{MARKER}(*, fault=, variant=, variants=, profile=, without=, needs=, delete=, read_only=, schema1=, users=): "
    "the faults and variants of the fixture `registry` by name, one or several; "
    "variants='all' or a theme runs the test against each of them; the others are arguments of reference.Registry"
)


@dataclass(slots=True)
class _Wanted:
    """What the markers of a test say together."""

    faults: list[str] = field(default_factory=list)
    variants: list[str] = field(default_factory=list)
    each: tuple[str, ...] = ()
    arguments: dict[str, Any] = field(default_factory=dict)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options."""
    group = parser.getgroup("registry", "the reference registry")
    group.addoption(
        _VARIANT, action="append", default=[], metavar="NAME", help="this variant in each test; again for several"
    )
    group.addoption(
        _VARIANTS,
        action="append",
        default=[],
        metavar="THEME",
        help="each test against each variant of a theme, or of 'all'; again for several",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and refuse names of variants that there are not.

    Raises:
        pytest.UsageError: there is none of a name.
    """
    config.addinivalue_line("markers", _HELP)
    for option, check in ((_VARIANT, _check_variants), (_VARIANTS, legal_variants)):
        if names := config.getoption(option):
            try:
                check(names)
            except EmbeddingError as error:
                raise pytest.UsageError(f"{option}: {error}") from error


def _check_variants(names: list[str]) -> None:
    choose((), names, users=True)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which variants each test has."""
    told = [f"{option} {name}" for option in (_VARIANT, _VARIANTS) for name in config.getoption(option)]
    return [f"registry: {', '.join(told)}"] if told else []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for each of its variants, and refuse what its markers do not say rightly."""
    with _told(metafunc.definition):
        wanted = _wanted(metafunc.definition)
        _check(wanted, metafunc.config)
    each = wanted.each
    if not each and (themes := metafunc.config.getoption(_VARIANTS)):
        each = legal_variants(themes)
    if each and "registry_variant" in metafunc.fixturenames:
        metafunc.parametrize("registry_variant", each, indirect=True)


@contextmanager
def _told(node: pytest.Item) -> Iterator[None]:
    """Fail with the name of the test and one sentence, in place of a traceback."""
    try:
        yield
    except EmbeddingError as error:
        raise pytest.fail.Exception(f"{node.nodeid}: {error}", pytrace=False) from None


def _check(wanted: _Wanted, config: pytest.Config) -> None:
    """Refuse names that there are not, and those that do not show so."""
    for variants in (wanted.variants, wanted.each):
        _named(wanted.faults, [*config.getoption(_VARIANT), *variants], wanted.arguments)


def _named(faults: list[str], variants: list[str], arguments: Mapping[str, Any]) -> None:
    try:
        choose(faults, variants, **{**arguments, "users": bool(arguments.get("users"))})
    except EmbeddingError as error:
        raise EmbeddingError(f"@pytest.mark.{MARKER}: {error}") from error


@pytest.fixture
def registry_variant(request: pytest.FixtureRequest) -> str:
    """The variant that this run of a test is about; empty where it is about none."""
    return str(getattr(request, "param", ""))


@pytest.fixture
def registry(request: pytest.FixtureRequest, registry_variant: str) -> Iterator[RunningRegistry]:
    """A registry of the test's own in memory, with the faults and variants that markers and options name."""
    with _told(request.node):
        wanted = _wanted(request.node)
        variants = [*request.config.getoption(_VARIANT), *wanted.variants, *filter(None, [registry_variant])]
        _named(wanted.faults, variants, wanted.arguments)
    with Registry(faults=wanted.faults, variants=variants, **wanted.arguments) as made, made.serve() as running:
        yield running


def _wanted(node: pytest.Item | Any) -> _Wanted:
    """What the markers of a test say: names add up from the module to the function, of the rest the nearest counts.

    Raises:
        EmbeddingError: one says something that is not known.
    """
    wanted = _Wanted()
    chosen: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers(MARKER))):
        given = _read(marker)
        wanted.faults += given.get("fault", ())
        wanted.variants += given.get("variant", ())
        wanted.arguments |= {name: given[name] for name in (*_FLAGS, "users") if name in given}
        chosen |= {name: given[name] for name in ("variants", "profile", "without", "needs") if name in given}
    variants = chosen.pop("variants", ())
    if chosen and not variants:
        raise EmbeddingError(f"@pytest.mark.{MARKER}: {', '.join(sorted(chosen))} needs variants='all' or a theme")
    if variants:
        try:
            wanted.each = legal_variants(variants, **chosen)
        except EmbeddingError as error:
            raise EmbeddingError(f"@pytest.mark.{MARKER}: {error}") from error
    return wanted


def _read(marker: pytest.Mark) -> dict[str, Any]:
    """The arguments of a marker, names as tuples."""
    if marker.args:
        raise EmbeddingError(f"@pytest.mark.{MARKER} takes arguments by name, such as variant='location-absolute'")
    given: dict[str, Any] = {}
    for name, value in marker.kwargs.items():
        if name not in ARGUMENTS:
            raise EmbeddingError(f"@pytest.mark.{MARKER} has no argument {name!r}{like(name, ARGUMENTS)}")
        given[name] = _typed(name, value)
    return given


def _typed(name: str, value: object) -> object:
    several = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple | set) else ()
    wrong = f"@pytest.mark.{MARKER}: {name}={value!r} is not"
    if name in _NAMES:
        if not several or not all(isinstance(each, str) for each in several):
            raise EmbeddingError(f"{wrong} a name or a list of names")
        return several
    if name in _FLAGS and not isinstance(value, bool):
        raise EmbeddingError(f"{wrong} True or False")
    if name == "profile" and not isinstance(value, str):
        raise EmbeddingError(f"{wrong} the name of a profile")
    if name == "users" and not isinstance(value, Mapping):
        raise EmbeddingError(f"@pytest.mark.{MARKER}: users is not a dictionary of passwords by name")
    return value
