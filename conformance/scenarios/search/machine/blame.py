"""Which requirement a disagreement breaks, by what was done last before it was seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deed:
    """The last operation: its kind, repository and object, and whether it was refused.

    ``digest`` is that of the manifest that a tag was given, ``moved`` whether the tag was another's
    before.
    """

    kind: str = ""
    repository: int = -1
    target: str = ""
    digest: str = ""
    refused: bool = False
    moved: bool = False

    @property
    def deletes(self) -> bool:
        """Whether it is a deletion."""
        return self.kind.startswith("delete-")


def lost_tag(deed: Deed, repository: int, tag: str, digest: str) -> str:
    """A tag is gone, or leads elsewhere."""
    if deed.repository != repository:
        return (
            "MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT" if deed.kind == "delete-manifest" else "PULL-MANIFEST-OTHER-REPO-TAG"
        )
    if deed.refused:
        return "MGMT-DELETE-REFUSED-NO-EFFECT" if deed.deletes else "PUSH-MANIFEST-REFUSED-NOT-STORED"
    if deed.kind == "delete-tag":
        return "MGMT-TAG-DELETE-OTHER-TAGS-KEPT"
    if deed.kind == "delete-manifest":
        return "MGMT-MANIFEST-DELETE-OTHERS-KEPT"
    if deed.kind == "tag" and deed.target == tag:
        return "PUSH-MANIFEST-RETAG-MOVES" if deed.moved else "PUSH-MANIFEST-BY-TAG-PULLABLE"
    if deed.kind == "tag" and deed.digest == digest:
        return "PUSH-MANIFEST-MULTIPLE-TAGS"
    return "PULL-MANIFEST-GET-TAG-200"


def lost_manifest(deed: Deed, repository: int, digest: str, *, tagged: bool) -> str:
    """A manifest cannot be pulled by its digest any more."""
    if deed.refused and deed.deletes and deed.repository == repository:
        return "MGMT-DELETE-REFUSED-NO-EFFECT"
    if deed.kind == "delete-manifest":
        here = deed.repository == repository
        return "MGMT-MANIFEST-DELETE-OTHERS-KEPT" if here else "MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT"
    if deed.repository == repository:
        if deed.kind == "delete-tag" and tagged:
            return "MGMT-TAG-DELETE-OTHER-TAGS-KEPT"
        if deed.digest == digest:
            return "PUSH-MANIFEST-BY-TAG-PULLABLE" if deed.kind == "tag" else "PUSH-MANIFEST-BY-DIGEST-PULLABLE"
    return "PULL-MANIFEST-GET-DIGEST-200"


def lost_blob(deed: Deed, repository: int, digest: str, *, used: bool) -> str:
    """A blob cannot be pulled any more."""
    here = deed.repository == repository
    if deed.refused and deed.deletes and here:
        return "MGMT-DELETE-REFUSED-NO-EFFECT"
    if deed.kind == "delete-blob" and not here:
        return "MGMT-BLOB-DELETE-OTHER-REPO-KEPT"
    if deed.kind == "delete-manifest":
        if not here:
            return "MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT"
        return "MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT" if used else "PULL-BLOB-GET-200"
    if here and deed.target == digest:
        if deed.kind == "mount":
            return "PUSH-MOUNT-BLOB-AVAILABLE"
        if deed.kind == "close":
            return "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"
    return "PULL-BLOB-GET-200"


def refused_upload(*, crossed: bool, chunks: int, last: bool) -> str:
    """An upload whose bytes are all there cannot be closed, or knows of other bytes.

    That a last chunk may come with the closing PUT is a matter of its own.
    """
    if last:
        return "PUSH-PUT-FINAL-CHUNK-CLOSES"
    if crossed:
        return "PUSH-SESSION-PARALLEL-ISOLATED"
    return "PUSH-PATCH-CHUNKS-CONCATENATED" if chunks else "PUSH-PUT-MONOLITHIC-201"
