"""Faults of lists that show with one kind of entry, or one name of the repository."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference.app import Registry
from reference.documents import Document, Json, parse
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest

_ANNOTATION_COLUMN = 255


_LINK_PATH = re.compile(r"<(/[^?>]*)")


def _listed(registry: Registry, select: Callable[[str, list[str]], list[str]]) -> None:
    """Let the list of the tags of a repository be made of others than it has."""
    listing = registry.handlers["tags.list"]
    order = registry.tags.order

    async def changed(request: Request) -> Response:
        override(registry.tags, order=lambda tags: order(select(request.name, tags)))
        return await listing(request)

    registry.handlers["tags.list"] = changed


def _one_of_a_type(registry: Registry) -> None:
    """Referrers are rows whose key is the subject and the type; a new one replaces the one before."""
    rows: dict[tuple[str, str, str], str] = {}
    storage = registry.storage
    put, referrers = storage.put_manifest, storage.referrers

    def key(name: str, subject: str, manifest: Manifest) -> tuple[str, str, str] | None:
        artifact_type = Document(manifest.media_type, parse(manifest.content)).artifact_type
        return (name, subject, artifact_type) if artifact_type is not None else None

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        if subject is not None and (row := key(name, subject, manifest)) is not None:
            rows[row] = manifest.digest
        put(name, manifest, subject)

    def is_row(name: str, subject: str, digest: str) -> bool:
        manifest = storage.manifest(name, digest)
        row = key(name, subject, manifest) if manifest is not None else None
        return row is None or rows.get(row, digest) == digest

    def changed(name: str, subject: str) -> list[str]:
        return [digest for digest in referrers(name, subject) if is_row(name, subject, digest)]

    override(storage, put_manifest=stored, referrers=changed)


def _annotations_in_column(registry: Registry) -> None:
    """The values of annotations are in a column of their own."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if "annotations" in descriptor:
            values = descriptor["annotations"].items()
            descriptor["annotations"] = {key: value[:_ANNOTATION_COLUMN] for key, value in values}
        return descriptor

    override(registry.referrers, describe=changed)


def _joined_with_tags(registry: Registry) -> None:
    """The subject is joined with its tags, if any, so that the tags can be told along."""
    storage = registry.storage
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        tags = sum(storage.tag(name, tag) == subject for tag in storage.tags(name))
        return [descriptor for descriptor in collect(name, subject) for _ in range(max(tags, 1))]

    override(registry.referrers, collect=changed)


def _member_is_there(registry: Registry) -> None:
    """A referrer has a type of its own where it has the member."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        members = parse(manifest.content)
        if "artifactType" in members:
            descriptor["artifactType"] = members["artifactType"]
        return descriptor

    override(registry.referrers, describe=changed)


def _filter_begins(registry: Registry) -> None:
    """The filter is a prefix."""

    def changed(found: list[Json], artifact_type: str) -> list[Json]:
        return [descriptor for descriptor in found if descriptor.get("artifactType", "").startswith(artifact_type)]

    override(registry.referrers, select=changed)


def _cut_at_tags(_request: Request, response: Response) -> None:
    if link := response.headers.get("Link"):
        base = (match[1] if (match := _LINK_PATH.match(link)) else "").split("/tags/")[0]
        response.headers.set("Link", _LINK_PATH.sub(lambda _: f"<{base}/tags/list", link))


def _like(registry: Registry) -> None:
    """The repository is looked for with LIKE, for which an underscore is any character."""
    storage = registry.storage

    def changed(name: str, tags: list[str]) -> list[str]:
        pattern = re.compile(re.escape(name).replace("_", "."))
        alike = [other for other in storage.repositories() if pattern.fullmatch(other)]
        return list(dict.fromkeys([*tags, *(tag for other in alike for tag in storage.tags(other))]))

    _listed(registry, changed)


def _index_of_all(registry: Registry) -> None:
    """The index of the lists is cleared by digest, without regard to the repository."""
    hidden: set[tuple[str, str]] = set()
    storage = registry.storage
    remove, set_tag = registry.manifests.remove, storage.set_tag

    def removed(name: str, digest: str) -> None:
        remove(name, digest)
        for other in storage.repositories():
            hidden.update((other, tag) for tag in storage.tags(other) if storage.tag(other, tag) == digest)

    def tagged(name: str, tag: str, digest: str) -> None:
        hidden.discard((name, tag))
        set_tag(name, tag, digest)

    override(registry.manifests, remove=removed)
    override(storage, set_tag=tagged)
    _listed(registry, lambda name, tags: [tag for tag in tags if (name, tag) not in hidden])


FAULTS = (
    Fault(
        name="one-referrer-of-a-type",
        title="Of the referrers with the same artifactType the last one alone is listed.",
        breaks=("DISC-REFERRERS-COMPLETE", "DISC-REFERRERS-FILTER-ONLY-MATCHING"),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-LINK-PAGES",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
            "DISC-REFERRERS-ARTIFACTTYPE-CONFIG",
            "MGMT-TAG-DELETE-REFERRER-LISTED",
        ),
        apply=_one_of_a_type,
    ),
    Fault(
        name="annotations-of-referrers-cut",
        title="An annotation of more than 255 characters is cut there in the list of referrers.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        apply=_annotations_in_column,
    ),
    Fault(
        name="referrers-once-for-each-tag",
        title="The referrers of a manifest that has several tags are listed once for each of them.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "DISC-REFERRERS-LINK-PAGES",
        ),
        apply=_joined_with_tags,
    ),
    Fault(
        name="empty-type-of-referrers-told",
        title="A referrer whose artifactType is empty is listed with that, and not with the type of its config.",
        breaks=("DISC-REFERRERS-ARTIFACTTYPE-CONFIG",),
        also=(
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "DISC-REFERRERS-ARTIFACTTYPE-INDEX-OMITTED",
        ),
        apply=_member_is_there,
    ),
    Fault(
        name="filter-is-a-prefix",
        title="The filter of referrers finds those whose type goes on behind the one that is asked for, too.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_filter_begins,
    ),
    Fault(
        name="link-cut-at-the-word-tags",
        title="The Link of a page of tags lacks what follows a component of the name that is the word tags.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-NAME-RESERVED-WORD"),
        also=("DISC-TAGS-N-SHORT-PAGE",),
        apply=on("tags.list", status=200, change=_cut_at_tags),
    ),
    Fault(
        name="underscore-is-any-character",
        title="A repository with an underscore lists the tags of those with another character in its place, too.",
        breaks=("DISC-TAGS-ISOLATION-REPO",),
        also=(
            "PULL-MANIFEST-OTHER-REPO-TAG",
            "DISC-TAGS-LINK-WALK-COMPLETE",
        ),
        apply=_like,
    ),
    Fault(
        name="unlisted-by-another-repository",
        title="A tag is not listed any more once another repository deleted the same manifest.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH", "MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT"),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
        ),
        apply=_index_of_all,
    ),
)
