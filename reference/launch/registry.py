"""From a configuration to a running registry."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reference.app import Options, Registry
from reference.auth import Authenticator
from reference.health import Check, Health, absent
from reference.launch import LaunchError
from reference.messages import Application, Response
from reference.server import Job
from reference.settings import Bucket, Config, Look, LookAtFile, LookAtHttp, LookAtTcp
from reference.storage import Storage, StorageError
from reference.storage.layout import DISTRIBUTION
from reference.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from reference.maintenance.collection import Collector
    from reference.notifications import Notifications
    from reference.operation.metrics import Metrics
    from reference.proxy.cache import Cache

log = logging.getLogger("reference")
#: Seconds between two rounds of `sync: interval`.
_SYNC_INTERVAL = 1.0
#: The most seconds between two looks for what a cache has too long.
_EXPIRY_INTERVAL = 3600.0


def read_config(path: Path) -> Config:
    """What a configuration file says; its reader is loaded only where there is a file."""
    from reference.configuration.reading import ConfigError, read  # noqa: PLC0415 - only where there is a file

    try:
        return read(path)
    except ConfigError as error:
        raise LaunchError(str(error)) from error


def make_storage(config: Config) -> Storage:
    """The storage that a configuration names."""
    if config.storage == "inmemory":
        return MemoryStorage()
    if config.bucket is not None:
        return _open(config.bucket)
    if config.parameters is not None:
        from reference.storage.drivers import open_storage  # noqa: PLC0415 - only where it is asked for

        try:
            return open_storage(config.storage, config.parameters)
        except StorageError as error:
            raise LaunchError(f"storage.{config.storage}: {error}") from error
    try:
        return _open_folder(config)
    except OSError as error:
        raise LaunchError(f"storage.filesystem.rootdirectory: {config.root}: {error.strerror}") from error
    except StorageError as error:
        raise LaunchError(f"storage.filesystem.rootdirectory: {error}") from error


def _open_folder(config: Config) -> Storage:
    root = config.root.absolute()
    if config.layout == DISTRIBUTION:
        from reference.storage.distribution.storage import DistributionStorage  # noqa: PLC0415 - as below

        return DistributionStorage(root, config.sync)
    from reference.storage.filesystem import FilesystemStorage  # noqa: PLC0415 - only where it is asked for

    return FilesystemStorage(root, config.sync)


def _open(bucket: Bucket) -> Storage:
    try:
        from reference.storage.objects.opening import open_storage  # noqa: PLC0415 - the libraries may not be there
    except ImportError as error:
        needed = "install registry-conformance[object-storage]"
        raise LaunchError(f"storage.{bucket.kind}: it needs the package {error.name}: {needed}") from error
    try:
        return open_storage(bucket)
    except StorageError as error:
        raise LaunchError(f"storage.{bucket.kind}: {error}") from error


def purge(config: Config, storage: Storage) -> None:
    """End the sessions that are too old."""
    count = storage.purge_uploads(time.time() - config.purge_age, config.purge_dry)
    if count:
        log.info("%s %d old uploads", "a purge would end" if config.purge_dry else "purged", count)


def make_health(config: Config, storage: Storage) -> Health:
    """What a configuration has looked at."""
    made = Health()
    for look in config.checks:
        name, what = _looking(look, config, storage)
        made.checks.append(Check(name, what, look.interval, look.threshold))
    return made


def _looking(look: Look, config: Config, storage: Storage) -> tuple[str, Callable[[], None]]:
    """The name of a check, and how it is made."""
    if isinstance(look, LookAtFile):
        return str(look.file), partial(absent, look.file)
    if isinstance(look, LookAtHttp | LookAtTcp):
        from reference.health import services  # noqa: PLC0415 - only where it is asked for

        if isinstance(look, LookAtHttp):
            answering = partial(services.answers, look.url, look.status, look.headers, look.timeout)
            return services.without_login(look.url), answering
        return f"{look.host}:{look.port}", partial(services.connects, look.host, look.port, look.timeout)
    return f"storagedriver_{config.storage}", storage.check


def make_collector(config: Config, storage: Storage) -> Collector | None:
    """Who takes away what no image needs."""
    if config.collection is None:
        return None
    from reference.maintenance.collection import Collector  # noqa: PLC0415 - only where it is asked for

    chosen = config.collection
    return Collector(storage, age=chosen.age, untagged=chosen.untagged, dry_run=chosen.dry_run)


def make_cache(config: Config, registry: Registry) -> Cache | None:
    """What makes a registry a cache of another one."""
    if config.proxy is None:
        return None
    from reference.proxy.cache import Cache  # noqa: PLC0415 - only where it is asked for
    from reference.proxy.upstream import Upstream  # noqa: PLC0415 - as above

    log.info("a cache of %s", config.proxy.url)
    return Cache(registry, Upstream(config.proxy), config.proxy.ttl)


def make_syncs(config: Config, registry: Registry) -> list[Job]:
    """What brings to the disk what was not waited for."""
    jobs = []
    if config.sync == "interval":
        jobs.append(Job("sync", _SYNC_INTERVAL, registry.storage.flush))
        if registry.notifications is not None:
            jobs.append(Job("sync of notifications", _SYNC_INTERVAL, registry.notifications.flush))
    return jobs


def make_jobs(config: Config, registry: Registry, health: Health) -> list[Job]:
    """What is done beside the requests; a purge for the first time at once."""
    storage = registry.storage
    jobs = [Job(f"health: {check.name}", check.interval, check.run) for check in health.checks]
    jobs += make_syncs(config, registry)
    if config.purge_age:
        purge(config, storage)
        jobs.append(Job("purge of uploads", config.purge_interval, partial(purge, config, storage)))
    if registry.collector is not None and config.collection is not None:
        jobs.append(Job("collection", config.collection.interval, registry.collector.run))
    return jobs


def make_authenticator(config: Config) -> Authenticator | None:
    """What a configuration says of logins."""
    if config.htpasswd is not None:
        from reference.auth import htpasswd  # noqa: PLC0415 - only where it is asked for

        try:
            return htpasswd.Htpasswd(config.realm, config.htpasswd)
        except htpasswd.HtpasswdError as error:
            raise LaunchError(f"auth.htpasswd.path: {error}") from error
    if config.token is not None:
        from reference.auth import token, trust  # noqa: PLC0415 - only where it is asked for

        try:
            roots = trust.load_bundle(config.token.bundle)
        except trust.BundleError as error:
            raise LaunchError(f"auth.token.rootcertbundle: {error}") from error
        trusted = trust.Trust(config.token.issuer, config.token.service, roots)
        return token.Tokens(config.token.realm, trusted, config.token.redirect)
    return None


def make_registry(config: Config, storage: Storage | None = None) -> Registry:
    """The application that a configuration describes, on a storage that was made before, or on a new one."""
    options = Options(
        delete_enabled=config.delete_enabled,
        read_only=config.read_only or config.proxy is not None,
        host=config.host,
        schema1_enabled=config.schema1_enabled,
        catalog_limit=config.catalog_limit,
        headers=tuple(config.headers),
    )
    return Registry(storage or make_storage(config), options, make_authenticator(config))


def make_notifications(config: Config, address: str) -> Notifications | None:
    """Who is told what happens; ``address`` is the registry's own."""
    if not config.endpoints:
        return None
    from reference.notifications import Notifications  # noqa: PLC0415 - only where it is asked for
    from reference.notifications.events import Events  # noqa: PLC0415 - as above

    for endpoint in config.endpoints:
        # Its URL may hold a password.
        log.info("notifications go to endpoint %s%s", endpoint.name, ", which is disabled" if endpoint.disabled else "")
    events = Events(address, config.host, config.references)
    if config.queue is None:
        return Notifications(config.endpoints, events)
    from reference.notifications.durable import DurableNotifications  # noqa: PLC0415 - as above

    try:
        return DurableNotifications(config.endpoints, events, config.queue.absolute(), config.sync)
    except OSError as error:
        raise LaunchError(f"notifications.queue.rootdirectory: {config.queue}: {error.strerror}") from error
    except StorageError as error:
        raise LaunchError(f"notifications.queue.rootdirectory: {error}") from error


def make_metrics(config: Config, registry: Registry) -> Metrics | None:
    """Who counts what the registry does."""
    if not config.metrics:
        return None
    from reference.operation.metrics import Metrics  # noqa: PLC0415 - only where it is asked for

    return Metrics(registry, config.storage)


def make_debug(registry: Registry, health: Health, pages: dict[str, Callable[[], Response]]) -> Application:
    """What the debug server answers; ``pages`` are those of metrics, by path."""
    from reference.operation import debug  # noqa: PLC0415 - only where it is asked for

    return debug.application(registry, health, pages)
