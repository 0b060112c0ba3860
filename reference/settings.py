"""What a configuration decides, wherever it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of the server's certificate."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint for notifications; times in seconds."""

    name: str
    url: str
    disabled: bool = False
    headers: dict[str, list[str]] = field(default_factory=dict)
    timeout: float = 1.0
    threshold: int = 10
    backoff: float = 1.0
    ignored_media_types: frozenset[str] = frozenset()
    ignored_actions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Token:
    """Whose tokens are trusted, and where clients get them; with ``redirect`` at the registry's own host."""

    realm: str
    service: str
    issuer: str
    bundle: Path
    redirect: bool = False


@dataclass(slots=True)
class Config:
    """What the file says, with the defaults filled in."""

    level: str = "info"
    storage: str = "inmemory"
    root: Path = Path("/var/lib/registry")
    delete_enabled: bool = True
    read_only: bool = False
    purge_age: float = 7 * 86400
    addr: str = "127.0.0.1:5000"
    host: str = ""
    secret: str = ""
    debug_addr: str = ""
    tls: Tls | None = None
    realm: str = ""
    htpasswd: Path | None = None
    token: Token | None = None
    endpoints: list[Endpoint] = field(default_factory=list)
    references: bool = False
    schema1_enabled: bool = False
