"""Events that wait in files: what was acknowledged is told, whatever becomes of the registry."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from reference.app import Registry
from reference.configuration.reading import ConfigError, read
from reference.messages import Message
from reference.notifications import journal as journals
from reference.notifications.durable import DurableNotifications
from reference.notifications.events import Events
from reference.notifications.journal import Journal
from reference.settings import Endpoint
from reference.storage import StorageError
from reference.storage.memory import MemoryStorage
from reference.storage.sync import ALWAYS, NEVER, Syncer
from tests.reference.conftest import Start
from tests.reference.operation.test_health import free_port
from tests.reference.probe import Client, digest
from tests.reference.process.test_command import HEAD, written
from tests.reference.test_notifications import Listener, listener
from tests.support.obeys import obeys

__all__ = ["listener"]
NOWHERE = "http://127.0.0.1:1/"


def read_all(journal: Journal) -> list[object]:
    found: list[object] = []
    while (event := journal.next()) is not None:
        found.append(event["n"])
    return found


def opened(folder: Path) -> Journal:
    return Journal(folder, Syncer(NEVER))


def test_a_queue_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "SEGMENT", 30)
    journal = opened(tmp_path)
    for number in range(10):
        journal.append({"n": number})
    assert len(list(tmp_path.glob("*.events"))) == 3
    assert [journal.next(), journal.next()] == [{"n": 0}, {"n": 1}]
    assert (journal.pending, journal.unread()) == (10, True)
    journal.advance()
    assert journal.next() == {"n": 2}
    journal.close()
    # What was read, and not delivered, comes again.
    journal = opened(tmp_path)
    assert journal.pending == 8
    journal.append({"n": 10})
    assert read_all(journal) == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    journal.advance()
    assert (journal.pending, journal.unread(), journal.next()) == (0, False, None)
    assert len(list(tmp_path.glob("*.events"))) == 1
    journal.close()
    journal = opened(tmp_path)
    assert read_all(journal) == []
    journal.append({"n": 11})
    assert read_all(journal) == [11]


@pytest.mark.parametrize(
    ("harm", "left"),
    [
        (lambda folder: (folder / "done").unlink(), [0, 1, 2]),
        (lambda folder: (folder / "done").write_text("x"), [0, 1, 2]),
        (lambda folder: (folder / "done").write_text(""), [0, 1, 2]),
        (lambda folder: (folder / "0.events").unlink(), []),
        (lambda folder: os.truncate(folder / "0.events", 20), [1]),
        (lambda folder: os.truncate(folder / "0.events", 3), []),
        (lambda folder: (folder / "0.events").write_bytes(b'{"n": 0}\n\0\0\0\0\0\0\0\0\n{"n": 2}\n'), [2]),
    ],
)
def test_a_power_cut_takes_no_more_than_it_tore(
    tmp_path: Path, harm: Callable[[Path], object], left: list[int]
) -> None:
    journal = opened(tmp_path)
    for number in range(3):
        journal.append({"n": number})
    journal.next()
    journal.advance()
    journal.close()
    harm(tmp_path)
    journal = opened(tmp_path)
    journal.append({"n": 9})
    assert read_all(journal) == [*left, 9]
    journal.advance()
    assert journal.pending == 0


def test_an_event_that_does_not_fit_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, write = opened(tmp_path), os.write
    journal.append({"n": 0})

    def full(file: int, data: bytes) -> int:
        write(file, data[:3])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            journal.append({"n": 1})
    journal.append({"n": 2})
    assert read_all(journal) == [0, 2]


@pytest.fixture
def notifications(tmp_path: Path) -> Iterator[DurableNotifications]:
    made = DurableNotifications([Endpoint("a", NOWHERE)], Events("127.0.0.1:5000"), tmp_path / "queue", ALWAYS)
    yield made
    made.close()


def test_a_write_is_kept_before_its_answer_and_on_the_disk(
    notifications: DurableNotifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(MemoryStorage())
    registry.notifications = notifications
    synced: list[str] = []
    fsync = os.fsync

    def noting(file: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{file}"))  # noqa: PTH115 - no path at hand
        fsync(file)

    monkeypatch.setattr(os, "fsync", noting)
    (sender,) = notifications.senders

    async def check() -> None:
        kept: list[int] = []

        async def application(scope: dict[str, object], receive: object, send: object) -> None:
            async def sending(message: Message) -> None:
                kept.append(sender.pending)
                await send(message)  # type: ignore[operator]  # as the client has it

            await registry(scope, receive, sending)  # type: ignore[arg-type]  # as the client has it

        client = Client(application)  # type: ignore[arg-type]  # as above
        await client.call("POST", f"/v2/a/blobs/uploads/?digest={digest(b'x')}", b"x")
        assert kept == [1, 1]
        assert [path for path in synced if path.endswith("0.events")]
        kept.clear()
        # A pull is told when it is over.
        await client.call("GET", f"/v2/a/blobs/{digest(b'x')}")
        assert set(kept) == {1}
        assert sender.pending == 2
        await client.call("DELETE", f"/v2/a/blobs/{digest(b'y')}")
        assert sender.pending == 2

        def full(_event: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(sender, "put", full)
        assert (await client.call("DELETE", f"/v2/a/blobs/{digest(b'x')}")).status == 507

    asyncio.run(check())


def test_a_queue_has_an_end_and_one_process(
    notifications: DurableNotifications,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("reference.notifications.durable.PENDING", 3)
    for number in range(5):
        notifications.publish({"action": "push", "target": {}, "n": number})
    (sender,) = notifications.senders
    assert (sender.pending, sender.lost) == (3, 2)
    assert caplog.text.count("what comes now is lost") == 1
    with pytest.raises(StorageError, match="another process uses it"):
        DurableNotifications([], Events("127.0.0.1:5000"), tmp_path / "queue", NEVER)


def test_names_of_endpoints_are_told_apart(tmp_path: Path) -> None:
    text = f"{HEAD}notifications:\n  queue: {{rootdirectory: {tmp_path}}}\n  endpoints:\n"
    again = f"    - {{name: a/b, url: '{NOWHERE}'}}\n"
    assert read(written(tmp_path, text + again), {}).queue == tmp_path
    with pytest.raises(ConfigError, match=r":8: notifications.endpoints\[1\].name: each endpoint needs a name"):
        read(written(tmp_path, text + again + again), {})


@obeys("notifications.queue.rootdirectory")
def test_what_was_acknowledged_is_told_after_a_kill(starter: Start, tmp_path: Path, listener: Listener) -> None:
    """The endpoint is not there at first; then it refuses the first event once."""
    gone = free_port()

    def configured(url: str) -> tuple[str, ...]:
        text = (
            f"{HEAD}notifications:\n  queue:\n    rootdirectory: {tmp_path / 'queue'}\n  endpoints:\n"
            f"    - {{name: a, url: '{url}', threshold: 1, backoff: 50ms, timeout: 5s}}\n"
        )
        return str(written(tmp_path, text)), "--addr", "127.0.0.1:0"

    def push(url: str, numbers: range) -> None:
        for number in numbers:
            content = b"%d" % number
            target = f"{url}/v2/r{number % 2}/blobs/uploads/?digest={digest(content)}"
            assert requests.post(target, data=content, timeout=10).status_code == 201

    process = starter(*configured(f"http://127.0.0.1:{gone}/"))
    push(process.url, range(10))
    process.stop(signal.SIGKILL)
    process = starter(*configured(f"http://127.0.0.1:{gone}/"))
    assert "endpoint a: 10 events wait from before" in process.log.read_text()
    push(process.url, range(10, 14))
    assert process.stop() == 0
    assert "endpoint a: 14 events wait for the next start" in process.log.read_text()
    listener.answers = [500]
    process = starter(*configured(listener.url))
    events = [listener.event() for _ in range(15)]
    assert events[0]["id"] == events[1]["id"]
    assert [event["target"]["digest"] for event in events[1:]] == [digest(b"%d" % number) for number in range(14)]
    assert process.stop() == 0
    # Nothing waits, and nothing comes again.
    process = starter(*configured(listener.url))
    push(process.url, range(14, 15))
    assert listener.event()["target"]["digest"] == digest(b"14")
    assert "wait from before" not in process.log.read_text()
