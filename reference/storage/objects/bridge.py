"""Calls that look plain, and wait for the network without keeping the event loop from other requests.

The methods of a storage are plain functions, and a bucket is far away. A request is therefore carried in a greenlet of
its own: where a call deep inside of it has to wait, the greenlet hands what is waited for up to the event loop, and
goes on when that is there. To the event loop it looks as if the request had awaited it. (SQLAlchemy does the same.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")


class _Passage(greenlet):
    """What carries a request."""


class _Carried(Awaitable[T]):
    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, T]:
        passage = _Passage(waited)
        passage.gr_context = getcurrent().gr_context
        wish = passage.switch(self._coroutine)
        while not passage.dead:
            try:
                given = yield wish
            except BaseException as error:  # a cancellation belongs to the request as well
                wish = passage.throw(error)
            else:
                wish = passage.switch(given)
        result: T = wish
        return result


async def carried(coroutine: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine within which ``waited`` may be called by plain functions."""
    return await _Carried(coroutine)


def is_carried() -> bool:
    """Whether ``waited`` may be called here."""
    return isinstance(getcurrent(), _Passage)


def waited(awaitable: Awaitable[T]) -> T:
    """What an awaitable gives, from a plain function that a carried coroutine called."""
    loop = getcurrent().parent
    assert loop is not None
    steps: Any = awaitable.__await__()
    try:
        wish = next(steps)
        while True:
            try:
                given = loop.switch(wish)
            except BaseException as error:
                wish = steps.throw(error)
            else:
                wish = steps.send(given)
    except StopIteration as end:
        result: T = end.value
        return result
