"""Faults that show in some circumstances only: a size, a place, a moment, one request in so many."""

from __future__ import annotations

from collections.abc import Callable

from reference.app import Registry
from reference.messages import Content, Request, Response
from reference.modifications import Apply, Fault, drop_header, on, override
from reference.storage import Manifest
from reference.storage.memory import MemoryContent

_LARGE = 1 << 18


def _spoilt(where: Callable[[str, str, int], object]) -> Apply:
    """Give some blobs with their last byte changed; by repository, digest and size."""

    def apply(registry: Registry) -> None:
        find = registry.blobs.find

        def changed(name: str, digest: str) -> Content | None:
            content = find(name, digest)
            if not isinstance(content, MemoryContent) or not content.size or not where(name, digest, content.size):
                return content
            data = bytes(content.data)
            return MemoryContent(data[:-1] + bytes([data[-1] ^ 1]))

        override(registry.blobs, find=changed)

    return apply


def _one_in(count: int, change: Callable[[Request, Response], Response | None], *operations: str) -> Apply:
    """Change one answer in so many."""

    def apply(registry: Registry) -> None:
        seen = 0

        def seldom(request: Request, response: Response) -> Response | None:
            nonlocal seen
            seen += 1
            return change(request, response) if seen % count == 0 else None

        on(*operations, status=200, change=seldom)(registry)

    return apply


def _after_a_delete(registry: Registry) -> None:
    """A blob that was deleted and pushed again stays unknown."""
    remove, find, gone = registry.blobs.remove, registry.blobs.find, set[tuple[str, str]]()

    def removed(name: str, digest: str) -> bool:
        gone.add((name, digest))
        return remove(name, digest)

    override(
        registry.blobs,
        remove=removed,
        find=lambda name, digest: None if (name, digest) in gone else find(name, digest),
    )


def _large_manifest_cut(registry: Registry) -> None:
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        if len(manifest.content) > 1 << 20:
            manifest = Manifest(manifest.digest, manifest.media_type, manifest.content[: 1 << 20])
        put(name, manifest, subject)

    override(registry.storage, put_manifest=changed)


FAULTS = (
    Fault(
        name="blob-spoilt-when-large",
        title="The last byte of a blob above 256 KiB is another.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        apply=_spoilt(lambda _name, _digest, size: size > _LARGE),
    ),
    Fault(
        name="blob-spoilt-by-sha512",
        title="The last byte of a blob that is pulled by sha512 is another.",
        breaks=("BASE-DIGEST-SHA512",),
        apply=_spoilt(lambda _name, digest, _size: digest.startswith("sha512:")),
    ),
    Fault(
        name="blob-spoilt-in-names-with-two-dashes",
        title="The last byte of a blob in a repository whose name has two dashes in a row is another.",
        breaks=("BASE-NAME-ACCEPTED-KEPT", "PULL-BLOB-GET-BODY-EXACT"),
        apply=_spoilt(lambda name, _digest, _size: "--" in name),
    ),
    Fault(
        name="blob-unknown-after-its-deletion",
        title="A blob that was deleted and pushed again stays unknown.",
        breaks=("MGMT-BLOB-DELETE-REUPLOAD",),
        also=("PUSH-MOUNT-BLOB-AVAILABLE",),
        apply=_after_a_delete,
    ),
    Fault(
        name="manifest-cut-at-1-mib",
        title="A manifest is stored up to its first mebibyte.",
        breaks=("PUSH-MANIFEST-4MB-ACCEPTED", "PULL-MANIFEST-GET-DIGEST-BINDS-BODY", "PULL-MANIFEST-GET-BODY-EXACT"),
        # What is cut has no subject that could be read.
        also=("DISC-REFERRERS-COMPLETE",),
        apply=_large_manifest_cut,
    ),
    Fault(
        name="head-of-manifest-longer",
        title="HEAD of a manifest, and not GET, tells a length that is one too great.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        apply=on(
            "manifest.head",
            status=200,
            change=lambda _request, response: response.headers.set("Content-Length", str(response.length + 1)),
        ),
    ),
    Fault(
        name="manifest-digest-missing-one-in-fifty",
        title="One pull of a manifest in fifty has no Docker-Content-Digest.",
        # The contract sees it in whatever scenario it comes.
        breaks=("PULL-MANIFEST-GET-DCD",),
        # Two pulls that are compared may differ by it.
        also=("PULL-MANIFEST-TAG-DIGEST-AGREE", "PULL-CONSIST-REPEATABLE"),
        seldom=True,
        apply=_one_in(50, drop_header("Docker-Content-Digest"), "manifest.get"),
    ),
    Fault(
        name="blob-digest-missing-one-in-fifty",
        title="One pull of a blob in fifty has no Docker-Content-Digest.",
        breaks=("PULL-BLOB-GET-DCD",),
        also=("PULL-CONSIST-REPEATABLE",),
        seldom=True,
        apply=_one_in(50, drop_header("Docker-Content-Digest"), "blob.get"),
    ),
)
