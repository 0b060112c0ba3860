"""What copies go from and to: registries, layouts and archives are ends alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from reference.dist.content import Descriptor, Manifest
from reference.dist.names import Place
from reference.dist.streams import Reader, Verified


class End(Protocol):
    """One place of images; its methods block, and several threads may call them at once."""

    place: Place

    def manifest(self, reference: str | None) -> Manifest:
        """The manifest of a tag or digest, checked; or the only one. Raises NotFoundError."""

    def tags(self) -> Iterator[str]:
        """Its tags or names."""

    def open(self, descriptor: Descriptor, offset: int) -> Reader:
        """A blob from an offset on, not checked. Raises NotFoundError."""

    def has(self, descriptor: Descriptor) -> bool:
        """Whether a blob is there already."""

    def mount(self, descriptor: Descriptor, source: Place) -> bool:
        """Take a blob from another repository of the same registry, where that works."""

    def put(self, content: Verified) -> None:
        """Keep a blob, when all of it was seen and is right."""

    def put_manifest(self, manifest: Manifest, tag: str | None, *, top: bool) -> None:
        """Keep a manifest whose content is there; ``top`` is the one that was asked for."""

    def finish(self) -> None:
        """Make what was put here visible, where that takes more."""

    def close(self) -> None:
        """Let go of what is open, and of what was not finished."""
