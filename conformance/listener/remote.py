"""The mailbox for other processes of the run: a socket that only they have the key to."""

from __future__ import annotations

import contextlib
import secrets
import threading
from multiprocessing.connection import Client, Connection
from multiprocessing.connection import Listener as Socket

from conformance.listener.mailbox import LocalMailbox, Look, Reply, Way


class SocketDoor:
    """Serves a mailbox on a local socket, a thread for each process that comes with the key."""

    def __init__(self, mailbox: LocalMailbox) -> None:
        self._mailbox = mailbox
        self._key = secrets.token_bytes(32)
        self._socket = _listening(self._key)
        self._closed = False
        threading.Thread(target=self._serve, name="mailbox", daemon=True).start()

    @property
    def way(self) -> Way:
        """What a process needs to come in: the address and the key."""
        return self._socket.address, self._key

    def close(self) -> None:
        """Let nobody in any more."""
        self._closed = True
        with contextlib.suppress(OSError, EOFError):
            # Wakes the thread that waits for somebody.
            Client(self.way[0], authkey=self._key).close()
        self._socket.close()

    def _serve(self) -> None:
        while not self._closed:
            # AuthenticationError, which is no OSError, comes of a wrong key.
            with contextlib.suppress(Exception):
                visitor = self._socket.accept()
                threading.Thread(target=self._answer, args=(visitor,), name="mailbox", daemon=True).start()

    def _answer(self, visitor: Connection) -> None:
        with contextlib.suppress(OSError, EOFError), visitor:
            while True:
                name, arguments = visitor.recv()  # pickled by our own process, which has the key
                visitor.send(getattr(self._mailbox, name)(*arguments))


def _listening(key: bytes) -> Socket:
    """Listen on a local socket, or on the loopback address where the temporary folder has too long a path."""
    try:
        return Socket(authkey=key)
    except OSError:
        return Socket(("127.0.0.1", 0), authkey=key)


class RemoteMailbox:
    """The mailbox of another process."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def look(self, markers: tuple[bytes, ...], after: int = 0, wait: float = 0.0) -> Look:
        """Return the deliveries after a number that contain a marker; wait for the first."""
        found = self._ask("look", markers, after, wait)
        assert isinstance(found, Look)
        return found

    def script(self, marker: bytes, replies: tuple[Reply, ...]) -> None:
        """Answer the next deliveries that mention a marker in this way, later ones as usual."""
        self._ask("script", marker, replies)

    def give_up(self) -> None:
        """Note that somebody waited in vain, and nothing had ever come."""
        self._ask("give_up")

    def gave_up(self) -> bool:
        """Return whether somebody did."""
        return bool(self._ask("gave_up"))

    def _ask(self, name: str, *arguments: object) -> object:
        with self._lock:
            if self._connection is None:
                self._connection = Client(self._way[0], authkey=self._way[1])
            self._connection.send((name, arguments))
            return self._connection.recv()  # pickled by our own process, which has the key

    def close(self) -> None:
        """Go."""
        if self._connection is not None:
            self._connection.close()
