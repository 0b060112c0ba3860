"""Faults that show with sha512."""

from __future__ import annotations

import re

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override, wrap

_SHA512 = "sha512:"
_LOOSE = re.compile(r"sha512:[a-f0-9]{64,128}")


def _status_of_announced(registry: Registry) -> None:
    """Uploads for another algorithm than the usual one have a table of their own, and the status looks in one."""
    announced: set[str] = set()

    def start(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if request.query.get("digest-algorithm") == "sha512":
                announced.add(response.headers.get("Docker-Upload-UUID"))
            return response

        return changed

    def status(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.reference in announced:
                raise errors.upload_unknown(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ["upload.start"], start)
    wrap(registry, ["upload.get"], status)


def _children_by_sha256(registry: Registry) -> None:
    """The entries of an index are joined with a column that has the digests by sha256 alone."""
    holds = registry.manifests.holds

    def changed(name: str, digest: str) -> bool:
        return not digest.startswith(_SHA512) and holds(name, digest)

    override(registry.manifests, holds=changed)


@around("referrers.list")
async def _none_is_unknown(registry: Registry, request: Request, handler: Handler) -> Response:
    """Subjects by sha512 are in a table that was added later, where no row is an error."""
    if request.reference.startswith(_SHA512):
        registry.referrers.check_digest(request.reference)
        if not registry.storage.referrers(request.name, request.reference):
            raise errors.manifest_unknown(request.reference)
    return await handler(request)


def _length_of_either(registry: Registry) -> None:
    """The pattern for sha512 takes any number of digits from that of sha256 on."""
    check = registry.referrers.check_digest

    def changed(digest: str) -> None:
        if _LOOSE.fullmatch(digest) is None:
            check(digest)

    override(registry.referrers, check_digest=changed)


FAULTS = (
    Fault(
        name="status-of-upload-for-sha512-unknown",
        title="The status of an upload that was opened with digest-algorithm=sha512 is answered 404.",
        breaks=("PUSH-STATUS-204",),
        also=("PUSH-START-DIGEST-ALGORITHM-PARAM", "PUSH-STATUS-RESUME", "PUSH-STATUS-RANGE-VALUE"),
        apply=_status_of_announced,
    ),
    Fault(
        name="index-entries-by-sha512-absent",
        title="An index that lists a manifest by its sha512 digest is refused as if that manifest were absent.",
        breaks=("PUSH-MANIFEST-INDEX-ACCEPTED",),
        also=(
            "PUSH-MANIFEST-INDEX-NESTED",
            "PUSH-MANIFEST-INDEX-NO-PLATFORM",
            "PUSH-MANIFEST-MISSING-BLOB-CODE",
            "PUSH-MANIFEST-INDEX-MISSING-CHILD",
            "PUSH-MANIFEST-STATUS-201",
            "PULL-MANIFEST-SHA512",
            "PULL-TYPE-OCI-INDEX",
            "BASE-DIGEST-SHA512",
        ),
        apply=_children_by_sha256,
    ),
    Fault(
        name="no-referrers-by-sha512-is-404",
        title="The referrers of a sha512 digest that has none are answered 404.",
        breaks=("DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",),
        also=(
            "DISC-REFERRERS-STATUS-200",
            "DISC-REFERRERS-SUBJECT-DELETED",
            "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",
            "DISC-REFERRERS-UNSUPPORTED-404",
            "DISC-REFERRERS-ISOLATION-REPO",
            "DISC-REFERRERS-INDEX-SHAPE",
        ),
        apply=_none_is_unknown,
    ),
    Fault(
        name="referrers-of-half-a-sha512-answered",
        title="The referrers of a sha512 digest that has 64 digits are an empty list, and no error.",
        breaks=("DISC-REFERRERS-INVALID-DIGEST-400", "BASE-DIGEST-MALFORMED"),
        apply=_length_of_either,
    ),
)
