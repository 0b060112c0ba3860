"""Changes that several modules of faults of push have in common."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reference import errors
from reference.app import Registry
from reference.faults.shared import OTHER_DIGEST, where_answer
from reference.grammar import is_name
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Transform, on, override, wrap

_Key = Callable[[Request], object]
#: Seconds in which requests that were sent at the same time have all come.
_MEETING = 0.03
_TEXT = b"well done\n"


class Meetings:
    """How many requests of a kind are under way."""

    def __init__(self) -> None:
        self._now: Counter[object] = Counter()

    @contextmanager
    def under_way(self, key: object) -> Iterator[None]:
        """Count a request as long as it lasts."""
        self._now[key] += 1
        try:
            yield
        finally:
            self._now[key] -= 1

    def __getitem__(self, key: object) -> int:
        return self._now[key]


def met(operation: str, key: _Key, then: Callable[[Registry, Request, Response], Response]) -> Apply:
    """Do something with the answer to a request during which another of its key came."""

    def apply(registry: Registry) -> None:
        meetings = Meetings()

        def around(handler: Handler) -> Handler:
            async def changed(request: Request) -> Response:
                with meetings.under_way(key(request)):
                    response = await handler(request)
                    await asyncio.sleep(_MEETING)
                    crowded = meetings[key(request)] > 1
                return then(registry, request, response) if crowded else response

            return changed

        wrap(registry, (operation,), around)

    return apply


def denied(status: int = 403, code: str = "DENIED") -> errors.RegistryError:
    """A refusal by policy."""
    return errors.RegistryError(status, (errors.ErrorEntry(code, "not wanted"),))


def answered_again(*operations: str, status: int, change: Transform) -> Apply:
    """Change the answers to what was asked for before, with the same path."""

    def apply(registry: Registry) -> None:
        seen: set[tuple[str, str]] = set()

        def known(request: Request, response: Response) -> bool:
            made = request.operation, response.headers.get("Location") or request.path
            before = made in seen
            seen.add(made)
            return before

        on(*operations, status=status, change=where_answer(known, change))(registry)

    return apply


def other_location(_request: Request, response: Response) -> None:
    """A Location with another digest, in place of the one it has or of a tag."""
    place = response.headers.get("Location").rpartition("/")[0]
    response.headers.set("Location", f"{place}/{OTHER_DIGEST}")


def with_body(_request: Request, response: Response) -> None:
    """Add a body where none is wanted."""
    response.body = _TEXT
    response.headers.set("Content-Type", "text/plain")


def capitals_accepted(*operations: str) -> Apply:
    """Accept names with a component in capitals for some operations."""

    def apply(registry: Registry) -> None:
        check = registry.check_name

        def changed(request: Request) -> None:
            plain = "/".join(part.lower() if part.isupper() else part for part in request.name.split("/"))
            if request.operation not in operations or not is_name(plain):
                check(request)

        override(registry, check_name=changed)

    return apply
