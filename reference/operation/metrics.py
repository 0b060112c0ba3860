"""Metrics for Prometheus, under the names that the original registry has for the same."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client import metrics as kinds
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reference import routing
from reference.app import Registry
from reference.messages import Application, Message, Query, Receive, Response, Scope, Send
from reference.storage import Storage

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60)
_BYTES = tuple(1024 * 4**power for power in range(12))
_METHODS = frozenset({"get", "head", "post", "put", "patch", "delete"})
#: The original's words for resources, where it has other ones.
_HANDLERS = {"uploads": "blob_upload", "upload": "blob_upload_chunk"}
_ACTIONS = (
    *("open_blob", "has_blob", "mount_blob", "delete_blob", "start_upload", "find_upload", "settle", "commit_upload"),
    *("discard_upload", "put_manifest", "manifest", "delete_manifest", "tags", "tag", "set_tag", "delete_tag"),
    *("referrers", "durable"),
)
#: The code of a request whose client went away before it was answered.
_GONE = 499


class Metrics:
    """Counts what a registry does; nothing of it is global, so that several may run in one process."""

    def __init__(self, registry: Registry, driver: str) -> None:
        self._all = CollectorRegistry()
        ProcessCollector(registry=self._all)
        self._requests = self._counter(
            "registry_http_requests", "Answered requests; 499 where the client went away", "code", "handler", "method"
        )
        self._flying = kinds.Gauge(
            "registry_http_in_flight_requests",
            "Requests on their way",
            ["handler"],
            registry=self._all,
            multiprocess_mode="livesum",
        )
        self._seconds = self._histogram(
            "registry_http_request_duration_seconds", "From the head to the end of the answer", _SECONDS, "method"
        )
        self._came = self._histogram("registry_http_request_size_bytes", "Bytes of the bodies of requests", _BYTES)
        self._went = self._histogram("registry_http_response_size_bytes", "Bytes of the bodies of answers", _BYTES)
        self._uploads = self._counter("registry_uploads", "What became of uploads", "event")
        self._flying.labels("base")
        for event in ("started", "finished", "mounted", "cancelled", "refused"):
            self._uploads.labels(event)
        actions = kinds.Histogram(
            "registry_storage_action_seconds",
            "Time that the storage takes",
            ["driver", "action"],
            registry=self._all,
            buckets=_SECONDS,
        )
        for action in _ACTIONS:
            method = getattr(registry.storage, action)
            setattr(registry.storage, action, _timed(method, actions.labels(driver, action)))
        self._all.register(Seen(registry, driver))

    def _counter(self, name: str, text: str, *labels: str) -> kinds.Counter:
        return kinds.Counter(name, text, labels, registry=self._all)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> kinds.Histogram:
        return kinds.Histogram(name, text, ["handler", *labels], registry=self._all, buckets=buckets)

    def page(self) -> Response:
        """All of it in the text format of Prometheus."""
        return Response(200, [("Content-Type", CONTENT_TYPE_LATEST)], generate_latest(self._all))

    def measured(self, application: Application) -> Application:
        """An application whose requests count."""

        async def measuring(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return await application(scope, receive, send)
            exchange = _Exchange(scope, receive, send)
            with self._counting(exchange):
                await application(scope, exchange.receive, exchange.send)
            return None

        return measuring

    @contextmanager
    def _counting(self, exchange: _Exchange) -> Iterator[None]:
        handler, method = exchange.handler, exchange.method
        with self._flying.labels(handler).track_inprogress():
            try:
                yield
            finally:
                self._requests.labels(exchange.status, handler, method).inc()
                self._seconds.labels(handler, method).observe(time.perf_counter() - exchange.began)
                self._came.labels(handler).observe(exchange.came)
                self._went.labels(handler).observe(exchange.went)
                for event in exchange.events():
                    self._uploads.labels(event).inc()


class _Exchange:
    """One request and its answer, as far as they count."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.began = time.perf_counter()
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        path = raw.decode("latin-1").split("?", 1)[0].removeprefix(scope.get("root_path", "").rstrip("/"))
        route = routing.find(path)
        resource = route.resource if route is not None else "none"
        self.handler = _HANDLERS.get(resource, resource)
        method = str(scope["method"]).lower()
        self.method = method if method in _METHODS else "other"
        self.came = self.went = 0
        self.status = _GONE
        self._query: bytes = scope.get("query_string", b"")
        self._receive, self._send = receive, send

    async def receive(self) -> Message:
        """Count what comes."""
        message = await self._receive()
        self.came += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """Count what goes."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.went += len(message.get("body", b""))
        await self._send(message)

    def events(self) -> list[str]:
        """What became of an upload."""
        opens = self.handler == "blob_upload" and self.method == "post"
        goes_on = self.handler == "blob_upload_chunk" and self.method in ("put", "patch", "delete")
        if not opens and not goes_on:
            return []
        if self.status >= 400:
            return ["refused"] if self.status != _GONE else []
        if goes_on:
            done = {"put": "finished", "delete": "cancelled"}.get(self.method)
            return [done] if done else []
        if self.status != 201:
            return ["started"]
        return ["mounted"] if Query(self._query.decode("latin-1")).get("mount") is not None else ["started", "finished"]


def _timed(method: Callable[..., Any], seconds: kinds.Histogram) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(method):

        @wraps(method)
        async def awaited(*arguments: Any, **named: Any) -> Any:
            with seconds.time():
                made: Awaitable[Any] = method(*arguments, **named)
                return await made

        return awaited

    @wraps(method)
    def called(*arguments: Any, **named: Any) -> Any:
        with seconds.time():
            return method(*arguments, **named)

    return called


class Seen(Collector):
    """What is looked at when somebody asks."""

    def __init__(self, registry: Registry, driver: str) -> None:
        self._registry = registry
        self._driver = driver

    def collect(self) -> Iterator[Metric]:
        """The metrics of storage and notifications."""
        yield from self._storage(self._registry.storage)
        yield from self._notifications()

    def _storage(self, storage: Storage) -> Iterator[Metric]:
        yield GaugeMetricFamily("registry_uploads_open", "Open uploads", storage.open_uploads())
        space = storage.space()
        if space is not None:
            for kind, value in zip(("free", "size"), space, strict=True):
                name = f"registry_storage_{kind}_bytes"
                found = GaugeMetricFamily(name, f"Bytes of the file system: {kind}", labels=["driver"])
                found.add_metric([self._driver], value)
                yield found

    def _notifications(self) -> Iterator[Metric]:
        told = self._registry.notifications
        senders = told.senders if told is not None else []
        events = CounterMetricFamily("registry_notifications_events", "Events by fate", labels=["type", "endpoint"])
        pending = GaugeMetricFamily("registry_notifications_pending", "Events that wait", labels=["endpoint"])
        status = CounterMetricFamily("registry_notifications_status", "Answers", labels=["code", "endpoint"])
        for sender in senders:
            name = sender.endpoint.name
            fates = (
                ("Events", sender.events),
                ("Successes", sender.successes),
                ("Failures", sender.refusals),
                ("Errors", sender.errors),
                ("Lost", sender.lost),
            )
            for fate, count in fates:
                events.add_metric([fate, name], count)
            pending.add_metric([name], sender.pending)
            for code, count in sorted(sender.statuses.items()):
                status.add_metric([str(code), name], count)
        yield from (events, pending, status)
