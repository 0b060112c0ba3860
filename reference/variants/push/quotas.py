"""Variants of quotas."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Variant, override, wrap
from reference.storage import Manifest, Upload
from reference.variants.shared import denied

_TAGS = 50
_MANIFESTS = 20
_REFERRERS = 10
_LAYERS = 100
_REPOSITORIES = 12
_MIB = 1 << 20
_BYTES_OF_ALL = 3 * _MIB
_BYTES_OF_ONE = 200_000
_SESSIONS = 3


def _tags(registry: Registry) -> None:
    """A repository has so many tags."""
    check = registry.manifests.check_condition

    def changed(request: Request) -> None:
        check(request)
        tags = registry.storage.tags(request.name)
        if ":" not in request.reference and request.reference not in tags and len(tags) >= _TAGS:
            raise denied(f"the quota of {_TAGS} tags is used up")

    override(registry.manifests, check_condition=changed)


def _manifests(registry: Registry) -> None:
    """A repository has so many manifests."""
    there: dict[str, set[str]] = defaultdict(set)
    check, put, delete = (
        registry.manifests.check_condition,
        registry.storage.put_manifest,
        registry.storage.delete_manifest,
    )

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        there[name].add(manifest.digest)
        put(name, manifest, subject)

    def deleted(name: str, digest: str, subject: str | None) -> None:
        there[name].discard(digest)
        delete(name, digest, subject)

    def changed(request: Request) -> None:
        check(request)
        if request.reference not in there[request.name] and len(there[request.name]) >= _MANIFESTS:
            raise denied(f"the quota of {_MANIFESTS} manifests is used up", 409)

    override(registry.storage, put_manifest=stored, delete_manifest=deleted)
    override(registry.manifests, check_condition=changed)


def _referrers(registry: Registry) -> None:
    """A manifest has so many referrers."""
    check = registry.manifests.check_references

    def changed(name: str, document: object) -> None:
        check(name, document)  # type: ignore[arg-type]  # a document, as the other says
        subject = getattr(document, "subject", None)
        if subject is not None and len(registry.storage.referrers(name, subject)) >= _REFERRERS:
            raise denied(f"the quota of {_REFERRERS} referrers is used up")

    override(registry.manifests, check_references=changed)


def _layers(registry: Registry) -> None:
    """An image has so many layers."""
    check = registry.manifests.check_references

    def changed(name: str, document: object) -> None:
        if len(getattr(document, "members", {}).get("layers") or ()) > _LAYERS:
            raise denied(f"an image has {_LAYERS} layers at most", 400)
        check(name, document)  # type: ignore[arg-type]  # a document, as the other says

    override(registry.manifests, check_references=changed)


def _repositories(registry: Registry) -> None:
    """So many repositories can be made."""
    names: set[str] = set()

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.name not in names and len(names) >= _REPOSITORIES:
                raise denied(f"the quota of {_REPOSITORIES} repositories is used up")
            names.add(request.name)
            return await handler(request)

        return changed

    wrap(registry, ("upload.start", "upload.start-digest", "upload.mount", "manifest.put"), around)


def _bytes(most: int, each: bool) -> Apply:
    """Blobs have so many bytes together, in each repository or in all."""

    def apply(registry: Registry) -> None:
        used: Counter[str] = Counter()
        commit, discard = registry.storage.commit_upload, registry.storage.discard_upload

        def changed(upload: Upload, digests: Iterable[str]) -> None:
            where = upload.repository if each else ""
            if used[where] + upload.size > most:
                discard(upload)
                raise denied(f"the quota of {most} bytes is used up")
            used[where] += upload.size
            commit(upload, digests)

        override(registry.storage, commit_upload=changed)

    return apply


def _sessions(registry: Registry) -> None:
    """A repository has so many sessions open at the same time."""
    start, commit, discard = (
        registry.storage.start_upload,
        registry.storage.commit_upload,
        registry.storage.discard_upload,
    )
    opened: dict[str, dict[str, float]] = defaultdict(dict)

    def begun(name: str) -> Upload:
        if len(opened[name]) >= _SESSIONS:
            raise denied("too many uploads at the same time", 429, "TOOMANYREQUESTS")
        upload = start(name)
        opened[name][upload.identifier] = time.monotonic()
        return upload

    def ended(upload: Upload) -> None:
        opened[upload.repository].pop(upload.identifier, None)

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        ended(upload)
        commit(upload, digests)

    def discarded(upload: Upload) -> None:
        ended(upload)
        discard(upload)

    override(registry.storage, start_upload=begun, commit_upload=committed, discard_upload=discarded)


VARIANTS = (
    Variant(
        name="tags-quota", title="A repository has 50 tags at most.", latitude=("SIZE-OR-QUOTA-REFUSED",), apply=_tags
    ),
    Variant(
        name="manifests-quota",
        title="A repository has 20 manifests at most.",
        latitude=("SIZE-OR-QUOTA-REFUSED",),
        apply=_manifests,
    ),
    Variant(
        name="referrers-quota",
        title="A manifest has 10 referrers at most.",
        latitude=("SIZE-OR-QUOTA-REFUSED",),
        apply=_referrers,
    ),
    Variant(
        name="layers-limit",
        title="An image has 100 layers at most.",
        latitude=("SIZE-OR-QUOTA-REFUSED",),
        apply=_layers,
    ),
    Variant(
        name="repositories-quota",
        title="12 repositories can be made, and no more.",
        latitude=("SIZE-OR-QUOTA-REFUSED", "REPOSITORY-NOT-CREATED-ON-PUSH"),
        undecided=True,
        apply=_repositories,
    ),
    Variant(
        name="bytes-quota",
        title="All blobs together have 3 MiB at most.",
        latitude=("SIZE-OR-QUOTA-REFUSED",),
        undecided=True,
        apply=_bytes(_BYTES_OF_ALL, each=False),
    ),
    Variant(
        name="bytes-quota-of-repository",
        title="The blobs of a repository have 200,000 bytes at most.",
        latitude=("SIZE-OR-QUOTA-REFUSED",),
        apply=_bytes(_BYTES_OF_ONE, each=True),
    ),
    Variant(
        name="sessions-quota",
        title="A repository has three uploads open at the same time; one more gets 429.",
        latitude=("SIZE-OR-QUOTA-REFUSED", "BUSY-429-OR-503"),
        warns=("BASE-RATE-RETRY-AFTER",),
        apply=_sessions,
    ),
)
