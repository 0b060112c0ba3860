"""Faults that show with one form of a repository's name or of a tag only."""

from __future__ import annotations

import re

from reference import errors
from reference.app import Registry
from reference.grammar import NAME_LIMIT
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, override, wrap
from reference.resources import url
from reference.storage import Upload

_DEEP = 7
_TAG_KEY = 127
_TAG_OF_DIGEST = re.compile(r"sha256-([a-f0-9]{64})")


def _seven_components(registry: Registry) -> None:
    """The path of a session that has data is built from seven components at most."""
    location = registry.uploads.location

    def changed(upload: Upload) -> str:
        parts = upload.repository.split("/")
        if len(parts) <= _DEEP or not upload.size:
            return location(upload)
        return url(registry.uploads.host, f"/v2/{'/'.join(parts[:_DEEP])}/blobs/uploads/{upload.identifier}")

    override(registry.uploads, location=changed)


def _two_components(registry: Registry) -> None:
    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if "/" not in request.name:
                raise errors.no_such_endpoint(request.path)
            return await handler(request)

        return changed

    wrap(registry, ["referrers.list"], around)


def _below_too(registry: Registry) -> None:
    remove = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        for repository in registry.storage.repositories():
            if repository == name or repository.startswith(f"{name}/"):
                remove(repository, tag)

    override(registry.manifests, remove_tag=changed)


def _key_too_long(registry: Registry) -> None:
    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if len(request.name) == NAME_LIMIT:
                raise errors.blob_unknown(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ["blob.head"], around)


def _tag_key_cut(registry: Registry) -> None:
    remove = registry.manifests.remove_tag
    override(registry.manifests, remove_tag=lambda name, tag: remove(name, tag[:_TAG_KEY]))


def _tag_as_digest(registry: Registry) -> None:
    resolve = registry.manifests.resolve

    def changed(name: str, reference: str) -> str | None:
        match = _TAG_OF_DIGEST.fullmatch(reference)
        return resolve(name, reference) or (f"sha256:{match[1]}" if match else None)

    override(registry.manifests, resolve=changed)


def _catalog_first(registry: Registry) -> None:
    """A path is looked at from its end."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.reference == "_catalog":
                return await registry.handlers["catalog.list"](request)
            return await handler(request)

        return changed

    wrap(registry, ["manifest.get", "manifest.head"], around)


def _short_position(registry: Registry) -> None:
    after = registry.tags.after
    override(registry.tags, after=lambda tags, last: after(tags, last if last is None or len(last) != 1 else None))


FAULTS = (
    Fault(
        name="location-of-eight-components-cut",
        title="The Location of an upload with data lacks what follows the seventh component of the name.",
        breaks=(
            "PUSH-PATCH-LOCATION-PRESENT",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PUT-NO-BODY-CLOSES",
        ),
        also=(
            "PUSH-STATUS-LOCATION-PRESENT",
            "PUSH-STATUS-RESUME",
            "BASE-NAME-PLAIN",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
        ),
        apply=_seven_components,
    ),
    Fault(
        name="referrers-in-one-component-404",
        title="The referrers in a repository of one component are answered 404.",
        breaks=(
            "DISC-REFERRERS-STATUS-200",
            "DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",
            "BASE-NAME-PLAIN",
        ),
        also=(
            "PUSH-MANIFEST-OCI-SUBJECT-ONLY-IF-REFERRERS",
            "DISC-REFERRERS-COMPLETE",
        ),
        apply=_two_components,
    ),
    Fault(
        name="tag-deletion-reaches-below",
        title="The deletion of a tag takes it in the repositories below, too.",
        breaks=(
            "PULL-MANIFEST-OTHER-REPO-TAG",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
        ),
        apply=_below_too,
    ),
    Fault(
        name="head-in-name-of-255-404",
        title="HEAD of a blob in a repository whose name has 255 characters is answered 404.",
        breaks=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PULL-BLOB-HEAD-200",
            "BASE-NAME-LENGTH-MAX",
        ),
        also=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",),
        apply=_key_too_long,
    ),
    Fault(
        name="tag-of-128-not-deleted",
        title="The deletion of a tag of 128 characters is answered 202 and does nothing.",
        breaks=(
            "MGMT-TAG-DELETE-GET-404",
            "MGMT-TAG-DELETE-NOT-LISTED",
            "MGMT-TAG-DELETE-HEAD-404",
        ),
        also=(
            "MGMT-TAG-DELETE-UNKNOWN-404",
            "BASE-TAG-ACCEPT",
        ),
        apply=_tag_key_cut,
    ),
    Fault(
        name="digest-with-dash-as-digest",
        title="A tag that nobody pushed leads to a manifest where it is its digest with a dash for the colon.",
        breaks=(
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",
        ),
        apply=_tag_as_digest,
    ),
    Fault(
        name="tag-catalog-gives-catalog",
        title="The pull of the tag _catalog gives the list of repositories.",
        breaks=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPT",
            "PULL-MANIFEST-GET-BODY-EXACT",
        ),
        also=(
            "PULL-MANIFEST-GET-DCD",
            "PULL-MANIFEST-HEAD-DCD",
            "PULL-MANIFEST-GET-CONTENT-TYPE",
        ),
        apply=_catalog_first,
    ),
    Fault(
        name="position-of-one-character-ignored",
        title="A tag of one character in the parameter last is ignored.",
        breaks=(
            "DISC-TAGS-LAST-EXCLUSIVE",
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-LAST-WITHOUT-N",
        ),
        apply=_short_position,
    ),
)
