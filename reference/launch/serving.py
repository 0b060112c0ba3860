"""A running registry: in this process, or in several that are one."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass
from pathlib import Path

from reference import logs, server
from reference.app import NAME, VERSION
from reference.launch import LEVELS, LaunchError, announce_modifications, write_port_file
from reference.launch import registry as parts
from reference.modifications import Modification, modify
from reference.server import Job
from reference.settings import Config
from reference.storage.layout import DISTRIBUTION

log = logging.getLogger("reference")
#: The most seconds between two looks for what a cache has too long.
_EXPIRY_INTERVAL = 3600.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line asks for."""

    config: Path | None = None
    addr: str | None = None
    workers: int | None = None
    modifications: tuple[Modification, ...] = ()
    port_file: Path | None = None


def serve(choice: Choice) -> None:
    """Serve until a signal.

    Raises:
        LaunchError: it cannot start, or its workers die again and again.
    """
    config = parts.read_config(choice.config) if choice.config is not None else Config()
    log.setLevel(LEVELS[config.log.level])
    if choice.config is not None:
        logs.set_up(config.log.formatter, config.log.fields, config.log.places)
    if choice.workers is not None:
        config.workers = choice.workers
    _check_workers(config, choice)
    listeners, debug = _listen(config, choice)
    if config.workers == 1:
        _serve_alone(config, choice, listeners[0], debug)
    else:
        from reference.launch.several import Several  # noqa: PLC0415 - only where it is asked for

        with Several(config, listeners, debug) as several:
            _announce(config, choice, listeners[0], debug)
            several.watch()
    log.info("stopped")


def _check_workers(config: Config, choice: Choice) -> None:
    if config.workers > 1 and (reason := config.needs_one_process):
        raise LaunchError(f"--workers: {config.workers} cannot be with {reason}")
    if config.workers > 1 and choice.modifications:
        kind, name = type(choice.modifications[0]).__name__.lower(), choice.modifications[0].name
        where = f"{choice.config}: http.workers" if choice.workers is None else "--workers"
        raise LaunchError(f"{where}: {config.workers} cannot be with --{kind} {name}, whose state is in one process")


def _listen(config: Config, choice: Choice) -> tuple[list[socket.socket], socket.socket | None]:
    where = f"{choice.config}: http.addr" if choice.addr is None and choice.config else "--addr"
    address = choice.addr or config.addr
    try:
        several = config.workers > 1
        listeners = server.listen_often(address, config.workers) if several else [server.listen(address)]
        where = f"{choice.config}: http.debug.addr"
        return listeners, server.listen(config.debug_addr) if config.debug_addr else None
    except server.ListenError as error:
        raise LaunchError(f"{where}: {error}") from error


def _serve_alone(config: Config, choice: Choice, listener: socket.socket, debug: socket.socket | None) -> None:
    registry = parts.make_registry(config)
    notifications = registry.notifications = parts.make_notifications(config, server.address_of(listener))
    registry.access_log = logs.AccessLog() if config.log.access else None
    health = parts.make_health(config, registry.storage)
    registry.health = health if health.checks else None
    registry.collector = parts.make_collector(config, registry.storage)
    jobs = parts.make_jobs(config, registry, health)
    metrics = parts.make_metrics(config, registry)
    cache = parts.make_cache(config, registry)
    if cache is not None and config.proxy is not None and config.proxy.ttl:
        jobs.append(Job("expiry", min(config.proxy.ttl / 10, _EXPIRY_INTERVAL), cache.expire))
    application = modify(registry, choice.modifications)
    _announce(config, choice, listener, debug)
    if notifications is not None:
        notifications.start()
    pages = {config.metrics: metrics.page} if metrics is not None else {}
    beside = (debug, parts.make_debug(registry, health, pages)) if debug else None
    if metrics is not None:
        application = metrics.measured(application)
    server.run(application, listener, beside, config.tls, drain=config.drain, jobs=jobs, wraps=registry.wraps)
    if notifications is not None:
        notifications.close()
    registry.storage.close()


def _announce(config: Config, choice: Choice, listener: socket.socket, debug: socket.socket | None) -> None:
    address = server.address_of(listener)
    description = f"filesystem at {config.root}" if config.storage == "filesystem" else config.storage
    if config.layout == DISTRIBUTION:
        description += ", in the layout of the original"
    if config.bucket is not None:
        description = config.bucket.description
    log.info("registry %s %s, storage: %s", NAME, VERSION, description)
    for remark in config.remarks:
        log.warning("%s", remark)
    announce_modifications(choice.modifications)
    if debug:
        log.info("debug server on %s", server.address_of(debug))
    log.info("listening on %s%s", address, " with TLS" if config.tls else "")
    write_port_file(choice.port_file, address)
