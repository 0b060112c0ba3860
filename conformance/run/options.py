"""The options of the suite: on the command line, from the environment, or in the pytest configuration."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

import pytest

from conformance.client.http.transport import unusable_authorities
from conformance.client.login.credentials import Credentials, CredentialsError, from_docker_config
from conformance.listener.options import address, fields, headers
from conformance.run import repeat, variables
from conformance.run.configuration import failed, reading
from conformance.run.option_table import EMBEDDED, OPTIONS
from conformance.settings import Settings
from conformance.target import existing
from conformance.verdict import known_failures
from spec.catalogue import CATEGORIES, Catalogue

#: What to do where no target is named.
NO_TARGET = f"name the registry to certify, or {EMBEDDED!r} for the reference that comes along"
_NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_REFERENCE = re.compile(r"\w[\w.-]{0,127}|[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+", re.ASCII)
_HOST = re.compile(r"\w[\w-]*(\.\w[\w-]*)*\.?(?=:\d+/*\Z|/*\Z)")
_TOKEN = re.compile(r"[!-~]+")
_SECONDS_MAX = 86_400.0
_SLOWEST, _FASTEST = 0.1, 100_000.0
#: Headers by which scenarios say what they mean.
_OURS = re.compile(
    r"(?i)accept(-encoding)?|authorization|connection|content-(length|range|type)|expect|host|if-\w+(-\w+)?|range|te|trailer"
    r"|transfer-encoding|upgrade"
)


def register(parser: pytest.Parser) -> None:
    """Add the options as one group of ``pytest --help``, each also as a setting of the configuration file."""
    group = parser.getgroup("conformance", "registry conformance (each also as environment variable REGISTRY_...)")
    for option in OPTIONS:
        text = f"{option.help}{f' [{option.default}]' if option.default else ''} ({option.variable})"
        if option.kind == "flag":
            group.addoption(option.flag, action="store_true", default=None, help=text)
            parser.addini(option.ini, text, type="bool", default=False)
        elif option.kind == "list":
            group.addoption(option.flag, action="append", default=None, metavar=option.metavar, help=text)
            parser.addini(option.ini, text, type="args", default=[])
        elif option.kind == "lines":
            group.addoption(option.flag, action="append", default=None, metavar=option.metavar, help=text)
            parser.addini(option.ini, text, type="linelist", default=[])
        else:
            group.addoption(option.flag, action="store", default=None, metavar=option.metavar, help=text)
            parser.addini(option.ini, text, type="string", default="")


class Source(Protocol):
    """Where options are given: the configuration of pytest, or a command line of our own."""

    def getoption(self, name: str, /) -> Any:
        """Return what the command line gives for a flag, ``None`` where it gives nothing."""

    def getini(self, name: str, /) -> Any:
        """Return the setting of a name."""


class Values:
    """The raw values of the options: command line first, then environment, then configuration file, then pytest's."""

    def __init__(self, config: Source) -> None:
        self._config = config
        self._file: Mapping[str, tuple[str, ...]] = {}
        if path := reading.find(self.text("config")):
            self._file = reading.read(path)

    def text(self, name: str) -> str:
        """Return an option's text, its default where it is not given.

        Raises:
            UsageError: the command line gives it without a value, as an unset variable of a shell does; or the
                environment gives the target so, where a default would certify another registry than was meant.
        """
        option = next(o for o in OPTIONS if o.name == name)
        given = self._config.getoption(option.flag)
        if given is None:
            if name == "registry-url" and not os.environ.get(option.variable, EMBEDDED).strip():
                raise pytest.UsageError(f"{option.variable}: is set, but empty; {NO_TARGET}")
            given = os.environ.get(option.variable) or next(iter(self._file.get(name, ())), "")
            given = given or self._config.getini(option.ini) or option.default
        elif not given.strip():
            raise pytest.UsageError(f"{option.flag}: is given without a value")
        # Space may be a part of a password.
        return str(given) if name.endswith("password") else str(given).strip()

    def flag(self, name: str) -> bool:
        """Return whether a switch is on.

        Raises:
            UsageError: the environment holds something that is neither yes nor no.
        """
        option = next(o for o in OPTIONS if o.name == name)
        if self._config.getoption(option.flag):
            return True
        value = os.environ.get(option.variable, "").strip().lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value not in {"", "0", "false", "no", "off"}:
            raise pytest.UsageError(f"{option.variable}: expected yes or no, not {value!r}")
        if value:
            return False
        return self._file[name] == ("yes",) if name in self._file else bool(self._config.getini(option.ini))

    def list(self, name: str) -> tuple[str, ...]:
        """Return the values of a repeatable option, in the environment separated by spaces, or by lines."""
        option = next(o for o in OPTIONS if o.name == name)
        given = self._config.getoption(option.flag)
        if given is None:
            text = os.environ.get(option.variable, "")
            given = text.split() if option.kind == "list" else text.splitlines()
            given = given or self._file.get(name) or self._config.getini(option.ini)
        return tuple(str(value) for value in given)

    def given(self) -> dict[str, tuple[str, ...]]:
        """Return the values of each option that is given anywhere; a switch that is on has none."""
        found: dict[str, tuple[str, ...]] = {}
        for option in OPTIONS:
            if option.kind == "flag":
                if self.flag(option.name):
                    found[option.name] = ()
            elif option.kind in {"list", "lines"}:
                if values := self.list(option.name):
                    found[option.name] = values
            elif (text := self.text(option.name)) and text != option.default:
                found[option.name] = (text,)
        return found


def settings(config: Source, catalogue: Catalogue) -> Settings:
    """Return the options, each checked.

    Raises:
        UsageError: one sentence that names the option and the cause.
    """
    if strangers := variables.unknown(os.environ):
        raise pytest.UsageError(variables.refusal(strangers))
    values = Values(config)
    url, in_url = _url(_target(values))
    found = Settings(
        url=url,
        profile=_choice("--profile", values.text("profile"), tuple(catalogue.profiles)),
        credentials=_credentials(values, url, in_url),
        pull_only=_account(values, "auth-pull-only"),
        other=_account(values, "auth-other"),
        expired_tokens=_tokens(values.list("auth-expired-token")),
        ca_bundle=_ca_bundle(values.text("ca-bundle")),
        headers=_headers(values.list("header")),
        insecure=values.flag("insecure"),
        timeout=_seconds("--timeout", values.text("timeout"), least=0.1),
        max_time=_seconds("--max-time", values.text("max-time"), least=1.0),
        rate=(rate := _rate(values.text("rate"))),
        telling_first=bool(rate),
        namespace=_repository("--namespace", values.text("namespace").strip("/")),
        repositories=tuple(_repository("--repository", name) for name in values.list("repository")),
        read_only=values.flag("read-only"),
        existing=_existing(values.list("existing")),
        capabilities=dict(_capabilities(values.list("capability"), catalogue)),
        known_failures=known_failures.read(values.text("known-failures"), catalogue),
        known_failures_write=Path(text) if (text := values.text("known-failures-write")) else None,
        settle=_seconds("--settle", values.text("settle"), least=0.0),
        min_chunk=max(_number("--min-chunk", values.text("min-chunk")) or 1, 1),
        effort=_choice("--effort", values.text("effort"), ("quick", "default", "thorough")),
        seed=secrets.randbelow(2**32) if (seed := _number("--seed", values.text("seed"))) is None else seed,
        shuffle=_number("--shuffle", values.text("shuffle")),
        keep=values.flag("keep"),
        notifications_listen=(listen := address(values.text("notifications-listen"))),
        notifications_headers=headers(values.list("notifications-header"), listen is not None),
        report=Path(values.text("report")),
        record=Path(record).expanduser().absolute() if (record := values.text("record")) else None,
        categories=tuple(_choice("--category", c, CATEGORIES) for c in values.list("category")),
        requirements=(
            *(known_failures.requirement("--requirement", r, catalogue) for r in values.list("requirement")),
            *failed.read(values.text("only-failed"), catalogue),
        ),
        product=values.text("product"),
        version=values.text("product-version"),
        embedded=not url,
        run_id=secrets.token_hex(3),
    )
    found.command = repeat.command(values.given(), url, found.seed)
    if found.read_only and not found.existing:
        raise pytest.UsageError("--read-only: needs --existing NAME:TAG, an image to pull")
    return found


def _target(values: Values) -> str:
    """Return the address of the target as it was given; empty for the embedded reference, which has to be named.

    Raises:
        UsageError: none is given.
    """
    text = values.text("registry-url")
    if not text:
        raise pytest.UsageError(f"--registry-url: is not given, nor REGISTRY_URL; {NO_TARGET}")
    return "" if text == EMBEDDED else text


def _url(text: str) -> tuple[str, Credentials | None]:
    """Return the target's address without the credentials that it may hold, and those credentials."""
    if not text:
        return "", None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise pytest.UsageError("--registry-url: is not a valid URL (host or port are malformed)") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        # What stands after an @ is no part of a password, what stands before may be.
        bare = text.rpartition("@")[2]
        hint = f"; did you mean https://{bare}?" if _HOST.match(bare) else ""
        raise pytest.UsageError(f"--registry-url: needs a scheme, http:// or https://, and a host{hint}")
    if "@" in parts.path + parts.query + parts.fragment:
        raise pytest.UsageError("--registry-url: a / ? or # in a user name or password must be percent-encoded")
    if parts.path.strip("/") or parts.query or parts.fragment:
        found = next(part for part in (parts.path.strip("/"), parts.query, parts.fragment) if part)
        raise pytest.UsageError(
            f"--registry-url: must not have a path, a query or a fragment (found {found!r}); "
            "repositories go below a prefix with --namespace"
        )
    if not _HOST.fullmatch(parts.hostname) and ":" not in parts.hostname:
        raise pytest.UsageError(f"--registry-url: {parts.hostname!r} is not the name of a host")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    clean = urlunsplit((parts.scheme, host + (f":{port}" if port is not None else ""), "", "", ""))
    if parts.username is None:
        return clean, None
    return clean, Credentials(unquote(parts.username), unquote(parts.password or ""))


def _ca_bundle(path: str) -> str | None:
    if not path:
        return None
    if cause := unusable_authorities(path):
        raise pytest.UsageError(f"--ca-bundle: {path} cannot be used ({cause})")
    return path


def _credentials(values: Values, url: str, in_url: Credentials | None) -> Credentials | None:
    username, password = values.text("username"), values.text("password")
    if in_url:
        username, password = username or in_url.username, password or in_url.password
    if username and not password:
        raise pytest.UsageError("--username: needs a password too; give it as REGISTRY_PASSWORD")
    if username:
        return Credentials(username, password)
    if password:
        raise pytest.UsageError("--password: needs --username too")
    if path := values.text("docker-config"):
        try:
            found = from_docker_config(Path(path).expanduser(), url)
        except CredentialsError as error:
            raise pytest.UsageError(f"--docker-config: {error}") from None
        if found is None:
            raise pytest.UsageError(f"--docker-config: {path} has no login for {urlsplit(url).netloc or 'the target'}")
        return found
    return None


def _account(values: Values, name: str) -> Credentials | None:
    """Return the credentials of an account besides the owner's."""
    username, password = values.text(f"{name}-username"), values.text(f"{name}-password")
    if not username and not password:
        return None
    if not password:
        variable = f"REGISTRY_{name.upper().replace('-', '_')}_PASSWORD"
        raise pytest.UsageError(f"--{name}-username: needs a password too; give it as {variable}")
    if not username:
        raise pytest.UsageError(f"--{name}-password: needs --{name}-username too")
    return Credentials(username, password)


def _headers(texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the header fields for the target; those that requests have a say in are none of them."""
    found = fields("--header", texts)
    for name, _ in found:
        if _OURS.fullmatch(name):
            raise pytest.UsageError(f"--header: {name} is for the suite to send; it has options for logins")
    return found


def _tokens(texts: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_TOKEN.fullmatch(text) for text in texts):
        raise pytest.UsageError("--auth-expired-token: a token has no space, and nothing but ASCII")
    return texts


def _seconds(option: str, text: str, least: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= _SECONDS_MAX:
        raise pytest.UsageError(f"{option}: expected seconds from {least:g} to {_SECONDS_MAX:g}, not {text!r}")
    return value


def _rate(text: str) -> float:
    """Return the requests a second, 0 where there is no limit."""
    try:
        value = float(text or 0)
    except ValueError:
        value = -1.0
    if text and not _SLOWEST <= value <= _FASTEST:
        raise pytest.UsageError(f"--rate: expected requests a second, from {_SLOWEST:g} to {_FASTEST:g}, not {text!r}")
    return value


def _choice(option: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise pytest.UsageError(f"{option}: there is no {text!r}; choose one of {', '.join(known)}")
    return text


def _repository(option: str, text: str) -> str:
    if not _NAME.fullmatch(text):
        raise pytest.UsageError(f"{option}: {text!r} is not a repository name (lower-case components, slashes between)")
    return text


def _existing(texts: tuple[str, ...]) -> tuple[str, ...]:
    if len(texts) > existing.MOST:
        raise pytest.UsageError(f"--existing: is given {len(texts)} times; {existing.MOST} are enough")
    for text in texts:
        name, reference = existing.split(text)
        if not _NAME.fullmatch(name) or not _REFERENCE.fullmatch(reference):
            raise pytest.UsageError(f"--existing: expected NAME:TAG or NAME@DIGEST, not {text!r}")
    return texts


def _number(option: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 18:  # fits 64 bits
        raise pytest.UsageError(f"{option}: expected a whole number of at most 18 digits, not {text!r}")
    return int(text)


def _capabilities(values: tuple[str, ...], catalogue: Catalogue) -> Iterator[tuple[str, bool]]:
    for value in values:
        name, _, answer = value.partition("=")
        if answer not in {"yes", "no"}:
            raise pytest.UsageError(f"--capability: expected NAME=yes or NAME=no, not {value!r}")
        yield _choice("--capability", name, tuple(catalogue.capabilities)), answer == "yes"
