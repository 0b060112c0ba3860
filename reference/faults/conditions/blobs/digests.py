"""Faults of blobs that show with sha512 digests."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.resources import url

_SHA512 = "sha512:"


def _mount_lost(registry: Registry) -> None:
    mounted = registry.uploads.mounted

    def changed(source: str | None, name: str, digest: str) -> bool:
        if digest.startswith(_SHA512):
            return registry.storage.has_blob(source or "", digest)
        return mounted(source, name, digest)

    override(registry.uploads, mounted=changed)


def _deleted_among_sha256(registry: Registry) -> None:
    """What is to be deleted is looked for in the directory of sha256 alone; that it is absent there is no error."""
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        if digest.startswith("sha512:"):
            return registry.storage.has_blob(name, digest)
        return remove(name, digest)

    override(registry.blobs, remove=changed)


def _sha512_stays(registry: Registry) -> None:
    """The second name of the content is not taken away."""
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        if digest.startswith("sha512:") and registry.storage.has_blob(name, digest):
            return True
        return remove(name, digest)

    override(registry.blobs, remove=changed)


def _sha512_unchanged(registry: Registry) -> None:
    """The validators of sha512 are longer than their column, so any two are alike."""

    def change(request: Request, response: Response) -> Response | None:
        if not request.reference.startswith("sha512:") or "if-none-match" not in request.headers:
            return None
        if response.content is not None:
            response.content.close()
        kept = [pair for pair in response.headers.pairs if pair[0] in ("Docker-Content-Digest", "ETag")]
        return Response(304, kept)

    on("blob.get", "blob.head", "manifest.get", "manifest.head", status=200, change=change)(registry)


def _sha512_from_anywhere(registry: Registry) -> None:
    """The second algorithm has a table of its own, which does not know of repositories."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        names = [name, *registry.storage.repositories()] if digest.startswith("sha512:") else [name]
        return next((content for each in names if (content := find(each, digest)) is not None), None)

    override(registry.blobs, find=changed)


def _location_of_64_digits(registry: Registry) -> None:
    created, width = registry.uploads.created, 64

    def changed(name: str, digest: str) -> Response:
        response = created(name, digest)
        algorithm, _, encoded = digest.partition(":")
        location = url(registry.uploads.host, f"/v2/{name}/blobs/{algorithm}:{encoded[:width]}")
        response.headers.set("Location", location)
        return response

    override(registry.uploads, created=changed)


def _second_names_shared(registry: Registry) -> None:
    """Digests of sha512 lead to content, in whichever repository it is."""
    storage, find = registry.storage, registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is not None or not digest.startswith("sha512:") or not storage.exists(name):
            return content
        holders = (find(holder, digest) for holder in storage.repositories())
        return next((each for each in holders if each is not None), None)

    override(registry.blobs, find=changed)


def _other_tree(registry: Registry) -> None:
    """What is deleted is looked for under sha256, where it is not, and its absence is no error."""
    delete = registry.storage.delete_blob

    def changed(name: str, digest: str) -> bool:
        return registry.storage.has_blob(name, digest) if digest.startswith("sha512:") else delete(name, digest)

    override(registry.storage, delete_blob=changed)


def _second_name_stays(registry: Registry) -> None:
    """Only the entry under the digest of the storage itself is removed."""
    remove, storage = registry.blobs.remove, registry.storage

    def changed(name: str, digest: str) -> bool:
        return storage.has_blob(name, digest) if digest.startswith("sha512:") else remove(name, digest)

    override(registry.blobs, remove=changed)


FAULTS = (
    Fault(
        name="mount-by-sha512-lost",
        title="A mount by sha512 returns 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE", "PUSH-MOUNT-LOCATION-PULLABLE", "BASE-DIGEST-SHA512"),
        apply=_mount_lost,
    ),
    Fault(
        name="sha512-blob-kept-after-deletion",
        title="The deletion of a blob by sha512 returns 202, and the blob stays.",
        breaks=("MGMT-BLOB-DELETE-GET-404", "MGMT-BLOB-DELETE-HEAD-404"),
        also=("MGMT-BLOB-DELETE-TWICE-404",),
        apply=_deleted_among_sha256,
    ),
    Fault(
        name="blob-by-sha512-cannot-be-deleted",
        title="The deletion of a blob by its sha512 digest returns 202, and it stays.",
        breaks=("MGMT-BLOB-DELETE-GET-404", "MGMT-BLOB-DELETE-HEAD-404"),
        also=("MGMT-BLOB-DELETE-TWICE-404", "MGMT-BLOB-DELETE-202"),
        apply=_sha512_stays,
    ),
    Fault(
        name="sha512-always-unchanged",
        title="A request by a sha512 digest with any If-None-Match returns 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        also=("PULL-MANIFEST-SHA512", "BASE-DIGEST-SHA512"),
        apply=_sha512_unchanged,
    ),
    Fault(
        name="sha512-blob-from-anywhere",
        title="A blob is served under every repository, if it is asked for by sha512.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        also=(
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
        ),
        apply=_sha512_from_anywhere,
    ),
    Fault(
        name="sha512-location-short",
        title="The Location of a blob that is pushed by sha512 ends after 64 digits.",
        breaks=("PUSH-PUT-LOCATION-PULLABLE",),
        also=(
            "PUSH-PUT-LOCATION-PRESENT",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "PUSH-BLOB-SHA512-ACCEPTED",
            "BASE-DIGEST-SHA512",
        ),
        apply=_location_of_64_digits,
    ),
    Fault(
        name="sha512-blob-of-other-repositories",
        title="A blob is served under every repository by its sha512.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        also=(
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
        apply=_second_names_shared,
    ),
    Fault(
        name="sha512-blob-not-deleted",
        title="The deletion of a blob by its sha512 digest returns 202 and deletes nothing.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=("MGMT-BLOB-DELETE-HEAD-404", "MGMT-BLOB-DELETE-TWICE-404"),
        apply=_other_tree,
    ),
    Fault(
        name="sha512-blob-undeleted",
        title="The deletion of a blob by its sha512 digest returns 202, and the blob stays.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=("MGMT-BLOB-DELETE-HEAD-404", "MGMT-BLOB-DELETE-TWICE-404"),
        apply=_second_name_stays,
    ),
)
