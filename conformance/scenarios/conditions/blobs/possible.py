"""Which rows of blobs there can be, and which push the same."""

from __future__ import annotations

from conformance.scenarios.conditions.blobs.arrivals import CHUNKS
from conformance.scenarios.conditions.rows.places import no_room
from conformance.scenarios.conditions.rows.rows import Row

#: Contents of which there are few: another row may have pushed the same.
COMMON = frozenset({"empty", "one-byte", "empty-json"})
_SMALL = {"empty": 0, "one-byte": 1, "empty-json": 2, "config": 400, "manifest-like": 400}


def possible(row: Row) -> bool:
    """Whether a row, or a part of one, does not contradict itself."""
    content, arrival = row.get("content", ""), row.get("arrival", "")
    chunks = row.get("refused") == "chunk" or row.get("session") == "resumed"
    if (content in COMMON and (arrival in CHUNKS or chunks)) or (chunks and arrival and arrival not in CHUNKS):
        return False
    if content == "one-byte" and arrival == "streamed":
        # Nothing shows whether one byte was counted.
        return False
    if no_room(row) or (content in COMMON and row.get("fate") == "deleted-there"):
        return False
    part, end = row.get("range", "first"), row.get("range-end", "suffix")
    if content == "empty" and (part != "first" or end != "suffix"):
        return False
    if content in COMMON and (part not in {"first", "one"} or end not in {"last", "suffix", "behind"}):
        return False
    return not (row.get("range") == "far" and content in _SMALL | {"gzip": 0, "b65536": 0})


def possible_among_others(row: Row) -> bool:
    """The same where other scenarios push to the same repository meanwhile: what they may push, too, stays."""
    deleted = row.get("fate", "kept") != "kept" or row.get("before") == "deleted"
    return possible(row) and not (deleted and row.get("content") in COMMON)


def alike(row: Row) -> str:
    """Return what a row pushes that others push as well, empty where no other does."""
    return row["content"] if row["content"] in COMMON else ""
