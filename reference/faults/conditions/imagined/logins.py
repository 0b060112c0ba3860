"""Strange faults of tokens at the registry: what is remembered of them, and for whom."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.auth.trust import Verified
from reference.messages import Request
from reference.modifications import Fault, override
from reference.modifications.shared import tokens_of

_MEMORY = 4096


def _by_signature(registry: Registry) -> None:
    """What was verified is remembered by the signature of the token alone."""
    trust = tokens_of(registry).trust
    verify = trust.verify
    known: dict[str, Verified] = {}

    def changed(token: str) -> Verified:
        signature = token.rpartition(".")[2]
        if signature in known and token.count(".") == 2:
            return known[signature]
        verified = verify(token)
        if len(known) < _MEMORY:
            known[signature] = verified
        return verified

    override(trust, verify=changed)


def _by_connection(registry: Registry) -> None:
    """Whoever was let in keeps the right on the same connection, for the same repository and kind of request."""
    tokens = tokens_of(registry)
    check = tokens.check
    admitted: set[tuple[str, str, str]] = set()

    async def changed(request: Request) -> None:
        key = (request.address, request.name, request.operation)
        if request.headers.get("authorization") or key not in admitted:
            await check(request)
            admitted.add(key)

    override(tokens, check=changed)


def _head_with_any_token(registry: Registry) -> None:
    """HEAD of a blob wants a trusted token, of whatever scope."""
    tokens = tokens_of(registry)
    check = tokens.check

    async def changed(request: Request) -> None:
        try:
            await check(request)
        except errors.RegistryError as error:
            scope_missing = any("insufficient_scope" in value for _, value in error.headers)
            if not (scope_missing and request.operation == "blob.head"):
                raise

    override(tokens, check=changed)


FAULTS = (
    Fault(
        name="token-changed-before-its-signature-accepted",
        title="A token that was accepted is accepted with other claims under the same signature.",
        breaks=("AUTH-TOKEN-INVALID-REFUSED",),
        configuration="token",
        apply=_by_signature,
    ),
    Fault(
        name="rights-kept-with-the-connection",
        title="A request without a token is answered where the one before on its connection had one.",
        breaks=(
            "AUTH-CHALLENGE-401",
            "AUTH-WRITE-DENIED",
        ),
        also=("AUTH-NO-LEAK-READ",),
        configuration="token",
        apply=_by_connection,
    ),
    Fault(
        name="blob-head-with-a-token-of-any-scope",
        title="HEAD of a blob is answered to a token for another repository.",
        breaks=("AUTH-TOKEN-OTHER-REPO-REFUSED", "AUTH-NO-LEAK-HEAD"),
        configuration="token",
        apply=_head_with_any_token,
    ),
)
