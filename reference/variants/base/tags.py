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


VARIANTS = (
    Variant(
        name="tag-names-limited",
        title="Tags with capitals or signs, and long ones, get 403.",
        latitude=("TAG-NAMES-LIMITED",),
        apply=_tag_names,
    ),
)
