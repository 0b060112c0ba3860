"""Basic authentication against a file of bcrypt hashes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import os
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import bcrypt

from reference import errors
from reference.messages import Request

log = logging.getLogger("reference")
_BCRYPT = ("$2a$", "$2b$", "$2y$")
#: The first bytes of a hash are its kind, its cost and its salt.
_SALTED = 29
_DEAR = b"$2b$10$" + b"." * 22
#: Passwords that wait to be tried; who comes after them comes again later.
_QUEUE = 100


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
    """Answers 401 with a Basic challenge until name and password fit; the file is read again where it changed.

    In place of a file, ``source`` may have the hashes by user.
    """

    def __init__(self, realm: str, source: Path | Mapping[str, bytes]) -> None:
        self.challenge = f'Basic realm="{realm}"'
        self._path = source if isinstance(source, Path) else None
        self._state = _state(self._path)
        self._users = load(source) if isinstance(source, Path) else dict(source)
        # bcrypt is slow on purpose: passwords that fitted are remembered by a keyed hash of this process.
        self._key = secrets.token_bytes(32)
        self._known: dict[str, bytes] = {}
        # Threads of its own: those that read and write content go on while passwords are tried.
        self._threads = ThreadPoolExecutor(max(1, (os.cpu_count() or 2) // 2), "bcrypt")
        self._waiting = 0

    async def check(self, request: Request) -> None:
        """Refuse whoever is not in the file."""
        credentials = _credentials(request.headers.get("authorization"))
        if credentials is None or not await self._fits(*credentials):
            raise errors.unauthorized(self.challenge)
        request.user = credentials[0]

    async def _fits(self, user: str, password: bytes) -> bool:
        self._read_again()
        keyed = hmac.new(self._key, password, hashlib.sha256).digest()
        known = self._known.get(user)
        if known is not None and hmac.compare_digest(known, keyed):
            return True
        if self._waiting >= _QUEUE:
            raise errors.too_many_logins()
        hashed = self._users.get(user)
        self._waiting += 1
        try:
            work = partial(bcrypt.checkpw, password[:72], hashed or _nobody(self._users))
            fits = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
        if hashed is None or not fits:
            return False
        if self._users.get(user) == hashed:
            self._known[user] = keyed
        return True

    def _read_again(self) -> None:
        state = _state(self._path)
        if self._path is None or state == self._state:
            return
        self._state = state
        try:
            users = load(self._path)
        except HtpasswdError as error:
            log.error("%s; the passwords of before go on", error)
            return
        changed = [user for user in self._known if users.get(user) != self._users.get(user)]
        for user in changed:
            del self._known[user]
        self._users = users
        log.info("%s was read again", self._path)


def _state(path: Path | None) -> tuple[int, ...]:
    """What changes with a file; nothing where it is not there, as in the middle of a replacement."""
    if path is None:
        return ()
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _nobody(users: dict[str, bytes]) -> bytes:
    """A hash that nothing fits, as dear as the dearest of the file: an unknown name takes as long as a known one."""
    return max(users.values(), key=lambda hashed: hashed[4:6], default=_DEAR)[:_SALTED] + b"." * 31


def _credentials(header: str) -> tuple[str, bytes] | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, separator, password = base64.b64decode(value.strip(), validate=True).partition(b":")
        return (user.decode(), password) if separator else None
    except ValueError:
        return None
