"""Logins, as Docker keeps them: ``config.json``, and the credential helpers that it names."""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reference.dist.errors import DeniedError, UsageError
from reference.dist.streams import save

_HUB = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"  # noqa: S105 - the name by which helpers tell that the secret is a token
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Login:
    """A name and a password; or an identity token, which is exchanged for others."""

    user: str
    password: str = field(repr=False)
    identity: str = field(default="", repr=False)


class Logins:
    """The logins of a user.

    Args:
        path: the file; else that of ``DOCKER_CONFIG``, or ``~/.docker/config.json``.
    """

    def __init__(self, path: Path | None = None) -> None:
        folder = os.environ.get("DOCKER_CONFIG")
        self.path = path or (Path(folder) if folder else Path.home() / ".docker") / "config.json"

    def find(self, host: str) -> Login | None:
        """The login for a registry, if there is one.

        Raises:
            UsageError: the file cannot be read.
            DeniedError: a helper fails.
        """
        config = self._read()
        if name := self._helper(config, host):
            return _asked(name, _key(host))
        for key, entry in self._section(config, "auths").items():
            if _host(key) == _host(_key(host)) and isinstance(entry, dict):
                return self._decoded(entry, host)
        return None

    def store(self, host: str, login: Login) -> str:
        """Keep a login; return where."""
        config = self._read()
        if name := self._helper(config, host):
            secret = {"ServerURL": _key(host), "Username": login.user, "Secret": login.password}
            _run(name, "store", json.dumps(secret))
            return f"credential helper {name}"
        both = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
        config["auths"] = self._section(config, "auths") | {_key(host): {"auth": both}}
        self._write(config)
        return str(self.path)

    def erase(self, host: str) -> bool:
        """Forget a login; return whether there was one."""
        config = self._read()
        if name := self._helper(config, host):
            found = _asked(name, _key(host)) is not None
            if found:
                _run(name, "erase", _key(host))
            return found
        auths = self._section(config, "auths")
        kept = {key: entry for key, entry in auths.items() if _host(key) != _host(_key(host))}
        if len(kept) == len(auths):
            return False
        self._write(config | {"auths": kept})
        return True

    def _helper(self, config: dict[str, Any], host: str) -> str:
        name = self._section(config, "credHelpers").get(_key(host)) or config.get("credsStore") or ""
        if not isinstance(name, str) or "/" in name:
            raise UsageError(f"{self.path}: the name of a credential helper is no name of a program")
        return name

    def _section(self, config: dict[str, Any], name: str) -> dict[str, Any]:
        value = config.get(name) or {}
        if not isinstance(value, dict):
            raise UsageError(f"{self.path}: {name} is no object")
        return value

    def _decoded(self, entry: dict[str, Any], host: str) -> Login | None:
        if token := entry.get("identitytoken"):
            return Login(_TOKEN_USER, "", str(token))
        if not entry.get("auth"):
            return None
        try:
            user, colon, password = base64.b64decode(str(entry["auth"]), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            colon = ""
        if not colon:
            raise UsageError(f"{self.path}: auths: the login for {host} cannot be read")
        return Login(user, password.strip("\0"))

    def _read(self) -> dict[str, Any]:
        try:
            config = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UsageError(f"{self.path}: {error.strerror}") from None
        except ValueError as error:
            line = getattr(error, "lineno", None)
            raise UsageError(f"{self.path}: no JSON{f', line {line}' if line else ''}") from None
        if not isinstance(config, dict):
            raise UsageError(f"{self.path}: no JSON object")
        return config

    def _write(self, config: dict[str, Any]) -> None:
        try:
            save(self.path.resolve(), [json.dumps(config, indent="\t").encode() + b"\n"], 0o600)
        except OSError as error:
            raise UsageError(f"{self.path}: {error.strerror}") from None


def _key(host: str) -> str:
    return _HUB if host in ("docker.io", "index.docker.io", "registry-1.docker.io") else host


def _host(key: str) -> str:
    return key.partition("://")[2].partition("/")[0] if "://" in key else key.partition("/")[0]


def _asked(name: str, key: str) -> Login | None:
    answer = _run(name, "get", key, may_fail=True)
    try:
        found = json.loads(answer) if answer else {}
        user, secret = str(found.get("Username", "")), str(found.get("Secret", ""))
    except (ValueError, AttributeError):
        raise DeniedError(f"credential helper {name}: no JSON object came") from None
    if not secret:
        return None
    return Login(user, "", secret) if user == _TOKEN_USER else Login(user, secret)


def _run(name: str, action: str, text: str, *, may_fail: bool = False) -> str:
    """Let a helper work; secrets go through its standard input, and nothing that it says is shown."""
    program = f"docker-credential-{name}"
    try:
        done = subprocess.run(
            [program, action], input=text, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        raise DeniedError(f"{program}: the credential helper cannot be run") from None
    if done.returncode and may_fail and "not found" in (done.stdout + done.stderr).lower():
        return ""
    if done.returncode:
        raise DeniedError(f"{program} {action}: the credential helper failed with {done.returncode}")
    return done.stdout
