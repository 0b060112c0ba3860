"""Variants of the deletion of tags."""

from __future__ import annotations

from reference.modifications import Variant
from reference.variants.management.shared import delete_as

VARIANTS = (
    Variant(
        name="delete-tag-405",
        title="Tags cannot be deleted.",
        latitude=("DELETE-UNSUPPORTED",),
        lacks=("delete-tag",),
        apply=delete_as(405, manifests=False, blobs=False),
    ),
)
