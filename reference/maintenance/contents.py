"""What a repository holds, and which of it the rest needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from reference import errors
from reference.documents import Document, parse
from reference.grammar import digest_of
from reference.storage import Manifest, Storage


class Unreadable(Exception):
    """A stored manifest that does not say what it needs; the message names it."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a manifest names: what it is made of, and the manifest that it is about."""

    parts: tuple[str, ...]
    subject: str | None


def needs_of(manifest: Manifest, known: dict[str, str]) -> Needs:
    """What a stored manifest names; ``known`` has each digest once, however many manifests name it.

    Whatever it calls a digest counts, in manifests of unknown types as well. The subject does not: OCI calls that
    a weak association, so that a signature keeps nothing that was signed.

    Raises:
        Unreadable: it is not JSON, or not what its digest says; nobody knows what it named.
    """
    content = manifest.content
    try:
        if manifest.digest != digest_of(content, manifest.digest.partition(":")[0]):
            raise Unreadable(f"manifest {manifest.digest} is not what its digest says")
        members = parse(content)
    except errors.RegistryError as error:
        raise Unreadable(f"manifest {manifest.digest} cannot be read") from error
    subject = Document(manifest.media_type, members).subject
    about = {key: value for key, value in members.items() if key != "subject" or subject is None}
    return Needs(tuple({known.setdefault(part, part) for part in _digests(about)}), subject)


def _digests(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, dict):
            yield from (entry[key] for key in ("digest", "blobSum") if isinstance(entry.get(key), str))
            waiting += entry.values()
        elif isinstance(entry, list):
            waiting += entry


@dataclass(slots=True)
class Contents:
    """The manifests of a repository with what they need, its blobs, and what its tags lead to."""

    name: str
    manifests: dict[str, Needs] = field(default_factory=dict)
    blobs: set[str] = field(default_factory=set)
    tagged: set[str] = field(default_factory=set)
    _known: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, storage: Storage, name: str, tags: Iterable[str]) -> Contents:
        """Those of a stored repository with these tags; it takes time, and may be done in a thread.

        Raises:
            Unreadable: a manifest does not say what it needs.
        """
        contents = cls(name)
        # The blobs come first: one that is pushed later is none of those that may go.
        contents.blobs.update(storage.blobs(name))
        contents.read_manifests(storage)
        found = (storage.tag(name, tag) for tag in tags)
        contents.tagged.update(digest for digest in found if digest is not None)
        return contents

    def read_manifests(self, storage: Storage) -> list[str]:
        """Read those that are not known yet, and name them.

        Raises:
            Unreadable: as above.
        """
        found = []
        for digest in storage.manifests(self.name):
            if digest not in self.manifests:
                manifest = storage.manifest(self.name, digest)
                if manifest is not None:
                    self.manifests[digest] = needs_of(manifest, self._known)
                    found.append(digest)
        return found

    def needed(self, roots: Iterable[str]) -> set[str]:
        """The manifests that stay where some do: these, what indexes name, and what refers to one that stays."""
        referrers: dict[str, list[str]] = {}
        for digest, needs in self.manifests.items():
            if needs.subject is not None:
                referrers.setdefault(needs.subject, []).append(digest)
        found: set[str] = set()
        waiting = list(roots)
        while waiting:
            digest = waiting.pop()
            if digest in self.manifests and digest not in found:
                found.add(digest)
                waiting += self.manifests[digest].parts
                waiting += referrers.get(digest, ())
        return found

    def parts(self, manifests: Iterable[str]) -> set[str]:
        """Everything that some manifests name."""
        return set().union(*(self.manifests[digest].parts for digest in manifests))

    def parents_first(self, manifests: set[str]) -> list[str]:
        """The manifests in an order in which what keeps one, an index or a subject, comes before it."""
        try:
            return list(self._sorter(manifests, subjects=True).static_order())
        except CycleError:
            # An index may be about a manifest that it names. That it goes before its parts matters more.
            return list(self._sorter(manifests, subjects=False).static_order())

    def _sorter(self, manifests: set[str], *, subjects: bool) -> TopologicalSorter[str]:
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for digest in sorted(manifests):
            sorter.add(digest)
            needs = self.manifests[digest]
            for part in manifests.intersection(needs.parts):
                sorter.add(part, digest)
            if subjects and needs.subject in manifests:
                sorter.add(digest, needs.subject)
        return sorter
