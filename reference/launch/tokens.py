"""From a configuration to a running token service."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from reference import server
from reference.app import NAME, VERSION
from reference.launch import LEVELS, LaunchError, announce_modifications, write_port_file
from reference.modifications import Modification
from reference.tokens import keys
from reference.tokens.app import PATH, TokenService
from reference.tokens.config import Config, ConfigError, read

log = logging.getLogger("reference")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line asks for."""

    config: Path
    addr: str | None = None
    modifications: tuple[Modification, ...] = ()
    port_file: Path | None = None


def make_service(config: Config) -> TokenService:
    """The application that a configuration describes; its certificate is written where the registries look for it."""
    try:
        key = keys.keep_key(config.key, config.algorithm) if config.key else keys.make_key(config.algorithm)
    except keys.KeyFileError as error:
        raise LaunchError(f"key: {error}") from error
    signer = keys.Signer(key, config.issuer)
    try:
        signer.write_bundle(config.bundle)
    except keys.KeyFileError as error:
        raise LaunchError(f"rootcertbundle: {error}") from error
    return TokenService(config, signer)


def serve(choice: Choice) -> None:
    """Serve until a signal."""
    try:
        config = read(choice.config)
    except ConfigError as error:
        raise LaunchError(str(error)) from error
    log.setLevel(LEVELS[config.level])
    service = make_service(config)
    for modification in choice.modifications:
        if modification.tokens is not None:
            modification.tokens(service)
    try:
        listener = server.listen(choice.addr or config.addr)
    except server.ListenError as error:
        where = f"{choice.config}: http.addr" if choice.addr is None else "--addr"
        raise LaunchError(f"{where}: {error}") from error
    address = server.address_of(listener)
    log.info("token service %s %s, certificate in %s", NAME, VERSION, config.bundle)
    announce_modifications(choice.modifications)
    log.info("listening on %s%s", address, PATH)
    write_port_file(choice.port_file, address)
    server.run(service, listener)
    log.info("stopped")
