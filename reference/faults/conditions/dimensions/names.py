"""Faults that depend on the name of a repository."""

from __future__ import annotations

import json

from reference.app import Registry
from reference.faults.conditions.shared import kept_under
from reference.messages import Request, Response
from reference.modifications import Fault, on, override

_COLUMN = 128


def _flat(registry: Registry) -> None:
    """The store knows no folders: a slash is a hyphen in its keys."""
    first: dict[str, str] = {}
    kept_under(registry, lambda name: first.setdefault(name.replace("/", "-"), name))


def _name_cut(_request: Request, response: Response) -> None:
    """The name of a list comes from a column of a fixed width."""
    body = json.loads(response.body)
    body["name"] = body["name"][:_COLUMN]
    response.body = json.dumps(body).encode()


def _folder_removed(registry: Registry) -> None:
    """The folder of an empty repository is removed, with all that is below it."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        remove(name, digest)
        if registry.storage.manifests(name):
            return
        for other in list(registry.storage.repositories()):
            if other.startswith(f"{name}/"):
                for each in registry.storage.manifests(other):
                    remove(other, each)

    override(registry.manifests, remove=changed)


def _prefix_deleted(registry: Registry) -> None:
    """The statement that deletes has the name as a prefix."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        for other in list(registry.storage.repositories()):
            if other == name or other.startswith(f"{name}/"):
                remove(other, digest)

    override(registry.manifests, remove=changed)


FAULTS = (
    Fault(
        name="slash-and-hyphen-one-repository",
        title="Two repositories whose names differ in a slash and a hyphen alone are one.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG", "PULL-MANIFEST-OTHER-REPO-DIGEST-404", "DISC-TAGS-ISOLATION-REPO"),
        apply=_flat,
    ),
    Fault(
        name="tags-name-cut-at-128",
        title="The name in a list of tags ends after 128 characters.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=on("tags.list", status=200, change=_name_cut),
    ),
    Fault(
        name="last-manifest-takes-repositories-below",
        title="The deletion of the last manifest of a repository empties the repositories below its name.",
        breaks=("MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",),
        apply=_folder_removed,
    ),
    Fault(
        name="delete-reaches-repositories-below",
        title="The deletion of a manifest takes it from the repositories below the same name, too.",
        breaks=("MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",),
        apply=_prefix_deleted,
    ),
)
