"""Faults that show only where requests meet: what is read, then changed, then written back, with a pause between."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, override, wrap
from reference.storage import Manifest, Storage

#: Seconds in which requests that were sent at the same time have all come.
MEETING = 0.03
_PUT = ("manifest.put",)
_Key = Callable[[Request], object]


class Meetings:
    """How many requests of a kind are under way."""

    def __init__(self) -> None:
        self._now: Counter[object] = Counter()

    @contextmanager
    def under_way(self, key: object) -> Iterator[None]:
        """Count a request as long as it lasts."""
        self._now[key] += 1
        try:
            yield
        finally:
            self._now[key] -= 1

    def __getitem__(self, key: object) -> int:
        return self._now[key]


def met(operation: str, key: _Key, then: Callable[[Registry, Request, Response], Response]) -> Apply:
    """Do something with the answer to a request during which another of its key came."""

    def apply(registry: Registry) -> None:
        meetings = Meetings()

        def around(handler: Handler) -> Handler:
            async def changed(request: Request) -> Response:
                with meetings.under_way(key(request)):
                    response = await handler(request)
                    await asyncio.sleep(MEETING)
                    crowded = meetings[key(request)] > 1
                return then(registry, request, response) if crowded else response

            return changed

        wrap(registry, (operation,), around)

    return apply


class _Indexed:
    """A storage whose lists are kept apart from what they list, and written back whole after a pause."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._index: dict[object, frozenset[str]] = defaultdict(frozenset)

    async def add(self, key: object, entries: set[str]) -> None:
        """Read, wait, write back."""
        before = self._index[key]
        await asyncio.sleep(MEETING)
        self._index[key] = before | entries

    def exists(self, name: str) -> bool:
        """Whether there is something."""
        return self._storage.exists(name)

    def tags(self, name: str) -> list[str]:
        """The tags that are in the index as well."""
        return [tag for tag in self._storage.tags(name) if tag in self._index[name]]

    def referrers(self, name: str, subject: str) -> list[str]:
        """The referrers that are in the index as well."""
        return [digest for digest in self._storage.referrers(name, subject) if digest in self._index[name, subject]]

    def __getattr__(self, name: str) -> object:
        return getattr(self._storage, name)


def _after_put(registry: Registry, then: Callable[[Request, Response], object]) -> None:
    """Wait for something after each manifest that was stored."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.status == 201:
                waited = then(request, response)
                if asyncio.iscoroutine(waited):
                    await waited
            return response

        return changed

    wrap(registry, _PUT, around)


def _tag_list_written_back(registry: Registry) -> None:
    indexed = _Indexed(registry.storage)
    override(registry.tags, storage=indexed)
    _after_put(registry, lambda request, _: indexed.add(request.name, {request.reference, *request.query.all("tag")}))


def _referrers_written_back(registry: Registry) -> None:
    indexed = _Indexed(registry.storage)
    override(registry.referrers, storage=indexed)

    async def add(request: Request, response: Response) -> None:
        if subject := response.headers.get("OCI-Subject"):
            await indexed.add((request.name, subject), {response.headers.get("Docker-Content-Digest")})

    _after_put(registry, add)


def _tags_written_back(registry: Registry) -> None:
    """The tags of a repository are one document, which each push reads and writes."""
    storage = registry.storage

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            before = set(storage.tags(request.name))
            await asyncio.sleep(MEETING)
            response = await handler(request)
            if response.status == 201 and ":" not in request.reference:
                for tag in set(storage.tags(request.name)) - before - {request.reference}:
                    storage.delete_tag(request.name, tag)
            return response

        return changed

    wrap(registry, _PUT, around)


def _loser_dropped(registry: Registry) -> None:
    """A manifest that loses the race for its tag is taken for garbage."""

    async def drop(request: Request, response: Response) -> None:
        digest = response.headers.get("Docker-Content-Digest")
        await asyncio.sleep(MEETING)
        if ":" not in request.reference and registry.storage.tag(request.name, request.reference) != digest:
            registry.storage.delete_manifest(request.name, digest, None)

    _after_put(registry, drop)


def _digest_of_the_first(registry: Registry) -> None:
    """The digest of a tag's manifest is kept apart, and pushes that meet change it once."""
    noted: dict[tuple[str, str], str] = {}
    meetings = Meetings()

    async def note(request: Request, response: Response) -> None:
        key = (request.name, request.reference)
        with meetings.under_way(key):
            if meetings[key] == 1:
                noted[key] = response.headers.get("Docker-Content-Digest")
            await asyncio.sleep(MEETING)

    def reading(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.status == 200 and (digest := noted.get((request.name, request.reference))):
                response.headers.set("Docker-Content-Digest", digest)
            return response

        return changed

    _after_put(registry, note)
    wrap(registry, ("manifest.get", "manifest.head"), reading)


def _torn_read(registry: Registry) -> None:
    """The headers of a tag's manifest are read some time after its content."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            await asyncio.sleep(MEETING)
            later = registry.storage.tag(request.name, request.reference)
            if response.status == 200 and later is not None:
                response.headers.set("Docker-Content-Digest", later)
            return response

        return changed

    wrap(registry, ("manifest.get",), around)


def _gone_for_a_moment(registry: Registry) -> None:
    """A tag is removed before it is written anew."""

    async def blink(request: Request, response: Response) -> None:
        if ":" not in request.reference:
            registry.storage.delete_tag(request.name, request.reference)
            await asyncio.sleep(MEETING)
            registry.storage.set_tag(request.name, request.reference, response.headers.get("Docker-Content-Digest"))

    _after_put(registry, blink)


def _wrong_repository(registry: Registry) -> None:
    """The repository of the last request is where all that are under way end."""
    current = [""]

    async def misplace(request: Request, response: Response) -> None:
        current[0] = request.name
        await asyncio.sleep(MEETING)
        manifest = registry.storage.manifest(request.name, response.headers.get("Docker-Content-Digest"))
        if current[0] != request.name and manifest is not None and ":" not in request.reference:
            registry.storage.put_manifest(current[0], manifest, None)
            registry.storage.set_tag(current[0], request.reference, manifest.digest)

    _after_put(registry, misplace)


def _half_deleted(*, for_ever: bool) -> Apply:
    """A deletion that meets a push hides the manifest from pulls by digest, and for ever from all of them."""

    def apply(registry: Registry) -> None:
        meetings, hidden = Meetings(), set[tuple[str, str]]()

        def pushing(handler: Handler) -> Handler:
            async def changed(request: Request) -> Response:
                response = await handler(request)
                digest = response.headers.get("Docker-Content-Digest")
                if not for_ever:
                    hidden.discard((request.name, digest))
                with meetings.under_way((request.name, digest)):
                    await asyncio.sleep(MEETING)
                return response

            return changed

        def deleting(handler: Handler) -> Handler:
            async def changed(request: Request) -> Response:
                await asyncio.sleep(MEETING / 2)
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
        title="Of tags that are pushed at the same time only some stay.",
        breaks=("PUSH-CONCURRENT-TAGS-KEPT",),
        # The tags of the two repositories are pushed at the same time, too.
        also=("PUSH-CONCURRENT-REPOSITORIES-APART",),
        apply=_tags_written_back,
    ),
    Fault(
        name="concurrent-tags-unlisted",
        title="Of tags that are pushed at the same time only some are listed.",
        breaks=("DISC-TAGS-CONCURRENT-COMPLETE",),
        apply=_tag_list_written_back,
    ),
    Fault(
        name="concurrent-referrers-lost",
        title="Of referrers that are pushed at the same time only some are listed.",
        breaks=("DISC-REFERRERS-CONCURRENT-COMPLETE",),
        apply=_referrers_written_back,
    ),
    Fault(
        name="concurrent-manifests-lost",
        title="Of manifests that are pushed to one tag at the same time only one stays.",
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
        title="Of pushes to two repositories at the same time some end in the wrong one.",
        breaks=("PUSH-CONCURRENT-REPOSITORIES-APART",),
        apply=_wrong_repository,
    ),
    Fault(
        name="concurrent-delete-half",
        title="A manifest that is deleted while it is pushed is gone by digest, and there by tag.",
        breaks=("PUSH-CONCURRENT-DELETE-CONSISTENT",),
        apply=_half_deleted(for_ever=False),
    ),
    Fault(
        name="concurrent-delete-for-ever",
        title="A manifest that is deleted while it is pushed never comes back.",
        breaks=("PUSH-CONCURRENT-DELETE-REPUSH",),
        apply=_half_deleted(for_ever=True),
    ),
    Fault(
        name="concurrent-pushes-500",
        title="Manifests that are pushed to one repository at the same time are answered 500.",
        breaks=("BASE-CONCURRENT-NO-500",),
        apply=met("manifest.put", lambda request: request.name, _refused),
    ),
)
