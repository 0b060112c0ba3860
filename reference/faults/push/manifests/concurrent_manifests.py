"""Faults of pushes of manifests at the same time."""

from __future__ import annotations

import asyncio

from reference.app import Registry
from reference.faults.push.shared import Meetings, met
from reference.faults.shared import IndexedStorage, after_put
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, around, override, wrap
from reference.storage import Manifest

#: Seconds in which requests that were sent at the same time have all come.
_MEETING = 0.03
_PUT = ("manifest.put",)


def _tags_written_back(registry: Registry) -> None:
    """The tags of a repository are one document, which each push reads and writes."""
    storage = registry.storage

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            before = set(storage.tags(request.name))
            await asyncio.sleep(_MEETING)
            response = await handler(request)
            if response.status == 201 and ":" not in request.reference:
                for tag in set(storage.tags(request.name)) - before - {request.reference}:
                    storage.delete_tag(request.name, tag)
            return response

        return changed

    wrap(registry, _PUT, around)


def _tag_list_written_back(registry: Registry) -> None:
    indexed = IndexedStorage(registry.storage)
    override(registry.tags, storage=indexed)
    after_put(registry, lambda request, _: indexed.add(request.name, {request.reference, *request.query.all("tag")}))


def _loser_dropped(registry: Registry) -> None:
    """A manifest that loses the race for its tag is taken for garbage."""

    async def drop(request: Request, response: Response) -> None:
        digest = response.headers.get("Docker-Content-Digest")
        await asyncio.sleep(_MEETING)
        if ":" not in request.reference and registry.storage.tag(request.name, request.reference) != digest:
            registry.storage.delete_manifest(request.name, digest, None)

    after_put(registry, drop)


def _digest_of_the_first(registry: Registry) -> None:
    """The digest of a tag's manifest is kept apart, and pushes that meet change it once."""
    noted: dict[tuple[str, str], str] = {}
    meetings = Meetings()

    async def note(request: Request, response: Response) -> None:
        key = (request.name, request.reference)
        with meetings.under_way(key):
            if meetings[key] == 1:
                noted[key] = response.headers.get("Docker-Content-Digest")
            await asyncio.sleep(_MEETING)

    def reading(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.status == 200 and (digest := noted.get((request.name, request.reference))):
                response.headers.set("Docker-Content-Digest", digest)
            return response

        return changed

    after_put(registry, note)
    wrap(registry, ("manifest.get", "manifest.head"), reading)


@around("manifest.get")
async def _torn_read(registry: Registry, request: Request, handler: Handler) -> Response:
    """The headers of a tag's manifest are read some time after its content."""
    response = await handler(request)
    await asyncio.sleep(_MEETING)
    later = registry.storage.tag(request.name, request.reference)
    if response.status == 200 and later is not None:
        response.headers.set("Docker-Content-Digest", later)
    return response


def _gone_for_a_moment(registry: Registry) -> None:
    """A tag is removed before it is written anew."""

    async def blink(request: Request, response: Response) -> None:
        if ":" not in request.reference:
            registry.storage.delete_tag(request.name, request.reference)
            await asyncio.sleep(_MEETING)
            registry.storage.set_tag(request.name, request.reference, response.headers.get("Docker-Content-Digest"))

    after_put(registry, blink)


def _wrong_repository(registry: Registry) -> None:
    """The repository of the last request is where all that are under way end."""
    current = [""]

    async def misplace(request: Request, response: Response) -> None:
        current[0] = request.name
        await asyncio.sleep(_MEETING)
        manifest = registry.storage.manifest(request.name, response.headers.get("Docker-Content-Digest"))
        if current[0] != request.name and manifest is not None and ":" not in request.reference:
            registry.storage.put_manifest(current[0], manifest, None)
            registry.storage.set_tag(current[0], request.reference, manifest.digest)

    after_put(registry, misplace)


def _half_deleted(*, for_ever: bool) -> Apply:
    """A deletion during a push hides the manifest from pulls by digest, then from all pulls."""

    def apply(registry: Registry) -> None:
        meetings, hidden = Meetings(), set[tuple[str, str]]()

        def pushing(handler: Handler) -> Handler:
            async def changed(request: Request) -> Response:
                response = await handler(request)
                digest = response.headers.get("Docker-Content-Digest")
                if not for_ever:
                    hidden.discard((request.name, digest))
                with meetings.under_way((request.name, digest)):
                    await asyncio.sleep(_MEETING)
                return response

            return changed

        def deleting(handler: Handler) -> Handler:
            async def changed(request: Request) -> Response:
                await asyncio.sleep(_MEETING / 2)
                key = (request.name, request.reference)
                if not meetings[key]:
                    return await handler(request)
                hidden.add(key)
                return Response(202)

            return changed

        find = registry.manifests.find

        def found(name: str, reference: str) -> Manifest | None:
            digest = registry.manifests.resolve(name, reference) if for_ever else reference
            return None if (name, digest) in hidden else find(name, reference)

        wrap(registry, _PUT, pushing)
        wrap(registry, ("manifest.delete",), deleting)
        override(registry.manifests, find=found)

    return apply


def _refused(_registry: Registry, _request: Request, _response: Response) -> Response:
    return Response(500)


FAULTS = (
    Fault(
        name="concurrent-tags-lost",
        title="Some of the tags that are pushed at the same time are lost.",
        breaks=("PUSH-CONCURRENT-TAGS-KEPT",),
        # The tags of the two repositories are pushed at the same time, too.
        also=("PUSH-CONCURRENT-REPOSITORIES-APART",),
        apply=_tags_written_back,
    ),
    Fault(
        name="concurrent-tags-unlisted",
        title="Some of the tags that are pushed at the same time are not listed.",
        breaks=("DISC-TAGS-CONCURRENT-COMPLETE",),
        apply=_tag_list_written_back,
    ),
    Fault(
        name="concurrent-manifests-lost",
        title="All but one of the manifests that are pushed to one tag at the same time are lost.",
        breaks=("PUSH-CONCURRENT-MANIFESTS-KEPT",),
        apply=_loser_dropped,
    ),
    Fault(
        name="concurrent-retag-mixed",
        title="A tag to which several clients push names one manifest by its content and another by its digest.",
        breaks=("PUSH-CONCURRENT-RETAG-ONE",),
        # Readers see the mixture as soon as it is there.
        also=("PULL-CONCURRENT-TAG-WHOLE",),
        apply=_digest_of_the_first,
    ),
    Fault(
        name="concurrent-retag-torn",
        title="A pull of a tag that is moved has the content of one manifest and the digest of another.",
        breaks=("PULL-CONCURRENT-TAG-WHOLE",),
        apply=_torn_read,
    ),
    Fault(
        name="concurrent-retag-gone",
        title="A tag that is moved is gone for a moment.",
        breaks=("PULL-CONCURRENT-TAG-THERE",),
        apply=_gone_for_a_moment,
    ),
    Fault(
        name="concurrent-repositories-mixed",
        title="Some of the pushes to two repositories at the same time end in the wrong one.",
        breaks=("PUSH-CONCURRENT-REPOSITORIES-APART",),
        apply=_wrong_repository,
    ),
    Fault(
        name="concurrent-delete-leaves-tag",
        title="A manifest that is deleted while it is pushed is gone by digest, and there by tag.",
        breaks=("PUSH-CONCURRENT-DELETE-CONSISTENT",),
        apply=_half_deleted(for_ever=False),
    ),
    Fault(
        name="concurrently-deleted-manifest-never-back",
        title="A manifest that is deleted while it is pushed never comes back.",
        breaks=("PUSH-CONCURRENT-DELETE-REPUSH",),
        apply=_half_deleted(for_ever=True),
    ),
    Fault(
        name="concurrent-pushes-500",
        title="Manifests that are pushed to one repository at the same time get 500.",
        breaks=("BASE-CONCURRENT-NO-500",),
        apply=met("manifest.put", lambda request: request.name, _refused),
    ),
)
