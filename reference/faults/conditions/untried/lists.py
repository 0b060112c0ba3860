"""Faults of lists: orders and positions of names, types and annotations, and subjects that nobody tries."""

from __future__ import annotations

import asyncio
import datetime
import re

from reference.app import Registry
from reference.documents import IMAGES, INDEXES, Json
from reference.faults.conditions.incidents.shared import document_of, unlisted_referrers
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, both, override
from reference.resources import paging
from reference.storage import Manifest

_DIGITS = re.compile(r"(\d+)")
_CREATED = "org.opencontainers.image.created"
#: Seconds in which requests that were sent at the same time have all come.
_MEETING = 0.03


def _natural(name: str) -> tuple[list[tuple[str, int]], str]:
    return [("", int(part)) if part.isdigit() else (part, 0) for part in _DIGITS.split(name)], name


@around("catalog.list")
async def _in_natural_order(registry: Registry, request: Request, _handler: Handler) -> Response:
    catalog = registry.catalog
    asked = paging.page_size(request)
    size = catalog.limit if asked is None else min(asked, catalog.limit)
    await catalog.load()
    names, last = sorted(registry.storage.repositories(), key=_natural), request.query.get("last")
    rest = names if last is None else [name for name in names if _natural(name) > _natural(last)]
    page = rest[:size]
    response = Response.json({"repositories": page})
    if size and len(rest) > len(page):
        response.headers.add(*paging.link(request, size, page[-1]))
    return response


@around("catalog.list")
async def _from_the_start(registry: Registry, request: Request, handler: Handler) -> Response:
    last = request.query.get("last")
    if last is not None and last not in registry.storage.repositories():
        request.query.pairs = [(key, value) for key, value in request.query.pairs if key != "last"]
    return await handler(request)


def _in_utc(text: str) -> str:
    try:
        moment = datetime.datetime.fromisoformat(text)
        if not moment.utcoffset():
            return text
        return moment.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return text


def _created_in_utc(registry: Registry) -> None:
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        annotations = descriptor.get("annotations")
        if isinstance(annotations, dict) and _CREATED in annotations:
            descriptor["annotations"] = {**annotations, _CREATED: _in_utc(annotations[_CREATED])}
        return descriptor

    override(registry.referrers, describe=changed)


def _known_subjects(registry: Registry) -> None:
    hidden = unlisted_referrers(registry)
    put = registry.storage.put_manifest

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        if subject is not None and document_of(manifest).members["subject"]["mediaType"] not in (*IMAGES, *INDEXES):
            hidden.add((name, manifest.digest))

    override(registry.storage, put_manifest=stored)


def _gone_with_the_tag(registry: Registry) -> None:
    hidden = unlisted_referrers(registry)
    storage = registry.storage
    set_tag = storage.set_tag

    def moved(name: str, tag: str, digest: str) -> None:
        before = storage.tag(name, tag)
        set_tag(name, tag, digest)
        if before is not None and before != digest and not storage.tags_of(name, before):
            hidden.update((name, referrer) for referrer in storage.referrers(name, before))

    override(storage, set_tag=moved)


def _written_back(registry: Registry) -> None:
    kept: dict[tuple[str, str], dict[str, Json]] = {}
    collect = registry.referrers.collect

    def collected(name: str, subject: str) -> list[Json]:
        found = {str(entry["digest"]): entry for entry in collect(name, subject)}
        return [entry for _, entry in sorted({**kept.get((name, subject), {}), **found}.items())]

    @around("manifest.delete")
    async def deleted(registry: Registry, request: Request, handler: Handler) -> Response:
        by_digest = ":" in request.reference
        manifest = registry.storage.manifest(request.name, request.reference) if by_digest else None
        subject = document_of(manifest).subject if manifest is not None else None
        if subject is None:
            return await handler(request)
        before = {str(entry["digest"]): entry for entry in collected(request.name, subject)}
        await asyncio.sleep(_MEETING)
        response = await handler(request)
        before.pop(request.reference, None)
        kept[request.name, subject] = before
        return response

    override(registry.referrers, collect=collected)
    both(deleted)(registry)


FAULTS = (
    Fault(
        name="catalog-by-the-numbers-in-names",
        title="The catalog lists a name with a greater number behind one with a smaller number, app10 behind app9.",
        breaks=("DISC-CATALOG-ORDER",),
        apply=_in_natural_order,
    ),
    Fault(
        name="catalog-behind-an-absent-name-from-its-start",
        title="The catalog behind a name that is no repository begins with its first name.",
        breaks=("DISC-CATALOG-N-LAST",),
        apply=_from_the_start,
    ),
    Fault(
        name="created-annotation-listed-in-utc",
        title="The time in the annotation created of a referrer is listed in UTC where it was in another zone.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        apply=_created_in_utc,
    ),
    Fault(
        name="referrers-of-a-subject-of-another-type-unlisted",
        title="A manifest whose subject is of a type that the registry does not know is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE", "DISC-REFERRERS-COMPLETE-INDEX", "DISC-REFERRERS-BEFORE-SUBJECT"),
        apply=_known_subjects,
    ),
    Fault(
        name="referrers-unlisted-when-the-subject-loses-its-tag-to-another",
        title="The referrers of a manifest are no longer listed when its only tag moves to another manifest.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_gone_with_the_tag,
    ),
    Fault(
        name="one-of-two-referrers-deleted-at-once-listed",
        title="Of two referrers of a manifest that are deleted at the same time one is still listed.",
        breaks=("MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",),
        also=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        apply=_written_back,
    ),
)
