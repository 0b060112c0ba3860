"""What scenarios of deletion share: to delete something, and to wait until it is gone."""

from __future__ import annotations

from collections.abc import Callable

from conformance.client.exchange import Response
from conformance.client.registry import Repository
from conformance.given import ANY_MANIFEST
from conformance.judge import Blocked, Judge, Unsupported
from conformance.settings import Settings

OK = 200
ACCEPTED = 202
NOT_FOUND = 404
#: How a deletion that is switched off is refused.
DISABLED = (400, 405)
#: A matter of rights, and never a finding.
FORBIDDEN = frozenset({401, 403})


def deleted(answer: Response, kind: str) -> Response:
    """Return the answer to a deletion that is accepted; ``kind`` is MANIFEST, TAG or BLOB."""
    if answer.status == ACCEPTED:
        return answer
    if answer.ok:
        raise Blocked(f"MGMT-{kind}-DELETE-202", "status 202 to a deletion", answer)
    if answer.status in FORBIDDEN or answer.status in DISABLED:
        raise Unsupported(f"the target refuses the deletion (status {answer.status})")
    raise Blocked(f"MGMT-{kind}-DELETE-DISABLED-400-405", "status 202, or a refusal with 400 or 405", answer)


def judge_deletion(judge: Judge, answer: Response, kind: str) -> bool:
    """Judge the answer to the deletion of something that is there; return whether it was deleted."""
    success, refusal = f"MGMT-{kind}-DELETE-202", f"MGMT-{kind}-DELETE-DISABLED-400-405"
    if answer.ok:
        judge.unsupported(refusal, "the deletion is offered")
        return judge.status(success, answer, ACCEPTED, when="to a deletion")
    if answer.status in FORBIDDEN:
        for requirement in (success, refusal):
            judge.unsupported(requirement, f"access control refuses the deletion (status {answer.status})")
        return False
    if judge.status(refusal, answer, *DISABLED, when="to a deletion that is not offered"):
        judge.unsupported(success, f"the deletion is not offered (status {answer.status})")
    else:
        judge.inconclusive(success, f"blocked by {refusal}")
    return False


def gone(settings: Settings, ask: Callable[[], Response]) -> Response:
    """Return the answer to a read, waiting for a 404 as long as the target has time to settle."""
    return settings.ask(ask, lambda answer: answer.status == NOT_FOUND)


def manifest_gone(settings: Settings, repo: Repository, reference: str) -> Response:
    """Read a deleted manifest until it is gone."""
    return gone(settings, lambda: repo.get_manifest(reference, ANY_MANIFEST))


def blob_gone(settings: Settings, repo: Repository, digest: str) -> Response:
    """Read a deleted blob until it is gone."""
    return gone(settings, lambda: repo.get_blob(digest))
