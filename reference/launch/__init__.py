"""From a configuration to a running server: what the registry and the token service have in common."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from reference.modifications import Modification

log = logging.getLogger("reference")
LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}


class LaunchError(Exception):
    """Why the server cannot start, in one sentence."""


def announce_modifications(modifications: Iterable[Modification]) -> None:
    """Log each fault and variant that the server has."""
    for modification in modifications:
        log.info("with %s %s", type(modification).__name__.lower(), modification.name)


def write_port_file(path: Path | None, address: str) -> None:
    """Tell whoever waits where the server listens."""
    if path is None:
        return
    try:
        path.write_text(f"{address}\n")
    except OSError as error:
        raise LaunchError(f"--port-file: {path}: {error.strerror}") from error
