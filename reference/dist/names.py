"""References to images: in registries, OCI layouts, their archives, and archives of Docker."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace

from reference.dist.errors import UsageError
from reference.grammar import is_digest, is_name, is_supported, is_tag

REGISTRY, LAYOUT, LAYOUT_ARCHIVE, DOCKER_ARCHIVE = "registry", "oci", "oci-archive", "docker-archive"
_FILES = (LAYOUT, LAYOUT_ARCHIVE, DOCKER_ARCHIVE)
_DOCKER = "docker.io"
_HOSTS = {_DOCKER: "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
_MACHINES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "i686": "386",
    "armv7l": "arm/v7",
    "armv6l": "arm/v6",
    "loongarch64": "loong64",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image is: the kind of end, its host and scheme, a repository or path, and a tag or digest."""

    kind: str
    path: str
    host: str = ""
    scheme: str = ""
    tag: str | None = None
    digest: str | None = None

    @property
    def reference(self) -> str | None:
        """What names the manifest: the digest before the tag."""
        return self.digest or self.tag

    @property
    def address(self) -> str:
        """The host that is connected to."""
        return _HOSTS.get(self.host, self.host)

    def at(self, digest: str) -> Place:
        """The same place with a digest."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        start = f"{self.host}/{self.path}" if self.kind == REGISTRY else f"{self.kind}:{self.path}"
        return start + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(text: str, kind: str = REGISTRY) -> Place:
    """Read ``[http://|https://]HOST/NAME[:TAG][@DIGEST]``, or ``KIND:PATH[:TAG][@DIGEST]`` of files.

    Args:
        text: the reference; NAME alone is of Docker's hub.
        kind: what it is without a prefix: ``registry`` or ``oci``.

    Raises:
        UsageError: it is none.
    """
    prefix, colon, rest = text.partition(":")
    if colon and prefix in _FILES:
        return _files(prefix, rest, text)
    scheme, text = _scheme(text)
    if kind != REGISTRY and not scheme:
        return _files(kind, text, text)
    start, tag, digest = _split(text, text)
    host, slash, name = start.partition("/")
    if scheme and not slash:
        raise UsageError(f"{_shown(text)}: a repository is wanted after the host")
    if not slash or not ("." in host or ":" in host or host == "localhost" or scheme):
        host, name = _DOCKER, start if slash else f"library/{start}"
    if "@" in host or not is_name(name):
        raise UsageError(f"{_shown(text)}: no reference; it has the form HOST/NAME:TAG or HOST/NAME@DIGEST")
    if not digest:
        tag = tag or "latest"
    return Place(REGISTRY, name, _host(host), "" if scheme == "docker" else scheme, tag, digest)


def parse_repository(text: str) -> Place:
    """Read ``HOST/NAME``; raise UsageError where there is a tag or digest, too."""
    place = parse(text)
    if place.digest or text.rpartition("/")[2].count(":"):
        raise UsageError(f"{_shown(text)}: a repository is wanted, without tag or digest")
    return place


def parse_host(text: str) -> Place:
    """Read ``HOST`` of a registry; raise UsageError where it is none."""
    scheme, text = _scheme(text)
    host = text.removesuffix("/")
    if not host or "/" in host or "@" in host:
        raise UsageError(f"{_shown(text)}: the host of a registry is wanted")
    return Place(REGISTRY, "", _host(host), scheme)


def parse_platform(text: str) -> tuple[str, str, str]:
    """Read ``OS/ARCHITECTURE[/VARIANT]``, or the architecture alone; raise UsageError where it is none."""
    parts = text.split("/")
    if len(parts) == 1:
        parts = ["linux", *parts]
    if len(parts) > 3 or not all(parts):
        raise UsageError(f"--platform {_shown(text)}: it has the form linux/arm64 or linux/arm/v7")
    return parts[0], parts[1], parts[2] if len(parts) == 3 else ""


def machine() -> str:
    """The platform of this machine, whose images are of Linux."""
    name = platform.machine().lower()
    return f"linux/{_MACHINES.get(name, name)}"


def _scheme(text: str) -> tuple[str, str]:
    scheme, found, rest = text.partition("://")
    if not found:
        return "", text
    if scheme not in ("http", "https", "docker"):
        raise UsageError(f"{_shown(text)}: {scheme}:// is none of http://, https:// and docker://")
    return scheme, rest


def _host(host: str) -> str:
    name, _, port = host.partition(":") if not host.startswith("[") else host.partition("]:")
    if not name or (port and not port.isdecimal()) or any(c.isspace() or c in "?#\\%" for c in host):
        raise UsageError(f"{_shown(host)}: no host of a registry")
    return host.lower()


def _split(text: str, whole: str) -> tuple[str, str | None, str | None]:
    """Name, tag and digest."""
    start, at, digest = text.partition("@")
    if at and not (is_digest(digest) and is_supported(digest)):
        raise UsageError(f"{_shown(whole)}: no digest of sha256 or sha512 after @")
    _, colon, tag = start.rpartition("/")[2].partition(":")
    if colon and not is_tag(tag):
        raise UsageError(f"{_shown(whole)}: no tag after :")
    return start.removesuffix(f":{tag}") if colon else start, tag if colon else None, digest if at else None


def _files(kind: str, rest: str, whole: str) -> Place:
    start, at, digest = rest.rpartition("@")
    if not (at and is_supported(digest)):
        start, digest = rest, ""
    path, _, tag = start.partition(":")
    if not path:
        raise UsageError(f"{_shown(whole)}: a path is wanted after {kind}:")
    return Place(kind, path, tag=tag or None, digest=digest or None)


def _shown(text: str) -> str:
    """A reference for an error, without what may be a password in it."""
    return repr(text.rpartition("@")[2] if "@" in text and not is_digest(text.rpartition("@")[2]) else text)
