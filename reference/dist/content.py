"""Descriptors and manifests, and what a manifest leads to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reference.dist.errors import ContentError, NotFoundError
from reference.dist.names import parse_platform
from reference.grammar import digest_of, is_supported

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
INDEXES = (OCI_INDEX, DOCKER_LIST)
ACCEPTED = (OCI_MANIFEST, DOCKER_MANIFEST, *INDEXES)
#: What a registry has to take, by OCI 1.1; more than that is no manifest.
MANIFEST_LIMIT = 4 << 20
_FOREIGN = ("nondistributable", "rootfs.foreign")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What content is called: its media type, digest and size in bytes; and the members beside them."""

    media_type: str
    digest: str
    size: int
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def read(cls, value: Any, where: str) -> Descriptor:
        """Take it from JSON; raise ContentError where something is wrong."""
        members = value if isinstance(value, dict) else {}
        digest, size = members.get("digest"), members.get("size")
        if not isinstance(digest, str) or not is_supported(digest):
            raise ContentError(f"{where}: a descriptor has no digest of sha256 or sha512")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ContentError(f"{where}: the descriptor of {digest} has no size")
        more = {name: item for name, item in members.items() if name not in ("mediaType", "digest", "size")}
        return cls(str(members.get("mediaType", "")), digest, size, more)

    @property
    def algorithm(self) -> str:
        """``sha256`` or ``sha512``."""
        return self.digest.partition(":")[0]

    @property
    def foreign(self) -> bool:
        """Whether the content is kept elsewhere, by the word of its manifest."""
        return bool(self.more.get("urls")) and any(word in self.media_type for word in _FOREIGN)

    def json(self) -> dict[str, Any]:
        """As JSON."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size, **self.more}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index as it came, byte for byte, with its descriptor."""

    descriptor: Descriptor
    body: bytes

    @classmethod
    def read(cls, body: bytes, media_type: str, digest: str | None, where: str) -> Manifest:
        """Take a body whose digest may be known; raise ContentError where it is another, or no manifest."""
        algorithm = digest.partition(":")[0] if digest else "sha256"
        actual = digest_of(body, algorithm)
        if digest and digest != actual:
            raise ContentError(f"{where}: the manifest has the digest {actual}, not {digest}")
        made = cls(Descriptor("", actual, len(body)), body)
        media_type = str(made.json(where).get("mediaType") or media_type).partition(";")[0].strip()
        if media_type not in ACCEPTED:
            raise ContentError(f"{where}: {media_type or 'a manifest without mediaType'} is not known")
        return cls(Descriptor(media_type, actual, len(body)), body)

    def json(self, where: str = "") -> dict[str, Any]:
        """The document; raise ContentError where it is no object."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise ContentError(f"{where or self.descriptor.digest}: the manifest is no JSON object")
        return document

    @property
    def is_index(self) -> bool:
        """Whether it leads to manifests."""
        return self.descriptor.media_type in INDEXES

    def manifests(self) -> list[Descriptor]:
        """The manifests of an index."""
        return self._all("manifests") if self.is_index else []

    def blobs(self) -> list[Descriptor]:
        """Configuration and layers that a registry keeps, in this order."""
        if self.is_index:
            return []
        config = Descriptor.read(self.json().get("config"), self.descriptor.digest)
        return [config, *(layer for layer in self._all("layers") if not layer.foreign)]

    def only(self, platforms: Sequence[str]) -> Manifest:
        """An index of the manifests for some platforms, other members as they were.

        Raises:
            NotFoundError: there is none for a platform.
        """
        kept = [self.choose(name) for name in platforms]
        document = self.json() | {"manifests": [one.json() for one in dict.fromkeys(kept)]}
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        return Manifest.read(body, self.descriptor.media_type, None, "the index of chosen platforms")

    def choose(self, platform: str) -> Descriptor:
        """The manifest of an index for a platform; raise NotFoundError where there is none."""
        system, architecture, variant = parse_platform(platform)
        there = []
        for one in self.manifests():
            has = one.more.get("platform")
            has = has if isinstance(has, dict) else {}
            same = (has.get("os"), has.get("architecture")) == (system, architecture)
            if same and variant in ("", has.get("variant", "")):
                return one
            there.append("/".join(str(has[key]) for key in ("os", "architecture", "variant") if has.get(key)))
        names = ", ".join(sorted({name for name in there if name and not name.startswith("unknown")}))
        raise NotFoundError(f"{self.descriptor.digest}: nothing for {platform}; it has {names or 'no platforms'}")

    def _all(self, member: str) -> list[Descriptor]:
        values = self.json().get(member)
        if not isinstance(values, list):
            raise ContentError(f"{self.descriptor.digest}: the manifest has no list {member}")
        return [Descriptor.read(value, self.descriptor.digest) for value in values]
