"""Faults that show with some forms of requests."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from reference import errors
from reference.app import Registry
from reference.documents import Json
from reference.faults.conditions.edges.shared import refused
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, on, override
from reference.storage import Manifest

_FROM_ZERO = re.compile(r"\s*bytes=\s*0+-\s*")
_BOTH_ENDS = re.compile(r"\s*bytes=\s*(\d+)-(\d+)\s*")


def _zero_is_none(registry: Registry) -> None:
    """A first position of 0 counts as absent, and so the range as one of the last 0 bytes."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        return [] if found and _FROM_ZERO.fullmatch(request.headers.get("range")) else found

    override(registry.blobs, ranges=changed)


def _positions_as_text(registry: Registry) -> None:
    """First and last position are compared before they are numbers."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        match = _BOTH_ENDS.fullmatch(request.headers.get("range"))
        return [] if found and match is not None and match[1] > match[2] else found

    override(registry.blobs, ranges=changed)


def _first_of_the_list(request: Request, response: Response) -> None:
    """A 304 repeats the first entity tag that the client named."""
    named = [tag.strip() for tag in ",".join(request.headers.all("if-none-match")).split(",") if tag.strip()]
    if len(named) > 1:
        response.headers.set("ETag", named[0])


_MOST = (1 << 31) - 1
_CLOSED = re.compile(r"bytes=\d{1,10}-(\d{10,18})")


@around("manifest.get", "manifest.head")
async def _type_up_to_semicolon(registry: Registry, request: Request, handler: Handler) -> Response:
    """A type is what stands in front of the semicolon, a blank included."""
    manifest = registry.manifests.find(request.name, request.reference)
    if manifest is not None:
        items = [item.partition(";")[0].lstrip() for item in ",".join(request.headers.all("accept")).split(",")]
        known = {item.lower() for item in items}
        wanted = manifest.media_type.lower()
        if wanted in {item.rstrip() for item in known} and not known & {wanted, "*/*", "application/*"}:
            raise registry.manifests.unknown(request)
    return await handler(request)


def _last_position_signed(registry: Registry) -> None:
    """The last position of a range is a number of 32 bits with a sign, and negative beyond that."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        match = _CLOSED.fullmatch(request.headers.get("range"))
        if request.method == "GET" and match is not None and int(match[1]) > _MOST:
            return []
        return ranges(request, size)

    override(registry.blobs, ranges=changed)


def _capital_escapes(registry: Registry) -> None:
    """Who decodes the query knows escapes in capitals alone."""
    digests = registry.uploads.digests

    def changed(request: Request) -> list[str]:
        for digest in digests(request):
            if "%3a" in request.query.raw:
                raise errors.digest_invalid(digest.replace(":", "%3a"))
        return digests(request)

    override(registry.uploads, digests=changed)


_WORD = 0xFFFF
_PULLS = ("manifest.get", "manifest.head")


def _start_in_a_word(_request: Request, response: Response) -> None:
    """Where to begin is kept in 16 bits."""
    response.parts = [part if isinstance(part, bytes) else (part[0] & _WORD, part[1]) for part in response.parts]


@around("blob.head")
async def _encoded_for_head(_registry: Registry, request: Request, handler: Handler) -> Response:
    """HEAD looks for a digest as it is written in the URL."""
    response = await handler(request)
    if "%" in request.path.rpartition("/")[2]:
        if response.content is not None:
            response.content.close()
        raise errors.blob_unknown(request.reference)
    return response


def _types(request: Request, comma: str) -> set[str]:
    """The types of Accept, by how they are separated."""
    values = request.headers.all("accept")
    return {entry.partition(";")[0].strip() for value in values for entry in value.split(comma)}


@around(*_PULLS)
async def _split_at_blanks(_registry: Registry, request: Request, handler: Handler) -> Response:
    """The types of Accept are taken to be separated by a comma and a blank."""
    response = await handler(request)
    if response.status == 200:
        fitting = {response.headers.get("Content-Type"), "application/*", "*/*"}
        if fitting & _types(request, ",") and not fitting & _types(request, ", "):
            raise errors.RegistryError(406)
    return response


@around(*_PULLS)
async def _any_manifest_will_do(registry: Registry, request: Request, handler: Handler) -> Response:
    """A tag is not modified for who has a manifest of the repository, whichever."""
    response = await handler(request)
    known = ",".join(request.headers.all("if-none-match")).split(",")
    digests = [tag.strip().removeprefix("W/").strip('"') for tag in known]
    if ":" in request.reference or response.status != 200:
        return response
    if any(registry.storage.manifest(request.name, digest) for digest in digests):
        names = ("Docker-Content-Digest", "ETag")
        return Response(304, [(name, response.headers.get(name)) for name in names])
    return response


_TO_ZERO = re.compile(r"\s*bytes\s*=\s*0+-0+\s*", re.IGNORECASE)


def _zero_is_none_too(registry: Registry) -> None:
    """Ask for the truth of a number where it is there or not."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        wanted = ranges(request, size)
        return [(0, size)] if wanted and _TO_ZERO.fullmatch(request.headers.get("range")) else wanted

    override(registry.blobs, ranges=changed)


def _decoded_twice(registry: Registry) -> None:
    """Decode what the framework has decoded."""
    select = registry.referrers.select

    def changed(found: list[Json], artifact_type: str) -> list[Json]:
        return select(found, unquote_plus(artifact_type))

    override(registry.referrers, select=changed)


def _whole_entries(registry: Registry) -> None:
    """Compare an entry of Accept as a whole."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        entries = [entry.strip().lower() for entry in ",".join(request.headers.all("accept")).split(",")]
        media_type = manifest.media_type.lower()
        if media_type not in entries and any(entry.partition(";")[0].strip() == media_type for entry in entries):
            raise registry.manifests.unknown(request)
        return negotiate(request, manifest)

    override(registry.manifests, negotiate=changed)


FAULTS = (
    Fault(
        name="range-from-zero-without-end-416",
        title="A range of all bytes from the first on, 0-, returns 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=(
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
        ),
        apply=_zero_is_none,
    ),
    Fault(
        name="range-positions-compared-as-text",
        title="A range whose first position comes behind its last one in the alphabet, like 9-10, returns 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-TRUE",
            "PULL-BLOB-RANGE-IF-RANGE",
        ),
        apply=_positions_as_text,
    ),
    Fault(
        name="manifest-by-encoded-digest-refused",
        title="The push of a manifest by a digest whose colon is percent-encoded in the URL returns 400.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        also=("PUSH-MANIFEST-BY-DIGEST-PULLABLE", "PUSH-MANIFEST-IDEMPOTENT"),
        apply=refused(
            "manifest.put",
            when=lambda request: ":" in request.reference and "%3a" in request.path.rpartition("/")[2].lower(),
            error=lambda request: errors.digest_invalid(request.reference),
        ),
    ),
    Fault(
        name="etag-of-304-is-the-first-named",
        title="The 304 to several entity tags has the first of them for its ETag, whichever is the present one.",
        breaks=("PULL-CACHE-304-ETAG",),
        apply=on("blob.get", "blob.head", "manifest.get", "manifest.head", status=304, change=_first_of_the_list),
    ),
    Fault(
        name="blank-before-weight-hides-type",
        title="A type in Accept that has a blank in front of its weight does not count, and the manifest gets 404.",
        breaks=("PULL-ACCEPT-QVALUE",),
        also=("PULL-ACCEPT-LIST", "PULL-ACCEPT-EXACT", "PULL-MANIFEST-GET-TAG-200", "PULL-MANIFEST-HEAD-200"),
        apply=_type_up_to_semicolon,
    ),
    Fault(
        name="range-to-beyond-2-gib-refused",
        title="A range that begins in the blob and ends at 2,147,483,648 or later gets 416.",
        breaks=("PULL-BLOB-RANGE-CLIPPED", "PULL-BLOB-RANGE-UNSUPPORTED-200"),
        also=("PULL-BLOB-RANGE-206", "PULL-BLOB-RANGE-ADVERTISED-TRUE"),
        apply=_last_position_signed,
    ),
    Fault(
        name="digest-escaped-in-small-letters-refused",
        title="An upload is refused whose digest parameter has the colon as %3a, and not as %3A.",
        breaks=("PUSH-PUT-MONOLITHIC-201",),
        also=(
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-SINGLE-STATUS-201-OR-202",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-EMPTY-ACCEPTED",
            "PUSH-BLOB-SHA512-ACCEPTED",
            "PUSH-START-LOCATION-RESOLVABLE",
        ),
        apply=_capital_escapes,
    ),
    Fault(
        name="range-start-in-16-bits",
        title="A range that begins behind the first 64 KiB has the bytes of its start modulo 65,536.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        apply=on("blob.get", status=206, change=_start_in_a_word),
    ),
    Fault(
        name="head-of-an-encoded-digest-404",
        title="HEAD of a blob is answered 404 where the colon of its digest is percent-encoded.",
        breaks=("PULL-BLOB-HEAD-200",),
        also=("PULL-BLOB-HEAD-GET-AGREE",),
        apply=_encoded_for_head,
    ),
    Fault(
        name="accept-without-blanks-is-one-type",
        title="A list in Accept without a blank after its commas counts as one type, and the pull gets 406.",
        breaks=("PULL-ACCEPT-LIST",),
        also=("PULL-MANIFEST-GET-TAG-200", "PULL-MANIFEST-GET-DIGEST-200", "PULL-MANIFEST-HEAD-200"),
        apply=_split_at_blanks,
    ),
    Fault(
        name="condition-met-by-any-manifest",
        title="A pull by tag gets 304 where If-None-Match names another manifest of the repository.",
        breaks=("PULL-CACHE-FALSE-304",),
        also=("PULL-CONSIST-TAG-MOVE",),
        apply=_any_manifest_will_do,
    ),
    Fault(
        name="range-to-byte-zero-open",
        title="A range of the first byte alone is answered as one without an end.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_zero_is_none_too,
    ),
    Fault(
        name="referrers-filter-decoded-twice",
        title="An artifactType with a plus sign, rightly encoded in the filter of referrers, matches none.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_decoded_twice,
    ),
    Fault(
        name="accept-quality-part-of-type",
        title="A type with a quality in Accept does not count as accepted, and its manifest is answered 404.",
        breaks=("PULL-ACCEPT-QVALUE",),
        also=(
            "PULL-ACCEPT-LIST",
            "PULL-ACCEPT-EXACT",
            "PULL-ACCEPT-REPEATED-FIELD",
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-HEAD-200",
        ),
        apply=_whole_entries,
    ),
)
