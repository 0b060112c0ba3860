"""Faults of lists that show with some forms of tags."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from reference.app import Registry
from reference.faults.conditions.lists.shared import ListedStorage, listed_again
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest

_COLUMN = 127
_FALLBACK = re.compile(r"sha(256-[0-9a-f]{64}|512-[0-9a-f]{128}|512-[0-9a-f]{64})")
_CURSOR = re.compile(r"(last=[^&>]{64})[^&>]*")
_NUMBER = re.compile(r"[1-9][0-9]*")
_DIGEST_TAG = re.compile(r"sha(256|512)-[0-9a-f]{32,}")
_TAG_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{1,127}")


def _short_position(registry: Registry) -> None:
    after = registry.tags.after
    override(registry.tags, after=lambda tags, last: after(tags, last if last is None or len(last) != 1 else None))


def _tag_of_the_schema(registry: Registry) -> None:
    """The referrers tag of older clients is kept up for each referrer."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        if subject is not None:
            registry.storage.set_tag(name, subject.replace(":", "-")[:128], manifest.digest)

    override(registry.storage, put_manifest=changed)


def _column_too_short(registry: Registry) -> None:
    order = registry.tags.order
    override(registry.tags, order=lambda tags: [tag[:_COLUMN] for tag in order(tags)])


def _underscore_no_position(registry: Registry) -> None:
    """A position that begins with an underscore is taken for a cursor of the registry's own, and is none."""
    after = registry.tags.after

    def changed(tags: Sequence[str], last: str | None) -> Sequence[str]:
        return after(tags, None if last is not None and last.startswith("_") else last)

    override(registry.tags, after=changed)


def _small_letters(registry: Registry) -> None:
    """The list has the names of files, on a system that knows no capitals."""
    override(registry.tags, storage=ListedStorage(registry, lambda _name, tags: {tag.lower() for tag in tags}))


def _latest_first(_request: Request, response: Response) -> Response | None:
    document = json.loads(response.body)
    if "latest" not in document["tags"]:
        return None
    document["tags"].remove("latest")
    document["tags"].insert(0, "latest")
    return listed_again(response, document)


def _fallback_hidden(registry: Registry) -> None:
    """Tags in place of referrers are for the registry alone."""
    order = registry.tags.order

    def changed(tags: Sequence[str]) -> Sequence[str]:
        return order([tag for tag in tags if _FALLBACK.fullmatch(tag) is None])

    override(registry.tags, order=changed)


def _cursor_short(_request: Request, response: Response) -> None:
    """A cursor has room for 64 characters."""
    link = response.headers.get("Link")
    if link:
        response.headers.set("Link", _CURSOR.sub(r"\1", link))


def _numbers(registry: Registry) -> None:
    """Write what looks like a number as one."""

    def document(name: str, tags: Sequence[str]) -> dict[str, object]:
        return {"name": name, "tags": [int(tag) if _NUMBER.fullmatch(tag) else tag for tag in tags]}

    override(registry.tags, document=document)


def _behind_all_that_begin_so(registry: Registry) -> None:
    """The list goes on behind last with the greatest character added."""
    after = registry.tags.after

    def changed(tags: Sequence[str], last: str | None) -> Sequence[str]:
        return after(tags, last if last is None else f"{last}\uffff")

    override(registry.tags, after=changed)


def _internal_tags(registry: Registry) -> None:
    """Tags that look like digests are thought to be those of tools, and left out."""
    order = registry.tags.order
    override(registry.tags, order=lambda tags: order([tag for tag in tags if not _DIGEST_TAG.match(tag)]))


def _two_characters(registry: Registry) -> None:
    """The names of entries that are tags are found by a pattern that wants two characters."""
    order = registry.tags.order
    override(registry.tags, order=lambda tags: order([tag for tag in tags if _TAG_PATTERN.fullmatch(tag)]))


FAULTS = (
    Fault(
        name="position-of-one-character-ignored",
        title="A tag of one character in the parameter last is ignored.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE", "DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-LAST-WITHOUT-N"),
        apply=_short_position,
    ),
    Fault(
        name="tag-created-for-referrer",
        title="A manifest with a subject that is pushed by digest gets the referrers tag of its subject.",
        breaks=("DISC-TAGS-ISOLATION-REPO",),
        also=("DISC-TAGS-DIGEST-NOT-LISTED",),
        apply=_tag_of_the_schema,
    ),
    Fault(
        name="longest-tag-listed-short",
        title="A tag of 128 characters is listed without its last one.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-NO-DUPLICATES"),
        apply=_column_too_short,
    ),
    Fault(
        name="last-with-leading-underscore-ignored",
        title="A last that begins with an underscore leads back to the first tag.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-LAST-WITHOUT-N",
            "DISC-TAGS-LAST-NOT-A-TAG",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
        ),
        apply=_underscore_no_position,
    ),
    Fault(
        name="capitals-listed-small",
        title="Tags with capitals are listed in small letters.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=(
            "DISC-TAGS-NO-DUPLICATES",
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-N-FROM-START",
            "DISC-TAGS-ORDER-LEXICAL",
            "DISC-TAGS-ORDER-WHOLE",
            "DISC-TAGS-LAST-EXCLUSIVE",
            "MGMT-TAG-DELETE-NOT-LISTED",
        ),
        apply=_small_letters,
    ),
    Fault(
        name="latest-listed-first",
        title="The tag latest is the first in each list.",
        breaks=("DISC-TAGS-ORDER-WHOLE", "DISC-TAGS-ORDER-LEXICAL"),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-ORDER-SAME-IN-PAGES", "DISC-TAGS-N-FROM-START"),
        apply=on("tags.list", status=200, change=_latest_first),
    ),
    Fault(
        name="digest-like-tag-hidden",
        title="A tag that is a digest with a dash for its colon is not listed.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE", "DISC-TAGS-N-SHORT-PAGE"),
        apply=_fallback_hidden,
    ),
    Fault(
        name="link-behind-a-long-tag",
        title="The Link behind a tag of more than 64 characters names those alone.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=("DISC-TAGS-LAST-EXCLUSIVE", "DISC-TAGS-NO-DUPLICATES", "DISC-TAGS-ORDER-SAME-IN-PAGES"),
        apply=on("tags.list", status=200, change=_cursor_short),
    ),
    Fault(
        name="tags-as-numbers",
        title="Tags of digits alone are listed as numbers.",
        breaks=("DISC-TAGS-BODY-ARRAY",),
        also=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        apply=_numbers,
    ),
    Fault(
        name="tags-after-last-lack-extensions",
        title="The page behind a tag lacks the tags that begin with it.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=(
            "DISC-TAGS-LAST-EXCLUSIVE",
            "DISC-TAGS-LAST-NOT-A-TAG",
            "DISC-TAGS-LAST-WITHOUT-N",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
            "DISC-TAGS-N-SHORT-PAGE",
            "DISC-TAGS-N-FULL-PAGE",
        ),
        apply=_behind_all_that_begin_so,
    ),
    Fault(
        name="tags-like-digests-not-listed",
        title="Tags that look like a digest are in no list.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=("DISC-REFERRERS-TAG-SCHEMA-PUSHABLE", "PUSH-TAGPARAM-LISTED-TAG-RESOLVES"),
        apply=_internal_tags,
    ),
    Fault(
        name="tags-of-one-character-unlisted",
        title="A tag of one character is not listed.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "PUSH-TAGPARAM-LISTED-TAG-RESOLVES"),
        apply=_two_characters,
    ),
)
