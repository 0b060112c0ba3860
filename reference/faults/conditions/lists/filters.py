"""Faults of filtered lists of referrers."""

from __future__ import annotations

from urllib.parse import unquote_plus

from reference.app import Registry
from reference.documents import Json
from reference.modifications import Fault, override

_SCANNED = 100
_PREVIEW = 5


def _decoded_twice(registry: Registry) -> None:
    """The filter is decoded once more, where a plus sign is a blank."""
    select = registry.referrers.select
    override(
        registry.referrers,
        select=lambda found, artifact_type: select(found, artifact_type.replace("+", " ")),
    )


def _filter_of_a_hundred(registry: Registry) -> None:
    """The filter looks through the first hundred."""
    select = registry.referrers.select

    def changed(found: list[Json], artifact_type: str) -> list[Json]:
        return select(found[:_SCANNED], artifact_type)

    override(registry.referrers, select=changed)


def _filter_of_preview(registry: Registry) -> None:
    """What is filtered are the five that are kept at hand."""
    select = registry.referrers.select
    override(registry.referrers, select=lambda found, wanted: select(found[:_PREVIEW], wanted))


def _filter_decoded_twice(registry: Registry) -> None:
    """The filter is decoded once by the server and once more by its handler."""
    select = registry.referrers.select

    def changed(found: list[Json], artifact_type: str) -> list[Json]:
        return select(found, unquote_plus(artifact_type))

    override(registry.referrers, select=changed)


FAULTS = (
    Fault(
        name="filter-with-plus-finds-none",
        title="The filter of referrers finds no type that has a plus sign.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_decoded_twice,
    ),
    Fault(
        name="filter-of-hundred-referrers",
        title="A filtered list of referrers lacks those that stand behind the first hundred.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        also=("DISC-REFERRERS-COMPLETE", "DISC-REFERRERS-LINK-PAGES"),
        apply=_filter_of_a_hundred,
    ),
    Fault(
        name="filter-of-five-referrers",
        title="The filter of referrers looks at the first five alone.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        also=("DISC-REFERRERS-COMPLETE",),
        apply=_filter_of_preview,
    ),
    Fault(
        name="filter-decoded-twice",
        title="A plus sign in the type by which referrers are filtered counts as a blank.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_filter_decoded_twice,
    ),
)
