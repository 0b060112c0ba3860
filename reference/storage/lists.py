"""Lists that are read from a storage once, and kept up to date by who changes it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable

from reference.storage.names import Index, Key, Names
from reference.storage.shared import Shared

#: Names that are kept; beyond them the lists that were not asked for the longest time are read again.
_MOST_NAMES = 1_000_000
_MOST_LISTS = 1000


class Lists:
    """Sorted lists by name. Only the event loop changes them; only the reading is done in a thread.

    Where other processes change them as well, a list is read again as soon as one of them told so.
    """

    def __init__(self, read: Callable[[str], Iterable[str]], key: Key) -> None:
        self._read = read
        self._key = key
        self._lists: OrderedDict[str, Index] = OrderedDict()
        self._loading: dict[str, asyncio.Task[None]] = {}
        #: What changed while a list was read, and whether it is there now.
        self._changes: dict[str, dict[str, bool]] = {}
        self._shared: Shared | None = None
        self._kind = ""
        #: What the shared memory said of a list when it was read.
        self._states: dict[str, tuple[int, int] | None] = {}

    def share(self, shared: Shared, kind: str) -> None:
        """Keep them up to date with other processes; ``kind`` tells these lists from others."""
        self._shared, self._kind = shared, kind

    def _state(self, name: str) -> tuple[int, int] | None:
        return self._shared.state(f"{self._kind} {name}") if self._shared is not None else None

    def _is_known(self, name: str) -> bool:
        return name in self._lists and self._states[name] == self._state(name)

    async def load(self, name: str) -> None:
        """Read a list that is not known, once for all who want it."""
        if self._is_known(name):
            return
        if name not in self._loading:
            self._loading[name] = asyncio.create_task(self._load(name))
        await asyncio.shield(self._loading[name])
        # What began to be read before another process changed it, names() reads again.

    async def _load(self, name: str) -> None:
        state = self._state(name)
        changes = self._changes[name] = {}
        try:
            found = set(await asyncio.to_thread(self._read, name))
            there = {entry for entry, is_there in changes.items() if is_there}
            self._keep(name, Index((found - changes.keys()) | there, self._key), state)
        finally:
            del self._changes[name], self._loading[name]

    def _keep(self, name: str, index: Index, state: tuple[int, int] | None) -> None:
        self._lists[name], self._states[name] = index, state
        while len(self._lists) > 1 and (len(self._lists) > _MOST_LISTS or self._size() > _MOST_NAMES):
            del self._states[self._lists.popitem(last=False)[0]]

    def _size(self) -> int:
        return sum(len(index) for index in self._lists.values())

    def names(self, name: str) -> Names:
        """A list; it is read on the spot where nobody loaded it."""
        if not self._is_known(name):
            state = self._state(name)
            self._keep(name, Index(self._read(name), self._key), state)
        self._lists.move_to_end(name)
        return self._lists[name].names()

    def note(self, name: str, entry: str, is_there: bool) -> None:
        """Tell that an entry came or went; where others are to know, whoever tells has the lock of the directory."""
        known = self._is_known(name)
        if self._shared is not None:
            state = self._shared.changed(f"{self._kind} {name}")
            if known:
                self._states[name] = state
        if known:
            index = self._lists[name]
            index.add(entry) if is_there else index.discard(entry)
        if (changes := self._changes.get(name)) is not None:
            changes[entry] = is_there
