"""Repositories that the owner fixed belong to others too: what was there before the run is never touched."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

from conformance.client.client import WriteForbidden
from spec.model import Withheld

#: References that are sure to be a tag or a digest.
_PLAIN = re.compile(r"\w[\w.-]{0,127}|sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})", re.ASCII)


class Guard:
    """Which repositories may be written to, and what others keep in them; with no names, all may and nobody does."""

    def __init__(self) -> None:
        self.fixed: frozenset[str] = frozenset()
        self._seen: set[tuple[str, str]] = set()
        self._foreign: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def check(self, method: str, name: str, reference: str) -> None:
        """Let no write through that reaches beyond what the owner gave.

        Raises:
            WriteForbidden: it is to another repository than the fixed ones, or to what others keep there.
        """
        if not self.fixed or method in {"GET", "HEAD"}:
            return
        if name not in self.fixed and method != "DELETE":  # a deletion where nothing is takes nothing away
            raise WriteForbidden("the owner fixed the repositories", Withheld.REPOSITORIES)
        if self.is_foreign(name, reference) and (method == "DELETE" or ":" not in reference):
            raise WriteForbidden(f"{reference} was in {name} before the run", Withheld.REPOSITORIES)

    def look(self, name: str, reference: str, there: Callable[[], bool]) -> None:
        """Look, once and before it is pushed, whether others have something in a repository that the owner fixed."""
        if name not in self.fixed or not _PLAIN.fullmatch(reference):
            return
        # Of several clients that push the same at once, none may take what another one pushed for others'.
        with self._lock:
            if (name, reference) not in self._seen:
                self._seen.add((name, reference))
                if there():
                    self._foreign.add((name, reference))

    def is_foreign(self, name: str, reference: str) -> bool:
        """Return whether something was there before."""
        return (name, reference) in self._foreign
