"""The registry as another program makes it: by a storage, a few options, and names of faults and variants."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from reference import app
from reference.auth import Authenticator
from reference.embedding.names import EmbeddingError, Names, find_faults, find_variants, listed
from reference.messages import Receive, Scope, Send
from reference.modifications import Modification, modify
from reference.storage import Storage, StorageError
from reference.storage.memory import MemoryStorage

#: By the configuration in which a fault or a variant shows, the argument that makes it.
_ARGUMENTS = {
    "delete-off": "delete=False",
    "read-only": "read_only=True",
    "pull-only": "read_only=True",
    "schema1": "schema1=True",
    "htpasswd": "users={NAME: PASSWORD}",
}


@dataclass(frozen=True, slots=True)
class RunningRegistry:
    """Where a registry listens, and which faults and variants it has."""

    url: str
    faults: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """HOST:PORT, as names of images begin."""
        return self.url.partition("://")[2]


class Registry:
    """The reference registry as an ASGI application, with content and state of its own.

    Args:
        storage: a directory; without it, content is in memory.
        faults: names of faults, each a breach: one name, or several.
        variants: names of variants, each an oddity that is allowed: one name, or several.
        delete: whether manifests, tags and blobs may be deleted.
        read_only: whether every write is refused.
        schema1: whether signed manifests of Docker's schema 1 are taken.
        users: passwords by name, for Basic logins; without them, everybody may do everything.

    Raises:
        EmbeddingError: there is no fault or variant of a name, one needs another argument, or the
            directory cannot be used.
    """

    def __init__(
        self,
        storage: str | os.PathLike[str] | None = None,
        *,
        faults: str | Iterable[str] = (),
        variants: str | Iterable[str] = (),
        delete: bool = True,
        read_only: bool = False,
        schema1: bool = False,
        users: Mapping[str, str] | None = None,
    ) -> None:
        faults, variants = listed(faults), listed(variants)
        modifications = choose(faults, variants, delete=delete, read_only=read_only, schema1=schema1, users=bool(users))
        options = app.Options(delete_enabled=delete, read_only=read_only, schema1_enabled=schema1)
        #: The names, in the order in which they were given.
        self.faults, self.variants = faults, variants
        self._storage = _open(storage)
        made = app.Registry(self._storage, options, _logins(users) if users else None)
        self._application = modify(made, modifications)
        self._wraps = made.wraps
        self._served = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI 3 has it; events of ``lifespan`` are answered too."""
        await self._application(scope, receive, send)

    @contextmanager
    def serve(self, *, drain: float = 1.0) -> Iterator[RunningRegistry]:
        """Serve on a free port of 127.0.0.1 in a thread, until the end of the block.

        Content stays for another ``serve``. Requests that are open at the end have ``drain`` seconds.

        Raises:
            RuntimeError: it is served already, it cannot listen, or it failed meanwhile.
        """
        from reference import server  # noqa: PLC0415 - an application has another server
        from reference.embedding.background import Background  # noqa: PLC0415 - as above

        if self._served:
            raise RuntimeError("this registry is served already: make another one, or use its URL")
        try:
            listener = server.listen("127.0.0.1:0")
        except server.ListenError as error:
            raise RuntimeError(f"the registry cannot listen: {error}") from error
        url = f"http://{server.address_of(listener)}"
        running = Background(self, listener, drain=drain, wraps=self._wraps)
        self._served = True
        try:
            running.start()
            try:
                yield RunningRegistry(url, self.faults, self.variants)
            finally:
                running.stop()
        finally:
            self._served = False

    def close(self) -> None:
        """Leave the directory to others; nothing may be asked of the registry afterwards."""
        self._storage.close()

    def __enter__(self) -> Registry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def choose(
    faults: Names, variants: Names, *, delete: bool = True, read_only: bool = False, schema1: bool = False, users: bool
) -> tuple[Modification, ...]:
    """The faults and variants of some names, faults first, where they show in a registry with these arguments.

    Raises:
        EmbeddingError: there is none of a name, or one does not show so.
    """
    chosen: Iterable[Modification] = (*find_faults(faults), *find_variants(variants))
    given = {"memory", *(["schema1"] if schema1 else []), *(["htpasswd"] if users else [])}
    given |= {"read-only", "pull-only"} if read_only else set()
    given |= {"delete-off"} if not delete else set()
    for each in chosen:
        if each.configuration in given:
            continue
        what = f"the {type(each).__name__.lower()} {each.name!r}"
        if argument := _ARGUMENTS.get(each.configuration):
            raise EmbeddingError(f"{what} needs the argument {argument}")
        raise EmbeddingError(
            f"{what} needs the configuration {each.configuration!r}, which no embedded registry has; "
            f"run: registry serve CONFIG --{type(each).__name__.lower()} {each.name}"
        )
    return tuple(chosen)


def _open(storage: str | os.PathLike[str] | None) -> Storage:
    if storage is None:
        return MemoryStorage()
    from reference.storage.filesystem import FilesystemStorage  # noqa: PLC0415 - only where it is asked for

    root = Path(storage)
    try:
        return FilesystemStorage(root.absolute())
    except OSError as error:
        raise EmbeddingError(f"storage: {root}: {error.strerror}") from error
    except StorageError as error:
        raise EmbeddingError(f"storage: {error}") from error


def _logins(users: Mapping[str, str]) -> Authenticator:
    import bcrypt  # noqa: PLC0415 - only where there are logins

    from reference.auth.htpasswd import Htpasswd  # noqa: PLC0415 - as above

    # At its lowest cost: these passwords protect nothing, and a test should not wait for them.
    salted = {name: bcrypt.hashpw(word.encode(), bcrypt.gensalt(4)) for name, word in users.items()}
    return Htpasswd("reference", salted)
