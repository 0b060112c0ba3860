"""From a configuration to a running token service."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from reference import server
from reference.app import NAME, VERSION
from reference.launch import LEVELS, LaunchError, write_port_file
from reference.tokens import keys
from reference.tokens.app import PATH, TokenService
from reference.tokens.config import Config, ConfigError, read

log = logging.getLogger("reference")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line asks for."""

    config: Path
    addr: str | None = None
    faults: list[str] = field(default_factory=list)
    variants: list[str] = field(default_factory=list)
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


def modify(service: TokenService, faults: list[str], variants: list[str]) -> None:
    """Put faults and variants on the service, in the order given."""
    if not faults and not variants:
        return
    from reference import faults as all_faults  # noqa: PLC0415 - not for a service as it should be
    from reference import variants as all_variants  # noqa: PLC0415 - as above

    for name in faults:
        if name not in all_faults.ALL:
            raise LaunchError(f"--fault: there is no fault {name!r}")
    for name in variants:
        if name not in all_variants.ALL:
            raise LaunchError(f"--variant: there is no variant {name!r}")
    changes = [all_faults.ALL[name].tokens for name in faults] + [all_variants.ALL[name].tokens for name in variants]
    for change in changes:
        if change is not None:
            change(service)


def serve(choice: Choice) -> None:
    """Serve until a signal."""
    try:
        config = read(choice.config)
    except ConfigError as error:
        raise LaunchError(str(error)) from error
    log.setLevel(LEVELS[config.level])
    service = make_service(config)
    modify(service, choice.faults, choice.variants)
    try:
        listener = server.listen(choice.addr or config.addr)
    except server.ListenError as error:
        where = f"{choice.config}: http.addr" if choice.addr is None else "--addr"
        raise LaunchError(f"{where}: {error}") from error
    address = server.address_of(listener)
    log.info("token service %s %s, certificate in %s", NAME, VERSION, config.bundle)
    for kind, names in (("fault", choice.faults), ("variant", choice.variants)):
        for name in names:
            log.info("with %s %s", kind, name)
    log.info("listening on %s%s", address, PATH)
    write_port_file(choice.port_file, address)
    server.run(service, listener)
    log.info("stopped")
