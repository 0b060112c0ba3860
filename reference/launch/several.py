"""One registry in several processes: workers that answer, a keeper for what is done once, and who watches them.

The one that was started opens the sockets, has the directory, and watches; it neither answers nor has threads, so that
a new process can be forked from it at any time. The keeper sends notifications, ends old sessions, looks at the health
and has the debug server. It starts before the workers and ends after them.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType

from reference import logs, server
from reference.health import Check, Health
from reference.launch import LaunchError
from reference.launch import registry as parts
from reference.launch.pool import Control, Pool, Task
from reference.messages import Response
from reference.notifications.events import Events
from reference.notifications.publisher import GRACE
from reference.server import Job
from reference.settings import Config
from reference.storage import Storage, StorageError
from reference.storage.shared import Shared

log = logging.getLogger("reference")
#: Seconds that a process has to end beyond those that its requests have.
_MORE = 5.0


class _Told(Health):
    """The health as the keeper sees it."""

    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self._shared = shared

    def failures(self) -> dict[str, str]:
        """Something, where something is not in order; the debug server tells what."""
        return {"health": "a check failed"} if self._shared.ailing else {}


class Several:
    """The processes of one registry, which run within ``with``."""

    def __init__(self, config: Config, listeners: list[socket.socket], debug: socket.socket | None) -> None:
        self._config, self._listeners, self._debug = config, listeners, debug
        self._shared = Shared()
        self._address = server.address_of(listeners[0])
        # Of a bucket each process has what is its own: its library has threads, which no fork survives.
        self._storage = self._share(parts.make_storage(config)) if config.storage == "filesystem" else None
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="registry-"))
            self._post = self._folder / "notifications"
            self._posted = self._listen() if config.endpoints else None
        except OSError as error:
            # A directory whose name is long is no place for a socket.
            reason = error.strerror or error
            raise LaunchError(f"http.workers: the directory for temporary files (TMPDIR): {reason}") from error
        # Its number is that of the registry, whichever process answers.
        self._events = Events(self._address, config.host, config.references)
        if config.metrics:
            from reference.operation import together  # noqa: PLC0415 - only where it is asked for

            together.begin(self._folder)
        self._pool = Pool(self._buried)
        self._keepers = [Task("keeper", self._keep, GRACE + _MORE)]
        self._workers = [
            Task(f"worker {number}", partial(self._work, listener), config.drain + _MORE)
            for number, listener in enumerate(listeners, 1)
        ]

    def _share(self, storage: Storage) -> Storage:
        try:
            storage.share(self._shared)
        except StorageError as error:
            raise LaunchError(f"http.workers: storage.{self._config.storage}: {error}") from error
        return storage

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._post))
        listener.listen()
        listener.setblocking(False)
        return listener

    def _buried(self, pid: int) -> None:
        # It may have died between a change and telling the others of it.
        self._shared.died()
        if self._config.metrics:
            from reference.operation import together  # noqa: PLC0415 - only where it is asked for

            together.forget(self._folder, pid)

    def __enter__(self) -> Several:
        """Start all; raises LaunchError where one cannot."""
        try:
            self._pool.start(self._keepers)
            self._pool.start(self._workers)
        except BaseException:
            self._end()
            raise
        return self

    def watch(self) -> None:
        """Replace what dies, until a signal.

        Raises:
            LaunchError: too much dies.
        """
        self._pool.watch()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._pool.stop(self._workers)
        self._pool.stop(self._keepers)
        self._pool.close()
        if self._storage is not None:
            self._storage.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _storage_here(self) -> Storage:
        return self._storage or self._share(parts.make_storage(self._config))

    def _work(self, listener: socket.socket, control: Control) -> None:
        """Answer requests."""
        config = self._config
        for other in (*self._listeners, self._debug, self._posted):
            if other is not None and other is not listener:
                other.close()
        registry = parts.make_registry(config, self._storage_here())
        registry.access_log = logs.AccessLog() if config.log.access else None
        registry.health = _Told(self._shared) if config.checks else None
        application = registry
        around = None
        if config.endpoints:
            from reference.notifications.relay import Relay  # noqa: PLC0415 - only where it is asked for

            relay = registry.notifications = Relay(self._events, self._post, durable=config.queue is not None)
            around = relay.connected()
        metrics = parts.make_metrics(config, registry)
        served = server.Server(
            server.make_config(metrics.measured(application) if metrics else application, config.drain, (), config.tls)
        )
        control.ready()
        jobs = parts.make_syncs(config, registry)
        server.run_all([(served, listener)], jobs=jobs, control=control.end, around=around)
        registry.storage.flush()

    def _keep(self, control: Control) -> None:
        """Do what is done once."""
        config = self._config
        for listener in self._listeners:
            listener.close()
        registry = parts.make_registry(config, self._storage_here())
        health = parts.make_health(config, registry.storage)
        notifications = registry.notifications = parts.make_notifications(config, self._address)
        around = None
        if notifications is not None and self._posted is not None:
            from reference.notifications.relay import received  # noqa: PLC0415 - only where it is asked for

            notifications.start()
            around = received(notifications, self._posted)
        jobs = [
            Job(f"health: {check.name}", check.interval, partial(self._look, check, health)) for check in health.checks
        ]
        checked = {job.name for job in jobs}
        jobs += [job for job in parts.make_jobs(config, registry, health) if job.name not in checked]
        servers = []
        if self._debug is not None:
            pages: dict[str, Callable[[], Response]] = {}
            if config.metrics:
                from reference.operation import together  # noqa: PLC0415 - only where it is asked for

                pages[config.metrics] = partial(together.page, registry, config.storage, self._folder)
            beside = parts.make_debug(registry, health, pages)
            servers.append((server.Server(server.make_config(beside, config.drain)), self._debug))
        control.ready()
        server.run_all(servers, jobs=jobs, control=control.end, around=around)
        if notifications is not None:
            notifications.close()
        registry.storage.flush()
        if os.getppid() == 1:
            # Whoever watches was killed, and cleans up nothing.
            shutil.rmtree(self._folder, ignore_errors=True)

    def _look(self, check: Check, health: Health) -> None:
        check.run()
        self._shared.ailing = bool(health.failures())
