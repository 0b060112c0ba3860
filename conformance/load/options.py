"""The options of a load: those of a run that say how to reach the target, and its own; and what it refuses."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest

from conformance.load import mix, steps
from conformance.load.mix import Mix
from conformance.load.steps import Steps
from conformance.run import options
from conformance.run.option_table import EMBEDDED, OPTIONS
from conformance.settings import Settings
from spec.catalogue import load

#: Options of a run that mean something here.
_OF_A_RUN = (
    *("config", "registry-url", "profile", "username", "password", "docker-config", "header", "ca-bundle", "insecure"),
    *("timeout", "namespace", "repository", "capability", "settle", "min-chunk", "rate", "seed", "keep", "report"),
    *("known-failures", "product", "product-version"),
)
#: The folder in that of the reports: a load never takes the place of a run.
FOLDER = "load"
#: Users, seconds and requests at most: a load is no attack.
_USERS, _SECONDS, _REQUESTS = 10_000, 6 * 3600.0, 100_000_000
_TIME = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")
_PORT_MAX = 65535
_DESCRIPTION = """Put a registry under load: users that push, pull, list, mount and delete, driven by Locust, each of
whose exchanges is judged as in a run. The registry's host has to be named twice."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a load was asked to do."""

    settings: Settings
    mix: Mix
    steps: Steps
    requests: int
    #: Processes of Locust on this machine, machines that are waited for, and the machine that this one works for.
    workers: int
    expect: int
    master: str
    #: The port of Locust's page; 0 for none.
    page: int


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise pytest.UsageError(message)


class _Given:
    """The command line, as `conformance.run.options` asks for it."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def getoption(self, name: str, /) -> Any:
        """Return an option's value, ``None`` where it was not given."""
        return self._values.get(name.removeprefix("--"))

    def getini(self, name: str, /) -> Any:
        """Return nothing: a load has no configuration of pytest."""
        option = next(option for option in OPTIONS if option.ini == name)
        return {"flag": False, "list": [], "lines": []}.get(option.kind, "")


def read(arguments: Sequence[str]) -> Options:
    """Return the options, each checked.

    Raises:
        UsageError: one sentence that names the option and the cause.
    """
    given = vars(_parser().parse_args(arguments))
    if importlib.util.find_spec("locust") is None:
        raise pytest.UsageError(
            "Locust is not installed; `make load` does that, or pip install 'registry_conformance[load]'"
        )
    settings = options.settings(_Given(given), load())
    if settings.embedded:
        raise pytest.UsageError(f"--registry-url: {EMBEDDED} is for a run; start the registry that a load is for")
    _named_twice(settings.url, given["yes-load"])
    users = _whole("--users", given["users"], _USERS)
    seconds = _seconds(given["time"])
    try:
        chosen = mix.read(Path(given["mix"]).expanduser() if given["mix"] else mix.DEFAULT)
    except mix.MixError as error:
        raise pytest.UsageError(f"--mix: {error}") from None
    settings.report /= FOLDER
    return Options(
        settings=settings,
        mix=chosen,
        steps=steps.of(users, seconds),
        requests=_whole("--requests", given["requests"], _REQUESTS),
        workers=_whole("--workers", given["workers"], 64, least=0),
        expect=_whole("--expect-workers", given["expect-workers"], 1000, least=0),
        master=given["master"] or "",
        page=0 if given["no-page"] else _whole("--page-port", given["page-port"], _PORT_MAX),
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="registry-conformance load", description=_DESCRIPTION, allow_abbrev=False)
    add = parser.add_argument
    add("--users", dest="users", default="10", metavar="NUMBER", help="users in the last step [10]")
    add("--time", dest="time", default="60s", metavar="TIME", help="how long, as 90, 90s, 5m or 1h [60s]")
    add("--requests", dest="requests", default="100000", metavar="NUMBER", help="requests at most [100000]")
    add(
        "--yes-load",
        dest="yes-load",
        metavar="HOST",
        help="the host of the registry again, with its port if it has one",
    )
    add("--mix", dest="mix", metavar="FILE", help="what users do, and how often, as YAML [conformance/load/mix.yaml]")
    workers = "processes that drive users on this machine [one less than processors, at least 1]; 0 for Locust itself"
    add("--workers", dest="workers", default=str(max(1, (os.cpu_count() or 1) - 1)), metavar="NUMBER", help=workers)
    add("--expect-workers", dest="expect-workers", default="0", metavar="NUMBER",
        help="workers on other machines that are waited for")  # fmt: skip
    add("--master", dest="master", metavar="HOST", help="work for the load that was started on another machine")
    add("--page-port", dest="page-port", default="8089", metavar="PORT", help="the port of Locust's page [8089]")
    add("--no-page", dest="no-page", action="store_true", help="without Locust's page")
    for option in OPTIONS:
        if option.name not in _OF_A_RUN:
            continue
        text = option.help.replace("%", "%%") + f" ({option.variable})"
        if option.kind == "flag":
            add(option.flag, dest=option.name, action="store_true", default=None, help=text)
        else:
            many = option.kind in {"list", "lines"}
            metavar = option.metavar.strip("'")
            add(option.flag, dest=option.name, action="append" if many else "store", metavar=metavar, help=text)
    return parser


def _named_twice(url: str, named: str | None) -> None:
    """Refuse a target whose host is not named a second time: a wrong URL must not put others under load."""
    parts = urlsplit(url)
    known = {parts.netloc.lower(), (parts.hostname or "").lower()} if parts.port is None else {parts.netloc.lower()}
    if not named:
        raise pytest.UsageError(
            "--yes-load: a load may bring a registry down; if this one is yours, name its host again: "
            f"--yes-load {parts.netloc}"
        )
    if named.lower() not in known:
        raise pytest.UsageError(f"--yes-load: {named!r} is not the host of --registry-url, which is {parts.netloc}")


def _whole(option: str, text: str, most: int, least: int = 1) -> int:
    value = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(most)) else -1
    if not least <= value <= most:
        raise pytest.UsageError(f"{option}: expected a number from {least} to {most}, not {text!r}")
    return value


def _seconds(text: str) -> float:
    found = _TIME.fullmatch(text)
    hours, minutes, seconds = found.groups() if found else (None, None, None)
    value = int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)
    if not 1 <= value <= _SECONDS:
        raise pytest.UsageError(f"--time: expected 1s to {_SECONDS / 3600:g}h, as 90s, 5m or 1h, not {text!r}")
    return value
