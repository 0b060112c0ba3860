"""Variants of the deletion of blobs."""

from __future__ import annotations

from reference.modifications import Variant
from reference.variants.management.shared import delete_as

VARIANTS = (
    Variant(
        name="delete-blob-405",
        title="Blobs cannot be deleted.",
        latitude=("DELETE-UNSUPPORTED",),
        lacks=("delete-blob",),
        apply=delete_as(405, tags=False, manifests=False),
    ),
)
