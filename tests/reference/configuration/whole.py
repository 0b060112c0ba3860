"""Configurations with each key that the reference knows, made from its tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from reference.configuration.keys import CONFIGURATION, STORAGES
from reference.configuration.table import Key, Kind, Member, Table, walk
from tests.support.scripted.server import certificate

#: Keys of which a configuration has one.
CHOICES = {"storage": STORAGES, "auth": ("htpasswd", "token")}
_VALUES: dict[str, Any] = {
    "storage.s3.encrypt": True,
    "storage.azure.credentials.type": "client_secret",
    "http.tls.ciphersuites": ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"],
}


class Files:
    """A certificate, its key, and a file without a meaning."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate, self.key = certificate(folder)
        (folder / "key.json").write_text("{}")

    def value(self, name: str, key: Key) -> Any:
        """A value that a key takes."""
        files = {"http.tls.certificate": self.certificate, "http.tls.key": self.key}
        if name == "http.tls.clientcas":
            return [str(self.certificate)]
        if key.kind is Kind.FILE:
            return str(files.get(name, self.folder / "key.json"))
        word = key.choices[0] if key.choices else "word"
        values = {
            Kind.TEXT: word if key.default is None else key.default,
            Kind.FLAG: key.default,
            Kind.NUMBER: key.default,
            Kind.DURATION: key.default,
            Kind.ADDRESS: key.default or "127.0.0.1:1",
            Kind.URL: "https://example.test/",
            Kind.WORDS: [word],
            Kind.TEXTS: [word, "another"],
            Kind.LISTS: {"X-One": ["a", "b"], "X-Two": "c"},
            Kind.FIELDS: {"one": "a", "two": 2},
        }
        return _VALUES.get(name, values[key.kind])

    def whole(self, name: str = "", table: Table = CONFIGURATION, **chosen: str) -> dict[str, Any]:
        """A configuration with each key; of storages and logins those that are chosen, or the first ones."""
        made: dict[str, Any] = {}
        for key, member in table.members.items():
            inner = f"{name}{key}"
            if key in CHOICES.get(name.rstrip("."), ()) and key != chosen.get(name[:-1], CHOICES[name[:-1]][0]):
                continue
            if isinstance(member, Key):
                made[key] = self.value(inner, member)
            elif isinstance(member, Table):
                found = self.whole(f"{inner}.", member, **chosen)
                made[key] = [found] if member.many else found
        if not name and chosen.get("storage") not in (None, "filesystem", "inmemory"):
            del made["proxy"]
        return made

    def all_of_them(self) -> Iterator[dict[str, Any]]:
        """Configurations that together have each key."""
        yield from (self.whole(storage=storage) for storage in STORAGES)
        yield self.whole(auth="token")

    def with_key(self, name: str, value: Any) -> Path:
        """Write a configuration of one section that has one more key, or another value of one."""
        parts = name.replace("[]", "").split(".")
        storage = parts[1] if parts[0] == "storage" and len(parts) > 1 and parts[1] in STORAGES else "filesystem"
        auth = parts[1] if parts[0] == "auth" and len(parts) > 2 else "htpasswd"
        whole = self.whole(storage=storage, auth=auth)
        made = place = {key: whole[key] for key in whole if key in ("version", "storage", parts[0])}
        if parts[0] != "storage":
            made["storage"] = "inmemory"
        for part in parts[:-1]:
            place = place[part][0] if isinstance(place[part], list) else place[part]
        place[parts[-1]] = value
        return self.written(made)

    def written(self, configuration: dict[str, Any]) -> Path:
        """Write a configuration."""
        path = self.folder / "config.yml"
        path.write_text(yaml.safe_dump(configuration))
        return path


def names(*kinds: type[Member]) -> list[str]:
    """The names of the keys of some kinds."""
    return [name for name, member in walk(CONFIGURATION) if isinstance(member, kinds)]


def plain(name: str) -> str:
    """The name of a key, whatever its place in lists is."""
    return re.sub(r"\[\d+\]", "[]", name)
