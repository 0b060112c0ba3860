"""Variants of time: what was written, or deleted, shows a while later, in one place or in all."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Variant, override, wrap
from reference.storage import Manifest

_LAG = 0.3
_LAG_OF_READS = 0.05
_LAG_OF_LISTS = 0.15
_LAGGING = 5


def _lagging(registry: Registry) -> None:
    """What was written shows a while later."""
    written: dict[tuple[str, str], float] = {}
    count = itertools.count()
    commit, put, tagged = registry.storage.commit_upload, registry.storage.put_manifest, registry.storage.set_tag

    def hidden(name: str, reference: str) -> bool:
        return time.monotonic() - written.get((name, reference), 0.0) < _LAG_OF_READS

    def stamp(name: str, *references: str) -> None:
        # Not each of them: a run in which every write lags takes minutes.
        if next(count) % _LAGGING == 0:
            written.update({(name, reference): time.monotonic() for reference in references})

    def commit_later(upload: object, digests: list[str]) -> None:
        stamp(upload.repository, *digests)  # type: ignore[attr-defined]  # the storage in use says its type
        commit(upload, digests)  # type: ignore[arg-type]  # as above

    def put_later(name: str, manifest: Manifest, subject: str | None) -> None:
        stamp(name, manifest.digest)
        put(name, manifest, subject)

    def tag_later(name: str, tag: str, digest: str) -> None:
        stamp(name, tag)
        tagged(name, tag, digest)

    override(registry.storage, commit_upload=commit_later, put_manifest=put_later, set_tag=tag_later)

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if hidden(request.name, request.reference):
                kind = errors.blob_unknown if request.operation.startswith("blob") else errors.manifest_unknown
                raise kind(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ("manifest.get", "manifest.head", "blob.get", "blob.head"), around)
    document = registry.tags.order
    names: list[str] = []

    async def listing(request: Request) -> Response:
        names[:] = [request.name]
        return await plain(request)

    plain = registry.handlers["tags.list"]
    registry.handlers["tags.list"] = listing
    override(registry.tags, order=lambda tags: document([tag for tag in tags if not hidden(names[0], tag)]))


def _deleted_later(registry: Registry) -> None:
    """Deletions are carried out a while later."""
    pending: list[tuple[float, object]] = []
    remove, remove_tag, remove_blob = registry.manifests.remove, registry.manifests.remove_tag, registry.blobs.remove
    check = registry.check_allowed

    def later(action: object) -> None:
        pending.append((time.monotonic() + _LAG, action))

    def due(request: Request) -> None:
        check(request)
        for entry in [entry for entry in pending if entry[0] <= time.monotonic()]:
            pending.remove(entry)
            entry[1]()  # type: ignore[operator]  # the second member is what is due

    def blob(name: str, digest: str) -> bool:
        if not registry.storage.has_blob(name, digest):
            return False
        later(lambda: remove_blob(name, digest))
        return True

    override(registry, check_allowed=due)
    override(
        registry.manifests,
        remove=lambda name, digest: later(lambda: remove(name, digest)),
        remove_tag=lambda name, tag: later(lambda: remove_tag(name, tag)),
    )
    override(registry.blobs, remove=blob)


def _recent(registry: Registry, method: str, key: Callable[..., tuple[str, ...]]) -> Callable[[tuple[str, ...]], bool]:
    """Note when a method of the storage first wrote something; tell of what is new whether that is not long ago."""
    written: dict[tuple[str, ...], float] = {}
    write = getattr(registry.storage, method)

    def changed(*words: Any) -> None:
        written.setdefault(key(*words), time.monotonic())
        write(*words)

    override(registry.storage, **{method: changed})
    return lambda place: time.monotonic() - written.get(place, 0.0) < _LAG_OF_LISTS


def _tags_later(registry: Registry) -> None:
    recent = _recent(registry, "set_tag", lambda name, tag, _digest: (name, tag))
    order, listing = registry.tags.order, registry.handlers["tags.list"]
    names: list[str] = []

    async def named(request: Request) -> Response:
        names[:] = [request.name]
        return await listing(request)

    registry.handlers["tags.list"] = named
    override(registry.tags, order=lambda tags: order([tag for tag in tags if not recent((names[0], tag))]))


def _referrers_later(registry: Registry) -> None:
    recent = _recent(registry, "put_manifest", lambda name, manifest, _subject: (name, manifest.digest))
    listed = registry.storage.referrers
    override(
        registry.storage,
        referrers=lambda name, subject: [d for d in listed(name, subject) if not recent((name, d))],
    )


def _repositories_later(registry: Registry) -> None:
    recent = _recent(registry, "put_manifest", lambda name, _manifest, _subject: (name,))
    listed = registry.storage.repositories
    override(registry.storage, repositories=lambda: [name for name in listed() if not recent((name,))])


VARIANTS = (
    Variant(
        name="deleted-later",
        title="A deletion takes effect after a while.",
        latitude=("DELETE-ASYNCHRONOUS",),
        options=("--settle", "2"),
        apply=_deleted_later,
    ),
    Variant(
        name="written-later",
        title="Some of what was written shows after a while.",
        latitude=("EVENTUAL-CONSISTENCY",),
        options=("--settle", "0.5"),
        apply=_lagging,
    ),
    Variant(
        name="tags-listed-later",
        title="A tag stands in the list a while after it can be pulled.",
        latitude=("EVENTUAL-CONSISTENCY",),
        options=("--settle", "2"),
        apply=_tags_later,
    ),
    Variant(
        name="referrers-listed-later",
        title="A referrer stands in the list a while after it can be pulled.",
        latitude=("EVENTUAL-CONSISTENCY",),
        options=("--settle", "2"),
        apply=_referrers_later,
    ),
    Variant(
        name="repositories-listed-later",
        title="A repository stands in the catalogue a while after it can be used.",
        latitude=("EVENTUAL-CONSISTENCY",),
        options=("--settle", "2"),
        apply=_repositories_later,
    ),
)
