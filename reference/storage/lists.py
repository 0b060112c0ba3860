"""Lists that are read from a storage once, and kept up to date by who changes it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable

from reference.storage.names import Index, Key, Names

#: Names that are kept; beyond them the lists that were not asked for the longest time are read again.
_MOST_NAMES = 1_000_000
_MOST_LISTS = 1000


class Lists:
    """Sorted lists by name. Only the event loop changes them; only the reading is done in a thread."""

    def __init__(self, read: Callable[[str], Iterable[str]], key: Key) -> None:
        self._read = read
        self._key = key
        self._lists: OrderedDict[str, Index] = OrderedDict()
        self._loading: dict[str, asyncio.Task[None]] = {}
        #: What changed while a list was read, and whether it is there now.
        self._changes: dict[str, dict[str, bool]] = {}

    async def load(self, name: str) -> None:
        """Read a list that is not known, once for all who want it."""
        if name in self._lists:
            return
        if name not in self._loading:
            self._loading[name] = asyncio.create_task(self._load(name))
        await asyncio.shield(self._loading[name])

    async def _load(self, name: str) -> None:
        changes = self._changes[name] = {}
        try:
            found = set(await asyncio.to_thread(self._read, name))
            there = {entry for entry, is_there in changes.items() if is_there}
            self._keep(name, Index((found - changes.keys()) | there, self._key))
        finally:
            del self._changes[name], self._loading[name]

    def _keep(self, name: str, index: Index) -> None:
        self._lists[name] = index
        while len(self._lists) > 1 and (len(self._lists) > _MOST_LISTS or self._size() > _MOST_NAMES):
            self._lists.popitem(last=False)

    def _size(self) -> int:
        return sum(len(index) for index in self._lists.values())

    def names(self, name: str) -> Names:
        """A list; it is read on the spot where nobody loaded it."""
        index = self._lists.get(name)
        if index is None:
            index = Index(self._read(name), self._key)
            self._keep(name, index)
        self._lists.move_to_end(name)
        return index.names()

    def note(self, name: str, entry: str, is_there: bool) -> None:
        """Tell that an entry came or went."""
        if (index := self._lists.get(name)) is not None:
            index.add(entry) if is_there else index.discard(entry)
        if (changes := self._changes.get(name)) is not None:
            changes[entry] = is_there
