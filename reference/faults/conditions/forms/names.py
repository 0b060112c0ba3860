"""Faults of names and tags that are taken for something else."""

from __future__ import annotations

import re

from reference.app import Registry
from reference.messages import Content
from reference.modifications import Fault, override

#: What each object of JavaScript has.
_MEMBERS = frozenset(
    {"constructor", "toString", "toLocaleString", "valueOf", "hasOwnProperty", "isPrototypeOf", "__proto__"}
)


def _joined(registry: Registry) -> None:
    """The key of a blob is made of the components of the name and the digest, with nothing between them."""
    find = registry.blobs.find

    def found(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is not None:
            return content
        key = name.replace("/", "")
        for other in registry.storage.repositories():
            if other != name and other.replace("/", "") == key:
                content = find(other, digest)
                if content is not None:
                    return content
        return None

    override(registry.blobs, find=found)


def _member_of_object(registry: Registry) -> None:
    """The tags are members of an object, which has such members already."""
    set_tag = registry.storage.set_tag

    def tagged(name: str, tag: str, digest: str) -> None:
        if tag not in _MEMBERS:
            set_tag(name, tag, digest)

    override(registry.storage, set_tag=tagged)


def _dot_for_any(registry: Registry) -> None:
    """The tag that is deleted is looked for as a regular expression."""
    storage = registry.storage
    remove = registry.manifests.remove_tag

    def removed(name: str, tag: str) -> None:
        pattern = re.compile(tag)
        for other in [*storage.tags(name)]:
            if other != tag and pattern.fullmatch(other):
                storage.delete_tag(name, other)
        remove(name, tag)

    override(registry.manifests, remove_tag=removed)


FAULTS = (
    Fault(
        name="components-joined-without-slash",
        title="A blob is served under each repository whose name differs from its own in the places of the slashes.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        also=("PULL-BLOB-HEAD-OTHER-REPO-404", "PULL-BLOB-GET-UNKNOWN-REPO-404", "PUSH-MOUNT-NO-READ-ACCESS"),
        apply=_joined,
    ),
    Fault(
        name="tag-constructor-lost",
        title="A manifest is accepted and unknown under a tag like constructor or __proto__.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-GET-TAG-200",
        ),
        apply=_member_of_object,
    ),
    Fault(
        name="dot-in-deleted-tag-any-character",
        title="The deletion of a tag with a dot deletes the tags that have any other character in its place.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=("PUSH-MANIFEST-KEPT", "DISC-TAGS-COMPLETE-AFTER-PUSH"),
        apply=_dot_for_any,
    ),
)
