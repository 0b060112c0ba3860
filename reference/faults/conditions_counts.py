"""Faults that show with one number of tags, referrers or repositories only."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import Json
from reference.modifications import Fault, override

_BATCH = 20
_PAGE = 100


def _first_batch(registry: Registry) -> None:
    def changed(name: str, digest: str) -> None:
        storage = registry.storage
        own = [tag for tag in sorted(storage.tags(name)) if storage.tag(name, tag) == digest]
        for tag in own[:_BATCH]:
            storage.delete_tag(name, tag)

    override(registry.manifests, remove_tags_of=changed)


def _hundredth_again(registry: Registry) -> None:
    after = registry.tags.after

    def changed(tags: list[str], last: str | None) -> list[str]:
        rest = after(tags, last)
        return tags[_PAGE - 1 :] if len(tags) > _PAGE and len(rest) == len(tags) - _PAGE else rest

    override(registry.tags, after=changed)


def _hundred_referrers(registry: Registry) -> None:
    page = registry.referrers.page

    def changed(found: list[Json], last: str | None) -> tuple[list[Json], str | None]:
        here, following = page(found, last)
        return (here, following) if len(here) <= _PAGE else (here[:_PAGE], None)

    override(registry.referrers, page=changed)


FAULTS = (
    Fault(
        name="tags-behind-the-twentieth-left",
        title="The deletion of a manifest of more than 20 tags leaves the others in the list.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",),
        apply=_first_batch,
    ),
    Fault(
        name="hundredth-tag-twice",
        title="Of more than 100 tags, the page behind the hundredth begins with it.",
        breaks=(
            "DISC-TAGS-LAST-EXCLUSIVE",
            "DISC-TAGS-LINK-WALK-COMPLETE",
        ),
        apply=_hundredth_again,
    ),
    Fault(
        name="referrers-behind-the-hundredth-lost",
        title="A list of more than 100 referrers ends with the hundredth and has no Link.",
        breaks=(
            "DISC-REFERRERS-COMPLETE",
            "DISC-REFERRERS-LINK-PAGES",
        ),
        also=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_hundred_referrers,
    ),
)
