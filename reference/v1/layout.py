"""Where docker-registry 0.9 keeps what, in a directory.

``repositories/NAMESPACE/NAME/tag_TAG`` holds the id of an image, and ``images/ID`` the image: ``json`` describes it,
``ancestry`` lists it and all below it, ``layer`` is what it changes, as a tar. ``_checksum`` is there after a push, and
``_inprogress`` until its end. Parts of names are quoted as in URLs, some of them twice.

Source: docker-registry-core 2.0.3, core/driver.py, and docker-registry 0.9.1, images.py and tags.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

_ID = re.compile(r"[a-f0-9]{16}|[a-f0-9]{64}")
_TAG = "tag_"
#: A file that holds an id is not longer; what is more shows that it holds something else.
_LONGEST_ID = 100


class SourceError(Exception):
    """A directory that is no storage of docker-registry 0.9; the message says why."""


class Broken(Exception):
    """An image or a tag that cannot be brought over; the message says which image, and why."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image as it is stored: what its JSON says and its exact bytes, its layer, and the checksums of both."""

    identifier: str
    members: dict[str, Any]
    stored: bytes
    layer: Path
    checksums: tuple[str, ...]

    def broken(self, why: str) -> Broken:
        """What to raise where it is."""
        return Broken(f"image {self.identifier}: {why}")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository: its name, and the folder of its tags."""

    name: str
    folder: Path


class Source:
    """A directory that docker-registry 0.9 wrote; it is never written to.

    Raises:
        SourceError: there is no such directory, or it is another one.
    """

    def __init__(self, root: Path) -> None:
        self._images = root / "images"
        self._repositories = root / "repositories"
        if not root.is_dir():
            raise SourceError(f"{root}: no such directory")
        for folder in (self._images, self._repositories):
            if not folder.is_dir():
                raise SourceError(f"{root}: no storage of docker-registry 0.9: it has no folder {folder.name}")

    def repositories(self) -> Iterator[Repository]:
        """Those that there are, in the order of their folders.

        Raises:
            SourceError: a folder cannot be read.
        """
        for namespace in _folders(self._repositories):
            for folder in _folders(namespace):
                yield Repository(_unquoted(f"{namespace.name}/{folder.name}"), folder)

    def tags(self, repository: Repository) -> Iterator[tuple[str, Path]]:
        """The tags of a repository, each with the file that says where it points.

        Raises:
            SourceError: a folder cannot be read.
        """
        for path in _entries(repository.folder):
            if path.name.startswith(_TAG) and not _is_about_a_tag(path):
                yield _unquoted(path.name.removeprefix(_TAG)), path

    def tagged(self, path: Path) -> str:
        """The id in the file of a tag.

        Raises:
            Broken: there is none.
        """
        try:
            with path.open("rb") as file:
                found = file.read(_LONGEST_ID).decode("ascii", "replace").strip()
        except OSError as error:
            raise Broken(f"{path} cannot be read: {error.strerror}") from error
        if _ID.fullmatch(found) is None:
            raise Broken(f"{path} holds no id of an image")
        return found

    def identifiers(self) -> Iterator[str]:
        """The ids of all images.

        Raises:
            SourceError: the folder cannot be read.
        """
        return (path.name for path in _folders(self._images) if _ID.fullmatch(path.name))

    def ancestry(self, identifier: str) -> list[Image]:
        """An image and those below it, the lowest first.

        Raises:
            Broken: one of them is not there, was not pushed to its end, or is not as it should be.
        """
        listed = self._ancestry(identifier)
        images = [self._image(found) for found in listed]
        for image, below in zip(images, [*listed[1:], None], strict=True):
            if (image.members.get("parent") or None) != below:
                raise image.broken("its parent is not the one of the ancestry")
        return images[::-1]

    def _ancestry(self, identifier: str) -> list[str]:
        value = _json(identifier, self._images / identifier / "ancestry")
        is_list = isinstance(value, list) and all(isinstance(entry, str) and _ID.fullmatch(entry) for entry in value)
        if not is_list or len(set(value)) != len(value) or value[:1] != [identifier]:
            raise Broken(f"image {identifier}: its ancestry does not list it and the images below it")
        found: list[str] = value
        return found

    def _image(self, identifier: str) -> Image:
        folder = self._images / identifier
        if not folder.is_dir():
            raise Broken(f"image {identifier}: it is missing")
        if (folder / "_inprogress").exists():
            raise Broken(f"image {identifier}: its push did not come to an end")
        path = folder / "json"
        members = _json(identifier, path)
        if not isinstance(members, dict) or members.get("id") != identifier:
            raise Broken(f"image {identifier}: its JSON is about something else")
        layer = folder / "layer"
        if not layer.is_file():
            raise Broken(f"image {identifier}: its layer is missing")
        return Image(identifier, members, _read(identifier, path), layer, _checksums(folder / "_checksum"))


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise SourceError(f"{folder}: {error.strerror}") from error


def _folders(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if path.is_dir()]


def _unquoted(text: str) -> str:
    """As a client wrote it: the server quoted a name, and the storage did so once more."""
    return unquote_plus(unquote_plus(text))


def _is_about_a_tag(path: Path) -> bool:
    """Whether a file says when ``TAG`` was pushed, in ``tagTAG_json``: that of ``_x`` looks like the tag ``x_json``."""
    if not path.name.endswith("_json"):
        return False
    try:
        with path.open("rb") as file:
            return file.read(1) == b"{"
    except OSError:
        return False


def _read(identifier: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise Broken(f"image {identifier}: its {path.name} is missing") from error
    except OSError as error:
        raise Broken(f"image {identifier}: its {path.name} cannot be read: {error.strerror}") from error


def _json(identifier: str, path: Path) -> Any:
    try:
        return json.loads(_read(identifier, path).decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Broken(f"image {identifier}: its {path.name} is not JSON") from error


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _checksums(path: Path) -> tuple[str, ...]:
    """What the server computed; early versions wrote one checksum as it is, and a mirror none."""
    try:
        content = path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ()
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = [content.strip()]
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()
