"""Variants of the grammar of tags."""

from __future__ import annotations

import re

from reference.app import Registry
from reference.messages import Request
from reference.modifications import Variant, override
from reference.variants.shared import denied

_TAG = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


def _tag_names(registry: Registry) -> None:
    """Tags are short and in lower case."""
    check = registry.manifests.check_condition

    def changed(request: Request) -> None:
        check(request)
        if ":" not in request.reference and not _TAG.fullmatch(request.reference):
            raise denied("tags are short and in lower case")

    override(registry.manifests, check_condition=changed)


def _without_case(registry: Registry) -> None:
    """Tags are kept as they came first, and found in any case."""
    set_tag, tag_of = registry.storage.set_tag, registry.storage.tag

    def known(name: str, tag: str) -> str:
        return {there.lower(): there for there in registry.storage.tags(name)}.get(tag.lower(), tag)

    def set_folded(name: str, tag: str, digest: str) -> None:
        set_tag(name, known(name, tag), digest)

    def find_folded(name: str, tag: str) -> str | None:
        return tag_of(name, known(name, tag))

    override(registry.storage, set_tag=set_folded, tag=find_folded)


VARIANTS = (
    Variant(
        name="tag-names-limited",
        title="Tags with capitals or signs, and long ones, get 403.",
        latitude=("TAG-NAMES-LIMITED",),
        apply=_tag_names,
    ),
    Variant(
        name="tags-without-case",
        title="Tags that differ in case are one tag, which OCI says they should not be.",
        latitude=("TAG-CASE-FOLDED",),
        warns=("BASE-TAG-CASE",),
        apply=_without_case,
    ),
)
