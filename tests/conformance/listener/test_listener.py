"""The listener for notifications: bounded, patient, and believing nobody."""

from __future__ import annotations

import http.client
import json
import multiprocessing.util
import re
import socket
import threading
import time
from collections.abc import Iterator
from multiprocessing import AuthenticationError
from pathlib import Path
from typing import Any

import pytest

from conformance import listener as listening
from conformance.listener import mailbox as bounds
from conformance.listener.mailbox import Delivery, LocalMailbox, Reply
from conformance.listener.remote import RemoteMailbox
from conformance.listener.server import BODY_LIMIT, CONNECTIONS, Listener
from conformance.scenarios.notifications.events import Event, events_of, flaw, media_type
from conformance.settings import USER_AGENT

ANY = (b"",)
WAIT = 10.0


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener("127.0.0.1", 0)
    yield found
    found.close()


def post(listener: Listener, body: bytes, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=WAIT)
    try:
        connection.request("POST", "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def raw(listener: Listener, request: bytes) -> bytes:
    """What comes back for some bytes, after which the sender says no more."""
    with socket.create_connection(("127.0.0.1", listener.port), timeout=WAIT) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while piece := connection.recv(4096):
                received += piece
        except ConnectionResetError:
            pass
        return received


def taken(listener: Listener) -> list[Delivery]:
    return listener.mailbox.look(ANY, wait=WAIT).deliveries


def test_what_is_posted_is_kept(listener: Listener) -> None:
    assert post(listener, b'{"a": 1}', **{"X-Name": "v"}) == 200
    (delivery,) = taken(listener)
    assert (delivery.method, delivery.body, delivery.whole) == ("POST", b'{"a": 1}', True)
    assert delivery.header("x-name") == ["v"]
    assert listener.mailbox.look((b"other",)).deliveries == []


def test_requests_of_the_suite_itself_are_no_deliveries(listener: Listener) -> None:
    assert post(listener, b"x", **{"User-Agent": USER_AGENT}) == 404
    assert post(listener, b"y") == 200
    assert [delivery.body for delivery in taken(listener)] == [b"y"]


def test_a_long_body_is_cut(listener: Listener) -> None:
    head = f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n".encode()
    assert b"200" in raw(listener, head + b"a" * BODY_LIMIT).partition(b"\r\n")[0]
    (delivery,) = taken(listener)
    assert (len(delivery.body), delivery.whole) == (BODY_LIMIT, False)


@pytest.mark.parametrize(
    ("rest", "body", "whole"),
    [
        (b"Content-Length: 9\r\n\r\nabc", b"abc", False),
        (b"Content-Length: -1\r\n\r\nabc", b"", False),
        (b"Content-Length: " + b"9" * 30 + b"\r\n\r\nabc", b"", False),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nTrailer: t\r\n\r\n", b"abc", True),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n", b"ab", False),
        (b"Transfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n0\r\n\r\n", b"", False),
        (b"Transfer-Encoding: chunked\r\n\r\nfffffffffff\r\nab", b"ab", False),
    ],
)
def test_odd_bodies(rest: bytes, body: bytes, whole: bool, listener: Listener) -> None:
    raw(listener, b"POST / HTTP/1.1\r\nHost: h\r\n" + rest)
    (delivery,) = taken(listener)
    assert (delivery.body, delivery.whole) == (body, whole)


@pytest.mark.parametrize(
    "garbage", [b"", b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"BREW / HTTP/1.1\r\n\r\n", b"\r\n" * 99]
)
def test_garbage_is_no_concern(garbage: bytes, listener: Listener, capfd: pytest.CaptureFixture[str]) -> None:
    raw(listener, garbage)
    assert post(listener, b"x") == 200
    assert [delivery.body for delivery in taken(listener)] == [b"x"]
    assert capfd.readouterr() == ("", "")


def test_too_many_connections_are_closed(listener: Listener) -> None:
    address = ("127.0.0.1", listener.port)
    opened = [socket.create_connection(address, timeout=WAIT) for _ in range(CONNECTIONS)]
    with socket.create_connection(address, timeout=WAIT) as late:
        assert late.recv(1) == b""
    for connection in opened:
        connection.close()
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        try:
            assert post(listener, b"x") == 200
            break
        except OSError:
            time.sleep(0.01)
    assert taken(listener)


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "KEPT", 3)
    monkeypatch.setattr(bounds, "KEPT_BYTES", 10)
    mailbox = LocalMailbox()
    for number in range(5):
        mailbox.take("POST", (), b"%d" % number, True)
    look = mailbox.look(ANY)
    assert ([d.number for d in look.deliveries], look.last, look.forgotten) == ([3, 4, 5], 5, 2)
    mailbox.take("POST", (), b"a" * 9, True)
    assert [d.number for d in mailbox.look(ANY).deliveries] == [5, 6]


def test_answers_are_those_that_were_asked_for(listener: Listener) -> None:
    listener.mailbox.script(b"abc", (Reply(500), Reply(0, 0.05), Reply(304)))
    assert post(listener, b"other") == 200
    assert post(listener, b"abc") == 500
    with pytest.raises(http.client.RemoteDisconnected):
        post(listener, b"abc")
    assert post(listener, b"abc") == 304
    assert post(listener, b"abc") == 200


def test_silence_ends_when_the_sender_goes(listener: Listener) -> None:
    listener.mailbox.script(b"abc", (Reply(0, 60.0),))
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=0.1)
    with pytest.raises(TimeoutError):
        connection.request("POST", "/", b"abc")
        connection.getresponse()
    connection.close()
    end = time.monotonic() + WAIT
    while not (delivery := taken(listener)[0]).answered and time.monotonic() < end:
        time.sleep(0.01)
    assert delivery.answered


def test_a_look_waits_for_what_fits(listener: Listener) -> None:
    late = threading.Timer(0.1, lambda: [listener.mailbox.take("POST", (), body, True) for body in (b"no", b"yes")])
    late.start()
    look = listener.mailbox.look((b"yes",), wait=WAIT)
    late.join()
    assert [delivery.body for delivery in look.deliveries] == [b"yes"]
    assert listener.mailbox.look((b"yes",), after=look.last, wait=0.01).deliveries == []


def test_other_processes_look_into_the_mailbox(listener: Listener) -> None:
    way = listening.way(listener.mailbox)
    assert way is not None
    remote = listening.enter(way)
    assert isinstance(remote, RemoteMailbox)
    remote.script(b"abc", (Reply(500),))
    assert post(listener, b"abc") == 500
    assert [delivery.body for delivery in remote.look((b"abc",), 0, 1.0).deliveries] == [b"abc"]
    assert not remote.gave_up()
    remote.give_up()
    assert listener.mailbox.gave_up()
    with pytest.raises((AuthenticationError, OSError, EOFError)):
        RemoteMailbox((way[0], b"another key")).gave_up()
    assert remote.gave_up()
    remote.close()


def test_a_temporary_folder_with_a_long_name(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of a local socket has 107 bytes at most."""
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(multiprocessing.util, "get_temp_dir", lambda: str(long))
    remote = listening.enter(listening.way(listener.mailbox))
    assert isinstance(remote, RemoteMailbox)
    assert not remote.gave_up()
    remote.close()


def test_an_address_that_is_taken(listener: Listener) -> None:
    taken = f"--notifications-listen: 127.0.0.1:{listener.port} cannot be listened on"
    with pytest.raises(pytest.UsageError, match=re.escape(taken)), listening.listening("127.0.0.1", listener.port):
        pass


def delivery(body: bytes) -> Delivery:
    return Delivery(1, "POST", (("Content-Type", "A/b; c=d"),), body, True, 0.0, Reply())


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"\xff", "no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "no array"),
        (b'{"events": {}}', "no array"),
        (b'{"events": []}', "empty"),
        (b'{"events": [1]}', "no object"),
        (b'{"events": [{}], "more": 1}', ""),
    ],
)
def test_envelopes(body: bytes, wrong: str) -> None:
    assert wrong in flaw(delivery(body))
    assert bool(flaw(delivery(body))) == bool(wrong)
    assert all(isinstance(event.value, dict) for event in events_of([delivery(body)]))
    assert media_type(delivery(body)) == "a/b"


@pytest.mark.parametrize("odd", [None, 1, 10**400, "\ud800", [], {}, True, 1.5, "x" * 100_000])
def test_odd_members_are_no_error(odd: Any) -> None:
    event = Event({"id": odd, "action": odd, "timestamp": odd, "target": {"digest": odd}, "actor": odd}, delivery(b""))
    assert isinstance(event.action, str)
    assert isinstance(event.text("digest"), str)
    assert isinstance(event.key(), str)
    assert all(isinstance(event.fits(name), bool) for name in ("id", "timestamp", "actor", "source"))
    assert json.loads(event.key())
