"""Variants of the filter of referrers."""

from __future__ import annotations

from reference.app import Registry
from reference.modifications import Variant, drop_header, on, override


def _unfiltered(registry: Registry) -> None:
    override(registry.referrers, select=lambda found, _artifact_type: found)
    on("referrers.list", change=drop_header("OCI-Filters-Applied"))(registry)


VARIANTS = (
    Variant(
        name="referrers-unfiltered",
        title="The filter of referrers is ignored.",
        latitude=("REFERRERS-FILTER-NOT-APPLIED",),
        warns=("DISC-REFERRERS-FILTER-SUPPORTED",),
        apply=_unfiltered,
    ),
)
