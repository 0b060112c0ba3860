"""Faults of lists that come from what a registry remembers under a wrong key or for too long."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from reference.app import Registry
from reference.documents import OCI_INDEX, Json
from reference.faults.conditions.lists.shared import listed_again, listed_tags
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest

_DIGITS = re.compile(r"(\d+)")
_TEXT = 255
_Position = list[tuple[int, int, str]]


def _rows_of_deleted_tags_join(registry: Registry) -> None:
    """A deletion marks the row of a tag, a push makes a new one, and the join takes the mark from the wrong table."""
    marked: set[tuple[str, str]] = set()
    delete_tag = registry.storage.delete_tag

    def deleted(name: str, tag: str) -> None:
        marked.add((name, tag))
        delete_tag(name, tag)

    override(registry.storage, delete_tag=deleted)
    listed_tags(registry, lambda name, tags: [*tags, *(tag for tag in tags if (name, tag) in marked)])


def _name_is_a_pattern(registry: Registry) -> None:
    """The tags are looked for by a name in which an underscore is any character."""

    def listed(name: str, tags: Sequence[str]) -> Sequence[str]:
        if "_" not in name:
            return tags
        pattern = re.compile(re.escape(name).replace("_", "."))
        found = dict.fromkeys(tags)
        for other in registry.storage.repositories():
            if pattern.fullmatch(other):
                found.update(dict.fromkeys(registry.storage.tags(other)))
        return [*found]

    listed_tags(registry, listed)


def _text_of_255(registry: Registry) -> None:
    """The table of annotations has 255 characters for each value."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if "annotations" in descriptor:
            cut = {key: value[:_TEXT] for key, value in descriptor["annotations"].items()}
            descriptor = {**descriptor, "annotations": cut}
        return descriptor

    override(registry.referrers, describe=changed)


def _subject_as_it_was_written(registry: Registry) -> None:
    """The subject is looked up as the path has it."""
    listing = registry.handlers["referrers.list"]

    async def changed(request: Request) -> Response:
        registry.referrers.check_digest(request.reference)
        if request.path.rpartition("/")[2] == request.reference:
            return await listing(request)
        response = Response.json(registry.referrers.document([]), media_type=OCI_INDEX)
        if request.query.get("artifactType") is not None:
            response.headers.add("OCI-Filters-Applied", "artifactType")
        return response

    registry.handlers["referrers.list"] = changed


def _nothing_left_is_null(request: Request, response: Response) -> Response | None:
    """A list that nothing was added to is null; that of no tags at all is made elsewhere."""
    document = json.loads(response.body)
    if document["tags"] or not request.query.get("last"):
        return None
    return listed_again(response, {**document, "tags": None})


def _unlisted_by_digest_alone(registry: Registry) -> None:
    """The row of a deleted referrer is looked for by its digest, in the table of all repositories."""
    unlisted: set[tuple[str, str]] = set()
    storage = registry.storage
    put, delete, referrers = storage.put_manifest, storage.delete_manifest, storage.referrers

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        unlisted.discard((name, manifest.digest))
        put(name, manifest, subject)

    def deleted(name: str, digest: str, subject: str | None) -> None:
        delete(name, digest, subject)
        unlisted.update((other, digest) for other in storage.repositories())

    def listed(name: str, subject: str) -> list[str]:
        return [digest for digest in referrers(name, subject) if (name, digest) not in unlisted]

    override(storage, put_manifest=stored, delete_manifest=deleted, referrers=listed)


def _by_their_numbers(registry: Registry) -> None:
    """Numbers in tags are put in order as numbers."""

    def position(tag: str) -> tuple[_Position, str]:
        parts = [part for part in _DIGITS.split(tag.lower()) if part]
        return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts], tag

    def after(tags: list[str], last: str | None) -> list[str]:
        return tags if last is None else [tag for tag in tags if position(tag) > position(last)]

    override(registry.tags, order=lambda tags: sorted(tags, key=position), after=after)


FAULTS = (
    Fault(
        name="tag-back-from-deletion-twice",
        title="A tag that was deleted and is pushed again stands in the list twice.",
        breaks=("DISC-TAGS-NO-DUPLICATES",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE",),
        apply=_rows_of_deleted_tags_join,
    ),
    Fault(
        name="name-with-underscore-a-pattern",
        title="A repository with an underscore in its name lists the tags of those with another character there, too.",
        breaks=("DISC-TAGS-ISOLATION-REPO",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE",),
        apply=_name_is_a_pattern,
    ),
    Fault(
        name="annotation-of-255-characters",
        title="An annotation of a referrer is listed with the first 255 characters of its value.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        apply=_text_of_255,
    ),
    Fault(
        name="referrers-of-encoded-digest",
        title="The referrers of a digest that is percent-encoded in the URL are not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-STATUS-200", "DISC-REFERRERS-COMPLETE-INDEX", "DISC-REFERRERS-FILTER-ONLY-MATCHING"),
        apply=_subject_as_it_was_written,
    ),
    Fault(
        name="nothing-behind-last-null",
        title="The tags behind the last one are null.",
        breaks=("DISC-TAGS-EMPTY-ARRAY",),
        also=(
            "DISC-TAGS-BODY-ARRAY",
            "DISC-TAGS-LAST-EXCLUSIVE",
            "DISC-TAGS-LAST-WITHOUT-N",
            "DISC-TAGS-LAST-NOT-A-TAG",
        ),
        apply=on("tags.list", status=200, change=_nothing_left_is_null),
    ),
    Fault(
        name="referrer-unlisted-everywhere",
        title="A referrer that is deleted in one repository is not listed in the others that have it.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT", "DISC-REFERRERS-ISOLATION-REPO", "DISC-REFERRERS-COMPLETE-INDEX"),
        apply=_unlisted_by_digest_alone,
    ),
    Fault(
        name="tags-by-their-numbers",
        title="A tag with a greater number is listed behind one with a smaller number, v10 behind v9.",
        breaks=("DISC-TAGS-ORDER-LEXICAL", "DISC-TAGS-LAST-EXCLUSIVE"),
        also=(
            "DISC-TAGS-ORDER-WHOLE",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
            "DISC-TAGS-LAST-NOT-A-TAG",
            "DISC-TAGS-N-FROM-START",
            "DISC-TAGS-LINK-WALK-COMPLETE",
        ),
        apply=_by_their_numbers,
    ),
)
