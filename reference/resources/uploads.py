"""Uploads: sessions with chunks, blobs in one request, and mounts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress

from reference import errors
from reference.grammar import ALGORITHMS, is_name, is_supported
from reference.messages import BINARY, Disconnected, Notice, Request, Response
from reference.resources import url
from reference.storage import Mark, Overtaken, Storage, Upload
from reference.storage.turn import Busy

_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})")


class Uploads:
    """/v2/NAME/blobs/uploads/ and the sessions below it."""

    def __init__(self, storage: Storage, host: str) -> None:
        self.storage = storage
        self.host = host

    async def start(self, request: Request) -> Response:
        """Open a session."""
        algorithm = request.query.get("digest-algorithm")
        if algorithm is not None and algorithm not in ALGORITHMS:
            raise errors.digest_invalid(algorithm, "unsupported digest algorithm")
        upload = self.storage.start_upload(request.name)
        if algorithm is not None:
            upload.expect(algorithm)
        return self.accepted(upload)

    async def start_with_blob(self, request: Request) -> Response:
        """Upload a whole blob in one request."""
        digests = self.digests(request)
        upload = self.storage.start_upload(request.name)
        try:
            return await self.close(request, upload, digests)
        except (Disconnected, OSError, errors.RegistryError):
            self.storage.discard_upload(upload)
            raise

    async def mount(self, request: Request) -> Response:
        """Hold a blob of another repository, or open a session where that cannot be."""
        digest, source = request.query.get("mount") or "", request.query.get("from")
        if source is not None and not is_name(source):
            # It is no repository, and must not become part of a path.
            source = None
        async with self.storage.mounting(source, digest) if source and is_supported(digest) else nullcontext():
            is_mounted = self.mounted(source, request.name, digest)
        if is_mounted:
            notice = Notice("mount", digest, "blobs", BINARY, self.size(request.name, digest), source=source or "")
            return self.created(request.name, digest).tells(notice)
        return self.accepted(self.storage.start_upload(request.name))

    def mounted(self, source: str | None, name: str, digest: str) -> bool:
        """Mount, where source and blob are known."""
        return bool(source) and is_supported(digest) and self.storage.mount_blob(source or "", name, digest)

    def size(self, name: str, digest: str) -> int | None:
        """How long a blob is."""
        content = self.storage.open_blob(name, digest)
        if content is None:
            return None
        content.close()
        return content.size

    async def patch(self, request: Request) -> Response:
        """Append a chunk, or a stream."""
        upload = self.find(request)
        async with self.turn(request, upload):
            start, length = self.chunk(request, upload)
            self.check_order(upload, start)
            self.check_length(length, request.content_length)
            mark = upload.mark()
            try:
                await self.receive(request, upload)
            except Disconnected:
                # What came counts, so that the upload can be resumed; the status tells how much.
                await upload.flush()
                raise
            except OSError:
                await self.undo(upload, mark)
                raise
            await self.check_received(upload, mark, length)
        return self.accepted(upload)

    async def put(self, request: Request) -> Response:
        """Append the last chunk, if any, and close the session."""
        upload = self.find(request)
        async with self.turn(request, upload):
            digests = self.digests(request)
            start, length = self.chunk(request, upload)
            self.check_order(upload, start)
            self.check_length(length, request.content_length)
            mark = upload.mark()
            try:
                return await self.close(request, upload, digests, length)
            except (Disconnected, OSError):
                await self.undo(upload, mark)
                raise

    async def close(self, request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        """Receive the rest, verify the whole and make it a blob; a wrong digest ends the session."""
        upload.expect(digests[0].split(":", 1)[0])
        mark = upload.mark()
        await self.receive(request, upload)
        await self.check_received(upload, mark, length)
        for digest in digests:
            if not self.verified(digest, await upload.digest(digest.split(":", 1)[0])):
                self.storage.discard_upload(upload)
                raise errors.digest_invalid(digest)
        size = upload.size
        await self.storage.settle(upload, digests)
        self.storage.commit_upload(upload, digests)
        return self.created(request.name, digests[0]).tells(Notice("push", digests[0], "blobs", BINARY, size))

    async def status(self, request: Request) -> Response:
        """How far the upload is."""
        upload = self.find(request)
        if upload.turn.is_free:
            async with self.turn(request, upload):
                return Response(204, self.progress(upload))
        if not upload.turn.is_here:
            # Another process has it, and the storage tells how far it is.
            upload.refresh()
        self.check_open(upload)
        return Response(204, self.progress(upload))

    async def cancel(self, request: Request) -> Response:
        """End the session."""
        upload = self.find(request)
        async with self.turn(request, upload):
            self.storage.discard_upload(upload)
        return Response(204)

    async def undo(self, upload: Upload, mark: Mark) -> None:
        """Take a session back to where it was; where that fails as well, it ends."""
        try:
            await upload.rollback(mark)
        except OSError:
            with suppress(OSError):
                self.storage.discard_upload(upload)

    def find(self, request: Request) -> Upload:
        """The session that the path names."""
        upload = self.storage.find_upload(request.name, request.reference)
        if upload is None:
            raise errors.upload_unknown(request.reference)
        return upload

    @asynccontextmanager
    async def turn(self, request: Request, upload: Upload) -> AsyncIterator[None]:
        """Have an open session to oneself, for as long as the client of the request says something."""
        try:
            async with upload.turn.taken():
                request.listen = upload.turn.listen
                upload.refresh()
                self.check_open(upload)
                yield
        except Busy:
            raise errors.upload_busy(upload.identifier) from None
        except Overtaken:
            upload.refresh()
            self.check_open(upload)
            raise self.out_of_order(upload) from None

    def check_open(self, upload: Upload) -> None:
        """Refuse a session that another request ended in the meantime."""
        if upload.closed:
            raise errors.upload_unknown(upload.identifier)

    def digests(self, request: Request) -> list[str]:
        """The digest parameters; Docker allows several, and all of them are verified."""
        digests = request.query.all("digest")
        if not digests:
            raise errors.digest_invalid("", "the digest parameter is missing")
        for digest in digests:
            if not is_supported(digest):
                raise errors.digest_invalid(digest, "malformed digest, or of an unsupported algorithm")
        return digests

    def verified(self, claimed: str, computed: str) -> bool:
        """Whether the content is what the client says."""
        return claimed == computed

    async def receive(self, request: Request, upload: Upload) -> None:
        """Write the body to the storage."""
        async for piece in request.pieces():
            await upload.write(piece)
        await upload.flush()

    def chunk(self, request: Request, upload: Upload) -> tuple[int | None, int | None]:
        """Start and length by Content-Range; None and None for a stream."""
        header = request.headers.get("content-range").strip()
        if not header:
            return None, None
        match = _RANGE.fullmatch(header)
        if match is None or int(match[2]) < int(match[1]):
            raise self.out_of_order(upload)
        return int(match[1]), int(match[2]) - int(match[1]) + 1

    def check_order(self, upload: Upload, start: int | None) -> None:
        """Refuse a chunk that does not begin where the data ends."""
        if start is not None and start != upload.size:
            raise self.out_of_order(upload)

    def check_length(self, expected: int | None, received: int | None) -> None:
        """Refuse a body that is not as long as its range."""
        if expected is not None and received is not None and expected != received:
            raise errors.size_invalid(expected, received)

    async def check_received(self, upload: Upload, mark: Mark, length: int | None) -> None:
        """The same for a body whose length was not announced: it is forgotten."""
        received = upload.size - mark.size
        if length is not None and received != length:
            await upload.rollback(mark)
            raise errors.size_invalid(length, received)

    def out_of_order(self, upload: Upload) -> errors.RegistryError:
        """416, with what the client needs to go on.

        Without a body: Docker's code RANGE_INVALID is not in the tables of OCI.
        """
        return errors.RegistryError(416, headers=self.progress(upload))

    def location(self, upload: Upload) -> str:
        """Where the session goes on."""
        return url(self.host, f"/v2/{upload.repository}/blobs/uploads/{upload.identifier}")

    def range(self, size: int) -> str:
        """The bytes received; a session without data has no better form than Docker's 0-0."""
        return f"0-{max(size - 1, 0)}"

    def progress(self, upload: Upload) -> list[tuple[str, str]]:
        """The headers of a session that goes on."""
        return [
            ("Location", self.location(upload)),
            ("Range", self.range(upload.size)),
            ("Docker-Upload-UUID", upload.identifier),
        ]

    def accepted(self, upload: Upload) -> Response:
        """The session is open and waits for more."""
        return Response(202, self.progress(upload))

    def created(self, name: str, digest: str) -> Response:
        """The blob is there."""
        location = url(self.host, f"/v2/{name}/blobs/{digest}")
        return Response(201, [("Location", location), ("Docker-Content-Digest", digest)])
