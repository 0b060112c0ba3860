"""Basic authentication against a file of bcrypt hashes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from pathlib import Path

import bcrypt

from reference import errors
from reference.messages import Request

_BCRYPT = ("$2a$", "$2b$", "$2y$")


class HtpasswdError(Exception):
    """A password file that cannot be used."""


def load(path: Path) -> dict[str, bytes]:
    """The hashes by user."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HtpasswdError(f"{path}: {getattr(error, 'strerror', None) or 'not a text file'}") from error
    users: dict[str, bytes] = {}
    for number, line in enumerate(lines, 1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        user, separator, hashed = entry.partition(":")
        if not separator or not hashed.startswith(_BCRYPT):
            raise HtpasswdError(f"{path}:{number}: not a line of user:hash with a bcrypt hash")
        users[user] = hashed.encode()
    return users


class Htpasswd:
    """Answers 401 with a Basic challenge until name and password fit."""

    def __init__(self, realm: str, users: dict[str, bytes]) -> None:
        self.challenge = f'Basic realm="{realm}"'
        self._users = users
        # bcrypt is slow on purpose: passwords that fitted are remembered by a keyed hash of this process.
        self._key = secrets.token_bytes(32)
        self._known: dict[str, bytes] = {}
        self._nobody = bcrypt.hashpw(b"nobody", bcrypt.gensalt(4))

    async def check(self, request: Request) -> None:
        """Refuse whoever is not in the file."""
        credentials = _credentials(request.headers.get("authorization"))
        if credentials is None or not await self._fits(*credentials):
            raise errors.unauthorized(self.challenge)
        request.user = credentials[0]

    async def _fits(self, user: str, password: bytes) -> bool:
        keyed = hmac.new(self._key, password, hashlib.sha256).digest()
        known = self._known.get(user)
        if known is not None and hmac.compare_digest(known, keyed):
            return True
        hashed = self._users.get(user)
        fits = await asyncio.to_thread(bcrypt.checkpw, password[:72], hashed or self._nobody)
        if hashed is None or not fits:
            return False
        self._known[user] = keyed
        return True


def _credentials(header: str) -> tuple[str, bytes] | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, separator, password = base64.b64decode(value.strip(), validate=True).partition(b":")
        return (user.decode(), password) if separator else None
    except ValueError:
        return None
