"""What scenarios of deletion share: to delete something, and to wait until it is gone."""

from __future__ import annotations

from collections.abc import Callable

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.settings import Settings
from conformance.target.content import ANY_MANIFEST
from conformance.target.policy import is_denied
from conformance.verdict.judge import Blocked, Judge, Unsupported

OK = 200
CREATED = 201
ACCEPTED = 202
NOT_FOUND = 404
#: How a deletion that is switched off is refused.
DISABLED = (400, 405)


def deleted(answer: Response, kind: str, *, used: bool = False) -> Response:
    """Return the answer to a deletion that is accepted; ``kind`` is MANIFEST, TAG or BLOB.

    What something else refers to is ``used``, and may be kept. Of the rest a refusal is held
    against the target, unless it refuses another one likewise (`conformance.target.policy`).
    """
    if answer.status == ACCEPTED:
        return answer
    if used and answer.refused and answer.status != NOT_FOUND:
        raise Unsupported(f"the target keeps content in use (status {answer.status})")
    raise Blocked(f"MGMT-{kind}-DELETE-202", "status 202 to a deletion, which the target accepts of others", answer)


def judge_deletion(judge: Judge, answer: Response, kind: str) -> bool:
    """Judge the deletion of something that is there; return whether it was deleted."""
    success, refusal = f"MGMT-{kind}-DELETE-202", f"MGMT-{kind}-DELETE-DISABLED-400-405"
    if answer.ok:
        judge.unsupported(refusal, "the deletion is offered")
        return judge.status(success, answer, ACCEPTED, when="to a deletion")
    if is_denied(answer):
        for requirement in (success, refusal):
            judge.unsupported(requirement, f"access control refuses the deletion (status {answer.status})")
        return False
    if judge.status(refusal, answer, *DISABLED, when="to a deletion that is not offered"):
        judge.unsupported(success, f"the deletion is not offered (status {answer.status})")
    else:
        judge.inconclusive(success, f"blocked by {refusal}")
    return False


def judge_disabled(judge: Judge, answer: Response, kind: str) -> None:
    """Judge that a deletion that is not offered is refused with 405 and UNSUPPORTED."""
    refused, code = f"MGMT-{kind}-DELETE-DISABLED-405", f"MGMT-{kind}-DELETE-DISABLED-CODE"
    if answer.status in DISABLED:
        judge.status(refused, answer, 405, when="to a deletion that is not offered")
        judge.code(code, answer, "UNSUPPORTED")
    else:
        for requirement in (refused, code):
            judge.unsupported(requirement, f"the deletion is not refused as disabled (status {answer.status})")


def gone(settings: Settings, ask: Callable[[], Response]) -> Response:
    """Return the answer to a read, waiting for a 404 as long as the target has time to settle."""
    return settings.ask(ask, lambda answer: answer.status == NOT_FOUND)


def manifest_gone(settings: Settings, repo: Repository, reference: str) -> Response:
    """Read a deleted manifest until it is gone."""
    return gone(settings, lambda: repo.get_manifest(reference, ANY_MANIFEST))


def blob_gone(settings: Settings, repo: Repository, digest: str) -> Response:
    """Read a deleted blob until it is gone."""
    return gone(settings, lambda: repo.get_blob(digest))
