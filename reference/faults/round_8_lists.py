"""Faults of lists that show under one condition alone: how many there are, their kind, their names, what was before."""

from __future__ import annotations

import json
import re
from collections import Counter

from reference.app import Registry
from reference.documents import Json, parse
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, on, override
from reference.resources import paging
from reference.storage import Manifest

#: As many tags are read at once.
_WINDOW = 20
#: As many rows a query gives.
_ROWS = 100
#: As many components a name is taken apart into.
_COMPONENTS = 5
_DIGEST_TAG = re.compile(r"sha(256|512)-[0-9a-f]{32,}")


def _next_window(registry: Registry) -> None:
    """Tags are read in windows; a page that begins with a new one begins behind its first tag."""
    after = registry.tags.after

    def changed(tags: list[str], last: str | None) -> list[str]:
        rest = after(tags, last)
        begin = len(tags) - len(rest)
        return rest[1:] if begin and begin % _WINDOW == 0 else rest

    override(registry.tags, after=changed)


def _pages_of_one(registry: Registry) -> Apply:
    """The first row is that of last, and dropped where a page has more than one."""

    def change(request: Request, response: Response) -> None:
        last = request.query.get("last")
        listed = json.loads(response.body)
        if request.query.get("n") == "1" and listed["tags"] and last in registry.storage.tags(request.name):
            response.body = json.dumps({**listed, "tags": [last]}).encode()

    return on("tags.list", status=200, change=change)


def _internal_tags(registry: Registry) -> None:
    """Tags that look like digests are thought to be those of tools, and left out."""
    order = registry.tags.order
    override(registry.tags, order=lambda tags: order([tag for tag in tags if not _DIGEST_TAG.match(tag)]))


def _first_rows(registry: Registry) -> None:
    """A query has a limit, and nobody asks for the rest."""
    collect = registry.referrers.collect
    override(registry.referrers, collect=lambda name, subject: collect(name, subject)[:_ROWS])


def _type_of_the_member(registry: Registry) -> None:
    """The type of a referrer is that of its member mediaType."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        return {**describe(manifest), "mediaType": parse(manifest.content).get("mediaType") or ""}

    override(registry.referrers, describe=changed)


def _subjects_of_sha256(registry: Registry) -> None:
    """The digest of a subject is matched with a pattern for sha256."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject if subject and re.fullmatch("sha256:[0-9a-f]{64}", subject) else None)

    override(registry.storage, put_manifest=changed)


def _last_components(registry: Registry) -> None:
    """A name is put together from the groups of a pattern."""
    document = registry.tags.document

    def changed(name: str, tags: list[str]) -> dict[str, object]:
        return document("/".join(name.split("/")[-_COMPONENTS:]), tags)

    override(registry.tags, document=changed)


def _walk_of_the_tree(registry: Registry) -> None:
    """The catalog is a walk through directories, and last is compared as text."""

    async def listing(request: Request) -> Response:
        asked, limit = paging.page_size(request), registry.options.catalog_limit
        size = limit if asked is None else min(asked, limit)
        names = sorted(registry.storage.repositories(), key=lambda name: name.split("/"))
        rest = [name for name in names if name > (request.query.get("last") or "")]
        response = Response.json({"repositories": rest[:size]})
        if size and len(rest) > size:
            response.headers.add(*paging.link(request, size, rest[size - 1]))
        return response

    registry.handlers["catalog.list"] = listing


def _appended(registry: Registry) -> None:
    """Each push of a referrer appends it to the list of its subject."""
    pushes: Counter[tuple[str, str, str]] = Counter()
    storage = registry.storage
    put, delete, referrers = storage.put_manifest, storage.delete_manifest, storage.referrers

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        if subject is not None:
            pushes[name, subject, manifest.digest] += 1

    def deleted(name: str, digest: str, subject: str | None) -> None:
        pushes.pop((name, subject or "", digest), None)
        delete(name, digest, subject)

    def listed(name: str, subject: str) -> list[str]:
        return [digest for digest in referrers(name, subject) for _ in range(pushes[name, subject, digest])]

    override(storage, put_manifest=stored, delete_manifest=deleted, referrers=listed)


def _fault(name: str, title: str, *breaks: str, apply: Apply, also: tuple[str, ...] = ()) -> Fault:
    also = tuple(entry for entry in dict.fromkeys(also) if entry not in breaks)
    return Fault(name=name, title=title, breaks=breaks, also=also, apply=apply)


#: What may be found beside several of the faults: each is true of what they send.
_BESIDE_1 = (
    "DISC-REFERRERS-COMPLETE-INDEX",
    "DISC-REFERRERS-CONCURRENT-COMPLETE",
    "DISC-REFERRERS-FILTER-ONLY-MATCHING",
    "DISC-REFERRERS-LINK-PAGES",
)

FAULTS = (
    _fault(
        "eighth-tags-lose-one-between-windows",
        "A page of tags that begins behind the twentieth lacks its first.",
        "DISC-TAGS-LINK-WALK-COMPLETE",
        "DISC-TAGS-LAST-EXCLUSIVE",
        also=(
            "DISC-TAGS-LAST-WITHOUT-N",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
            "DISC-TAGS-N-SHORT-PAGE",
        ),
        apply=_next_window,
    ),
    _fault(
        "eighth-tags-by-one-begin-with-last",
        "A page of one tag holds the tag that is named by last.",
        "DISC-TAGS-LAST-EXCLUSIVE",
        "DISC-TAGS-LINK-WALK-COMPLETE",
        also=(
            "DISC-TAGS-NO-DUPLICATES",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
        ),
        apply=lambda registry: _pages_of_one(registry)(registry),
    ),
    _fault(
        "eighth-tags-like-digests-not-listed",
        "Tags that look like a digest are in no list.",
        "DISC-TAGS-COMPLETE-AFTER-PUSH",
        also=(
            "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",
            "PUSH-TAGPARAM-LISTED-TAG-RESOLVES",
        ),
        apply=_internal_tags,
    ),
    _fault(
        "eighth-referrers-end-at-100",
        "A list of referrers ends after a hundred, without a Link.",
        "DISC-REFERRERS-COMPLETE",
        also=_BESIDE_1,
        apply=_first_rows,
    ),
    _fault(
        "eighth-referrer-without-member-untyped",
        "A referrer without the member mediaType is listed with an empty type.",
        "DISC-REFERRERS-DESCRIPTOR-FIELDS",
        also=("DISC-REFERRERS-INDEX-SHAPE",),
        apply=_type_of_the_member,
    ),
    _fault(
        "eighth-referrers-of-sha512-unlisted",
        "A manifest whose subject has a sha512 digest is not listed as a referrer.",
        "DISC-REFERRERS-COMPLETE",
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-STATUS-200",
            "DISC-REFERRERS-DESCRIPTOR-FIELDS",
        ),
        apply=_subjects_of_sha256,
    ),
    _fault(
        "eighth-tags-name-of-last-components",
        "The name in the list of tags has the last five components of a longer one.",
        "DISC-TAGS-BODY-NAME",
        apply=_last_components,
    ),
    _fault(
        "eighth-catalog-walks-the-tree",
        "The catalog has what lies below a name before names with a separator in that place, and loses them at a page.",
        "DISC-CATALOG-ORDER",
        "DISC-CATALOG-LINK-WALK",
        also=("DISC-CATALOG-N-LAST",),
        apply=_walk_of_the_tree,
    ),
    _fault(
        "eighth-referrer-pushed-again-listed-twice",
        "A referrer that is pushed again is listed twice.",
        "DISC-REFERRERS-COMPLETE",
        also=_BESIDE_1,
        apply=_appended,
    ),
)
