"""Faults of blobs that come from what a registry remembers under a wrong key or for too long."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.faults.conditions.blobs.shared import found_blobs
from reference.grammar import is_digest
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, override, wrap
from reference.resources import matches, ranges
from reference.storage import Mark, Upload
from reference.storage.memory import MemoryContent

_FIVE_DIGITS = re.compile(r"(\d{1,5})-(\d{1,5})")
_BLOCK = 512
_STRIKES = 2
_Key = tuple[str, str]


def _five_digits(registry: Registry) -> None:
    """The pattern of a Content-Range has room for five digits."""
    chunk = registry.uploads.chunk

    def changed(request: Request, upload: Upload) -> tuple[int | None, int | None]:
        header = request.headers.get("content-range").strip()
        if header and _FIVE_DIGITS.fullmatch(header) is None:
            raise registry.uploads.out_of_order(upload)
        return chunk(request, upload)

    override(registry.uploads, chunk=changed)


def _rewound_to_any_border(registry: Registry) -> None:
    """A chunk that begins where one ended before is one that is sent again: the upload goes on from there."""
    borders: defaultdict[str, dict[int, Mark]] = defaultdict(dict)
    patch = registry.handlers["upload.patch"]

    async def changed(request: Request) -> Response:
        upload = registry.uploads.find(request)
        known = borders[upload.identifier]
        start, _, _ = request.headers.get("content-range").strip().partition("-")
        place = int(start) if start.isdecimal() else 0
        if place in known and place < upload.size:
            await upload.rollback(known[place])
            for later in [border for border in known if border > place]:
                del known[later]
        response = await patch(request)
        known[upload.size] = upload.mark()
        return response

    registry.handlers["upload.patch"] = changed


def _one_digest_of_a_content(registry: Registry) -> None:
    """The digest is a column of the row of the content, and a push by another one writes over it."""
    commit, open_blob = registry.storage.commit_upload, registry.storage.open_blob

    def data(name: str, digest: str) -> bytes | None:
        content = open_blob(name, digest)
        return content.data if isinstance(content, MemoryContent) else None

    known: defaultdict[str, set[str]] = defaultdict(set)

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        name = upload.repository
        commit(upload, digests)
        pushed = data(name, digests[0])
        for other in known[name] - {*digests}:
            algorithm = other.partition(":")[0]
            if all(digest.partition(":")[0] != algorithm for digest in digests) and data(name, other) == pushed:
                registry.storage.delete_blob(name, other)
                known[name].discard(other)
        known[name].update(digests)

    override(registry.storage, commit_upload=committed)


def _uploads_anywhere(registry: Registry) -> None:
    """The route of uploads is any path with /uploads/ in it, and it comes ahead of that of blobs."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            name, _, session = request.path.removeprefix("/v2/").partition("/uploads/")
            if name and session:
                raise errors.upload_unknown(session)
            return await handler(request)

        return changed

    wrap(registry, ("blob.get", "blob.head", "blob.delete"), around)


def _own_copy_made_a_link(registry: Registry) -> None:
    """A mount makes a link, also in place of a copy that is there; the link breaks with what it leads to."""
    links: dict[_Key, str] = {}
    mounted, delete = registry.uploads.mounted, registry.storage.delete_blob

    def linked(source: str | None, name: str, digest: str) -> bool:
        own = registry.storage.has_blob(name, digest)
        done = mounted(source, name, digest)
        if done and own and source and source != name:
            links[name, digest] = source
        return done

    def deleted(name: str, digest: str) -> bool:
        done = delete(name, digest)
        links.pop((name, digest), None)
        for key in [key for key, source in links.items() if done and key[1] == digest and source == name]:
            links.pop(key, None)
            delete(*key)
        return done

    override(registry.uploads, mounted=linked)
    override(registry.storage, delete_blob=deleted)


def _two_strikes(registry: Registry) -> None:
    """A session whose chunk is refused for the second time is given up."""
    strikes: Counter[str] = Counter()
    patch = registry.handlers["upload.patch"]

    async def changed(request: Request) -> Response:
        upload = registry.uploads.find(request)
        try:
            return await patch(request)
        except errors.RegistryError as error:
            strikes[upload.identifier] += error.status == 416
            if strikes[upload.identifier] >= _STRIKES:
                registry.storage.discard_upload(upload)
            raise

    registry.handlers["upload.patch"] = changed


def _hole_at_the_end(registry: Registry) -> None:
    """Blocks of zeros are holes of a file, and a hole at the end does not make it longer."""

    def found(_name: str, _digest: str, content: Content | None) -> Content | None:
        if not isinstance(content, MemoryContent):
            return content
        data, block = content.data, bytes(_BLOCK)
        end = len(data)
        while end and end % _BLOCK == 0 and data[end - _BLOCK : end] == block:
            end -= _BLOCK
        return MemoryContent(data[:end]) if end < len(data) else content

    found_blobs(found)(registry)


def _validators_outlive(registry: Registry) -> None:
    """The validators are kept apart from the content, and a deletion does not go to them."""
    known: set[_Key] = set()

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            key = request.name, request.reference
            condition = ",".join(request.headers.all("if-none-match"))
            if key in known and condition and matches(condition, f'"{request.reference}"'):
                return Response(304, registry.blobs.headers(request.reference))
            response = await handler(request)
            if response.status == 200:
                known.add(key)
            return response

        return changed

    wrap(registry, ("blob.get", "blob.head"), around)


def _deleted_below(registry: Registry) -> None:
    """What is deleted is deleted in all folders below that of the repository."""
    remove = registry.blobs.remove

    def removed(name: str, digest: str) -> bool:
        done = remove(name, digest)
        for other in registry.storage.repositories():
            if done and other.startswith(f"{name}/"):
                registry.storage.delete_blob(other, digest)
        return done

    override(registry.blobs, remove=removed)


def _mounted_of_no_size(registry: Registry) -> None:
    """The row of a mounted blob has no size, by which ranges are looked at."""
    mounts: set[_Key] = set()
    mounted, commit = registry.uploads.mounted, registry.storage.commit_upload

    def linked(source: str | None, name: str, digest: str) -> bool:
        own = registry.storage.has_blob(name, digest)
        done = mounted(source, name, digest)
        if done and not own:
            mounts.add((name, digest))
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        mounts.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            header = request.headers.get("range")
            known = is_digest(request.reference) and registry.storage.has_blob(request.name, request.reference)
            if header and known and (request.name, request.reference) in mounts and ranges.parse(header, 0) == []:
                return Response(416, [("Content-Range", "bytes */0")])
            return await handler(request)

        return changed

    override(registry.uploads, mounted=linked)
    override(registry.storage, commit_upload=committed)
    wrap(registry, ("blob.get",), around)


_CHUNKED = (
    "PUSH-PATCH-CHUNKS-CONCATENATED",
    "PUSH-PUT-FINAL-CHUNK-CLOSES",
    "PUSH-PUT-NO-BODY-CLOSES",
    "PUSH-STATUS-RESUME",
    "PUSH-SESSION-PARALLEL-ISOLATED",
)

FAULTS = (
    Fault(
        name="content-range-of-five-digits",
        title="A chunk that ends at byte 100,000 or later gets 416.",
        breaks=("PUSH-PATCH-STATUS-202", "PUSH-INTERRUPTED-RESUME"),
        also=_CHUNKED,
        apply=_five_digits,
    ),
    Fault(
        name="rewind-to-any-border",
        title="A chunk that is not the first and is sent again is accepted again.",
        breaks=("PUSH-PATCH-REPEATED-416",),
        also=("PUSH-PATCH-OVERLAP-416",),
        apply=_rewound_to_any_border,
    ),
    Fault(
        name="one-digest-of-a-content",
        title="A blob is unknown by its digest once the same content is pushed by another algorithm.",
        breaks=("PUSH-BLOB-KEPT",),
        also=(
            "BASE-DIGEST-SHA512",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-200",
            "PULL-BLOB-HEAD-200",
        ),
        apply=_one_digest_of_a_content,
    ),
    Fault(
        name="uploads-anywhere-in-the-path",
        title="A blob is unknown in a repository that has uploads for a component behind the first.",
        breaks=("BASE-NAME-ACCEPTED-KEPT",),
        also=(
            "BASE-NAME-ROUTE-WORDS",
            "PULL-BLOB-GET-200",
            "PULL-BLOB-HEAD-200",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
        ),
        apply=_uploads_anywhere,
    ),
    Fault(
        name="mount-over-its-own-copy",
        title="A blob that was pushed and then mounted is gone once it is deleted where it was mounted from.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-BLOB-KEPT", "PUSH-MOUNT-BLOB-AVAILABLE"),
        apply=_own_copy_made_a_link,
    ),
    Fault(
        name="second-refused-chunk-ends-upload",
        title="An upload is unknown when two of its chunks were refused.",
        breaks=("PUSH-PATCH-416-STATE-UNCHANGED", "PUSH-PATCH-CONTENT-RANGE-MALFORMED-416"),
        also=(
            "PUSH-STATUS-204",
            "PUSH-STATUS-RESUME",
            "PUSH-PATCH-416-RANGE-TRUE",
            "PUSH-PATCH-REPEATED-416",
            "PUSH-PATCH-OVERLAP-416",
            "PUSH-PATCH-OUT-OF-ORDER-GAP-416",
        ),
        apply=_two_strikes,
    ),
    Fault(
        name="zeros-at-the-end-a-hole",
        title="A blob of whole blocks of 512 bytes, like a tar file, comes back without blocks of zeros at its end.",
        breaks=("PUSH-BLOB-BINARY-EXACT", "PUSH-BLOB-ODD-CONTENT-EXACT"),
        also=(
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-BLOB-KEPT",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-LARGE-EXACT",
        ),
        apply=_hole_at_the_end,
    ),
    Fault(
        name="validator-outlives-deletion",
        title="A blob that was pulled and deleted gets 304 on the condition of its former ETag.",
        breaks=("PULL-CACHE-UNKNOWN-NOT-304", "MGMT-BLOB-DELETE-HEAD-404"),
        also=("MGMT-BLOB-DELETE-GET-404", "PULL-BLOB-GET-UNKNOWN-404"),
        apply=_validators_outlive,
    ),
    Fault(
        name="blob-deletion-reaches-below",
        title="The deletion of a blob takes it from the repositories below, too.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-BLOB-KEPT", "PULL-BLOB-GET-200", "PULL-BLOB-HEAD-200"),
        apply=_deleted_below,
    ),
    Fault(
        name="range-of-a-mounted-blob-416",
        title="Any range of a blob that was mounted gets 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=(
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
            "PUSH-MOUNT-BLOB-AVAILABLE",
        ),
        apply=_mounted_of_no_size,
    ),
)
