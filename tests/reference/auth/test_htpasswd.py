"""Passwords: a file that changes, names that timing does not reveal, and no waiting for others."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bcrypt
import pytest
import requests

from reference.auth.htpasswd import Htpasswd
from reference.errors import RegistryError
from reference.messages import Request
from tests.reference.conftest import Process, Start
from tests.reference.probe import digest
from tests.support.chance import made_up

COST = 8


def line(user: str, password: str, cost: int = COST) -> str:
    return f"{user}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()}\n"


def fits(authenticator: Htpasswd, user: str, password: str) -> bool:
    header = requests.auth._basic_auth_str(user, password)
    scope = {"method": "GET", "path": "/v2/", "headers": [(b"authorization", header.encode())]}

    async def receive() -> dict[str, object]:
        return {}

    try:
        asyncio.run(authenticator.check(Request(scope, receive)))
    except RegistryError as error:
        assert error.status == 401
        return False
    return True


def replaced(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def test_a_changed_file_counts_at_once(tmp_path: Path) -> None:
    path = tmp_path / "htpasswd"
    path.write_text(line("alice", "old") + line("bob", "same"))
    authenticator = Htpasswd("r", path)
    assert fits(authenticator, "alice", "old")
    assert fits(authenticator, "bob", "same")
    replaced(path, line("alice", "new") + line("carol", "first"))
    assert not fits(authenticator, "alice", "old")
    assert fits(authenticator, "alice", "new")
    assert not fits(authenticator, "bob", "same")
    assert fits(authenticator, "carol", "first")


@pytest.mark.parametrize("broken", ["nonsense\n", None])
def test_a_file_that_cannot_be_read_changes_nothing(tmp_path: Path, broken: str | None) -> None:
    path = tmp_path / "htpasswd"
    path.write_text(line("alice", "secret"))
    authenticator = Htpasswd("r", path)
    path.unlink() if broken is None else replaced(path, broken)
    assert fits(authenticator, "alice", "secret")
    assert not fits(authenticator, "alice", "wrong")
    replaced(path, line("alice", "again"))
    assert fits(authenticator, "alice", "again")


def test_an_unknown_name_costs_as_much_as_a_known_one(tmp_path: Path) -> None:
    """Compared by the work that is done, not by a clock."""
    path = tmp_path / "htpasswd"
    path.write_text(line("alice", "secret", 6) + line("bob", "secret", 9))
    authenticator, costs, check = Htpasswd("r", path), list[bytes](), bcrypt.checkpw

    def noting(password: bytes, hashed: bytes) -> bool:
        costs.append(hashed[4:6])
        return check(password, hashed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bcrypt, "checkpw", noting)
        for user in ("bob", "nobody"):
            assert not fits(authenticator, user, "wrong")
    assert costs == [b"09", b"09"]


@pytest.fixture
def guarded(starter: Start, tmp_path: Path) -> Process:
    (tmp_path / "htpasswd").write_text(line("alice", "secret", 10))
    config = tmp_path / "config.yml"
    config.write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {tmp_path}/root\n"
        f"http:\n  addr: 127.0.0.1:0\nauth:\n  htpasswd:\n    realm: r\n    path: {tmp_path}/htpasswd\n"
    )
    return starter(str(config))


@pytest.mark.alone
def test_wrong_logins_hold_up_nobody_who_is_known(guarded: Process) -> None:
    """Sixty wrong passwords at once beside the pull of a blob of 4 MiB."""
    content, session = made_up(4 << 20), requests.Session()
    session.auth = ("alice", "secret")
    url = f"{guarded.url}/v2/a/blobs"
    assert session.post(f"{url}/uploads/?digest={digest(content)}", data=content, timeout=20).status_code == 201

    def pull() -> float:
        began = time.monotonic()
        assert session.get(f"{url}/{digest(content)}", timeout=60).content == content
        return time.monotonic() - began

    alone = statistics.median(pull() for _ in range(5))
    begun = threading.Barrier(61)

    def wrong(_: int) -> int:
        begun.wait()
        return requests.get(f"{guarded.url}/v2/", auth=("alice", "wrong"), timeout=60).status_code

    with ThreadPoolExecutor(60) as crowd:
        answers = crowd.map(wrong, range(60))
        begun.wait()
        time.sleep(0.2)
        beside = pull()
        assert set(answers) <= {401, 429}
    assert beside < max(1.0, 20 * alone)
