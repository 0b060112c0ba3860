"""A storage that fails at one step: a JSON error, an unchanged session, a next try that works."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from reference.app import Registry
from reference.storage.distribution.storage import DistributionStorage
from reference.storage.filesystem import FilesystemStorage
from tests.reference.probe import CONFIG, LAYER, Answer, Client, digest, image
from tests.support.chance import made_up
from tests.support.killed import failing_after

LONG = made_up(700_000)
MANY = 200


class Full(OSError):
    def __init__(self, _message: str) -> None:
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC))


def check_answer(answer: Answer) -> bool:
    """Whether it succeeded; where it did not, that it says so as it should."""
    if answer.status < 400:
        return True
    assert answer.status in (500, 507), answer
    assert answer.get("content-type") == "application/json"
    assert json.loads(answer.body)["errors"][0]["code"] == "UNKNOWN"
    return False


async def sequence(client: Client) -> bool:
    """Push an image in several ways, tag, mount and delete; whether all succeeded."""
    answers = [await client.blob("a", CONFIG), await client.blob("a", LAYER)]
    location = await client.start("a")
    answers.append(await client.chunk(location, 0, LONG[:300_000]))
    answers.append(await client.chunk(location, 300_000, LONG[300_000:]))
    answers.append(await client.put(location, digest(LONG)))
    answers.append(await client.manifest("a", "v1", image()))
    answers.append(await client.call("POST", f"/v2/b/blobs/uploads/?mount={digest(LAYER)}&from=a"))
    answers.append(await client.call("DELETE", f"/v2/b/blobs/{digest(LAYER)}"))
    answers.append(await client.call("DELETE", "/v2/a/manifests/v1"))
    answers.append(await client.call("DELETE", f"/v2/a/manifests/{digest(image())}"))
    return all(answer.status < 400 for answer in answers)


@pytest.mark.parametrize(
    ("kind", "every"),
    [
        (FilesystemStorage, 1),
        (DistributionStorage, 5),
        pytest.param(DistributionStorage, 1, marks=pytest.mark.slow),
    ],
)
def test_a_failure_at_any_step_is_told_and_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[FilesystemStorage | DistributionStorage], every: int
) -> None:
    # There are many steps, and a wait for the disk is none of them.
    monkeypatch.setattr(os, "fsync", lambda _file: None)
    for step in range(0, MANY, every):
        storage = kind(tmp_path / str(step))
        client = Client(Registry(storage))
        with failing_after(step, Full, lasting=False) as clock:
            asyncio.run(sequence(client))
            reached = clock.steps > step
        for answer in client.answers:
            if answer.status not in (400, 404, 416):  # what follows from a failure before
                check_answer(answer)
        assert asyncio.run(sequence(client))
        storage.close()
        shutil.rmtree(tmp_path / str(step))
        if not reached:
            break
    assert 30 < step < MANY - 1


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_chunk_that_cannot_be_written_leaves_the_session_as_it_was(
    error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(Registry(FilesystemStorage(tmp_path)))
    write = os.write

    def failing(file: int, data: bytes) -> int:
        write(file, bytes(data)[:1000])
        raise OSError(error, os.strerror(error))

    async def check() -> None:
        location = await client.start("a")
        assert (await client.chunk(location, 0, LONG[:1000])).status == 202
        for method in ("PATCH", "PUT"):
            monkeypatch.setattr(os, "write", failing)
            for size in (2000, 600_000):
                answer = await client.call(method, f"{location}?digest={digest(LONG)}", LONG[1000 : 1000 + size])
                assert answer.status == (507 if error == errno.ENOSPC else 500)
                check_answer(answer)
            monkeypatch.setattr(os, "write", write)
            assert (await client.call("GET", location)).get("range") == "0-999"
        assert (await client.chunk(location, 1000, LONG[1000:])).status == 202
        assert (await client.put(location, digest(LONG))).status == 201
        one = await client.call("POST", f"/v2/a/blobs/uploads/?digest={digest(LAYER)}", LAYER)
        assert one.status == 201
        monkeypatch.setattr(os, "write", failing)
        assert check_answer(await client.call("POST", f"/v2/a/blobs/uploads/?digest={digest(CONFIG)}", CONFIG)) is False
        assert list((tmp_path / "uploads").iterdir()) == []

    asyncio.run(check())


def test_a_mistake_of_the_registry_is_told_in_json(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry(FilesystemStorage(tmp_path))

    def mistaken(name: str) -> bool:
        raise ZeroDivisionError("a secret of the inside")

    registry.storage.exists = mistaken  # type: ignore[method-assign]  # the mistake
    answer = asyncio.run(Client(registry).call("GET", "/v2/a/tags/list"))
    assert check_answer(answer) is False
    assert b"secret" not in answer.body
    assert "ZeroDivisionError" in caplog.text
