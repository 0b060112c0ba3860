"""Faults that show with some depths and lengths of a repository's name."""

from __future__ import annotations

from reference.app import Registry
from reference.faults.conditions.blobs.shared import found_blobs
from reference.faults.conditions.edges.shared import no_such_manifest, refused
from reference.messages import Content
from reference.modifications import Fault

_COLUMN = 250
_LEVELS = 3


def _walk_of_three_levels(registry: Registry) -> None:
    """The catalogue is a walk through the folders that goes three levels down."""
    storage = registry.catalog.storage

    class Walked:
        """What the walk finds."""

        def repositories(self) -> list[str]:
            """The names, as far as the walk goes."""
            return sorted({"/".join(name.split("/")[:_LEVELS]) for name in storage.repositories()})

    registry.catalog.storage = Walked()  # type: ignore[assignment]  # the catalogue asks for nothing else


def _name_column_too_short(registry: Registry) -> None:
    """The column for the name of a repository that holds a blob takes 250 characters."""

    def found(name: str, digest: str, content: Content | None) -> Content | None:
        if content is not None or len(name) <= _COLUMN:
            return content
        for other in registry.storage.repositories():
            if other[:_COLUMN] == name[:_COLUMN] and registry.storage.has_blob(other, digest):
                return registry.storage.open_blob(other, digest)
        return None

    found_blobs(found)(registry)


FAULTS = (
    Fault(
        name="tag-of-single-component-not-routed",
        title="DELETE of a tag in a repository of one component returns 404, and the tag stays.",
        breaks=("MGMT-TAG-DELETE-202",),
        also=(
            "MGMT-TAG-DELETE-GET-404",
            "MGMT-TAG-DELETE-HEAD-404",
            "MGMT-TAG-DELETE-NOT-LISTED",
            "MGMT-TAG-DELETE-DISABLED-400-405",
        ),
        apply=refused(
            "manifest.delete",
            when=lambda request: "/" not in request.name and ":" not in request.reference,
            error=no_such_manifest,
        ),
    ),
    Fault(
        name="catalog-walks-three-levels",
        title="The catalogue lists a repository of four or more components by its first three, where there is none.",
        breaks=("DISC-CATALOG-LISTED-EXISTS",),
        apply=_walk_of_three_levels,
    ),
    Fault(
        name="blobs-of-names-alike-in-250-characters",
        title="A repository with a name of more than 250 characters has the blobs of others with the same first 250.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        also=("PULL-BLOB-HEAD-OTHER-REPO-404", "PULL-BLOB-GET-UNKNOWN-404", "PULL-BLOB-GET-UNKNOWN-REPO-404"),
        apply=_name_column_too_short,
    ),
)
