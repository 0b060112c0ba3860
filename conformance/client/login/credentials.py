"""Credentials of the target: from options, the environment, or a Docker ``config.json``."""

from __future__ import annotations

import base64
import binascii
import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_HELPER_SECONDS = 20
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
#: The docker client keeps the login of Docker Hub under a name of its own.
_HUB = "https://index.docker.io/v1/"
_HUB_HOSTS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_NO_IDENTITY = "give a user name and password (or access token) with --username and REGISTRY_PASSWORD"


class CredentialsError(Exception):
    """The credentials cannot be read; the sentence names the file and never the secret."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's name and password, or an access token in the password's place."""

    username: str
    password: str = field(repr=False)

    def basic(self) -> str:
        """Return the value of a Basic Authorization header (RFC 7617)."""
        pair = f"{self.username}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")


def from_docker_config(path: Path, url: str) -> Credentials | None:
    """Return the credentials that a Docker ``config.json`` holds for the registry of ``url``.

    Inline ``auths``, ``credHelpers`` and ``credsStore`` are understood, as the docker client reads them.

    Raises:
        CredentialsError: the file cannot be read or is malformed, or a helper fails.
    """
    config = _load(path)
    host = urlsplit(url).netloc.rpartition("@")[2]
    keys = [host, f"https://{host}", f"http://{host}", f"https://{host}/v2/", f"https://{host}/v1/"]
    if host in _HUB_HOSTS:
        keys = [_HUB, *keys]
    if helper := _member(path, config, "credHelpers").get(host):
        return _ask_helper(path, helper, keys[0])
    entries = _member(path, config, "auths")
    for key in keys:
        entry = entries.get(key)
        if isinstance(entry, dict) and (found := _inline(path, key, entry)):
            return found
    if store := config.get("credsStore"):
        return _ask_helper(path, store, keys[0])
    return None


def _member(path: Path, config: dict[str, Any], name: str) -> dict[str, Any]:
    found = config.get(name) or {}
    if not isinstance(found, dict):
        raise CredentialsError(f"{path}: the member {name} is not a JSON object")
    return found


def _load(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_bytes())
    except OSError as error:
        raise CredentialsError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise CredentialsError(f"{path}: is not valid JSON") from None
    if not isinstance(config, dict):
        raise CredentialsError(f"{path}: is not a JSON object")
    return config


def _inline(path: Path, key: str, entry: dict[str, Any]) -> Credentials | None:
    username, password, auth = entry.get("username"), entry.get("password"), entry.get("auth")
    if entry.get("identitytoken"):
        raise CredentialsError(f"{path}: the login for {key} is an identity token; {_NO_IDENTITY}")
    if not auth and isinstance(username, str) and isinstance(password, str) and username and password:
        return Credentials(username, password)
    if not auth:
        return None
    try:
        user, colon, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, ValueError, TypeError):
        user = colon = password = ""
    if not user or not colon:
        raise CredentialsError(f"{path}: the member auths/{key}/auth is not base64 of user:password")
    return Credentials(user, password.rstrip("\0"))


def _ask_helper(path: Path, helper: object, server: str) -> Credentials | None:
    """Run ``docker-credential-HELPER get`` with the server on its standard input, as docker does."""
    if not isinstance(helper, str) or not _PLAIN.fullmatch(helper):
        raise CredentialsError(f"{path}: the name of its credential helper is not a plain word")
    program = f"docker-credential-{helper}"
    try:
        answer = subprocess.run(  # the program is the one that the owner's config.json names
            [program, "get"], input=server.encode(), capture_output=True, timeout=_HELPER_SECONDS, check=False
        )
    except FileNotFoundError:
        raise CredentialsError(f"the credential helper {program} is not installed") from None
    except subprocess.TimeoutExpired:
        raise CredentialsError(f"the credential helper {program} took more than {_HELPER_SECONDS} seconds") from None
    except OSError as error:
        raise CredentialsError(f"the credential helper {program} cannot be run ({error.strerror})") from None
    if answer.returncode != 0:
        if b"credentials not found" in answer.stdout:
            return None
        raise CredentialsError(f"the credential helper {program} failed with exit code {answer.returncode}")
    try:
        found = json.loads(answer.stdout)
        username, secret = found["Username"], found["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        username = secret = None
    if not isinstance(username, str) or not isinstance(secret, str) or not secret:
        raise CredentialsError(f"the credential helper {program} gave no JSON with Username and Secret")
    if username == "<token>":
        raise CredentialsError(f"the credential helper {program} gave an identity token; {_NO_IDENTITY}")
    return Credentials(username, secret)
