"""OCI image layouts, as folders and as tars."""

from __future__ import annotations

import io
import json
import os
import posixpath
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from reference.dist.content import MANIFEST_LIMIT, Descriptor, Manifest
from reference.dist.errors import ContentError, DistError, NotFoundError, UsageError
from reference.dist.names import LAYOUT_ARCHIVE, Place
from reference.dist.streams import Reader, Verified, save
from reference.grammar import is_supported

_NAME = "org.opencontainers.image.ref.name"
_INDEX, _MARK = "index.json", "oci-layout"
_INDEX_LIMIT = 64 << 20


class Files(Protocol):
    """Files by their names, in a folder or in a tar."""

    def open(self, name: str, offset: int = 0) -> Reader:
        """A file from an offset on; raise NotFoundError where it is not there."""

    def size(self, name: str) -> int | None:
        """How many bytes it has; None where it is not there."""


class Folder:
    """Files of a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, name: str, offset: int = 0) -> Reader:
        """A file from an offset on."""
        try:
            file = (self.path / name).open("rb", buffering=0)
        except OSError as error:
            raise NotFoundError(f"{self.path / name}: {error.strerror}") from None
        file.seek(offset)
        return file

    def size(self, name: str) -> int | None:
        """How many bytes a file has."""
        try:
            return (self.path / name).stat().st_size
        except OSError:
            return None


class Tar:
    """Files of a tar that is not compressed; links lead to what they name in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._members: dict[str, tuple[int, int]] = {}
        links = {}
        try:
            with tarfile.open(path, "r:") as tar:
                for member in tar:
                    name = posixpath.normpath(member.name)
                    if member.isreg():
                        self._members[name] = (member.offset_data, member.size)
                    elif member.issym() or member.islnk():
                        start = posixpath.dirname(name) if member.issym() else ""
                        links[name] = posixpath.normpath(posixpath.join(start, member.linkname))
        except OSError as error:
            raise NotFoundError(f"{path}: {error.strerror or 'it cannot be read'}") from None
        except tarfile.TarError:
            raise ContentError(f"{path}: no tar, or a compressed one, which has to be unpacked first") from None
        self._members |= {name: self._members[to] for name, to in links.items() if to in self._members}

    def open(self, name: str, offset: int = 0) -> Reader:
        """A file from an offset on."""
        if name not in self._members:
            raise NotFoundError(f"{self._path}: there is no {name} in it")
        start, size = self._members[name]
        return _Part(self._path.open("rb", buffering=0), start + offset, size - offset)

    def size(self, name: str) -> int | None:
        """How many bytes a file has."""
        return self._members[name][1] if name in self._members else None


class _Part:
    """A part of a file."""

    def __init__(self, file: io.FileIO, start: int, size: int) -> None:
        self._file, self._left = file, size
        file.seek(start)

    def read(self, amount: int, /) -> bytes:
        block = self._file.read(min(amount, self._left))
        self._left -= len(block)
        return block

    def close(self) -> None:
        self._file.close()


def read_all(files: Files, name: str, limit: int) -> bytes:
    """A small file; raise ContentError where it has more bytes than a limit."""
    reader = files.open(name)
    try:
        body = bytearray()
        while block := reader.read(limit + 1 - len(body)):
            body += block
    finally:
        reader.close()
    if len(body) > limit:
        raise ContentError(f"{name} has more than {limit} bytes")
    return bytes(body)


class Layout:
    """A layout: what is there already is kept, and what is put there is added.

    Args:
        place: ``oci:`` or ``oci-archive:`` with a path; a tag is the name of a manifest in the index.
        write: whether it is made where it is not there; an archive has to be new.
    """

    def __init__(self, place: Place, *, write: bool = False) -> None:
        self.place = place
        self._path = Path(place.path)
        self._archive = place.kind == LAYOUT_ARCHIVE
        self._made: Path | None = None
        self._lock = threading.Lock()
        if self._archive and write:
            self._made = made_beside(self._path)
        self._files: Files = Tar(self._path) if self._archive and not write else Folder(self._made or self._path)
        if not write and self._files.size(_INDEX) is None:
            raise NotFoundError(f"{place.path}: there is no OCI layout")
        if write and not self._archive and self._path.is_dir() and any(self._path.iterdir()):
            self._index()  # a folder with other things is left alone

    def manifest(self, reference: str | None) -> Manifest:
        """A manifest by its name or digest; without one, the only one."""
        entries = [Descriptor.read(one, f"{self.place.path}/{_INDEX}") for one in self._index()["manifests"]]
        named = [one for one in entries if reference in (one.digest, (one.more.get("annotations") or {}).get(_NAME))]
        if reference is None:
            if len(entries) != 1:
                raise UsageError(f"{self.place}: it has {len(entries)} manifests, so one has to be named")
            named = entries
        if named:
            digest, media_type = named[-1].digest, named[-1].media_type
        elif reference and is_supported(reference):
            digest, media_type = reference, ""
        else:
            raise NotFoundError(f"{self.place.path}: there is no manifest {reference}")
        body = read_all(self._files, _file(digest), MANIFEST_LIMIT)
        return Manifest.read(body, media_type, digest, self.place.path)

    def tags(self) -> Iterator[str]:
        """The names in the index."""
        for entry in self._index()["manifests"]:
            if isinstance(name := (entry.get("annotations") or {}).get(_NAME), str):
                yield name

    def open(self, descriptor: Descriptor, offset: int) -> Reader:
        """A blob from an offset on."""
        return self._files.open(_file(descriptor.digest), offset)

    def has(self, descriptor: Descriptor) -> bool:
        """Whether a blob is there with its size."""
        return self._files.size(_file(descriptor.digest)) == descriptor.size

    def mount(self, descriptor: Descriptor, source: Place) -> bool:
        """Nothing is shared with others."""
        return False

    def put(self, content: Verified) -> None:
        """Keep a blob."""
        self._save(_file(content.descriptor.digest), content.blocks())

    def put_manifest(self, manifest: Manifest, tag: str | None, *, top: bool) -> None:
        """Keep a manifest; the one that was asked for gets an entry in the index."""
        self._save(_file(manifest.descriptor.digest), [manifest.body])
        if not top:
            return
        entry = manifest.descriptor.json() | ({"annotations": {_NAME: tag}} if tag else {})
        with self._lock:
            index = self._index(new=True)
            kept = [one for one in index["manifests"] if one != entry and (not tag or _named(one) != tag)]
            self._save(_MARK, [b'{"imageLayoutVersion":"1.0.0"}'])
            self._save(_INDEX, [json.dumps(index | {"manifests": [*kept, entry]}).encode()])

    def finish(self) -> None:
        """Make an archive of what was put."""
        if self._made:
            pack(self._made, self._path)

    def close(self) -> None:
        """Remove what was only put aside."""
        if self._made:
            shutil.rmtree(self._made, ignore_errors=True)

    def _save(self, name: str, blocks: Any) -> None:
        path = (self._made or self._path) / name
        try:
            save(path, blocks)
        except OSError as error:
            raise DistError(f"{path}: {error.strerror}") from None

    def _index(self, *, new: bool = False) -> dict[str, Any]:
        if new and self._files.size(_INDEX) is None:
            return {"schemaVersion": 2, "manifests": []}
        try:
            index = json.loads(read_all(self._files, _INDEX, _INDEX_LIMIT))
        except ValueError:
            index = None
        entries = index.get("manifests") if isinstance(index, dict) else None
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise ContentError(f"{self.place.path}/{_INDEX}: no index of an OCI layout")
        return dict(index)


def _named(entry: dict[str, Any]) -> Any:
    return (entry.get("annotations") or {}).get(_NAME)


def _file(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def made_beside(path: Path) -> Path:
    """A folder in which an archive is got ready; raise UsageError where there is a file already."""
    if path.exists():
        raise UsageError(f"{path}: there is a file already, and archives are not added to")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".dist-", dir=path.parent))
    except OSError as error:
        raise DistError(f"{path}: {error.strerror}") from None


def pack(folder: Path, path: Path) -> None:
    """Make a tar of a folder, the same bytes each time; it is there whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=".dist-", dir=path.parent)
    try:
        with open(handle, "wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:  # noqa: PTH123 - of a handle
            os.fchmod(handle, 0o644)
            for source in sorted(folder.rglob("*")):
                _add(tar, source, source.relative_to(folder).as_posix())
        Path(name).replace(path)
    except BaseException as error:
        with suppress(OSError):
            Path(name).unlink()
        if isinstance(error, OSError):
            raise DistError(f"{path}: {error.strerror}") from None
        raise


def _add(tar: tarfile.TarFile, source: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    if source.is_dir():
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(member)
        return
    with source.open("rb") as file:
        member.size = _size(file)
        tar.addfile(member, file)


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
