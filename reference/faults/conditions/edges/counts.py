"""Faults that show with some numbers of tags, referrers and uploads."""

from __future__ import annotations

import json
from collections import defaultdict

from reference import errors
from reference.app import Registry
from reference.documents import Document, Json, parse
from reference.faults.conditions.lists.shared import listed_tags
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override
from reference.storage import Manifest, Upload

_SLOTS = 20
_MANY = 100


def _empty_list_not_written(registry: Registry) -> None:
    """The list of referrers is written back after a deletion, unless it is empty by then."""
    written: dict[tuple[str, str], list[Json]] = {}
    collect, put, remove = (
        registry.referrers.collect,
        registry.storage.put_manifest,
        registry.storage.delete_manifest,
    )

    def removed(name: str, digest: str, subject: str | None) -> None:
        if subject is not None and registry.storage.referrers(name, subject) == [digest]:
            written[name, subject] = collect(name, subject)
        remove(name, digest, subject)

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        if subject is not None:
            written.pop((name, subject), None)
        put(name, manifest, subject)

    override(registry.storage, delete_manifest=removed, put_manifest=stored)
    override(
        registry.referrers,
        collect=lambda name, subject: written.get((name, subject)) or collect(name, subject),
    )


def _ring_of_uploads(registry: Registry) -> None:
    """The uploads of a repository are in a ring of twenty, and behind the last one the first is next."""
    ring: defaultdict[str, list[Upload]] = defaultdict(list)
    start = registry.storage.start_upload

    def started(name: str) -> Upload:
        uploads = ring[name] = [upload for upload in ring[name] if not upload.closed]
        if len(uploads) < _SLOTS:
            uploads.append(start(name))
        else:
            uploads.append(uploads.pop(0))
        return uploads[-1]

    override(registry.storage, start_upload=started)


def _long_list_not_made_again(registry: Registry) -> None:
    """The list of more than a hundred tags is dear, and not made again before the next push."""
    gone: defaultdict[str, set[str]] = defaultdict(set)
    set_tag, delete_tag = registry.storage.set_tag, registry.storage.delete_tag

    def tagged(name: str, tag: str, digest: str) -> None:
        gone.pop(name, None)
        set_tag(name, tag, digest)

    def untagged(name: str, tag: str) -> None:
        if len(registry.storage.tags(name)) > _MANY:
            gone[name].add(tag)
        delete_tag(name, tag)

    override(registry.storage, set_tag=tagged, delete_tag=untagged)
    listed_tags(registry, lambda name, tags: [*tags, *gone[name]] if gone.get(name) else tags)


_ERRORS = 20
_ROWS = 100
_TAGS = 9


def _errors_cut(registry: Registry) -> None:
    """An answer has room for twenty errors."""
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        try:
            check(name, document)
        except errors.RegistryError as error:
            raise errors.RegistryError(error.status, error.entries[:_ERRORS], error.headers) from None

    override(registry.manifests, check_references=changed)


def _annotations_joined(registry: Registry) -> None:
    """The annotations of a referrer are the rows of a query, of which a hundred are read."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if "annotations" in descriptor:
            descriptor["annotations"] = dict(list(descriptor["annotations"].items())[:_ROWS])
        return descriptor

    override(registry.referrers, describe=changed)


@around("manifest.put")
async def _tags_of_one_statement(registry: Registry, request: Request, handler: Handler) -> Response:
    """One statement sets nine tags, and is not repeated for the rest."""
    rest = list(dict.fromkeys(request.query.all("tag")))[_TAGS:] if ":" in request.reference else []
    before = {tag: registry.storage.tag(request.name, tag) for tag in rest}
    response = await handler(request)
    if response.status == 201:
        for tag, digest in before.items():
            if digest is None:
                registry.storage.delete_tag(request.name, tag)
            else:
                registry.storage.set_tag(request.name, tag, digest)
    return response


_BATCH = 100
_VARIABLES = 999


def _next_page_exclusive(registry: Registry) -> None:
    """A page ends where the next one begins, and the next one begins behind that."""

    def page(found: list[Json], last: str | None) -> tuple[list[Json], str | None]:
        rest = [descriptor for descriptor in found if last is None or descriptor["digest"] > last]
        return rest[:_BATCH], rest[_BATCH]["digest"] if len(rest) > _BATCH else None

    override(registry.referrers, page=page)


@around("manifest.put")
async def _too_many_variables(registry: Registry, request: Request, handler: Handler) -> Response:
    """What a manifest refers to is written in one statement, after the manifest, and outside its transaction."""
    response = await handler(request)
    manifest = registry.storage.manifest(request.name, response.headers.get("Docker-Content-Digest"))
    if manifest is not None:
        members = parse(manifest.content)
        if len(members.get("layers") or members.get("manifests") or []) > _VARIABLES:
            raise errors.manifest_invalid("too many references")
    return response


_HUNDRED = 100


@around("tags.list")
async def _single_rest(registry: Registry, request: Request, handler: Handler) -> Response:
    """Look one tag too far ahead."""
    response = await handler(request)
    if "Link" in response.headers:
        last = json.loads(response.body)["tags"][-1]
        tags = registry.tags.order(registry.storage.tags(request.name))
        if len(registry.tags.after(tags, last)) == 1:
            response.headers.drop("Link")
    return response


def _filter_of_a_page(registry: Registry) -> None:
    """Filter what a query with a limit found."""
    select = registry.referrers.select

    def changed(found: list[Json], artifact_type: str) -> list[Json]:
        return select(found[:_HUNDRED], artifact_type)

    override(registry.referrers, select=changed)


FAULTS = (
    Fault(
        name="only-referrer-listed-when-deleted",
        title="The only referrer of a manifest is still listed when it was deleted.",
        breaks=("MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",),
        also=("DISC-REFERRERS-DESCRIPTOR-FIELDS", "DISC-REFERRERS-ABSENT-SUBJECT-EMPTY"),
        apply=_empty_list_not_written,
    ),
    Fault(
        name="twenty-first-upload-is-the-oldest",
        title="The start of an upload where a repository has twenty open ones gives the Location of the oldest.",
        breaks=("PUSH-START-LOCATION-UNIQUE-ID",),
        also=(
            "PUSH-SESSION-PARALLEL-ISOLATED",
            "PUSH-UPLOAD-UUID-TRUE",
            "PUSH-SESSION-FRESH-RANGE-TRUE",
            "PUSH-CONCURRENT-BLOB-WHOLE",
        ),
        apply=_ring_of_uploads,
    ),
    Fault(
        name="deleted-tag-of-a-hundred-listed",
        title="A tag that is deleted where there are more than a hundred stays in the list until the next push.",
        breaks=("MGMT-TAG-DELETE-NOT-LISTED",),
        also=("MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",),
        apply=_long_list_not_made_again,
    ),
    Fault(
        name="missing-blobs-told-up-to-twenty",
        title="The refusal of a manifest with more than twenty unknown blobs names the first twenty alone.",
        breaks=("PUSH-MANIFEST-MISSING-BLOB-DETAIL",),
        apply=_errors_cut,
    ),
    Fault(
        name="annotations-beyond-a-hundred-dropped",
        title="A referrer with more than 100 annotations is listed with 100 of them.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        apply=_annotations_joined,
    ),
    Fault(
        name="tenth-tag-parameter-told-and-not-set",
        title="Of ten tag parameters or more OCI-Tag names all, and nine are set.",
        breaks=("PUSH-TAGPARAM-LISTED-TAG-RESOLVES",),
        also=("PUSH-TAGPARAM-TEN-TAGS", "PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED", "PUSH-TAGPARAM-SUPPORTED"),
        apply=_tags_of_one_statement,
    ),
    Fault(
        name="referrers-page-skips-the-101st",
        title="Referrers come in pages of a hundred, and the first of each following page is left out.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-LINK-PAGES",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
        ),
        apply=_next_page_exclusive,
    ),
    Fault(
        name="refused-for-a-thousand-references-and-stored",
        title="A manifest with a thousand layers or entries is refused with 400, and stored and tagged all the same.",
        breaks=(
            "PUSH-MANIFEST-REFUSED-NOT-STORED",
            "PUSH-MANIFEST-STATUS-201",
        ),
        apply=_too_many_variables,
    ),
    Fault(
        name="tags-link-missing-before-single-rest",
        title="A page of tags behind which exactly one tag is left has no Link.",
        breaks=("DISC-TAGS-LINK-PRESENT-WHEN-MORE", "DISC-TAGS-LINK-WALK-COMPLETE"),
        also=("DISC-TAGS-ORDER-SAME-IN-PAGES",),
        apply=_single_rest,
    ),
    Fault(
        name="filter-over-first-hundred-referrers",
        title="A filtered list of referrers has none of those behind the hundredth referrer of all types.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_filter_of_a_page,
    ),
)
