"""Existing content of a target: the manifests of ``--existing``, and a blob of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from conformance.client.digests import is_digest_of
from conformance.client.registry import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Registry, Repository
from conformance.target.content import ANY_MANIFEST, Blob, Descriptor, Manifest
from conformance.verdict.judge import Blocked, NotTested, Undecided, told
from spec.model import Withheld

IMAGES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
#: More than so much is not looked at.
MOST = 32
#: Blobs above this many bytes are not pulled.
_LARGEST = 4 * 1024 * 1024
#: A blob of this many bytes has room for ranges.
_FITTING = 1024


@dataclass(frozen=True, slots=True)
class Item:
    """An existing manifest: its repository, and the manifest with its tag and its blobs."""

    name: str
    manifest: Manifest

    @property
    def subject(self) -> str:
        """The digest of the manifest that this one refers to; empty where it refers to none."""
        subject = self.manifest.document.get("subject")
        return str(subject.get("digest", "")) if isinstance(subject, dict) else ""


def split(text: str) -> tuple[str, str]:
    """Return repository and reference of ``NAME:TAG`` or ``NAME@DIGEST``."""
    name, at, digest = text.partition("@")
    if at:
        return name, digest
    name, _, tag = text.rpartition(":")
    return name, tag


class Existing:
    """The content that the owner names; pulled at the first use, once for each process."""

    def __init__(self, registry: Registry, names: tuple[str, ...]) -> None:
        self._registry = registry
        self._names = tuple(dict.fromkeys(names))
        self._items: list[Item] | None = None
        homes = [split(text)[0] for text in self._names]
        #: The repository with most of the content, the first of them.
        self.home = max(homes, key=homes.count) if homes else ""
        #: The other repositories.
        self.others = tuple(dict.fromkeys(name for name in homes if name != self.home))

    @property
    def items(self) -> list[Item]:
        """Everything that is there, in the order in which it was named.

        Raises:
            Undecided: a manifest cannot be pulled.
            Blocked: a blob of one cannot be pulled, or is not what its digest says.
        """
        if self._items is None:
            self._items = [self._pull(text) for text in self._names]
        return self._items

    def find(self, name: str, what: str, fits: Callable[[Item], object]) -> Item:
        """Return the first thing in a repository that fits.

        Raises:
            NotTested: there is none; ``what`` says in words what would do.
        """
        for item in self.items:
            if item.name == name and fits(item):
                return item
        raise NotTested(f"--existing names no {what} in the repository {name}", Withheld.CONTENT)

    def manifest(self, name: str, *media_types: str, what: str) -> Manifest:
        """Return the first manifest of some types."""
        return self.find(name, what, lambda item: item.manifest.media_type in media_types).manifest

    def image(self, name: str) -> Manifest:
        """Return an image, one with a blob if possible; any other manifest if there is no image."""
        found = [item.manifest for item in self.of(name)]
        if not found:
            raise NotTested(f"--existing names nothing in the repository {name}", Withheld.CONTENT)
        return max(found, key=lambda m: (m.media_type in IMAGES) + (m.media_type in IMAGES and bool(m.blobs)))

    def of(self, name: str) -> list[Item]:
        """Return everything in a repository."""
        return [item for item in self.items if item.name == name]

    def blob(self, name: str, kind: str = "any kind", fits: Callable[[Blob], bool] = lambda _: True) -> Blob:
        """Return a blob of an image that fits; ``kind`` says in words what would do."""
        what = f"image with a small blob ({kind}, at most {_LARGEST // 2**20} MiB)"
        item = self.find(name, what, lambda item: any(map(fits, item.manifest.blobs)))
        return next(filter(fits, item.manifest.blobs))

    def _pull(self, text: str) -> Item:
        name, reference = split(text)
        repo = Repository(self._registry, name)
        answer = repo.get_manifest(reference, ANY_MANIFEST)
        if answer.refused or answer.excuse:
            raise Undecided(f"{text} of --existing cannot be pulled (status {answer.status})")
        if not answer.ok:  # that a name is wrong, or not for this client, is told by a refusal
            kind = "DIGEST" if ":" in reference else "TAG"
            raise Blocked(f"PULL-MANIFEST-GET-{kind}-200", "status 200 to the pull of an existing manifest", answer)
        if not isinstance(answer.json, dict):
            raise Undecided(f"{text} of --existing is no manifest in JSON")
        if ":" in reference and is_digest_of(reference, answer.body) is False:
            came = f"a body of digest {answer.content_digest()}"
            raise Blocked("PULL-MANIFEST-GET-DIGEST-BINDS-BODY", f"a body of digest {reference}", answer, actual=came)
        manifest = Manifest.of(answer.body, answer.media_type, _blobs(repo, answer.json))
        return Item(name, replace(manifest, tag=None if ":" in reference else reference))


def _blobs(repo: Repository, document: dict[str, object]) -> tuple[Blob, ...]:
    """Pull the best blob of a manifest in place of pushed ones: small, with room for ranges."""
    layers = document.get("layers")
    listed = [document.get("config"), *(layers if isinstance(layers, list) else [])]
    sized = {size: entry for entry in listed if isinstance(entry, dict) and (size := _size(entry)) is not None}
    if not sized:
        return ()
    descriptor = sized[min((size for size in sized if size >= _FITTING), default=max(sized))]
    digest = str(descriptor["digest"])
    answer = repo.get_blob(digest)
    if not answer.ok:
        raise Blocked("PULL-BLOB-GET-200", "status 200 to the pull of an existing blob", answer)
    if is_digest_of(digest, answer.body) is False:
        expected = f"the bytes of digest {digest}"
        came = f"{told(answer)} with {len(answer.body)} bytes of digest {answer.content_digest()}"
        raise Blocked("PULL-BLOB-GET-BODY-EXACT", expected, answer, actual=came)
    return (Blob(answer.body, digest),)


def _size(descriptor: Descriptor) -> int | None:
    """Return the size of a blob that the registry itself should have and that is worth a pull."""
    size = descriptor.get("size")
    usable = isinstance(size, int) and not isinstance(size, bool) and 0 < size <= _LARGEST
    return size if usable and isinstance(descriptor.get("digest"), str) and not descriptor.get("urls") else None
