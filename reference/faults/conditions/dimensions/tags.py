"""Faults that depend on a tag."""

from __future__ import annotations

import re

from reference.app import Registry
from reference.modifications import Fault, override

_HEX = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"\d{1,9}\.\d{1,9}")
_SIGNATURE = re.compile(r"sha256-[0-9a-f]{64}(\.[a-z]+)?")


def _short_digest(registry: Registry) -> None:
    """A digest may be given without its algorithm, which is tried first."""
    resolve = registry.manifests.resolve

    def changed(name: str, reference: str) -> str | None:
        return f"sha256:{reference}" if _HEX.fullmatch(reference) else resolve(name, reference)

    override(registry.manifests, resolve=changed)


def _numbers(registry: Registry) -> None:
    """A tag that is a number is read as one, as YAML does."""
    storage = registry.storage
    get, put, delete = storage.tag, storage.set_tag, storage.delete_tag

    def plain(tag: str) -> str:
        return str(float(tag)) if _NUMBER.fullmatch(tag) else tag

    override(
        storage,
        tag=lambda name, tag: get(name, plain(tag)),
        set_tag=lambda name, tag, digest: put(name, plain(tag), digest),
        delete_tag=lambda name, tag: delete(name, plain(tag)),
    )


def _signatures_hidden(registry: Registry) -> None:
    """The tags of signatures are no matter of users."""
    tags = registry.storage.tags

    override(registry.storage, tags=lambda name: [tag for tag in tags(name) if not _SIGNATURE.fullmatch(tag)])


FAULTS = (
    Fault(
        name="tag-of-64-hex-digits-taken-for-digest",
        title="A tag that looks like the encoded part of a digest is looked up as that digest.",
        breaks=("BASE-TAG-ACCEPTED-KEPT", "PUSH-MANIFEST-BY-TAG-PULLABLE"),
        apply=_short_digest,
    ),
    Fault(
        name="tag-read-as-a-number",
        title="A tag of digits and a dot is a number: 1.10 and 1.1 are one tag, which is listed as 1.1.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH", "BASE-TAG-ACCEPTED-KEPT"),
        apply=_numbers,
    ),
    Fault(
        name="tags-made-of-digests-not-listed",
        title="Tags that are made of a digest, as those of signatures and of referrers, are not listed.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        apply=_signatures_hidden,
    ),
)
