"""A repository of a registry as an end of copies, and what else a registry is asked."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from urllib3.exceptions import HTTPError

from reference.dist.content import ACCEPTED, MANIFEST_LIMIT, OCI_INDEX, Descriptor, Manifest
from reference.dist.errors import BrokenError, ContentError, DistError, NotFoundError, RegistryError
from reference.dist.names import Place
from reference.dist.streams import BLOCK, Reader, Verified
from reference.dist.transport import Answer, Transport, drop
from reference.grammar import digest_of, is_supported

#: A smaller blob goes in the request that finishes its upload.
_SMALL = 1 << 20
#: Answers in a row after which an upload is where it was before, or elsewhere.
_HOPS = 5
_LIST_LIMIT = 64 << 20
_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,18})")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-")
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)
_OCTETS = "application/octet-stream"
_ACCEPT = {"Accept": ", ".join(ACCEPTED)}


class Registry:
    """One repository; or a whole registry, where the place has no path.

    Args:
        place: where it is.
        transport: the way there, which others may use, too.
        actions: what a token has to allow: ``pull``, ``pull,push`` or ``pull,delete``.
    """

    def __init__(self, place: Place, transport: Transport, actions: str = "pull") -> None:
        self.place, self.transport = place, transport
        self._base = f"/v2/{place.path}"
        self._scope = f"repository:{place.path}:{actions}" if place.path else ""
        self._sessions: dict[str, str] = {}

    def check(self) -> None:
        """Ask whether the registry takes the login; raise DeniedError where it does not."""
        drop(self.transport.request("GET", "/v2/", scope=self._scope))

    def resolve(self, reference: str) -> Descriptor:
        """What a tag or digest is, by the word of the registry alone where it can be had."""
        answer = self.transport.request("HEAD", self._manifest(reference), scope=self._scope, headers=_ACCEPT)
        drop(answer)
        digest, length = answer.headers.get("Docker-Content-Digest", ""), answer.headers.get("Content-Length", "")
        if not is_supported(digest) or not length.isdecimal() or (is_supported(reference) and reference != digest):
            return self.manifest(reference).descriptor
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        return Descriptor(media_type, digest, int(length))

    def manifest(self, reference: str | None) -> Manifest:
        """The manifest of a tag or digest."""
        reference = reference or "latest"
        answer = self.transport.request("GET", self._manifest(reference), scope=self._scope, headers=_ACCEPT)
        where = f"{self.place.host}/{self.place.path}: {reference}"
        body = self.transport.read(answer, MANIFEST_LIMIT, f"the manifest {reference}")
        told = answer.headers.get("Docker-Content-Digest", "")
        if is_supported(told) and digest_of(body, told.partition(":")[0]) != told:
            raise ContentError(f"{where}: the manifest is not what the header Docker-Content-Digest says, {told}")
        digest = reference if is_supported(reference) else None
        return Manifest.read(body, answer.headers.get("Content-Type", ""), digest, where)

    def open(self, descriptor: Descriptor, offset: int) -> Reader:
        """A blob from an offset on; what breaks is taken up where it broke."""
        return _Pull(self, descriptor, offset)

    def get(self, descriptor: Descriptor, offset: int) -> Answer:
        """The answer to a request for a blob, or for the rest of it."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        return self.transport.request(
            "GET", f"{self._base}/blobs/{descriptor.digest}", scope=self._scope, headers=headers, ok=(200, 206)
        )

    def has(self, descriptor: Descriptor) -> bool:
        """Whether a blob is there; a registry may say 403 of a repository that is not there yet."""
        target = f"{self._base}/blobs/{descriptor.digest}"
        answer = self.transport.request("HEAD", target, scope=self._scope, ok=(200, 403, 404))
        drop(answer)
        return answer.status == 200

    def mount(self, descriptor: Descriptor, source: Place) -> bool:
        """Take a blob from another repository, if the registry can; else an upload of it is begun."""
        if (source.kind, source.address) != (self.place.kind, self.place.address) or source.path == self.place.path:
            return False
        target = f"{self._base}/blobs/uploads/?mount={descriptor.digest}&from={quote(source.path)}"
        scope = f"{self._scope} repository:{source.path}:pull"
        # A registry that mounts nothing may refuse it in many ways; then the blob is pushed.
        ok = (201, 202, 400, 403, 404, 405)
        answer = self.transport.request("POST", target, scope=scope, ok=ok, headers={"Content-Length": "0"})
        drop(answer)
        if answer.status == 202:
            self._sessions[descriptor.digest] = self._location(answer, "POST")
        return answer.status == 201

    def put(self, content: Verified) -> None:
        """Push a blob; an upload that breaks goes on where the registry says that it is.

        Raises:
            ContentError: the source has other content; the upload is cancelled.
            RegistryError: the registry does not take it.
        """
        upload, best, failures = _Upload(), 0, 0
        try:
            while True:
                before, broken = upload.at, None
                try:
                    if not upload.location:
                        self._start(upload, content.descriptor)
                    if self._step(upload, content):
                        return
                except BrokenError as error:
                    broken = error
                failures += broken is not None or upload.at <= before
                if failures > max(self.transport.options.retries, 0 if broken else _HOPS):
                    raise broken or RegistryError(
                        f"{self.place.host}: the upload of {content.descriptor.digest} stands"
                    )
                if broken:
                    time.sleep(self.transport.pause(failures - 1))
                    if self.has(content.descriptor):
                        return
                    self._ask(upload, content.read_so_far)
                if upload.at > best:
                    best, failures = upload.at, 0
        except BrokenError:
            raise
        except BaseException:
            if upload.location:
                ok = (200, 202, 204, 404)
                with suppress(DistError):
                    drop(self.transport.request("DELETE", upload.location, scope=self._scope, ok=ok))
            raise

    def put_manifest(self, manifest: Manifest, tag: str | None, *, top: bool) -> None:
        """Push a manifest under its tag, or by its digest alone."""
        digest = manifest.descriptor.digest
        target = self._manifest(tag if top and tag else digest)
        headers = {"Content-Type": manifest.descriptor.media_type}
        answer = self.transport.request(
            "PUT", target, scope=self._scope, ok=(201,), headers=headers, body=manifest.body
        )
        drop(answer)
        told = answer.headers.get("Docker-Content-Digest", digest)
        if told.partition(":")[0] == manifest.descriptor.algorithm and told != digest:
            raise ContentError(f"{self.place.host}: the manifest {digest} was taken as {told[:200]!r}")

    def delete(self, reference: str) -> None:
        """Delete a tag, or a manifest by its digest."""
        drop(self.transport.request("DELETE", self._manifest(reference), scope=self._scope, ok=(200, 202, 204)))

    def tags(self) -> Iterator[str]:
        """The tags, page by page."""
        return (str(tag) for tag in self._pages(f"{self._base}/tags/list", "tags", self._scope))

    def catalog(self) -> Iterator[str]:
        """The repositories, page by page."""
        return (str(name) for name in self._pages("/v2/_catalog", "repositories", "registry:catalog:*"))

    def referrers(self, digest: str, artifact_type: str = "") -> list[Descriptor]:
        """The manifests whose subject has a digest; from the tag that OCI 1.1 gives other registries where need be."""
        query = f"?artifactType={quote(artifact_type, safe='')}" if artifact_type else ""
        try:
            found = list(self._pages(f"{self._base}/referrers/{digest}{query}", "manifests", self._scope))
        except NotFoundError:
            try:
                index = self.manifest(digest.replace(":", "-"))
            except NotFoundError:
                return []
            found = index.json().get("manifests") or [] if index.descriptor.media_type == OCI_INDEX else []
        all_of_them = [Descriptor.read(one, f"the referrers of {digest}") for one in found]
        return [one for one in all_of_them if not artifact_type or one.more.get("artifactType") == artifact_type]

    def finish(self) -> None:
        """Nothing is left to do."""

    def close(self) -> None:
        """The transport is closed by whom it belongs to."""

    def _manifest(self, reference: str) -> str:
        return f"{self._base}/manifests/{reference}"

    def _pages(self, target: str, member: str, scope: str) -> Iterator[Any]:
        seen = set()
        while target not in seen:
            seen.add(target)
            answer = self.transport.request("GET", target, scope=scope)
            body = self.transport.read(answer, _LIST_LIMIT, f"the list of {member}")
            try:
                document = json.loads(body)
                entries = document[member] or []
            except (ValueError, KeyError, TypeError, RecursionError):
                entries = None
            if not isinstance(entries, list):
                raise ContentError(f"{self.place.host}: {urlsplit(target).path} has no list of {member}")
            yield from entries
            if not (link := _NEXT.search(answer.headers.get("Link", ""))):
                return
            target = self.transport.joined(self.transport.origin + target.removeprefix(self.transport.origin), link[1])
        raise RegistryError(f"{self.place.host}: the list of {member} comes back to a page that was there before")

    def _start(self, upload: _Upload, descriptor: Descriptor) -> None:
        upload.at = upload.least = 0
        if session := self._sessions.pop(descriptor.digest, ""):
            upload.location = session
            return
        more = "" if descriptor.algorithm == "sha256" else f"?digest-algorithm={descriptor.algorithm}"
        target = f"{self._base}/blobs/uploads/{more}"
        answer = self.transport.request("POST", target, scope=self._scope, ok=(202,), headers={"Content-Length": "0"})
        drop(answer)
        self._moved(upload, answer, "POST")

    def _step(self, upload: _Upload, content: Verified) -> bool:
        """Send a chunk, or finish; return whether all is done."""
        size, at = content.descriptor.size, upload.at
        end = min(size, at + max(self.transport.options.chunk, upload.least))
        whole = end == size and (at == size or size <= max(_SMALL, upload.least) or upload.refused)
        target = upload.location
        headers = {"Content-Type": _OCTETS, "Content-Length": str(end - at)}
        if whole:
            target += ("&" if "?" in target else "?") + f"digest={quote(content.descriptor.digest)}"
        elif (at, end) != (0, size):
            headers["Content-Range"] = f"{at}-{end - 1}"
        body = content.blocks(at, end) if end > at or size == 0 else iter(())
        method = "PUT" if whole else "PATCH"
        answer = self.transport.stream(method, target, scope=self._scope, headers=headers, body=body)
        if answer.status in (404, 416):
            drop(answer)
            upload.refused = True
            raise BrokenError(f"{self.place.host}: the upload of {content.descriptor.digest} is lost")
        if answer.status not in ((201, 307, 308) if whole else (202, 204, 307, 308)):
            raise self.transport.refusal(answer, f"the upload of {content.descriptor.digest}")
        drop(answer)
        if answer.status == 201:
            return True
        self._moved(upload, answer, method)
        if answer.status < 300:
            upload.at = min(_received(answer, end), end)
        return False

    def _ask(self, upload: _Upload, most: int) -> None:
        """Ask where an upload is; where it is lost, it has no location afterwards, and begins anew."""
        location, upload.location = upload.location, ""
        if not location:
            return
        try:
            answer = self.transport.request("GET", location, scope=self._scope, ok=(204,))
        except BrokenError:
            raise
        except DistError:
            return
        drop(answer)
        if (at := _received(answer, 0)) <= most:
            upload.at, upload.location = at, location
            self._moved(upload, answer, "GET")

    def _moved(self, upload: _Upload, answer: Answer, method: str) -> None:
        upload.location = self._location(answer, method, upload.location)
        least = answer.headers.get("OCI-Chunk-Min-Length", "")
        upload.least = int(least) if least.isdecimal() and len(least) < 13 else upload.least

    def _location(self, answer: Answer, method: str, otherwise: str = "") -> str:
        location = answer.headers.get("Location") or otherwise
        if not location:
            raise RegistryError(f"{self.place.host}: {method} of an upload was answered without a Location")
        return self.transport.joined(self.transport.origin, location)


@dataclass(slots=True)
class _Upload:
    """Where an upload goes on, how many bytes are there, and how many a chunk has at least.

    Where a chunk was refused, the last one goes in the request that finishes the upload: it may have been too small.
    """

    location: str = ""
    at: int = 0
    least: int = 0
    refused: bool = False


class _Pull:
    """The body of a blob, over as many connections as it takes."""

    def __init__(self, registry: Registry, descriptor: Descriptor, offset: int) -> None:
        self._registry, self._descriptor, self._at = registry, descriptor, offset
        self._answer: Answer | None = None
        self._failures = 0

    def read(self, amount: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        transport = self._registry.transport
        while True:
            try:
                answer = self._answer = self._answer or self._opened()
                block = answer.read(amount)
                if not block and self._at < self._descriptor.size:
                    raise BrokenError(f"{transport.name}: {self._descriptor.digest} broke off after {self._at} bytes")
            except (HTTPError, OSError, BrokenError) as error:
                self.close()
                if self._at >= self._descriptor.size:
                    return b""
                self._failures += 1
                if self._failures > transport.options.retries:
                    why = f"{transport.name}: {self._descriptor.digest} breaks off after {self._at} bytes"
                    raise RegistryError(str(error) if isinstance(error, BrokenError) else why) from None
                time.sleep(transport.pause(self._failures - 1))
            else:
                self._failures = 0 if block else self._failures
                self._at += len(block)
                return block

    def close(self) -> None:
        """Close the connection, where not all of the body was read."""
        if self._answer is not None:
            self._answer.close()
        self._answer = None

    def _opened(self) -> Answer:
        answer = self._registry.get(self._descriptor, self._at)
        if answer.status == 206:
            begins = _CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
            if not begins or int(begins[1]) != self._at:
                answer.close()
                raise RegistryError(f"{self._registry.place.host}: another range of {self._descriptor.digest} came")
            return answer
        left = self._at  # ranges are not known there: what came before is read again
        while left and (block := answer.read(min(BLOCK, left))):
            left -= len(block)
        return answer


def _received(answer: Answer, otherwise: int) -> int:
    """How many bytes of an upload are there, by the header Range."""
    told = _RANGE.fullmatch(answer.headers.get("Range", "").strip())
    # "0-0" is both nothing and one byte; nothing is safe, for a byte is never cut from a chunk of ours.
    return otherwise if not told else int(told[1]) + 1 if told[1] != "0" else 0
