"""Strange faults of what is kept: bytes of a shape, and tags and names of a shape."""

from __future__ import annotations

import re

from reference.app import Registry
from reference.faults.shared import blobs_rewritten
from reference.messages import Content
from reference.modifications import Fault, override

_TRAILER = bytes(1024)
_HEX = re.compile(r"[a-f0-9]{64}")
_COLUMN = 100


def _trailer_dropped(data: bytes) -> bytes:
    """Zero blocks at the end are taken for a hole."""
    return data.rstrip(b"\0") if len(data) > len(_TRAILER) and data.endswith(_TRAILER) else data


def _tag_as_digest(registry: Registry) -> None:
    """Sixty-four hexadecimal digits are a digest, whoever calls a tag so."""
    resolve = registry.manifests.resolve

    def changed(name: str, reference: str) -> str | None:
        return f"sha256:{reference}" if _HEX.fullmatch(reference) else resolve(name, reference)

    override(registry.manifests, resolve=changed)


def _names_cut(registry: Registry) -> None:
    """The column of the repository's name holds a hundred characters."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        found = find(name, digest)
        if found is None and len(name) > _COLUMN:
            alike = [each for each in registry.storage.repositories() if each[:_COLUMN] == name[:_COLUMN]]
            return next((content for each in alike if (content := find(each, digest)) is not None), None)
        return found

    override(registry.blobs, find=changed)


def _case_collides(registry: Registry) -> None:
    """A tag that is there in other letters is the one that moves."""
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        same = [each for each in registry.storage.tags(name) if each != tag and each.lower() == tag.lower()]
        set_tag(name, tag, digest)
        for each in same:
            set_tag(name, each, digest)

    override(registry.storage, set_tag=changed)


FAULTS = (
    Fault(
        name="zero-blocks-at-the-end-lost",
        title="A blob that ends in 1024 zero bytes, as a tar does, is served without its last zeros.",
        breaks=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-BINARY-EXACT",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
        ),
        also=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",),
        apply=blobs_rewritten(_trailer_dropped),
    ),
    Fault(
        name="tag-of-64-hexadecimal-digits-not-found",
        title="A tag of 64 hexadecimal digits is accepted and looked up as a digest.",
        breaks=("BASE-TAG-ACCEPTED-KEPT",),
        also=("PULL-MANIFEST-GET-TAG-200",),
        apply=_tag_as_digest,
    ),
    Fault(
        name="tag-moves-with-one-of-other-case",
        title="A push to a tag moves a tag that differs in the case of its letters, too.",
        breaks=("PUSH-MANIFEST-KEPT", "PUSH-MANIFEST-MULTIPLE-TAGS"),
        apply=_case_collides,
    ),
    Fault(
        name="long-names-alike-share-blobs",
        title="Repositories whose names have their first 100 characters in common serve each other's blobs.",
        breaks=("PULL-BLOB-OTHER-REPO-404", "PULL-BLOB-HEAD-OTHER-REPO-404"),
        apply=_names_cut,
    ),
)
