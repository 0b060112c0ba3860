"""Faults of pulls that show in one form of asking, at one place of a blob, or the second time alone."""

from __future__ import annotations

from collections import Counter

from reference import errors
from reference.app import Registry
from reference.documents import INDEXES
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest

_OFFSET = 1 << 16
_CACHED = 1 << 20
_ACCEPT = 128


def _digest_as_asked(request: Request, response: Response) -> None:
    """The digest as it stands in the path."""
    raw = request.path.rpartition("/")[2]
    if "%" in raw and ":" in request.reference:
        response.headers.set("Docker-Content-Digest", raw)


def _offset_wraps(_request: Request, response: Response) -> None:
    """An offset of sixteen bits."""
    if len(response.parts) == 1 and isinstance(response.parts[0], tuple):
        start, length = response.parts[0]
        response.parts = [(start % _OFFSET, length)]


def _refusal_sticks(registry: Registry) -> None:
    """The Range that could not be satisfied stays with its connection for one pull more."""
    stuck: set[str] = set()

    def change(request: Request, response: Response) -> Response | None:
        if response.status == 416:
            stuck.add(request.address)
        elif response.status == 200 and request.address in stuck and response.content is not None:
            stuck.discard(request.address)
            size = response.content.size
            response.content.close()
            return Response(416, [("Content-Range", f"bytes */{size}"), ("Accept-Ranges", "bytes")])
        return None

    on("blob.get", change=change)(registry)


def _accept_cut(registry: Registry) -> None:
    """What is looked for in Accept is the type of an index, in its first 128 characters."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        accept = ", ".join(request.headers.all("accept")).lower()
        wanted = manifest.media_type.lower()
        if wanted in INDEXES and wanted in accept and wanted not in accept[:_ACCEPT] and "*/*" not in accept[:_ACCEPT]:
            raise errors.manifest_unknown(request.reference)
        return negotiate(request, manifest)

    override(registry.manifests, negotiate=changed)


def _cache_cuts(registry: Registry) -> None:
    """The second answer comes from a cache whose entries have a mebibyte at most."""
    answered: Counter[str] = Counter()

    def change(request: Request, response: Response) -> None:
        if len(response.body) <= _CACHED:
            return
        answered[request.path] += 1
        if answered[request.path] > 1:
            response.body = response.body[:_CACHED]

    on("manifest.get", status=200, change=change)(registry)


FAULTS = (
    Fault(
        name="digest-header-percent-encoded",
        title="Docker-Content-Digest is percent-encoded where the digest in the path is.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        also=(
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
        ),
        apply=on("blob.get", "blob.head", "manifest.get", "manifest.head", status=200, change=_digest_as_asked),
    ),
    Fault(
        name="range-offset-of-sixteen-bits",
        title="A range that begins at 65,536 or later has the bytes from its offset modulo 65,536 on.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-CLIPPED",
        ),
        apply=on("blob.get", status=206, change=_offset_wraps),
    ),
    Fault(
        name="whole-pull-refused-after-416",
        title="The pull of a whole blob is answered 416 on a connection whose last range could not be satisfied.",
        breaks=(
            "PULL-BLOB-GET-200",
            "PULL-CONSIST-REPEATABLE",
        ),
        also=(
            "PULL-BLOB-RANGE-416",
            "PULL-BLOB-HEAD-GET-AGREE",
        ),
        apply=_refusal_sticks,
    ),
    Fault(
        name="index-late-in-accept-unknown",
        title="An index is answered 404 where its type stands behind the first 128 characters of Accept.",
        breaks=("PULL-ACCEPT-LIST",),
        also=(
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-ACCEPT-REPEATED-FIELD",
            "PULL-ACCEPT-DOCKER-LIST",
        ),
        apply=_accept_cut,
    ),
    Fault(
        name="second-pull-of-large-manifest-cut",
        title="A manifest of more than a mebibyte ends there from the second GET of the same URL on.",
        breaks=("PULL-CONSIST-REPEATABLE",),
        also=(
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PUSH-MANIFEST-BYTES-EXACT",
        ),
        apply=_cache_cuts,
    ),
)
