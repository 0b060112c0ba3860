"""What a configuration decides, wherever it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: The most processes that answer.
MOST_WORKERS = 64
_SECRETS = ("access_key_id", "secret_access_key", "session_token", "account_key", "client_secret")


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of the server's certificate and of the authorities of clients, the least version, and suites of 1.2.

    Without ``suites`` the library chooses; an empty tuple is no suite of TLS 1.2 at all.
    """

    certificate: Path
    key: Path
    client_authorities: tuple[Path, ...] = ()
    #: Whether a client without a certificate gets no answer; one that shows a wrong one never does.
    client_required: bool = True
    minimum: str = "tls1.2"
    suites: tuple[str, ...] | None = None


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
class Log:
    """How the log is written."""

    level: str = "info"
    formatter: str = "text"
    fields: dict[str, str] = field(default_factory=dict)
    places: bool = False
    access: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """A check of health, every so many seconds; it fails after so many failures in a row."""

    interval: float
    threshold: int


@dataclass(frozen=True, slots=True)
class LookAtFile(Look):
    """Whether a file is absent."""

    file: Path


@dataclass(frozen=True, slots=True)
class LookAtHttp(Look):
    """Whether a URL answers HEAD with a status, in some seconds."""

    url: str
    status: int
    headers: dict[str, list[str]]
    timeout: float


@dataclass(frozen=True, slots=True)
class LookAtTcp(Look):
    """Whether an address takes connections, in some seconds."""

    host: str
    port: int
    timeout: float


@dataclass(frozen=True, slots=True)
class Proxy:
    """The registry that this one is a cache of, and how long content is kept, in seconds; 0 for ever."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    ttl: float = 0


@dataclass(frozen=True, slots=True)
class Collection:
    """How content that no image needs is collected while the registry runs; times in seconds."""

    interval: float
    age: float
    untagged: bool
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of a kind (s3, gcs, azure), a folder in it, and what the library is told; ``chunk`` in bytes."""

    kind: str
    name: str
    root: str
    options: dict[str, object] = field(repr=False)
    client: dict[str, object]
    chunk: int
    redirect: bool = False

    @property
    def description(self) -> str:
        """What it is called in the log."""
        return f"{self.kind} {'/'.join(part for part in (self.name, self.root.strip('/')) if part)}"

    @property
    def secrets(self) -> list[str]:
        """What must not be in any message."""
        return [value for key, value in self.options.items() if key in _SECRETS and isinstance(value, str)]


@dataclass(slots=True)
class Config:
    """What the file says, with the defaults filled in; times in seconds."""

    log: Log = field(default_factory=Log)
    checks: list[Look] = field(default_factory=list)
    #: What was given and changes nothing here, to be said when the registry starts.
    remarks: list[str] = field(default_factory=list)
    storage: str = "inmemory"
    root: Path = Path("/var/lib/registry")
    layout: str = "links"
    sync: str = "always"
    bucket: Bucket | None = None
    #: What a storage of others is told; None for a storage of ours.
    parameters: dict[str, Any] | None = field(default=None, repr=False)
    delete_enabled: bool = True
    read_only: bool = False
    purge_age: float = 7 * 86400
    purge_interval: float = 86400
    purge_dry: bool = False
    collection: Collection | None = None
    proxy: Proxy | None = None
    catalog_limit: int = 1000
    headers: list[tuple[str, str]] = field(default_factory=list)
    drain: float = 5
    workers: int = 1
    addr: str = "127.0.0.1:5000"
    host: str = ""
    secret: str = ""
    debug_addr: str = ""
    #: The path of the metrics on the debug server; none where they are off.
    metrics: str = ""
    tls: Tls | None = None
    realm: str = ""
    htpasswd: Path | None = None
    token: Token | None = None
    endpoints: list[Endpoint] = field(default_factory=list)
    references: bool = False
    #: Where events wait that are to survive the registry; none where they wait in memory.
    queue: Path | None = None
    schema1_enabled: bool = False

    @property
    def needs_one_process(self) -> str:
        """Why it cannot have several workers; nothing where it can."""
        if self.storage == "inmemory":
            return "storage.inmemory: each worker would have content of its own"
        if self.layout != "links":
            return f"storage.filesystem.layout: {self.layout}: a worker has in memory what leads to a manifest"
        if self.proxy is not None:
            return "proxy: a worker does not know what is on its way to another one"
        if self.collection is not None:
            return (
                "storage.maintenance.garbagecollect.enabled: what clients ask for stays, and no worker knows what"
                " the others are asked for; stop the registry, and run garbage-collect"
            )
        return ""
