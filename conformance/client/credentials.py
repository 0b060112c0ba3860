"""Credentials of the target: from options, the environment, or a Docker ``config.json``."""

from __future__ import annotations

import base64
import binascii
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_HELPER_SECONDS = 20


class CredentialsError(Exception):
    """The credentials cannot be read; the sentence names the file and never the secret."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's name and password, or an identity token in the password's place."""

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
    helpers = config.get("credHelpers")
    helper = helpers.get(host) if isinstance(helpers, dict) else None
    helper = helper or config.get("credsStore")
    auths = config.get("auths")
    entries = auths if isinstance(auths, dict) else {}
    for key in keys:
        entry = entries.get(key)
        if isinstance(entry, dict) and (found := _inline(path, key, entry)):
            return found
    if isinstance(helper, str) and helper:
        return _ask_helper(helper, host)
    return None


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
    if isinstance(entry.get("username"), str) and isinstance(entry.get("password"), str):
        return Credentials(entry["username"], entry["password"])
    auth = entry.get("auth")
    if not isinstance(auth, str) or not auth:
        return None
    try:
        user, colon, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        raise CredentialsError(f"{path}: the member auths/{key}/auth is not base64 of user:password")
    return Credentials(user, password.rstrip("\0"))


def _ask_helper(helper: str, host: str) -> Credentials | None:
    """Run ``docker-credential-HELPER get`` with the host on its standard input, as docker does."""
    program = f"docker-credential-{helper}"
    if not helper.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise CredentialsError(f"the name of the credential helper {program!r} is not a plain word")
    try:
        answer = subprocess.run(  # noqa: S603  # the program is the one that the owner's config.json names
            [program, "get"],
            input=host.encode(),
            capture_output=True,
            timeout=_HELPER_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise CredentialsError(f"the credential helper {program} is not installed") from None
    except (OSError, subprocess.TimeoutExpired):
        raise CredentialsError(f"the credential helper {program} could not be run to its end") from None
    if answer.returncode != 0:
        if b"credentials not found" in answer.stdout:
            return None
        raise CredentialsError(f"the credential helper {program} failed with exit code {answer.returncode}")
    try:
        found = json.loads(answer.stdout)
        return Credentials(str(found["Username"]), str(found["Secret"]))
    except (ValueError, KeyError, TypeError):
        raise CredentialsError(f"the credential helper {program} gave no JSON with Username and Secret") from None
