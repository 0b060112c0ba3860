"""Blobs: pulled whole or in ranges, and deleted."""

from __future__ import annotations

from reference import errors
from reference.grammar import is_digest, is_supported
from reference.messages import BINARY, Content, Notice, Request, Response
from reference.resources import matches, ranges
from reference.storage import Storage

_BOUNDARY = "reference-registry-byteranges"


class Blobs:
    """/v2/NAME/blobs/DIGEST."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def get(self, request: Request) -> Response:
        """GET and HEAD."""
        self.check_digest(request.reference)
        content = self.find(request.name, request.reference)
        if content is None:
            raise self.unknown(request)
        headers = self.headers(request.reference)
        etag = f'"{request.reference}"'
        condition = ",".join(request.headers.all("if-none-match"))
        if condition and matches(condition, etag):
            content.close()
            return Response(304, headers)
        notice = Notice("pull", request.reference, "blobs", BINARY, content.size)
        location = self.elsewhere(request)
        if location is not None:
            content.close()
            return self.redirect(request, location).tells(notice)
        return self.respond(request, content, headers).tells(notice)

    def elsewhere(self, request: Request) -> str | None:
        """Where a pull of the whole blob may go; ranges and conditions are understood here, and not everywhere."""
        if request.method != "GET" or "range" in request.headers or "if-none-match" in request.headers:
            return None
        return self.storage.blob_url(request.name, request.reference)

    def redirect(self, request: Request, location: str) -> Response:
        """Where the blob is; nobody may keep the URL for longer than it is good."""
        digest = ("Docker-Content-Digest", request.reference)
        return Response(307, [("Location", location), digest, ("Cache-Control", "no-store")])

    def check_digest(self, digest: str) -> None:
        """Refuse what is no digest."""
        if not is_digest(digest):
            raise errors.digest_invalid(digest)

    def find(self, name: str, digest: str) -> Content | None:
        """The content, if this repository holds it."""
        return self.storage.open_blob(name, digest) if is_supported(digest) else None

    def unknown(self, request: Request) -> errors.RegistryError:
        """Why it was not found."""
        if not self.storage.exists(request.name):
            return errors.name_unknown(request.name)
        return errors.blob_unknown(request.reference)

    def headers(self, digest: str) -> list[tuple[str, str]]:
        """What a pull of the blob carries, whatever part is sent."""
        return [
            ("Docker-Content-Digest", digest),
            ("ETag", f'"{digest}"'),
            ("Cache-Control", "max-age=31536000"),
            ("Accept-Ranges", "bytes"),
        ]

    def respond(self, request: Request, content: Content, headers: list[tuple[str, str]]) -> Response:
        """The whole blob, or the ranges that are asked for."""
        wanted = self.ranges(request, content.size)
        if wanted is None:
            whole = Response(200, [("Content-Type", BINARY), *headers])
            return whole.stream(content, [(0, content.size)])
        if not wanted:
            content.close()
            return Response(416, [("Content-Range", f"bytes */{content.size}"), ("Accept-Ranges", "bytes")])
        if len(wanted) > 1:
            return self.multipart(content, wanted, headers)
        part = wanted[0]
        partial = Response(206, [("Content-Type", BINARY), *headers])
        partial.headers.add("Content-Range", ranges.content_range(part, content.size))
        return partial.stream(content, [part])

    def ranges(self, request: Request, size: int) -> list[tuple[int, int]] | None:
        """The ranges of a GET; None where the whole blob is to be sent."""
        header = request.headers.get("range")
        if request.method != "GET" or not header:
            return None
        condition = request.headers.get("if-range")
        if condition and condition.strip() != f'"{request.reference}"':
            return None
        return ranges.parse(header, size)

    def multipart(self, content: Content, wanted: list[tuple[int, int]], headers: list[tuple[str, str]]) -> Response:
        """Several ranges as multipart/byteranges."""
        parts: list[bytes | tuple[int, int]] = []
        for part in wanted:
            line = ranges.content_range(part, content.size)
            head = f"\r\n--{_BOUNDARY}\r\nContent-Type: application/octet-stream\r\nContent-Range: {line}\r\n\r\n"
            parts += [head.encode(), part]
        parts.append(f"\r\n--{_BOUNDARY}--\r\n".encode())
        media_type = f"multipart/byteranges; boundary={_BOUNDARY}"
        return Response(206, [("Content-Type", media_type), *headers]).stream(content, parts)

    async def delete(self, request: Request) -> Response:
        """Take the blob out of the repository."""
        self.check_digest(request.reference)
        if not is_supported(request.reference) or not self.remove(request.name, request.reference):
            raise self.unknown(request)
        response = Response(202, [("Docker-Content-Digest", request.reference)])
        return response.tells(Notice("delete", request.reference))

    def remove(self, name: str, digest: str) -> bool:
        """Remove it from the storage; False where it was not there."""
        return self.storage.delete_blob(name, digest)
