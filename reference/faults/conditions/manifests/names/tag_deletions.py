"""Faults of deletions of tags that show with some forms of tags."""

from __future__ import annotations

from reference.app import Registry
from reference.modifications import Fault, override

_TAG_KEY = 127
_WORDS = ("tags", "blobs", "manifests", "uploads", "referrers", "list")


def _tag_key_cut(registry: Registry) -> None:
    remove = registry.manifests.remove_tag
    override(registry.manifests, remove_tag=lambda name, tag: remove(name, tag[:_TAG_KEY]))


def _deleted_in_small_letters(registry: Registry) -> None:
    """The key of a tag that is to be deleted is folded, as names are."""
    remove = registry.manifests.remove_tag
    override(registry.manifests, remove_tag=lambda name, tag: remove(name, tag.lower()))


def _folded_deletion(registry: Registry) -> None:
    """The deletion of a tag with capitals compares without regard to case."""
    remove = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        remove(name, tag)
        if tag != tag.lower():
            for other in list(registry.storage.tags(name)):
                if other.lower() == tag.lower():
                    remove(name, other)

    override(registry.manifests, remove_tag=changed)


def _tag_of_digest_goes(registry: Registry) -> None:
    """With a manifest goes the tag that is made of its digest."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        remove(name, digest)
        tag = digest.replace(":", "-")
        if registry.storage.tag(name, tag) is not None:
            registry.storage.delete_tag(name, tag)

    override(registry.manifests, remove=changed)


def _words_stay(registry: Registry) -> None:
    """The route of a deletion takes a tag that is a word of the API for something else, and does nothing."""
    remove = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        if tag not in _WORDS:
            remove(name, tag)

    override(registry.manifests, remove_tag=changed)


def _shard_removed(registry: Registry) -> None:
    """Tags lie in a directory for each first character; one that is such a character is removed as the directory."""
    remove_tag = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        if len(tag) == 1:
            for other in registry.storage.tags(name):
                if other.startswith(tag) and other != tag:
                    remove_tag(name, other)
        remove_tag(name, tag)

    override(registry.manifests, remove_tag=changed)


def _collated(registry: Registry) -> None:
    """Delete with the collation of the table, which knows no case."""
    remove_tag = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        for each in registry.storage.tags(name):
            if each.lower() == tag.lower():
                remove_tag(name, each)

    override(registry.manifests, remove_tag=changed)


def _folded_for_deletion(registry: Registry) -> None:
    def changed(name: str, tag: str) -> None:
        registry.storage.delete_tag(name, tag.lower())

    override(registry.manifests, remove_tag=changed)


FAULTS = (
    Fault(
        name="tag-of-128-not-deleted",
        title="The deletion of a tag of 128 characters returns 202 and does nothing.",
        breaks=("MGMT-TAG-DELETE-GET-404", "MGMT-TAG-DELETE-NOT-LISTED", "MGMT-TAG-DELETE-HEAD-404"),
        also=("MGMT-TAG-DELETE-UNKNOWN-404", "BASE-TAG-ACCEPT"),
        apply=_tag_key_cut,
    ),
    Fault(
        name="tag-with-capitals-deletes-small",
        title="The deletion of a tag with a capital returns 202, and that of its small letters is taken.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=("MGMT-TAG-DELETE-HEAD-404", "MGMT-TAG-DELETE-NOT-LISTED", "MGMT-TAG-DELETE-OTHER-TAGS-KEPT"),
        apply=_deleted_in_small_letters,
    ),
    Fault(
        name="deletion-of-capitals-folded",
        title="The deletion of a tag with capitals takes the tag that differs from it in case alone.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=("BASE-TAG-CASE",),
        apply=_folded_deletion,
    ),
    Fault(
        name="tag-of-digest-goes-with-manifest",
        title="The deletion of a manifest deletes the tag that is made of its digest, even if that tag names another.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        also=("DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",),
        apply=_tag_of_digest_goes,
    ),
    Fault(
        name="tag-of-route-word-not-deleted",
        title="The deletion of a tag that is a word of the API returns 202 and done nothing about.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=("MGMT-TAG-DELETE-HEAD-404", "MGMT-TAG-DELETE-NOT-LISTED"),
        apply=_words_stay,
    ),
    Fault(
        name="tag-in-capitals-cannot-be-deleted",
        title="The deletion of a tag with capitals returns 202, and goes to the tag in small letters.",
        breaks=("MGMT-TAG-DELETE-GET-404", "MGMT-TAG-DELETE-HEAD-404", "MGMT-TAG-DELETE-NOT-LISTED"),
        also=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT", "MGMT-TAG-DELETE-202", "MGMT-TAG-DELETE-UNKNOWN-404"),
        apply=_deleted_in_small_letters,
    ),
    Fault(
        name="tag-of-one-character-deletes-all-alike",
        title="The deletion of a tag of one character takes all tags that begin with it.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=("DISC-TAGS-COMPLETE-AFTER-PUSH", "PUSH-MANIFEST-MULTIPLE-TAGS"),
        apply=_shard_removed,
    ),
    Fault(
        name="longest-tag-not-deleted",
        title="DELETE of a tag of 128 characters returns 202 and deletes nothing.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=("MGMT-TAG-DELETE-HEAD-404", "MGMT-TAG-DELETE-NOT-LISTED", "MGMT-TAG-DELETE-UNKNOWN-404"),
        apply=_tag_key_cut,
    ),
    Fault(
        name="tag-deleted-in-any-case",
        title="The deletion of a tag deletes those that differ from it in case only.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        apply=_collated,
    ),
    Fault(
        name="tag-with-capitals-undeleted",
        title="The deletion of a tag with capitals returns 202 and does not delete it.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=("MGMT-TAG-DELETE-HEAD-404", "MGMT-TAG-DELETE-NOT-LISTED", "MGMT-TAG-DELETE-OTHER-TAGS-KEPT"),
        apply=_folded_for_deletion,
    ),
    Fault(
        name="tag-with-capitals-not-deleted",
        title="The deletion of a tag with capitals returns 202 and deletes the one in small letters, if any.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=("MGMT-TAG-DELETE-HEAD-404", "MGMT-TAG-DELETE-NOT-LISTED", "MGMT-TAG-DELETE-OTHER-TAGS-KEPT"),
        apply=_deleted_in_small_letters,
    ),
    Fault(
        name="longest-tag-undeleted",
        title="The deletion of a tag of 128 characters returns 202, and the tag stays.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=("MGMT-TAG-DELETE-HEAD-404", "MGMT-TAG-DELETE-NOT-LISTED", "MGMT-TAG-DELETE-UNKNOWN-404"),
        apply=_tag_key_cut,
    ),
)
