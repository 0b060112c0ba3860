"""The registry as an ASGI application: a table of operations and what every answer has in common.

The table is open: whoever embeds the registry, the faults and the variants included, may replace an
entry or a method of a resource. Nothing in here knows of that.
"""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference import errors, routing
from reference.auth import Authenticator
from reference.grammar import is_name
from reference.messages import (
    API_VERSION,
    JSON,
    Disconnected,
    Handler,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    Silent,
    lifespan,
)
from reference.resources.base import Base
from reference.resources.blobs import Blobs
from reference.resources.catalog import Catalog
from reference.resources.extensions import Extensions
from reference.resources.manifests import Manifests
from reference.resources.referrers import Referrers
from reference.resources.tags import Tags
from reference.resources.uploads import Uploads
from reference.storage import Storage

if TYPE_CHECKING:
    from reference.connections import Wrap
    from reference.health import Health
    from reference.logs import AccessLog
    from reference.maintenance.collection import Collector
    from reference.notifications import Notifications

VERSION = "0.1.0"
NAME = "registry-conformance/reference"
log = logging.getLogger("reference")
_WRITES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Options:
    """What a configuration decides about the API."""

    delete_enabled: bool = True
    read_only: bool = False
    host: str = ""
    manifest_limit: int = 4 << 20
    catalog_limit: int = 1000
    schema1_enabled: bool = False
    headers: tuple[tuple[str, str], ...] = ()


class Registry:
    """The application. ``handlers`` has an entry for each operation id of the specification."""

    def __init__(
        self, storage: Storage, options: Options | None = None, authenticator: Authenticator | None = None
    ) -> None:
        self.storage = storage
        self.options = options or Options()
        self.authenticator = authenticator
        #: Told of each answered request, where somebody wants to know.
        self.notifications: Notifications | None = None
        self.access_log: AccessLog | None = None
        #: Asked before each answer, where a configuration has something looked at.
        self.health: Health | None = None
        #: Told what is asked for, where content that nobody needs is collected.
        self.collector: Collector | None = None
        #: Put around each connection, where what goes over the wire is not what was answered.
        self.wraps: list[Wrap] = []
        host = self.options.host
        self.base = Base()
        self.blobs = Blobs(storage)
        self.manifests = Manifests(storage, host, self.options.manifest_limit, self.options.schema1_enabled)
        self.uploads = Uploads(storage, host)
        self.tags = Tags(storage)
        self.catalog = Catalog(storage, self.options.catalog_limit)
        self.referrers = Referrers(storage)
        self.extensions = Extensions()
        self.handlers: dict[str, Handler] = {
            "base.get": self.base.get,
            "manifest.get": self.manifests.get,
            "manifest.head": self.manifests.get,
            "manifest.put": self.manifests.put,
            "manifest.delete": self.manifests.delete,
            "blob.get": self.blobs.get,
            "blob.head": self.blobs.get,
            "blob.delete": self.blobs.delete,
            "upload.start": self.uploads.start,
            "upload.start-digest": self.uploads.start_with_blob,
            "upload.mount": self.uploads.mount,
            "upload.patch": self.uploads.patch,
            "upload.put": self.uploads.put,
            "upload.get": self.uploads.status,
            "upload.delete": self.uploads.cancel,
            "tags.list": self.tags.listing,
            "catalog.list": self.catalog.listing,
            "referrers.list": self.referrers.listing,
            "ext.discover": self.extensions.discover,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self.storage.carried(self.answer(request))
        except Disconnected:
            return
        try:
            await response.send(send, head=request.method == "HEAD")
        except OSError as error:
            # The server ends the connection, so that nobody takes it for whole.
            log.error("%s %s: %s (request %s)", request.method, request.path, error, request.id)
            return
        if self.access_log is not None:
            self.access_log.tell(request, response)
        self.notify(request, response)

    def notify(self, request: Request, response: Response) -> None:
        """Tell what a request did, once."""
        if self.notifications is not None and not response.told:
            response.told = True
            self.notifications.tell(request, response)

    async def answer(self, request: Request) -> Response:
        """The response to a request, refusals included."""
        try:
            if self.health is not None and self.health.failures():
                raise errors.unavailable()
            routing.resolve(request)
            if not routing.is_nameless(request):
                self.check_name(request)
            if self.authenticator is not None:
                await self.authenticator.check(request)
            self.check_allowed(request)
            if self.collector is not None:
                self.collector.asked(request)
            response = await self.handlers[request.operation](request)
            if self.collector is not None:
                self.collector.asked(request, response)
            if request.method in _WRITES:
                if self.notifications is not None and self.notifications.durable:
                    # What is acknowledged will be told, whatever becomes of this process.
                    self.notify(request, response)
                    await self.notifications.synced()
                await self.storage.durable()
        except errors.RegistryError as error:
            response = self.refuse(request, error)
        except Silent:
            response = self.refuse(request, errors.silent())
        except Disconnected:
            raise
        except Exception as error:
            response = self.refuse(request, self.failure(request, error))
        return self.finish(request, response)

    def check_name(self, request: Request) -> None:
        """Refuse a repository name outside the grammar."""
        if not is_name(request.name):
            raise errors.name_invalid(request.name)

    def check_allowed(self, request: Request) -> None:
        """Refuse what the configuration switches off."""
        resource = request.operation.partition(".")[0]
        reads = ["GET", "HEAD"]
        if self.options.read_only and request.method in _WRITES:
            raise errors.unsupported(reads if resource in ("manifest", "blob") else [], "the registry is read-only")
        if not self.options.delete_enabled and request.operation in ("manifest.delete", "blob.delete"):
            allow = [*reads, "PUT"] if resource == "manifest" else reads
            raise errors.unsupported(allow, "deletion is disabled")

    def refuse(self, request: Request, error: errors.RegistryError) -> Response:
        """The response that says why."""
        body = error.body()
        headers = [("Content-Type", JSON)] if body else []
        log.debug("%s %s: %s %s", request.method, request.path, error.status, [e.code for e in error.entries])
        return Response(error.status, [*headers, *error.headers], body)

    def failure(self, request: Request, error: Exception) -> errors.RegistryError:
        """Log what went wrong here, and say no more than that."""
        if isinstance(error, OSError):
            log.error("%s %s: %s (request %s)", request.method, request.path, error, request.id)
            return errors.storage_failed(error.errno in (errno.ENOSPC, errno.EDQUOT), request.id)
        log.error("%s %s (request %s)", request.method, request.path, request.id, exc_info=error)
        return errors.internal(request.id)

    def finish(self, request: Request, response: Response) -> Response:
        """What every answer has."""
        response.headers.add(*API_VERSION)
        response.headers.pairs += self.options.headers
        if request.root and response.status != 307:
            for name in ("Location", "Link"):
                if name in response.headers:
                    moved = response.headers.get(name).replace("/v2/", f"{request.root}/v2/", 1)
                    response.headers.set(name, moved)
        namespace = request.query.get("ns")
        # Only a namespace that is really ours was used to find the content.
        if namespace is not None and namespace == request.headers.get("host") and request.method in ("GET", "HEAD"):
            response.headers.add("OCI-Namespace", namespace)
        return response
