"""Hostile posts to the listener of the suite, made for as long as a run lasts."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.hostile.answers import POISON
from tests.hostile.proxy import Asked, Proxy

#: Posts once to the listener of a run, at a port; the proxy tells what the run has asked so far.
Pester = Callable[[socket.socket, Proxy], None]

_TYPE = "application/vnd.docker.distribution.events.v2+json"
_PAUSE = 0.05


def pester(proxy: Proxy, how: Pester) -> None:
    """Post again and again until the proxy ends."""
    while not proxy.over.wait(_PAUSE):
        with suppress(OSError), socket.create_connection(("127.0.0.1", proxy.hook), 1) as connection:
            connection.settimeout(2)
            how(connection, proxy)


def head(*fields: str) -> bytes:
    """The head of a post."""
    return "\r\n".join(("POST /events HTTP/1.1", "Host: suite", f"Content-Type: {_TYPE}", *fields, "", "")).encode()


def sending(start: bytes, piece: bytes = b"", pause: float = 0.0) -> Pester:
    """Send a start and then, where there is a piece, that without end."""

    def post(connection: socket.socket, proxy: Proxy) -> None:
        connection.sendall(start)
        while piece and not proxy.over.is_set():
            connection.sendall(piece)
            time.sleep(pause)

    return post


def body(make: Callable[[list[Asked]], bytes]) -> Pester:
    """Send a whole body, made of what the run has asked."""

    def post(connection: socket.socket, proxy: Proxy) -> None:
        content = make(proxy.asked[-40:])
        connection.sendall(head(f"Content-Length: {len(content)}", "Connection: close") + content)
        connection.recv(1000)

    return post


def poisoned(asked: list[Asked]) -> bytes:
    """Events about what the run just did, with control characters and markup in every member."""
    events = [_event(name, digest) for name, digest in _things(asked)]
    return json.dumps({"events": events or [{POISON: POISON}]}).encode()


def nonsense(asked: list[Asked]) -> bytes:
    """Events of the run with members of wrong types and enormous numbers."""
    pieces = [
        f'{{"id": 1e999, "action": [], "timestamp": NaN, "target": {{"digest": "{digest}", "size": {"9" * 5000}, '
        f'"repository": "{name}", "repository": {{}}}}, "actor": 7, "actor": null, "source": "\\ud800"}}'
        for name, digest in _things(asked)
    ]
    return f'{{"events": [{", ".join(pieces)}], "events": [{", ".join(pieces) or "1"}]}}'.encode()


def many(asked: list[Asked]) -> bytes:
    """As many events as the listener keeps of one body, all about one repository."""
    name, digest = next(iter(_things(asked)), ("a/b", "sha256:" + "0" * 64))
    one = json.dumps({"id": "x", "action": "push", "target": {"digest": digest, "repository": name}})
    return f'{{"events": [{", ".join([one] * (2_000_000 // (len(one) + 2)))}]}}'.encode()


def deep(asked: list[Asked]) -> bytes:
    """Lists in lists that mention a repository."""
    name = next((name for name, _ in _things(asked)), "")
    return f'{{"{name}": {"[" * 200_000}'.encode()


def _things(asked: list[Asked]) -> list[tuple[str, str]]:
    """The repositories of requests, with the digests in them."""
    found = []
    for one in asked:
        name, _, rest = one.target.removeprefix("/v2/").partition("/manifests/")
        if rest.startswith("sha256:"):
            found.append((name, rest.partition("?")[0]))
    return found


def _event(name: str, digest: str) -> dict[str, Any]:
    target = {"mediaType": POISON, "digest": digest, "repository": name, "url": POISON, "tag": POISON, "size": POISON}
    people = {"actor": {"name": POISON}, "source": {"addr": POISON}, "request": {"method": POISON, "id": POISON}}
    return {"id": POISON, "action": "push", "timestamp": POISON, "target": {**target, POISON: POISON}, **people}
