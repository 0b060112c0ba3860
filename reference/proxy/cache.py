"""The handlers of a registry that is a cache: what is not there comes from the upstream.

A tag is asked for at the upstream each time, and given from the cache where nobody answers there. What a digest names
does not change, and is asked for once. Where the cache lacks something and the upstream does not answer, nobody is
told that it does not exist.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import quote, urlsplit

from reference import documents, errors
from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Document
from reference.grammar import digest_of, is_supported
from reference.messages import BINARY, JSON, Request, Response
from reference.proxy.arriving import Arrival, Arriving
from reference.proxy.upstream import Answer, Refused, Unreachable, Upstream
from reference.storage import PIECE, Manifest

log = logging.getLogger("reference")
_ACCEPT = ", ".join((OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST, "*/*;q=0.5"))
#: Attempts to get the rest of a blob that breaks off.
_ATTEMPTS = 4
_LIST_BYTES = 64 << 20
#: Removals before other requests have their turn.
_AT_ONCE = 50


class Cache:
    """Put on a registry, it answers reads from its storage and from the upstream; ``ttl`` in seconds, 0 for ever."""

    def __init__(self, registry: Registry, upstream: Upstream, ttl: float) -> None:
        self._registry = registry
        self._storage = registry.storage
        self._upstream = upstream
        self._ttl = ttl
        self._arrivals: dict[tuple[str, str], Arrival] = {}
        self._manifests: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._local = dict(registry.handlers)
        registry.handlers |= {
            "manifest.get": self._manifest("manifest.get"),
            "manifest.head": self._manifest("manifest.head"),
            "blob.get": self.blob,
            "blob.head": self.blob_head,
            "tags.list": self.passed,
            "referrers.list": self.passed,
        }

    # ------------------------------------------------------------------------------------- manifests

    def _manifest(self, operation: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            name, reference = request.name, request.reference
            self._registry.manifests.check_reference(reference)
            if ":" not in reference or self._storage.manifest(name, reference) is None:
                try:
                    await self._once(name, reference)
                except Unreachable as error:
                    log.warning("upstream: %s:%s: %s", name, reference, error)
                    if self._registry.manifests.find(name, reference) is None:
                        raise errors.upstream_failed() from error
            return await self._local[operation](request)

        return answer

    async def _once(self, name: str, reference: str) -> None:
        """Have a manifest as the upstream has it; who comes meanwhile waits for the same."""
        task = self._manifests.get((name, reference))
        if task is None:
            task = self._manifests[name, reference] = asyncio.create_task(self._have_manifest(name, reference))
            task.add_done_callback(partial(self._done, (name, reference)))
        await asyncio.shield(task)

    def _done(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        del self._manifests[key]
        # Whoever wanted it may be gone; the failure is no surprise then.
        if not task.cancelled():
            task.exception()

    async def _have_manifest(self, name: str, reference: str) -> None:
        path, is_tag = f"/v2/{name}/manifests/{quote(reference, safe=':')}", ":" not in reference
        if is_tag:
            head = await self._ask("HEAD", path)
            digest = head.headers.get("Docker-Content-Digest") or ""
            head.close()
            if head.status == 404:
                if self._storage.tag(name, reference) is not None:
                    self._storage.delete_tag(name, reference)
                raise errors.manifest_unknown(reference)
            if is_supported(digest) and self._storage.manifest(name, digest) is not None:
                self._storage.set_tag(name, reference, digest)
                return
        answer = await self._ask("GET", path)
        try:
            if answer.status == 404:
                raise errors.manifest_unknown(reference)
            limit = self._registry.options.manifest_limit
            content = await self._upstream.do(lambda: answer.read(limit + 1))
            given = answer.headers.get("Docker-Content-Digest") or ""
            await self._keep(name, reference, content, given, answer.headers.get("Content-Type") or "")
        finally:
            answer.close()

    async def _keep(self, name: str, reference: str, content: bytes, given: str, content_type: str) -> None:
        """Store a manifest that is what it should be."""
        wanted = reference if ":" in reference else given
        digest = wanted if is_supported(wanted) else digest_of(content)
        if digest_of(content, digest.partition(":")[0]) != digest:
            raise Unreachable("the manifest is not what its digest says")
        try:
            document: Document = documents.read(content, content_type)
        except errors.RegistryError as error:
            raise Unreachable("it gave no manifest that can be stored here") from error
        manifest = Manifest(digest, document.media_type, content)
        tags = [] if ":" in reference else [reference]
        async with self._storage.prepared(manifest, tags):
            self._storage.put_manifest(name, manifest, document.subject)
            for tag in tags:
                self._storage.set_tag(name, tag, digest)

    # ----------------------------------------------------------------------------------------- blobs

    async def blob(self, request: Request) -> Response:
        """GET."""
        name, digest = request.name, request.reference
        self._registry.blobs.check_digest(digest)
        if not is_supported(digest) or self._storage.has_blob(name, digest):
            return await self._local["blob.get"](request)
        arrival = self._arrivals.get((name, digest))
        if arrival is None:
            arrival = self._arrivals[name, digest] = Arrival(self._storage.start_upload(name))
            arrival.task = asyncio.create_task(self._fetch(name, digest, arrival))
        try:
            await arrival.begun()
            if arrival.size is None or request.headers.get("range") or request.headers.get("if-none-match"):
                await arrival.whole()
        except Unreachable as error:
            raise errors.upstream_failed() from error
        if self._storage.has_blob(name, digest):
            return await self._local["blob.get"](request)
        content = Arriving(arrival)
        whole = Response(200, [("Content-Type", BINARY), *self._registry.blobs.headers(digest)])
        return whole.stream(content, [(0, content.size)])

    async def blob_head(self, request: Request) -> Response:
        """HEAD, for which nothing is fetched."""
        name, digest = request.name, request.reference
        self._registry.blobs.check_digest(digest)
        if not is_supported(digest) or self._storage.has_blob(name, digest):
            return await self._local["blob.head"](request)
        try:
            answer = await self._ask("HEAD", f"/v2/{name}/blobs/{digest}")
        except Unreachable as error:
            raise errors.upstream_failed() from error
        answer.close()
        length = answer.headers.get("Content-Length")
        if answer.status == 404:
            raise errors.blob_unknown(digest)
        headers = [("Content-Type", BINARY), *self._registry.blobs.headers(digest)]
        return Response(200, [*headers, *([("Content-Length", length)] if length else [])])

    async def _fetch(self, name: str, digest: str, arrival: Arrival) -> None:
        """Bring a blob, in as many attempts as it takes, and store it where it is what its digest says."""
        upload = arrival.upload
        try:
            upload.expect(digest.partition(":")[0])
            for attempt in range(_ATTEMPTS):
                try:
                    await self._receive(name, digest, arrival)
                    break
                except Unreachable as error:
                    log.warning("upstream: %s@%s: %s after %d bytes", name, digest, error, upload.size)
                    if attempt == _ATTEMPTS - 1 or not upload.size:
                        raise
            if await upload.digest(digest.partition(":")[0]) != digest:
                raise Unreachable("the blob is not what its digest says")
            await self._storage.settle(upload, [digest])
            self._storage.commit_upload(upload, [digest])
            arrival.end()
        except BaseException as error:
            self._storage.discard_upload(upload)
            arrival.end(error)
            if not isinstance(error, Unreachable | errors.RegistryError):
                log.error("%s@%s: %s", name, digest, error)
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            del self._arrivals[name, digest]

    async def _receive(self, name: str, digest: str, arrival: Arrival) -> None:
        upload = arrival.upload
        headers = {"Range": f"bytes={upload.size}-"} if upload.size else {}
        answer = await self._ask("GET", f"/v2/{name}/blobs/{digest}", headers)
        try:
            if answer.status == 404:
                raise errors.blob_unknown(digest)
            # Who does not know ranges sends everything again.
            skip = upload.size if answer.status == 200 else 0
            length = answer.headers.get("Content-Length")
            if arrival.size is None and length is not None:
                arrival.size = int(length)
                arrival.tell()
            while piece := await self._upstream.do(lambda: answer.read(PIECE)):
                fresh, skip = piece[skip:], max(0, skip - len(piece))
                await upload.write(fresh)
                await upload.flush()
                arrival.tell(upload.size)
            if arrival.size is not None and upload.size < arrival.size:
                raise Unreachable("it broke off")
        finally:
            answer.close()

    # ----------------------------------------------------------------------------------------- lists

    async def passed(self, request: Request) -> Response:
        """A list as the upstream has it."""
        query = f"?{request.query.raw}" if request.query.raw else ""
        try:
            answer = await self._ask("GET", quote(request.path, safe="/%:@+~") + query, told=(200, 400, 404))
            try:
                body = await self._upstream.do(lambda: answer.read(_LIST_BYTES + 1))
            finally:
                answer.close()
            if len(body) > _LIST_BYTES:
                raise Unreachable(f"a list of more than {_LIST_BYTES} bytes")
        except Unreachable as error:
            raise errors.upstream_failed() from error
        response = Response(answer.status, [("Content-Type", answer.headers.get("Content-Type") or JSON)], body)
        if link := answer.headers.get("Link"):
            target, _, more = link.strip().removeprefix("<").partition(">")
            parts = urlsplit(target)
            response.headers.add("Link", f"<{parts.path}{'?' if parts.query else ''}{parts.query}>{more}")
        if filters := answer.headers.get("OCI-Filters-Applied"):
            response.headers.add("OCI-Filters-Applied", filters)
        return response

    async def _ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, told: tuple[int, ...] = (200, 206, 404)
    ) -> Answer:
        """The answer of the upstream, with a status that says something.

        Raises:
            RegistryError: it refuses.
            Unreachable: there is none, or another one.
        """
        try:
            answer = await self._upstream.request(method, path, {"Accept": _ACCEPT, **(headers or {})})
        except Refused as error:
            raise errors.upstream_refused() from error
        if answer.status in (401, 403):
            answer.close()
            raise errors.upstream_refused()
        if answer.status not in told:
            answer.close()
            raise Unreachable(f"status {answer.status}")
        return answer

    # ---------------------------------------------------------------------------------------- expiry

    async def expire(self) -> None:
        """Forget what was fetched too long ago."""
        before = time.time() - self._ttl
        await self._storage.load_repositories()
        for name in list(self._storage.repositories()):
            old = await asyncio.to_thread(self._old, name, before)
            for number, (kind, digest) in enumerate(old):
                if kind == "manifest":
                    self._registry.manifests.remove(name, digest)
                else:
                    self._storage.delete_blob(name, digest)
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
            if old:
                log.info("proxy: %d entries of %s expired", len(old), name)
        await self._storage.durable()

    def _old(self, name: str, before: float) -> list[tuple[str, str]]:
        manifests = [("manifest", digest) for digest in self._storage.manifests(name)]
        found = [*manifests, *(("blob", digest) for digest in self._storage.blobs(name))]
        return [entry for entry in found if (self._storage.stored_at(name, entry[1]) or before) < before]
