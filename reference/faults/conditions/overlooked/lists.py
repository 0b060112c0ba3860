"""Faults of lists: positions, long types, repositories of blobs alone, names with the version in them."""

from __future__ import annotations

from collections.abc import Sequence

from reference import errors
from reference.app import Registry
from reference.documents import Json
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override
from reference.storage import Manifest

#: Characters of the column that types are kept in.
_COLUMN = 64


def _anew_behind_the_end(registry: Registry) -> None:
    """The place of a name that is not there is that of the next one, or the beginning where none follows."""
    after = registry.tags.after

    def changed(tags: Sequence[str], last: str | None) -> Sequence[str]:
        found = after(tags, last)
        return found if found or last is None or last in tags else tags

    override(registry.tags, after=changed)


def _types_cut(registry: Registry) -> None:
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if "artifactType" in descriptor:
            descriptor["artifactType"] = descriptor["artifactType"][:_COLUMN]
        return descriptor

    override(registry.referrers, describe=changed)


@around("referrers.list")
async def _made_by_a_manifest(registry: Registry, request: Request, handler: Handler) -> Response:
    """A repository has a row where a manifest was pushed."""
    response = await handler(request)
    if not registry.storage.manifests(request.name):
        raise errors.name_unknown(request.name)
    return response


def _version_taken_out(registry: Registry) -> None:
    """The name is what stays of the path when the version is taken out, wherever it stands."""
    document = registry.tags.document

    def changed(name: str, tags: Sequence[str]) -> dict[str, object]:
        return document(f"/{name}".replace("/v2/", "/").removeprefix("/"), tags)

    override(registry.tags, document=changed)


FAULTS = (
    Fault(
        name="list-begins-anew-behind-its-end",
        title="Behind a last that is no tag and lies behind all tags the list begins with its first tag again.",
        breaks=("DISC-TAGS-LAST-NOT-A-TAG",),
        also=("DISC-TAGS-LAST-EXCLUSIVE", "DISC-TAGS-LAST-WITHOUT-N"),
        apply=_anew_behind_the_end,
    ),
    Fault(
        name="artifact-type-cut-at-64-characters",
        title="An artifactType of more than 64 characters is cut there in the list of referrers.",
        breaks=("DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",),
        also=(
            "DISC-REFERRERS-ARTIFACTTYPE-CONFIG",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "DISC-REFERRERS-FILTER-SUPPORTED",
        ),
        apply=_types_cut,
    ),
    Fault(
        name="referrers-unknown-where-blobs-alone-are",
        title="Referrers are answered 404 in a repository that has blobs and no manifest yet.",
        breaks=("DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",),
        also=("DISC-REFERRERS-STATUS-200", "DISC-REFERRERS-SUBJECT-DELETED", "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED"),
        apply=_made_by_a_manifest,
    ),
    Fault(
        name="list-name-lacks-its-component-v2",
        title="The tag list of a repository with a component v2, like team/v2/app, names it without that.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_version_taken_out,
    ),
)
