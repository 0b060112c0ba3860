"""Faults that show only where no scenario looks: they contradict what is known of the same content."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

from reference.app import Registry
from reference.documents import INDEXES, OCI_INDEX, OCI_MANIFEST
from reference.grammar import digest_of
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, Transform, on, set_header
from reference.storage.memory import MemoryContent

When = Callable[[Request, Response], object]
_OTHER = digest_of(b"something else")
_LARGER = 1000
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BLOBS = ("blob.get", "blob.head")
_PULLS = ("manifest.get", "manifest.head")


def _where(condition: When, change: Transform) -> Transform:
    """Change only some answers."""
    return lambda request, response: change(request, response) if condition(request, response) else None


def _begins(*magic: bytes) -> When:
    """Whether a blob begins with some bytes."""

    def condition(_request: Request, response: Response) -> bool:
        content = response.content
        return isinstance(content, MemoryContent) and content.data.startswith(magic)

    return condition


def _has(member: str) -> When:
    """Whether a manifest that is sent has a member."""
    return lambda _request, response: member in json.loads(response.body)


def _is_index(_request: Request, response: Response) -> bool:
    return response.headers.get("Content-Type") in INDEXES


def _by_sha512(request: Request, _response: Response) -> bool:
    return request.reference.startswith("sha512:")


def _is_larger(_request: Request, response: Response) -> bool:
    return response.length >= _LARGER


def _entries(least: int, most: int) -> When:
    """Whether a list of referrers has so many."""
    return lambda _request, response: least <= len(json.loads(response.body)["manifests"]) <= most


def _by_tag(request: Request, _response: Response) -> bool:
    return ":" not in request.reference


def _again(*operations: str, status: int, change: Transform) -> Apply:
    """Change the answers to what was asked for before, with the same path."""

    def apply(registry: Registry) -> None:
        seen: set[tuple[str, str]] = set()

        def known(request: Request, response: Response) -> bool:
            made = request.operation, response.headers.get("Location") or request.path
            before = made in seen
            seen.add(made)
            return before

        on(*operations, status=status, change=_where(known, change))(registry)

    return apply


def _pushed(condition: Callable[[dict[str, object]], object], change: Transform) -> Apply:
    """Change the 201 to some manifests."""

    def apply(registry: Registry) -> None:
        put = registry.storage.put_manifest
        last: dict[str, object] = {}

        def noting(name: str, manifest: object, subject: str | None) -> None:
            put(name, manifest, subject)  # type: ignore[arg-type]  # handed on as it is
            last.clear()
            last.update(json.loads(getattr(manifest, "content", b"{}")))

        registry.storage.put_manifest = noting  # type: ignore[method-assign]  # as `override` does
        on("manifest.put", status=201, change=_where(lambda *_: condition(last), change))(registry)

    return apply


def _later(operation: str, status: int, change: Transform) -> Apply:
    """Change the answers of uploads that had two before."""

    def apply(registry: Registry) -> None:
        seen: Counter[str] = Counter()

        def later(request: Request, _response: Response) -> bool:
            seen[request.path] += 1
            return seen[request.path] > 2

        on(operation, status=status, change=_where(later, change))(registry)

    return apply


def _longer(_request: Request, response: Response) -> None:
    response.headers.set("Content-Length", str(response.length + 1))


def _elsewhere(_request: Request, response: Response) -> None:
    """A Location with another digest, in place of the one it has or of a tag."""
    place = response.headers.get("Location").rpartition("/")[0]
    response.headers.set("Location", f"{place}/{_OTHER}")


def _one_more(_request: Request, response: Response) -> None:
    response.headers.set("Content-Range", response.headers.get("Content-Range") + "0")


def _range_less(_request: Request, response: Response) -> None:
    """A Range that ends one byte early."""
    last = int(response.headers.get("Range").rpartition("-")[2])
    response.headers.set("Range", f"0-{max(last - 1, 0)}")


_digest = set_header("Docker-Content-Digest", _OTHER)
_filter = set_header("OCI-Filters-Applied", "artifactType")


def _conditional(request: Request, _response: Response) -> bool:
    return "if-range" in request.headers


def _of_the_end(request: Request, _response: Response) -> bool:
    return request.headers.get("range").startswith("bytes=-")


def _deleted_in_one_place(registry: Registry) -> None:
    """The answer to the deletion of a blob is wrong where another repository holds it still."""

    def elsewhere(request: Request, _response: Response) -> bool:
        storage = registry.storage
        return any(storage.has_blob(name, request.reference) for name in storage.repositories())

    on("blob.delete", status=202, change=_where(elsewhere, _digest))(registry)


FAULTS = (
    Fault(
        name="digest-wrong-for-gzip-blobs",
        title="Docker-Content-Digest of a blob that is gzip data is that of something else.",
        breaks=("PULL-BLOB-GET-DCD-TRUE",),
        seldom=True,
        apply=on("blob.get", status=200, change=_where(_begins(_GZIP), _digest)),
    ),
    Fault(
        name="digest-wrong-for-parts",
        title="Docker-Content-Digest of a part of a blob is that of something else.",
        breaks=("PULL-BLOB-GET-DCD-TRUE",),
        seldom=True,
        apply=on("blob.get", status=206, change=_digest),
    ),
    Fault(
        name="digest-wrong-for-referrers",
        title="Docker-Content-Digest of a manifest with a subject is that of something else.",
        breaks=("PULL-MANIFEST-GET-DCD-TRUE",),
        seldom=True,
        apply=on("manifest.get", status=200, change=_where(_has("subject"), _digest)),
    ),
    Fault(
        name="head-digest-wrong-for-indexes",
        title="Docker-Content-Digest of the HEAD of an index is that of something else.",
        breaks=("PULL-MANIFEST-HEAD-DCD-TRUE",),
        seldom=True,
        apply=on("manifest.head", status=200, change=_where(_is_index, _digest)),
    ),
    Fault(
        name="digest-wrong-for-pushed-indexes",
        title="The answer to the push of an index has the Docker-Content-Digest of something else.",
        breaks=("PUSH-MANIFEST-DIGEST-HEADER-VALUE", "PUSH-MANIFEST-DIGEST-HEADER-TRUE"),
        seldom=True,
        apply=_pushed(lambda members: "manifests" in members, _digest),
    ),
    Fault(
        name="digest-wrong-for-manifests-pushed-again",
        title="The answer to the second push of a manifest has the Docker-Content-Digest of something else.",
        breaks=("PUSH-MANIFEST-DIGEST-HEADER-VALUE", "PUSH-MANIFEST-DIGEST-HEADER-TRUE"),
        seldom=True,
        apply=_again("manifest.put", status=201, change=_digest),
    ),
    Fault(
        name="digest-wrong-for-blobs-pushed-again",
        title="The answer to the second push of a blob has the Docker-Content-Digest of something else.",
        breaks=("PUSH-PUT-DIGEST-HEADER-VALUE",),
        seldom=True,
        apply=_again("upload.put", status=201, change=_digest),
    ),
    Fault(
        name="digest-wrong-for-single-post",
        title="The answer to a blob in one POST has the Docker-Content-Digest of something else.",
        breaks=("PUSH-PUT-DIGEST-HEADER-VALUE",),
        seldom=True,
        apply=on("upload.start-digest", status=201, change=_digest),
    ),
    Fault(
        name="digest-wrong-for-blobs-mounted-again",
        title="The answer to the second mount of a blob has the Docker-Content-Digest of something else.",
        breaks=("PUSH-MOUNT-DIGEST-HEADER",),
        seldom=True,
        apply=_again("upload.mount", status=201, change=_digest),
    ),
    Fault(
        name="location-of-another-index",
        title="The Location of an index that was pushed has another digest.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        seldom=True,
        apply=_pushed(lambda members: "manifests" in members, _elsewhere),
    ),
    Fault(
        name="location-of-another-manifest-pushed-again",
        title="The Location of a manifest that was pushed twice has another digest.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        seldom=True,
        apply=_again("manifest.put", status=201, change=_elsewhere),
    ),
    Fault(
        name="location-of-another-blob-pushed-again",
        title="The Location of a blob that was pushed twice has another digest.",
        breaks=("PUSH-PUT-LOCATION-PULLABLE",),
        seldom=True,
        apply=_again("upload.put", status=201, change=_elsewhere),
    ),
    Fault(
        name="location-of-another-blob-mounted-again",
        title="The Location of a blob that was mounted twice has another digest.",
        breaks=("PUSH-MOUNT-LOCATION-PULLABLE",),
        seldom=True,
        apply=_again("upload.mount", status=201, change=_elsewhere),
    ),
    Fault(
        name="type-wrong-for-referrers",
        title="An image with a subject is pulled as an index.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        seldom=True,
        apply=on(
            "manifest.get",
            status=200,
            change=_where(_has("subject"), set_header("Content-Type", OCI_INDEX)),
        ),
    ),
    Fault(
        name="type-wrong-for-artifacts",
        title="A manifest with an artifactType is pulled as JSON.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        seldom=True,
        apply=on(
            "manifest.get",
            status=200,
            change=_where(_has("artifactType"), set_header("Content-Type", "application/json")),
        ),
    ),
    Fault(
        name="head-type-wrong-for-indexes",
        title="The HEAD of an index has the type of an image.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        seldom=True,
        apply=on("manifest.head", status=200, change=_where(_is_index, set_header("Content-Type", OCI_MANIFEST))),
    ),
    Fault(
        name="head-length-wrong-for-indexes",
        title="The HEAD of an index has a Content-Length of one byte more.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        seldom=True,
        apply=on("manifest.head", status=200, change=_where(_is_index, _longer)),
    ),
    Fault(
        name="part-of-a-larger-whole-under-if-range",
        title="A range under If-Range names a whole that is ten times as long.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        seldom=True,
        apply=on("blob.get", status=206, change=_where(_conditional, _one_more)),
    ),
    Fault(
        name="coding-x-gzip-for-gzip-blobs",
        title="A blob that is gzip data is sent with Content-Encoding: x-gzip.",
        breaks=("PULL-BLOB-GET-NO-FALSE-CODING",),
        seldom=True,
        apply=on("blob.get", status=200, change=_where(_begins(_GZIP), set_header("Content-Encoding", "x-gzip"))),
    ),
    Fault(
        name="coding-zstd-for-zstd-blobs",
        title="A blob that is zstd data is sent with Content-Encoding: zstd.",
        breaks=("PULL-BLOB-GET-NO-FALSE-CODING",),
        seldom=True,
        apply=on("blob.get", status=200, change=_where(_begins(_ZSTD), set_header("Content-Encoding", "zstd"))),
    ),
    Fault(
        name="coding-false-for-indexes",
        title="An index is sent as it is, with Content-Encoding: gzip.",
        breaks=("PULL-MANIFEST-GET-CODING-TRUE",),
        seldom=True,
        apply=on("manifest.get", status=200, change=_where(_is_index, set_header("Content-Encoding", "gzip"))),
    ),
    Fault(
        name="coding-false-for-referrers",
        title="A manifest with a subject is sent as it is, with Content-Encoding: br.",
        breaks=("PULL-MANIFEST-GET-CODING-TRUE",),
        seldom=True,
        apply=on("manifest.get", status=200, change=_where(_has("subject"), set_header("Content-Encoding", "br"))),
    ),
    Fault(
        name="subject-wrong-for-indexes",
        title="OCI-Subject in the answer to an index is the digest of something else.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-VALUE",),
        seldom=True,
        apply=_pushed(lambda m: "manifests" in m and "subject" in m, set_header("OCI-Subject", _OTHER)),
    ),
    Fault(
        name="subject-of-indexes-without-one",
        title="The answer to an index without a subject has OCI-Subject.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",),
        seldom=True,
        apply=_pushed(lambda m: "manifests" in m and "subject" not in m, set_header("OCI-Subject", _OTHER)),
    ),
    Fault(
        name="tags-told-of-a-push-by-tag",
        title="The answer to a push by tag lists a tag in OCI-Tag that nobody asked for.",
        breaks=("PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED",),
        seldom=True,
        apply=on("manifest.put", status=201, change=_where(_by_tag, set_header("OCI-Tag", "latest"))),
    ),
    Fault(
        name="range-short-of-later-chunks",
        title="The Range of the third chunk of an upload, and of each that follows, ends one byte early.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        seldom=True,
        apply=_later("upload.patch", status=202, change=_range_less),
    ),
    Fault(
        name="range-short-after-later-chunks",
        title="The Range of the status of an upload of two chunks ends one byte early, if it was asked for before.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        seldom=True,
        apply=_later("upload.get", status=204, change=_range_less),
    ),
    Fault(
        name="digest-wrong-for-unchanged-blobs",
        title="Docker-Content-Digest of the 304 to a pull is that of something else.",
        breaks=("PULL-BLOB-GET-DCD-TRUE",),
        seldom=True,
        apply=on("blob.get", status=304, change=_digest),
    ),
    Fault(
        name="digest-wrong-for-artifacts",
        title="Docker-Content-Digest of a manifest with an artifactType is that of something else.",
        breaks=("PULL-MANIFEST-GET-DCD-TRUE",),
        seldom=True,
        apply=on("manifest.get", status=200, change=_where(_has("artifactType"), _digest)),
    ),
    Fault(
        name="head-digest-wrong-for-unchanged-blobs",
        title="Docker-Content-Digest of the 304 to a HEAD is that of something else.",
        breaks=("PULL-BLOB-HEAD-DCD-TRUE",),
        seldom=True,
        apply=on("blob.head", status=304, change=_digest),
    ),
    Fault(
        name="head-digest-wrong-for-larger-blobs",
        title="Docker-Content-Digest of the HEAD of a blob of a thousand bytes is that of something else.",
        breaks=("PULL-BLOB-HEAD-DCD-TRUE",),
        seldom=True,
        apply=on("blob.head", status=200, change=_where(_is_larger, _digest)),
    ),
    Fault(
        name="head-digest-wrong-by-sha512",
        title="Docker-Content-Digest of the HEAD of a manifest by sha512 is that of something else.",
        breaks=("PULL-MANIFEST-HEAD-DCD-TRUE",),
        seldom=True,
        apply=on("manifest.head", status=200, change=_where(_by_sha512, _digest)),
    ),
    Fault(
        name="digest-wrong-for-blobs-deleted-in-one-place",
        title="The deletion of a blob that another repository holds has the Docker-Content-Digest of something else.",
        breaks=("MGMT-BLOB-DELETE-HEADERS",),
        seldom=True,
        apply=_deleted_in_one_place,
    ),
    Fault(
        name="head-type-wrong-by-sha512",
        title="The HEAD of an image by sha512 has the type of an index.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        seldom=True,
        apply=on("manifest.head", status=200, change=_where(_by_sha512, set_header("Content-Type", OCI_INDEX))),
    ),
    Fault(
        name="head-length-wrong-by-sha512",
        title="The HEAD of a manifest by sha512 has a Content-Length of one byte more.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        seldom=True,
        apply=on("manifest.head", status=200, change=_where(_by_sha512, _longer)),
    ),
    Fault(
        name="head-length-wrong-for-configurations",
        title="The HEAD of a blob that is JSON has a Content-Length of one byte more.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        seldom=True,
        apply=on("blob.head", status=200, change=_where(_begins(b"{"), _longer)),
    ),
    Fault(
        name="head-length-wrong-of-blobs-by-sha512",
        title="The HEAD of a blob by sha512 has a Content-Length of one byte more.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        seldom=True,
        apply=on("blob.head", status=200, change=_where(_by_sha512, _longer)),
    ),
    Fault(
        name="part-of-a-larger-whole-at-the-end",
        title="The last bytes of a blob name a whole that is ten times as long.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        seldom=True,
        apply=on("blob.get", status=206, change=_where(_of_the_end, _one_more)),
    ),
    Fault(
        name="tags-told-of-a-push-by-digest",
        title="The answer to a push by digest lists a tag in OCI-Tag that nobody asked for.",
        breaks=("PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED",),
        seldom=True,
        apply=on(
            "manifest.put",
            status=201,
            change=_where(lambda *a: not _by_tag(*a) and not a[0].query.raw, set_header("OCI-Tag", "latest")),
        ),
    ),
    Fault(
        name="filter-told-of-empty-lists",
        title="An empty list of referrers comes with OCI-Filters-Applied, though no filter was asked for.",
        breaks=("DISC-REFERRERS-FILTER-HEADER-HONEST",),
        seldom=True,
        apply=on("referrers.list", status=200, change=_where(_entries(0, 0), _filter)),
    ),
    Fault(
        name="filter-told-of-longer-lists",
        title="A list of several referrers comes with OCI-Filters-Applied, though no filter was asked for.",
        breaks=("DISC-REFERRERS-FILTER-HEADER-HONEST",),
        seldom=True,
        apply=on("referrers.list", status=200, change=_where(_entries(2, 99), _filter)),
    ),
)
