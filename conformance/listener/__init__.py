"""The listener of ``--notifications-listen``: receives what a target sends, and judges nothing.

It listens in the controlling process; the workers of pytest-xdist look into its mailbox over a
local socket.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from conformance.listener.mailbox import LocalMailbox, Mailbox, Way
from conformance.listener.options import LISTEN


@contextmanager
def listening(host: str, port: int) -> Iterator[LocalMailbox]:
    """Listen until the context ends.

    Raises:
        UsageError: the address cannot be listened on.
    """
    from conformance.listener.server import Listener  # noqa: PLC0415  # only where the option is given

    try:
        listener = Listener(host, port)
    except OSError as error:
        raise pytest.UsageError(f"{LISTEN}: {host}:{port} cannot be listened on ({error.strerror})") from None
    try:
        yield listener.mailbox
    finally:
        listener.close()


def way(mailbox: Mailbox | None) -> Way | None:
    """Open the mailbox of the listener, where there is one, to other processes of the run."""
    if not isinstance(mailbox, LocalMailbox):
        return None
    if mailbox.door is None:
        from conformance.listener.remote import SocketDoor  # noqa: PLC0415  # only where workers are used

        mailbox.door = SocketDoor(mailbox)
    return mailbox.door.way


def enter(found: Way | None) -> Mailbox | None:
    """Return the mailbox that a way leads to, in another process of the run."""
    if found is None:
        return None
    from conformance.listener.remote import RemoteMailbox  # noqa: PLC0415  # as above

    return RemoteMailbox(found)
