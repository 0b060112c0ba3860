"""The set-ups in which the reference is certified, each with its options of the suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import content
from tests.support.notified import Hook
from tests.support.scripted.server import certificate
from tests.support.servers import Server, reference
from tests.support.tokens import EVERYBODY_PULLS, OWNER, READER, STRANGER, Rule, token_server


@dataclass(frozen=True, slots=True)
class Target:
    """A running registry, and the options and variables with which the suite is run against it."""

    server: Server
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address as a URL without path."""
        return self.server.url


_USER = (OWNER.name, OWNER.password)
_LOGIN = {"REGISTRY_USERNAME": _USER[0], "REGISTRY_PASSWORD": _USER[1]}
#: Accounts with fewer rights, for the scenarios that need them.
_OTHERS = {
    "REGISTRY_AUTH_PULL_ONLY_USERNAME": READER.name,
    "REGISTRY_AUTH_PULL_ONLY_PASSWORD": READER.password,
    "REGISTRY_AUTH_OTHER_USERNAME": STRANGER.name,
    "REGISTRY_AUTH_OTHER_PASSWORD": STRANGER.password,
}

Start = Callable[..., AbstractContextManager[Target]]


@contextmanager
def memory(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """Storage in memory, no logins, deletion on."""
    with reference(folder, **_modifications(modified)) as server:
        yield Target(server)


@contextmanager
def filesystem(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """Storage in a folder."""
    storage = {"filesystem": {"rootdirectory": str(folder / "content")}}
    with reference(folder, config={"version": "0.1", "storage": storage}, **_modifications(modified)) as server:
        yield Target(server)


@contextmanager
def delete_off(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """Deletion switched off."""
    storage = {"inmemory": {}, "delete": {"enabled": False}}
    with reference(folder, config={"version": "0.1", "storage": storage}, **_modifications(modified)) as server:
        yield Target(server)


@contextmanager
def schema1(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """Signed manifests of schema 1 taken."""
    compatibility = {"schema1": {"enabled": True}}
    config = {"version": "0.1", "storage": {"inmemory": {}}, "compatibility": compatibility}
    with reference(folder, config=config, **_modifications(modified)) as server:
        yield Target(server)


@contextmanager
def htpasswd(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """Basic logins."""
    with reference(folder, users=dict([_USER]), **_modifications(modified)) as server:
        yield Target(server, env=_LOGIN)


@contextmanager
def token(folder: Path, anonymous: Sequence[Rule] = (), **modified: Sequence[str]) -> Iterator[Target]:
    """Logins by token: an owner, a reader who may pull, and a stranger without rights."""
    accounts = (OWNER, READER, STRANGER)
    with token_server(folder, *accounts, anonymous=anonymous, **_modifications(modified)) as service:
        config = {"version": "0.1", "storage": {"inmemory": {}}, "auth": service.auth}
        with reference(folder, config=config, **_modifications(modified)) as server:
            others = {**_OTHERS, "REGISTRY_AUTH_EXPIRED_TOKEN": " ".join(service.of_another_time())}
            yield Target(server, env=_LOGIN | others)


@contextmanager
def token_public(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """Logins by token, and tokens to pull for everybody."""
    with token(folder, EVERYBODY_PULLS, **modified) as target:
        yield target


@contextmanager
def fixed(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """Two repositories that exist, with tags and content of others; no other can be made."""
    with _shared(folder, ("team/one", "team/two"), modified) as target:
        yield target


@contextmanager
def fixed_single(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """One such repository."""
    with _shared(folder, ("team/one",), modified) as target:
        yield target


@contextmanager
def _shared(folder: Path, names: tuple[str, ...], modified: Mapping[str, Sequence[str]]) -> Iterator[Target]:
    variants = (*modified.get("variants", ()), "repositories-given")
    with reference(folder, variants=variants, faults=modified.get("faults", ())) as server:
        for name in names:
            content.fill(server.url, name)
        yield Target(server, tuple(word for name in names for word in ("--repository", name)))


@contextmanager
def namespace(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """Repositories may only be made below a prefix of several components."""
    with reference(folder, **_modifications(modified)) as server:
        yield Target(server, ("--namespace", "one/two/three-4"))


@contextmanager
def tls(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """TLS with a certificate that nobody vouches for but the options."""
    cert, key = certificate(folder)
    config = {
        "version": "0.1",
        "storage": {"inmemory": {}},
        "http": {"tls": {"certificate": str(cert), "key": str(key)}},
    }
    with reference(folder, config=config, **_modifications(modified)) as server:
        yield Target(server, ("--ca-bundle", str(cert)))


@contextmanager
def read_only(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """Content of all kinds is there and nothing may be written; the suite is told so."""
    with _filled(folder, modified) as (server, options):
        yield Target(server, ("--read-only", *options))


@contextmanager
def pull_only(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """The same, and the suite has to find out that pushes are refused."""
    with _filled(folder, modified) as (server, options):
        yield Target(server, options)


@contextmanager
def _filled(folder: Path, modified: Mapping[str, Sequence[str]]) -> Iterator[tuple[Server, tuple[str, ...]]]:
    """Push content of all kinds to a storage in a folder, and serve it without writes."""
    storage: dict[str, Any] = {"filesystem": {"rootdirectory": str(folder / "content")}}
    with reference(folder, config={"version": "0.1", "storage": storage}) as server:
        named = [*content.fill(server.url, "team/one"), *content.fill(server.url, "team/two", "few")]
    storage["maintenance"] = {"readonly": {"enabled": True}}
    with reference(folder, config={"version": "0.1", "storage": storage}, **_modifications(modified)) as server:
        yield server, tuple(word for name in named for word in ("--existing", name))


@contextmanager
def notifications(folder: Path, **modified: Sequence[str]) -> Iterator[Target]:
    """Basic logins, and notifications to the listener of the suite."""
    hook = Hook()
    config = {"version": "0.1", "storage": {"inmemory": {}}, **hook.section()}
    with reference(folder, config=config, users=dict([_USER]), **_modifications(modified)) as server:
        yield Target(server, hook.options, _LOGIN)


def _modifications(modified: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {name: modified.get(name, ()) for name in ("faults", "variants")}


#: By the name that faults and variants use.
CONFIGURATIONS: dict[str, Start] = {
    "memory": memory,
    "filesystem": filesystem,
    "delete-off": delete_off,
    "schema1": schema1,
    "htpasswd": htpasswd,
    "fixed": fixed,
    "fixed-single": fixed_single,
    "namespace": namespace,
    "tls": tls,
    "read-only": read_only,
    "pull-only": pull_only,
    "token": token,
    "token-public": token_public,
    "notifications": notifications,
}


def configured(name: str, folder: Path, **modified: Sequence[str]) -> AbstractContextManager[Target]:
    """Run the reference in the set-up of a name, with ``faults`` and ``variants`` by name."""
    return CONFIGURATIONS[name](folder, **modified)
