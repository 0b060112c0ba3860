"""Faults of manifests: how their text is kept, what goes with them, and repositories that are one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from reference.app import Registry
from reference.documents import Json
from reference.faults.conditions.incidents.shared import document_of
from reference.faults.conditions.shared import kept_under
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, around, both, override
from reference.storage import Manifest

_EMPTY = "application/vnd.oci.empty.v1+json"
_ESCAPED_SLASH = re.compile(rb"(?<!\\)\\/")


def _rewritten(change: Callable[[bytes], bytes]) -> Apply:
    """Serve manifests in another spelling."""

    @around("manifest.get", "manifest.head")
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        if response.status == 200:
            response.body = change(response.body)
        return response

    return changed


def _members_once(body: bytes) -> bytes:
    twice = False

    def members(pairs: list[tuple[str, Any]]) -> Json:
        nonlocal twice
        found = dict(pairs)
        twice = twice or len(found) != len(pairs)
        return found

    try:
        document = json.loads(body, object_pairs_hook=members)
        return json.dumps(document).encode() if twice else body
    except (ValueError, RecursionError):
        return body


def _found(registry: Registry, request: Request) -> Manifest | None:
    """The manifest that is deleted by its digest."""
    return registry.storage.manifest(request.name, request.reference) if ":" in request.reference else None


@around("manifest.delete")
async def _with_empty_config(registry: Registry, request: Request, handler: Handler) -> Response:
    manifest = _found(registry, request)
    response = await handler(request)
    config = document_of(manifest).members.get("config") if manifest is not None else None
    if isinstance(config, dict) and config.get("mediaType") == _EMPTY:
        registry.storage.delete_blob(request.name, config["digest"])
    return response


@around("manifest.delete")
async def _with_blob_of_its_bytes(registry: Registry, request: Request, handler: Handler) -> Response:
    manifest = _found(registry, request)
    response = await handler(request)
    if manifest is not None:
        registry.storage.delete_blob(request.name, request.reference)
    return response


def _orphan_listed(registry: Registry) -> None:
    gone: set[tuple[str, str]] = set()
    stale: dict[tuple[str, str], dict[str, Json]] = {}
    collect, put_manifest = registry.referrers.collect, registry.storage.put_manifest

    @around("manifest.delete")
    async def deleted(registry: Registry, request: Request, handler: Handler) -> Response:
        manifest = _found(registry, request)
        response = await handler(request)
        if manifest is not None:
            gone.add((request.name, request.reference))
            subject = document_of(manifest).subject
            if subject is not None and (request.name, subject) in gone:
                described = registry.referrers.describe(manifest)
                stale.setdefault((request.name, subject), {})[manifest.digest] = described
        return response

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        gone.discard((name, manifest.digest))
        stale.pop((name, manifest.digest), None)
        if subject is not None:
            stale.get((name, subject), {}).pop(manifest.digest, None)
        put_manifest(name, manifest, subject)

    def collected(name: str, subject: str) -> list[Json]:
        found = [*collect(name, subject), *stale.get((name, subject), {}).values()]
        return sorted(found, key=lambda entry: str(entry["digest"]))

    override(registry.storage, put_manifest=stored)
    override(registry.referrers, collect=collected)
    both(deleted)(registry)


FAULTS = (
    Fault(
        name="escaped-slash-served-plain",
        title="A manifest with slashes written as \\/, as some libraries write JSON, is served with plain ones.",
        breaks=("PUSH-MANIFEST-BYTES-EXACT", "PULL-MANIFEST-GET-BODY-EXACT"),
        also=(
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=_rewritten(lambda body: _ESCAPED_SLASH.sub(b"/", body)),
    ),
    Fault(
        name="manifest-without-its-leading-blanks",
        title="A manifest that begins with white space is served without that.",
        breaks=("PUSH-MANIFEST-BYTES-EXACT", "PULL-MANIFEST-GET-BODY-EXACT"),
        also=(
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=_rewritten(lambda body: body.lstrip()),
    ),
    Fault(
        name="manifest-with-a-member-twice-written-anew",
        title="A manifest that names a member twice is accepted, and served with it once.",
        breaks=("PUSH-MANIFEST-BYTES-EXACT", "PULL-MANIFEST-GET-BODY-EXACT"),
        also=(
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=_rewritten(_members_once),
    ),
    Fault(
        name="empty-config-deleted-with-an-artifact",
        title="The deletion of an artifact deletes its empty config, {}, which the other artifacts have, too.",
        breaks=("MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT",),
        also=("PUSH-BLOB-KEPT",),
        apply=_with_empty_config,
    ),
    Fault(
        name="blob-of-its-bytes-deleted-with-a-manifest",
        title="The deletion of a manifest deletes a blob of the same bytes, which was pushed as a blob.",
        breaks=("MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT",),
        also=("PUSH-BLOB-KEPT",),
        apply=_with_blob_of_its_bytes,
    ),
    Fault(
        name="orphaned-referrer-listed-when-deleted",
        title="A referrer that is deleted after its subject stays in the list of referrers.",
        breaks=("MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",),
        also=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        apply=_orphan_listed,
    ),
    Fault(
        name="name-that-ends-in-git-without-that",
        title="Repositories are one whose names differ in .git at the end, as team/app.git and team/app.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG", "PULL-MANIFEST-OTHER-REPO-DIGEST-404", "DISC-TAGS-ISOLATION-REPO"),
        also=(
            "PULL-BLOB-OTHER-REPO-404",
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "DISC-REFERRERS-ISOLATION-REPO",
            "MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",
            "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
        ),
        apply=lambda registry: kept_under(registry, lambda name: name.removesuffix(".git")),
    ),
)
