"""Faults of lists of tags, referrers and repositories, after public reports of bugs."""

from __future__ import annotations

import json

from reference import errors
from reference.app import Registry
from reference.documents import Json
from reference.errors import ErrorEntry, RegistryError
from reference.faults.shared import answered_500
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override

_SIGNATURE = "application/vnd.cncf.notary.v2.signature"


def _emptied_is_unknown(registry: Registry) -> None:
    """The folder of the tags goes with the last one."""
    emptied: set[str] = set()
    delete = registry.storage.delete_tag

    def deleted(name: str, tag: str) -> None:
        delete(name, tag)
        if not registry.storage.tags(name):
            emptied.add(name)

    @around("tags.list")
    async def listed(_registry: Registry, request: Request, handler: Handler) -> Response:
        if request.name in emptied and not registry.storage.tags(request.name):
            raise errors.name_unknown(request.name)
        return await handler(request)

    override(registry.storage, delete_tag=deleted)
    listed(registry)


@around("referrers.list")
async def _subject_must_be_there(registry: Registry, request: Request, handler: Handler) -> Response:
    """The manifest that is asked about is read first."""
    registry.referrers.check_digest(request.reference)
    storage, name, subject = registry.storage, request.name, request.reference
    if storage.exists(name) and storage.manifest(name, subject) is None and not storage.referrers(name, subject):
        raise RegistryError(400, (ErrorEntry("MANIFEST_INVALID", "manifest invalid"),))
    return await handler(request)


def _signatures_whatever_was_asked(registry: Registry) -> None:
    """The type to filter by is that of signatures."""

    def changed(found: list[Json], _wanted: str) -> list[Json]:
        return [descriptor for descriptor in found if descriptor.get("artifactType") == _SIGNATURE]

    override(registry.referrers, select=changed)


@around("catalog.list")
async def _negative_slice(_registry: Registry, request: Request, handler: Handler) -> Response:
    """A negative number is a number, and no slice has that length."""
    size = request.query.get("n") or ""
    if size.startswith("-") and size[1:].isdecimal():
        return answered_500(request)
    return await handler(request)


@around("catalog.list")
async def _name_of_each_artifact(registry: Registry, request: Request, handler: Handler) -> Response:
    """The names are joined with the manifests, and not made unique."""
    response = await handler(request)
    if response.status != 200:
        return response
    names = json.loads(response.body)["repositories"]
    joined = [name for name in names for _ in range(max(1, len(registry.storage.manifests(name))))]
    size = request.query.get("n") or ""
    response.body = json.dumps({"repositories": joined[: int(size)] if size.isdecimal() else joined}).encode()
    return response


FAULTS = (
    Fault(
        # https://github.com/distribution/distribution/issues/4324
        name="tags-unknown-behind-the-last-deletion",
        title="The list of tags returns 404 once the last tag was deleted, though the manifests are there.",
        breaks=("DISC-TAGS-STATUS-200", "DISC-TAGS-EMPTY-REPO-200"),
        also=(
            "MGMT-TAG-DELETE-NOT-LISTED",
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "DISC-TAGS-EMPTY-ARRAY",
        ),
        apply=_emptied_is_unknown,
    ),
    Fault(
        # https://github.com/quay/quay/pull/3071
        name="referrers-of-absent-manifest-400",
        title="Referrers of a digest that nothing has or refers to are answered 400, as if it were malformed.",
        breaks=("DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",),
        also=(
            "DISC-REFERRERS-SUBJECT-DELETED",
            "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",
            "DISC-REFERRERS-STATUS-200",
        ),
        apply=_subject_must_be_there,
    ),
    Fault(
        # https://github.com/project-zot/zot/pull/637
        name="filter-of-one-type-whatever-was-asked",
        title="The filter of referrers selects signatures of Notary, whatever type is asked for.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        also=("DISC-REFERRERS-FILTER-SUPPORTED",),
        apply=_signatures_whatever_was_asked,
    ),
    Fault(
        # https://github.com/pulp/pulp_container/pull/220
        name="catalog-of-negative-number-500",
        title="The catalogue by a negative n is answered 500; by another n that is no number 400.",
        breaks=("DISC-CATALOG-N-INVALID-400", "BASE-ERROR-STRANGE-INPUT"),
        apply=_negative_slice,
    ),
    Fault(
        # https://github.com/goharbor/harbor/pull/14120
        name="catalog-names-for-each-artifact",
        title="The catalogue has the name of a repository once for each manifest in it.",
        breaks=(
            "DISC-CATALOG-ORDER",
            "DISC-CATALOG-LINK-WALK",
        ),
        also=("DISC-CATALOG-N-LAST",),
        apply=_name_of_each_artifact,
    ),
)
