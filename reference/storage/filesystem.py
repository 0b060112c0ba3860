"""Storage in a directory: content by digest, and a hard link to it in each repository that holds it.

The number of links tells when nobody holds the content any more. Files appear by rename or link only,
so a reader never sees half of one; nothing is synced to disk, a crash of the machine may lose what is new.

    blobs/ALGORITHM/XX/HEX                        content
    uploads/ID                                    data of open sessions, ID.repository names the repository
    repositories/NAME/_blobs/ALGORITHM/HEX        held blobs
    repositories/NAME/_manifests/ALGORITHM/HEX    held manifests, HEX.type has the media type
    repositories/NAME/_tags/TAG                   the digest
    repositories/NAME/_referrers/sha256/HEX/DIGEST  HEX is the hash of the subject's digest
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import uuid
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path

from reference.grammar import Hash, digest_of, new_hash
from reference.storage import PIECE, Manifest, Storage, Upload

_SMALL = 1 << 16


class FileContent:
    """An open file, read by position."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._size = os.fstat(self._file).st_size

    @property
    def size(self) -> int:
        """The length in bytes."""
        return self._size

    async def chunks(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes in pieces, the next one being read while one is sent."""
        end = min(start + length, self._size)
        if end - start <= _SMALL:
            yield os.pread(self._file, end - start, start)
            return
        loop = asyncio.get_running_loop()
        ahead = loop.run_in_executor(None, os.pread, self._file, min(PIECE, end - start), start)
        try:
            while start < end:
                piece = await ahead
                if not piece:
                    raise OSError("stored content is shorter than it was")
                start += len(piece)
                if start < end:
                    ahead = loop.run_in_executor(None, os.pread, self._file, min(PIECE, end - start), start)
                yield piece
        finally:
            # The file may only be closed when no thread reads from it.
            await asyncio.wait([ahead])

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class FileUpload(Upload):
    """An upload that grows in a file of its own."""

    def __init__(self, repository: str, identifier: str, path: Path, size: int = 0) -> None:
        super().__init__(repository, identifier, size)
        self.path = path
        self._file: int | None = None

    def _store(self, data: bytes) -> None:
        if self._file is None:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]

    def _release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _truncate(self, size: int) -> None:
        os.truncate(self.path, size)

    def _hash_again(self, algorithm: str) -> Hash:
        state = new_hash(algorithm)
        with self.path.open("rb") as file:
            while piece := file.read(PIECE):
                state.update(piece)
        return state


class FilesystemStorage(Storage):
    """Files and links below one directory."""

    def __init__(self, root: Path) -> None:
        self.description = f"filesystem {root}"
        self._root = root
        self._blobs = root / "blobs"
        self._incoming = root / "uploads"
        self._names = root / "repositories"
        for directory in (self._blobs, self._incoming, self._names):
            directory.mkdir(parents=True, exist_ok=True)
        self._uploads: dict[str, FileUpload] = {}

    def _content(self, digest: str) -> Path:
        algorithm, encoded = digest.split(":", 1)
        return self._blobs / algorithm / encoded[:2] / encoded

    def _held(self, name: str, kind: str, digest: str) -> Path:
        algorithm, encoded = digest.split(":", 1)
        return self._names / name / kind / algorithm / encoded

    def _referring(self, name: str, subject: str) -> Path:
        # A subject's digest may be of any algorithm and length; a file name may not.
        return self._held(name, "_referrers", digest_of(subject.encode()))

    def repositories(self) -> list[str]:
        """The directories that something was pushed to."""
        found = []
        for directory, children, _ in os.walk(self._names):
            if any(child in ("_blobs", "_manifests") for child in children):
                found.append(Path(directory).relative_to(self._names).as_posix())
            children[:] = [child for child in children if not child.startswith("_")]
        return found

    def exists(self, name: str) -> bool:
        """Whether something was pushed."""
        directory = self._names / name
        return (directory / "_blobs").is_dir() or (directory / "_manifests").is_dir()

    def open_blob(self, name: str, digest: str) -> FileContent | None:
        """The blob, if held."""
        try:
            return FileContent(str(self._held(name, "_blobs", digest)))
        except FileNotFoundError:
            return None

    def has_blob(self, name: str, digest: str) -> bool:
        """Whether it is held."""
        return self._held(name, "_blobs", digest).is_file()

    def mount_blob(self, source: str, name: str, digest: str) -> bool:
        """Hold it in a second repository."""
        if not self.has_blob(source, digest):
            return False
        self._link(digest, self._held(name, "_blobs", digest))
        return True

    def _link(self, digest: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(self._content(digest))
        except FileExistsError:
            return

    def _unlink(self, digest: str, target: Path) -> bool:
        try:
            target.unlink()
        except FileNotFoundError:
            return False
        content = self._content(digest)
        if content.stat().st_nlink == 1:
            content.unlink()
        return True

    def delete_blob(self, name: str, digest: str) -> bool:
        """Take it out."""
        return self._unlink(digest, self._held(name, "_blobs", digest))

    def start_upload(self, name: str) -> FileUpload:
        """A new session."""
        identifier = str(uuid.uuid4())
        path = self._incoming / identifier
        path.touch()
        path.with_suffix(".repository").write_text(name)
        upload = self._uploads[identifier] = FileUpload(name, identifier, path)
        return upload

    def find_upload(self, name: str, identifier: str) -> FileUpload | None:
        """A session of this repository, one from before a restart included."""
        upload = self._uploads.get(identifier)
        if upload is None and _is_identifier(identifier):
            path = self._incoming / identifier
            try:
                owner = path.with_suffix(".repository").read_text()
                upload = FileUpload(owner, identifier, path, path.stat().st_size)
            except FileNotFoundError:
                return None
            self._uploads[identifier] = upload
        return upload if upload is not None and upload.repository == name else None

    def commit_upload(self, upload: Upload, digests: Iterable[str]) -> None:
        """Make it a blob: a link under the digest, then one in the repository; the upload's own name goes."""
        source = self._incoming / upload.identifier
        for number, digest in enumerate(digests):
            content = self._content(digest)
            content.parent.mkdir(parents=True, exist_ok=True)
            # A file for each digest: the number of links must be that of one digest alone.
            own = source.with_suffix(f".{number}") if number else source
            if number:
                shutil.copyfile(source, own)
            with contextlib.suppress(FileExistsError):
                content.hardlink_to(own)
            if number:
                own.unlink()
            self._link(digest, self._held(upload.repository, "_blobs", digest))
        self.discard_upload(upload)

    def discard_upload(self, upload: Upload) -> None:
        """Forget it."""
        upload.closed = True
        self._uploads.pop(upload.identifier, None)
        path = self._incoming / upload.identifier
        path.unlink(missing_ok=True)
        path.with_suffix(".repository").unlink(missing_ok=True)

    def purge_uploads(self, before: float) -> int:
        """Forget the old ones, by the time of their last write."""
        purged = 0
        for path in list(self._incoming.iterdir()):
            if path.suffix == ".repository" or path.stat().st_mtime >= before:
                continue
            if path.suffix:
                path.unlink()
                continue
            owner = path.with_suffix(".repository").read_text()
            self.discard_upload(self._uploads.get(path.name) or FileUpload(owner, path.name, path))
            purged += 1
        return purged

    def put_manifest(self, name: str, manifest: Manifest, subject: str | None) -> None:
        """Store it; the type is written first, so that no manifest is without one."""
        content = self._content(manifest.digest)
        content.parent.mkdir(parents=True, exist_ok=True)
        if not content.exists():
            self._write(content, manifest.content)
        held = self._held(name, "_manifests", manifest.digest)
        held.parent.mkdir(parents=True, exist_ok=True)
        self._write(held.with_suffix(".type"), manifest.media_type.encode())
        self._link(manifest.digest, held)
        if subject is not None:
            link = self._referring(name, subject) / manifest.digest
            link.parent.mkdir(parents=True, exist_ok=True)
            link.touch()

    def _write(self, path: Path, data: bytes) -> None:
        temporary = self._incoming / f"{uuid.uuid4()}.part"
        temporary.write_bytes(data)
        temporary.replace(path)

    def manifest(self, name: str, digest: str) -> Manifest | None:
        """The manifest, if held."""
        held = self._held(name, "_manifests", digest)
        try:
            return Manifest(digest, held.with_suffix(".type").read_text(), held.read_bytes())
        except FileNotFoundError:
            return None

    def delete_manifest(self, name: str, digest: str, subject: str | None) -> None:
        """Take it out."""
        held = self._held(name, "_manifests", digest)
        self._unlink(digest, held)
        held.with_suffix(".type").unlink(missing_ok=True)
        if subject is not None:
            (self._referring(name, subject) / digest).unlink(missing_ok=True)

    def tags(self, name: str) -> list[str]:
        """Its tags."""
        try:
            return os.listdir(self._names / name / "_tags")  # noqa: PTH208 - names only, half the time
        except FileNotFoundError:
            return []

    def tag(self, name: str, tag: str) -> str | None:
        """Where it points."""
        try:
            return (self._names / name / "_tags" / tag).read_text()
        except FileNotFoundError:
            return None

    def set_tag(self, name: str, tag: str, digest: str) -> None:
        """Point it."""
        path = self._names / name / "_tags" / tag
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write(path, digest.encode())

    def delete_tag(self, name: str, tag: str) -> None:
        """Remove it."""
        (self._names / name / "_tags" / tag).unlink(missing_ok=True)

    def referrers(self, name: str, subject: str) -> list[str]:
        """Who refers to it."""
        try:
            return os.listdir(self._referring(name, subject))  # noqa: PTH208 - as above
        except FileNotFoundError:
            return []


def _is_identifier(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value
    except ValueError:
        return False
