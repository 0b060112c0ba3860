"""Faults of digests and their grammar."""

from __future__ import annotations

import re

from reference import errors
from reference.app import Registry
from reference.faults.shared import DIGEST_LENGTH
from reference.grammar import is_digest, is_supported
from reference.messages import Content, Request, Response
from reference.modifications import Fault, answers, override

_SHA256 = re.compile("sha256:[0-9a-f]+")


def _bad_digest_500(request: Request, response: Response) -> None:
    if b"DIGEST_INVALID" in response.body and request.method in ("GET", "HEAD"):
        response.status = 500


def _folded(registry: Registry) -> None:
    find = registry.blobs.find

    def check(digest: str) -> None:
        if not is_digest(digest.lower()):
            raise errors.digest_invalid(digest)

    override(registry.blobs, check_digest=check, find=lambda name, digest: find(name, digest.lower()))


def _unknown_algorithm_500(request: Request, response: Response) -> None:
    if is_digest(request.reference) and not is_supported(request.reference):
        response.status = 500


def _blobs_by_prefix(registry: Registry) -> None:
    """Look for a blob by as many digits as there are."""
    check, find, put = registry.blobs.check_digest, registry.blobs.find, registry.storage.commit_upload
    known: set[str] = set()

    def noted(upload: object, digests: list[str]) -> None:
        known.update(digests)
        put(upload, digests)  # type: ignore[arg-type]  # handed on as it came

    def lenient(digest: str) -> None:
        if not _SHA256.fullmatch(digest):
            check(digest)

    def nearest(name: str, digest: str) -> Content | None:
        near = [full for full in known if len(digest) > len("sha256:abc") and full.startswith(digest[:DIGEST_LENGTH])]
        return find(name, near[0] if near else digest)

    override(registry.storage, commit_upload=noted)
    override(registry.blobs, check_digest=lenient, find=nearest)


FAULTS = (
    Fault(
        name="digest-malformed-500",
        title="A malformed digest in a pull gets 500.",
        breaks=("BASE-DIGEST-MALFORMED",),
        # Docker alone wants 400; the reference of a manifest may be a malformed digest too.
        also=("PULL-MANIFEST-GET-BAD-REFERENCE", "DISC-REFERRERS-INVALID-DIGEST-400"),
        apply=answers(status=400, change=_bad_digest_500),
    ),
    Fault(
        name="digest-folded",
        title="A blob is served under its digest in upper case too.",
        breaks=("BASE-DIGEST-UPPERCASE-HEX",),
        apply=_folded,
    ),
    Fault(
        name="digest-of-unknown-algorithm-500",
        title="A pull by a digest of an unknown algorithm returns 500.",
        breaks=("BASE-DIGEST-UNKNOWN-ALGORITHM",),
        apply=answers("blob.get", "blob.head", change=_unknown_algorithm_500),
    ),
    Fault(
        name="blob-by-part-of-its-digest",
        title="A blob is found by a part of its digest.",
        breaks=("BASE-DIGEST-MALFORMED",),
        # The answer has the part where a digest belongs.
        also=("BASE-DIGEST-HEADER-GRAMMAR",),
        apply=_blobs_by_prefix,
    ),
)
