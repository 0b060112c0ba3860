"""Strange faults of lists: tags, repositories and referrers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from reference.app import Registry
from reference.documents import Json
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, on, override


def _deleted_last_forgotten(registry: Registry) -> None:
    """A position is looked up among the tags that ever were; a deleted one has none."""
    deleted: set[str] = set()
    remove, after = registry.manifests.remove_tag, registry.tags.after

    def removed(name: str, tag: str) -> None:
        remove(name, tag)
        deleted.add(tag)

    def changed(tags: Sequence[str], last: str | None) -> Sequence[str]:
        return after(tags, None if last in deleted and last not in tags else last)

    override(registry.manifests, remove_tag=removed)
    override(registry.tags, after=changed)


def _mounted_twice(registry: Registry) -> None:
    """A mount that makes a repository writes its name once more."""
    made: set[str] = set()
    storage = registry.storage
    mount = storage.mount_blob

    def changed(source: str, name: str, digest: str) -> bool:
        fresh = not storage.exists(name)
        done = mount(source, name, digest)
        if done and fresh:
            made.add(name)
        return done

    def change(_request: Request, response: Response) -> None:
        names = json.loads(response.body)["repositories"]
        twice = [each for name in names for each in ([name, name] if name in made else [name])]
        if len(twice) > len(names) and "Link" not in response.headers:
            response.body = json.dumps({"repositories": twice}).encode()

    override(storage, mount_blob=changed)
    on("catalog.list", status=200, change=change)(registry)


def _unlisted(hidden: Callable[[str, Json], bool]) -> Apply:
    """Leave referrers out, by subject and descriptor."""

    def apply(registry: Registry) -> None:
        collect = registry.referrers.collect
        override(
            registry.referrers,
            collect=lambda name, subject: [each for each in collect(name, subject) if not hidden(subject, each)],
        )

    return apply


def _filter_by_prefix(registry: Registry) -> None:
    """A type is found by its beginning."""
    override(
        registry.referrers,
        select=lambda found, wanted: [each for each in found if str(each.get("artifactType", "")).startswith(wanted)],
    )


FAULTS = (
    Fault(
        name="page-behind-a-deleted-tag-from-the-start",
        title="A list behind a tag that was deleted begins at the first tag.",
        breaks=("DISC-TAGS-LAST-NOT-A-TAG",),
        apply=_deleted_last_forgotten,
    ),
    Fault(
        name="catalog-names-repositories-made-by-mounts-twice",
        title="A repository that a mount made is in the catalog twice.",
        breaks=("DISC-CATALOG-ORDER",),
        apply=_mounted_twice,
    ),
    Fault(
        name="referrers-of-a-sha512-subject-not-listed",
        title="A referrer whose subject has a sha512 digest is accepted with OCI-Subject and not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_unlisted(lambda subject, _each: subject.startswith("sha512:")),
    ),
    Fault(
        name="referrers-of-a-type-by-its-beginning",
        title="Filtered referrers have those whose artifactType continues the one asked for.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_filter_by_prefix,
    ),
)
