"""Which part of a blob a row asks for."""

from __future__ import annotations

from conformance.scenarios.conditions.blobs.contents import PIECE


def range_of(kind: str, size: int, number: int) -> tuple[str, int, int]:
    """Return a Range header and the first and last position of what it asks for.

    What is in the middle begins, in each second row, with a position that has a digit less than its end; what is open
    may be the whole blob; the last byte is asked for in each form of a range.
    """
    last = size - 1
    middle = size // 2
    if kind == "middle" and number % 2:
        middle = 10 ** (len(str(middle)) - 1) - 1
    if kind == "open" and number % 2:
        middle = 0
    # In large blobs as long as what a careless server reads at once, and longer.
    length = size // 3 if size > 4 * PIECE or number % 3 == 0 else 99
    first, end = {
        "first": (0, min(length if size > 4 * PIECE else 9, last)),
        "one": (0, 0),
        "middle": (middle, min(middle + max(length, 99), last)),
        "last": (last, last),
        "open": (middle, last),
        "over": (middle, last),
        "suffix": (max(0, size - 7), last),
        "longer": (0, last),
        "far": (PIECE - 3, min(PIECE + 4, last)),
    }[kind]
    values = {
        "last": (f"{last}-{last}", f"{last}-", "-1")[number % 3],
        "open": f"{first}-",
        # Clients name a number that no blob reaches.
        "over": f"{first}-{2**32 if number % 2 else size + 99}",
        "suffix": f"-{size - first}",
        "longer": f"-{size + 99}",
    }
    return f"bytes={values.get(kind, f'{first}-{end}')}", first, end
