"""The ways to give a login: each adds to the command line, the environment or the files."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from tests.secrets.canaries import Canaries
from tests.secrets.parrot import USER


@dataclass(slots=True)
class Given:
    """What a run is started with."""

    url: str
    canaries: Canaries
    folder: Path
    arguments: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    #: The address is in the environment or in a file.
    told: bool = False

    @property
    def password(self) -> str:
        """The owner's password."""
        return self.canaries["password"]


def nothing(given: Given) -> None:
    """Give no login."""


def by_options(given: Given) -> None:
    """On the command line."""
    given.arguments += [f"--username={USER}", f"--password={given.password}"]


def by_environment(given: Given) -> None:
    """In the environment."""
    given.env |= {"REGISTRY_USERNAME": USER, "REGISTRY_PASSWORD": given.password}


def by_url(given: Given) -> None:
    """In the address."""
    url = given.url.replace("http://", f"http://{USER}:{quote(given.password, safe='')}@")
    if given.env.pop("IN_ENVIRONMENT", None):
        given.env["REGISTRY_URL"] = url
    else:
        given.arguments.append(f"--registry-url={url}")
    given.told = True


def by_ini(given: Given) -> None:
    """In a configuration file of the old form."""
    path = given.folder / "pytest.ini"
    path.write_text(f"[pytest]\nusername = {USER}\npassword = {given.password}\n", encoding="utf-8")
    given.arguments += ["-c", str(path)]


def by_toml(given: Given) -> None:
    """In the table of the new form."""
    path = given.folder / "pyproject.toml"
    lines = [f"registry_url = {json.dumps(given.url)}", f'username = "{USER}"', f"password = '''{given.password}'''"]
    path.write_text("\n".join(["[tool.pytest]", *lines]), encoding="utf-8")
    given.arguments += ["-c", str(path)]
    given.told = True


def by_auths(member: str) -> Callable[[Given], None]:
    """In a Docker ``config.json``, by one of the members that hold it."""

    def give(given: Given) -> None:
        pair = base64.b64encode(f"{USER}:{given.password}".encode()).decode()
        entries: dict[str, dict[str, str]] = {
            "auth": {"auth": pair},
            "password": {"username": USER, "password": given.password},
            "identitytoken": {"auth": pair, "identitytoken": given.canaries["refresh"]},
            "broken": {"auth": given.password},
        }
        _config(given, {"auths": {urlsplit(given.url).netloc: entries[member]}})

    return give


def by_stores(member: str) -> Callable[[Given], None]:
    """By a credential helper."""

    def give(given: Given) -> None:
        secret = given.folder / "helper" / "secret"
        secret.parent.mkdir()
        secret.write_text(json.dumps({"Username": USER, "Secret": given.password}), encoding="utf-8")
        helper = secret.with_name("docker-credential-canary")
        failing = "cat {0} >&2; cat {0}; exit 7" if member == "failing" else "cat {0}"
        helper.write_text(f'#!/bin/sh\ntest "$1" = get && cat >/dev/null && {failing.format(secret)}\n', "utf-8")
        helper.chmod(0o755)
        given.env["PATH"] = f"{helper.parent}{os.pathsep}{os.environ['PATH']}"
        helpers: dict[str, object] = {"credHelpers": {urlsplit(given.url).netloc: "canary"}}
        _config(given, helpers if member == "credHelpers" else {"credsStore": "canary"})

    return give


def _config(given: Given, content: dict[str, object]) -> None:
    path = given.folder / "config.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    given.arguments.append(f"--docker-config={path}")
