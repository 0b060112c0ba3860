"""How a registry is changed from outside: what faults and variants have in common.

A modification is applied to a registry that was built rightly. It may wrap the handler of an
operation, replace a method of a resource, or wrap the whole application.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, fields
from types import ModuleType
from typing import TYPE_CHECKING

from reference.app import Registry
from reference.messages import Application, Handler, Request, Response

if TYPE_CHECKING:
    # Its libraries take time to load, and most faults are none of its.
    from reference.tokens.app import TokenService

Transform = Callable[[Request, Response], Response | None]
Apply = Callable[[Registry], None]
Answering = Callable[[Registry, Request, Handler], Awaitable[Response]]
PROFILES = ("docker-v2", "oci-1.0", "oci-1.1", "oci-1.2-dev")
OCI = PROFILES[1:]

Layer = Callable[[Application], Application]
#: The members that are code.
_CODE = {"apply", "layer", "tokens"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Modification:
    """What faults and variants have in common.

    ``configuration`` names the set-up of the registry in which it shows: ``memory``, or one with
    logins, without deletion and so on (``tests/support/configurations.py``). ``options`` are what
    its owner has to tell the suite. ``tokens`` changes the token service, where there is one.
    """

    name: str
    title: str
    configuration: str = "memory"
    options: tuple[str, ...] = ()
    apply: Apply | None = None
    layer: Layer | None = None
    tokens: Callable[[TokenService], None] | None = None

    def apply_to(self, registry: Registry, application: Application) -> Application:
        """The application with the modification."""
        if self.apply is not None:
            self.apply(registry)
        return self.layer(application) if self.layer is not None else application

    def as_json(self) -> dict[str, object]:
        """The modification as data."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _CODE}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(Modification):
    """A deliberate breach: what it breaks, and what else may break with it without being its point.

    ``variants`` are the oddities beside which it shows. ``seldom`` says that it shows once in many
    requests, so that only a whole run is sure to meet it. ``under_load`` says that it shows while more requests are
    under way than a run ever has, so that a load alone convicts it.
    """

    breaks: tuple[str, ...]
    also: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    seldom: bool = False
    under_load: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant(Modification):
    """A deliberate oddity that the specification allows.

    ``latitude`` names what allows it, ``profiles`` where it is allowed, ``lacks`` the capabilities
    that are not offered with it, ``warns`` the requirements that it breaks as a warning.
    ``undecided`` says that not every MUST can be decided then.
    """

    latitude: tuple[str, ...] = ()
    profiles: tuple[str, ...] = PROFILES
    lacks: tuple[str, ...] = ()
    warns: tuple[str, ...] = ()
    undecided: bool = False


def modify(registry: Registry, modifications: Iterable[Modification]) -> Application:
    """The application with faults and variants put on it, in the order given."""
    application: Application = registry
    for modification in modifications:
        application = modification.apply_to(registry, application)
    return application


def wrap(registry: Registry, operations: Iterable[str], around: Callable[[Handler], Handler]) -> None:
    """Put something around the handlers of operations."""
    for operation in operations:
        registry.handlers[operation] = around(registry.handlers[operation])


def around(*operations: str) -> Callable[[Answering], Apply]:
    """Let a function answer requests of operations, by registry, request and handler."""

    def made(answer: Answering) -> Apply:
        def apply(registry: Registry) -> None:
            def wrapped(handler: Handler) -> Handler:
                async def changed(request: Request) -> Response:
                    return await answer(registry, request, handler)

                return changed

            wrap(registry, operations, wrapped)

        return apply

    return made


def override(target: object, **methods: object) -> None:
    """Replace methods of one resource or storage; they must exist.

    Raises:
        TypeError: it is a class or a module, which other registries of the process have too.
        AttributeError: it has no such method.
    """
    if isinstance(target, type | ModuleType):
        raise TypeError(f"{target.__name__} belongs to every registry of the process: replace methods of one object")
    for name, method in methods.items():
        if not hasattr(target, name):
            raise AttributeError(f"{type(target).__name__} has no {name}")
        setattr(target, name, method)


def moved_tags(registry: Registry) -> set[tuple[str, str]]:
    """The repositories and tags that led to another manifest before; it grows as they move."""
    moved: set[tuple[str, str]] = set()
    set_tag = registry.storage.set_tag

    def noting(name: str, tag: str, digest: str) -> None:
        if registry.storage.tag(name, tag) not in (None, digest):
            moved.add((name, tag))
        set_tag(name, tag, digest)

    override(registry.storage, set_tag=noting)
    return moved


def on(*operations: str, change: Transform, status: int | None = None) -> Apply:
    """Change the responses of operations, refusals included; ``status`` selects some."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if status is not None and response.status != status:
                return response
            return change(request, response) or response

        return changed

    def apply(registry: Registry) -> None:
        wrap(registry, operations, around)

    return apply


def answers(*operations: str, change: Transform, status: int | None = None) -> Apply:
    """Change the finished answers of operations (of all without one), refusals included."""

    def apply(registry: Registry) -> None:
        finish = registry.finish

        def changed(request: Request, response: Response) -> Response:
            response = finish(request, response)
            if operations and request.operation not in operations:
                return response
            if status is not None and response.status != status:
                return response
            return change(request, response) or response

        override(registry, finish=changed)

    return apply


def set_status(status: int) -> Transform:
    """Another status."""

    def change(_request: Request, response: Response) -> None:
        response.status = status

    return change


def set_header(name: str, value: str) -> Transform:
    """Another value of a header, or one more header."""

    def change(_request: Request, response: Response) -> None:
        response.headers.set(name, value)

    return change


def drop_header(*names: str) -> Transform:
    """Headers left out."""

    def change(_request: Request, response: Response) -> None:
        for name in names:
            response.headers.drop(name)

    return change


def both(*changes: Apply) -> Apply:
    """Several changes in one."""

    def apply(registry: Registry) -> None:
        for change in changes:
            change(registry)

    return apply
