"""One bucket, or a folder in it: what the library does, with errors that are those of files."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError

from reference.messages import BINARY
from reference.storage.objects.bridge import is_carried, waited

T = TypeVar("T")
#: What a bucket says of an object to those who are sent there.
_TYPE = {"Content-Type": BINARY}
#: Parts of one upload that are on their way at a time; each is as long as a chunk, and is held in memory.
_PARTS_AT_A_TIME = 2


class Bucket:
    """Objects by key. Each call waits for the bucket, as the bridge does where the request is carried by one.

    Each raises FileNotFoundError for an object that is not there, and OSError for all else that goes wrong.
    """

    def __init__(self, store: Any, root: str = "", chunk: int = 10 << 20, secrets: Iterable[str] = ()) -> None:
        self._store = store
        self._root = f"{root.strip('/')}/" if root.strip("/") else ""
        self.chunk = chunk
        self._secrets = [secret for secret in secrets if secret]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise FileNotFoundError(errno.ENOENT, self._told(error)) from None
        except AlreadyExistsError as error:
            raise FileExistsError(errno.EEXIST, self._told(error)) from None
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise PermissionError(errno.EACCES, self._told(error)) from None
        except (BaseError, ValueError) as error:
            raise OSError(errno.EIO, self._told(error)) from None

    def _told(self, error: Exception) -> str:
        # The library adds its own structures to the message, and the server may repeat names of keys.
        message = " ".join(str(error).split("\n\nDebug source")[0].split())
        for secret in self._secrets:
            message = message.replace(secret, "***")
        return message

    def _call(self, operation: str, *given: Any, **options: Any) -> Any:
        with self._errors():
            if is_carried():
                return waited(getattr(obstore, f"{operation}_async")(self._store, *given, **options))
            return getattr(obstore, operation)(self._store, *given, **options)

    def get(self, key: str) -> bytes:
        """A small object."""
        found = self._call("get", self._root + key)
        with self._errors():
            return bytes(waited(found.bytes_async()) if is_carried() else found.bytes())

    def put(self, key: str, content: bytes) -> None:
        """Store a small object, whole."""
        self._call("put", self._root + key, content, attributes=_TYPE, use_multipart=False)

    def claim(self, key: str, content: bytes) -> bool:
        """Store a small object where there is none; False where there is one."""
        try:
            self._call("put", self._root + key, content, mode="create", use_multipart=False)
        except FileExistsError:
            return False
        return True

    def size(self, key: str) -> int | None:
        """The length of an object, where it is there."""
        with suppress(FileNotFoundError):
            return int(self._call("head", self._root + key)["size"])
        return None

    def modified(self, key: str) -> float | None:
        """When an object was stored, in seconds of the epoch."""
        with suppress(FileNotFoundError):
            return float(self._call("head", self._root + key)["last_modified"].timestamp())
        return None

    def copy(self, source: str, target: str) -> None:
        """Have the bucket copy an object."""
        self._call("copy", self._root + source, self._root + target)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are not there are none of our concern."""
        if not keys:
            return
        try:
            self._call("delete", [self._root + key for key in keys])
        except FileNotFoundError:
            # Some stores stop at what is not there.
            for key in keys:
                with suppress(FileNotFoundError):
                    self._call("delete", self._root + key)

    def listed(self, folder: str) -> dict[str, tuple[int, float]]:
        """What is below a folder: keys relative to it, with length and time."""
        prefix = f"{self._root}{folder}/"
        stream = obstore.list(self._store, prefix, chunk_size=1000)
        with self._errors():
            found = waited(stream.collect_async()) if is_carried() else stream.collect()
        return {
            entry["path"].removeprefix(prefix): (entry["size"], entry["last_modified"].timestamp()) for entry in found
        }

    def reach(self, folder: str) -> None:
        """Raise where the bucket cannot be listed."""
        with self._errors():
            next(iter(obstore.list(self._store, f"{self._root}{folder}/", chunk_size=1)), None)

    def part(self, key: str, start: int, length: int) -> bytes:
        """A part of an object; for threads."""
        with self._errors():
            return bytes(obstore.get_range(self._store, self._root + key, start=start, length=length))

    async def fetch(self, key: str, start: int, length: int) -> bytes:
        """The same within the event loop."""
        with self._errors():
            return bytes(await obstore.get_range_async(self._store, self._root + key, start=start, length=length))

    def signed(self, key: str, seconds: float) -> str:
        """A URL that lets anybody read an object for some time."""
        return str(self._call("sign", "GET", self._root + key, timedelta(seconds=seconds)))

    def writer(self, key: str) -> Writer:
        """What stores a large object."""
        return Writer(
            self,
            obstore.open_writer(
                self._store,
                self._root + key,
                attributes=_TYPE,
                buffer_size=self.chunk,
                max_concurrency=_PARTS_AT_A_TIME,
            ),
        )

    def in_thread(self, function: Callable[..., T], *given: Any) -> T:
        """Call what takes long: outside of the event loop, where the request is carried."""
        return waited(asyncio.to_thread(function, *given)) if is_carried() else function(*given)


class Writer:
    """Stores an object that comes in pieces: by one request, or where it is longer than a chunk by a multipart upload.

    It appears when it is finished, whole, and never when it is abandoned. Its methods are for threads.
    """

    def __init__(self, bucket: Bucket, file: Any) -> None:
        self._bucket = bucket
        self._file = file

    def write(self, data: bytes) -> None:
        """Append."""
        with self._bucket._errors():
            self._file.write(data)

    def finish(self) -> None:
        """Let the object appear."""
        with self._bucket._errors():
            self._file.close()

    def abandon(self) -> None:
        """Have the bucket forget it."""
        error = OSError("abandoned")
        with suppress(OSError), self._bucket._errors():
            self._file.__exit__(OSError, error, None)
