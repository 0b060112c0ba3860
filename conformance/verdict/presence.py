"""Whether an answer shows content as served, as absent, or as neither (unclear).

A read that gives the content serves it, whatever 2xx it has. A refusal (4xx) says that the content
is absent. Anything else is unclear: it decides nothing, and is a breach of the requirement of that
read. A success that an operation does not have is a breach of that operation alone, whatever was
asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from conformance.client.digests import is_digest_of
from conformance.client.http.exchange import Exchange, Response
from spec.document import load, operations

_PARTIAL = 206
#: The requirement of the success of an operation; of two, the first is that of a tag and the second
#: that of a digest.
_SUCCESS: Mapping[str, tuple[str, ...]] = {
    "base.get": ("BASE-V2-STATUS-SET",),
    "manifest.get": ("PULL-MANIFEST-GET-TAG-200", "PULL-MANIFEST-GET-DIGEST-200"),
    "manifest.head": ("PULL-MANIFEST-HEAD-200",),
    "manifest.put": ("PUSH-MANIFEST-STATUS-201",),
    "manifest.delete": ("MGMT-TAG-DELETE-202", "MGMT-MANIFEST-DELETE-202"),
    "blob.get": ("PULL-BLOB-GET-200",),
    "blob.head": ("PULL-BLOB-HEAD-200",),
    "blob.delete": ("MGMT-BLOB-DELETE-202",),
    "upload.start": ("PUSH-START-STATUS-202",),
    "upload.start-digest": ("PUSH-SINGLE-STATUS-201-OR-202",),
    "upload.mount": ("PUSH-MOUNT-STATUS",),
    "upload.patch": ("PUSH-PATCH-STATUS-202",),
    "upload.put": ("PUSH-PUT-MONOLITHIC-201",),
    "upload.get": ("PUSH-STATUS-204",),
    "upload.delete": ("PUSH-CANCEL-204",),
    "tags.list": ("DISC-TAGS-STATUS-200",),
    "catalog.list": ("DISC-CATALOG-SHAPE",),
    "referrers.list": ("DISC-REFERRERS-STATUS-200",),
}
#: The requirement of the answer to what is not there.
_ABSENT: Mapping[str, str] = {
    "manifest.get": "PULL-MANIFEST-GET-UNKNOWN-404",
    "manifest.head": "PULL-MANIFEST-HEAD-UNKNOWN-404",
    "blob.get": "PULL-BLOB-GET-UNKNOWN-404",
    "blob.head": "PULL-BLOB-HEAD-UNKNOWN-404",
}


@dataclass(frozen=True, slots=True)
class _Operation:
    """The successes of an operation; ``others`` tells that the document has more of them."""

    method: str
    statuses: tuple[int, ...]
    others: bool


@cache
def _operations() -> Mapping[str, _Operation]:
    """The successes of each operation, as the OpenAPI document has them."""
    found: dict[str, _Operation] = {}
    for operation in operations(load()):
        statuses = [str(status) for status in operation.node["responses"]]
        successes = tuple(int(status) for status in statuses if status.isdigit() and status.startswith("2"))
        known = _Operation(operation.method.upper(), successes, "2XX" in statuses)
        found |= dict.fromkeys(operation.ids, known)
    return found


def _other_success(exchange: Exchange) -> str:
    """Return the requirement that an exchange breaks by a success its operation does not have."""
    answer, requirements = exchange.response, _SUCCESS.get(exchange.operation)
    if answer is None or requirements is None or not answer.ok:
        return ""
    operation = _operations()[exchange.operation]
    if exchange.request.method != operation.method or answer.status in operation.statuses:
        return ""
    return requirements[-1 if ":" in exchange.parameters.get("reference", "") else 0]


def breach_of(answer: Response) -> str:
    """Return the requirement that an answer breaks by its success; empty if none."""
    return _other_success(answer.trail[-1]) if answer.trail else ""


def root_of(requirement: str, answers: Iterable[Response]) -> str:
    """Return the requirement that explains a breach: one that an answer breaks by its success."""
    return next((root for answer in answers if (root := breach_of(answer)) not in {"", requirement}), "")


def breach(exchange: Exchange) -> tuple[str, str] | None:
    """Return the requirement that an exchange breaks by its success, and what was expected."""
    requirement = _other_success(exchange)
    operation = _operations().get(exchange.operation)
    if not requirement or operation is None or operation.others:
        return None
    return requirement, f"status {' or '.join(map(str, operation.statuses))}, where it is a success"


def served(answer: Response, content: bytes) -> bool:
    """Whether an answer gives exactly some bytes, with whatever success but that of a part."""
    return answer.ok and answer.status != _PARTIAL and not answer.failure and answer.body == content


def absent(answer: Response) -> bool:
    """Whether an answer says that what was asked for is not there."""
    return answer.refused


def unclear(answer: Response, stored: bytes = b"") -> str:
    """Return the requirement that an unclear answer to a read breaks; empty if it is clear.

    A pull by digest serves what that digest fits, or what was sent and may be ``stored`` under a
    wrong digest.
    """
    # The answer to a redirect of a pull is one to the pull.
    exchange = next((exchange for exchange in reversed(answer.trail) if exchange.operation in _ABSENT), None)
    if exchange is None or answer.refused or not answer.status:
        return ""
    requirement = _ABSENT[exchange.operation]
    if not answer.ok:
        return requirement
    # Of what breaks off, the beginning may be stored.
    if exchange.request.method == "HEAD" or answer.streamed or (stored and stored.startswith(answer.body)):
        return ""
    digest = exchange.parameters.get("reference") or exchange.parameters.get("digest", "")
    if ":" in digest:
        return requirement if is_digest_of(digest, answer.body) is False else ""
    return requirement if answer.error_codes is not None else ""
