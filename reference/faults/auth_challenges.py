"""Faults of scopes: what a challenge asks for, and what a token for less, or for others, opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reference import errors
from reference.app import Registry
from reference.faults.auth_access import checking, unchecked
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, Transform, answers, drop_header, override

if TYPE_CHECKING:
    # Its libraries take time to load, and most faults are none of its.
    from reference.auth.token import Scope, Tokens
    from reference.auth.trust import Verified
    from reference.tokens.access import Account
    from reference.tokens.access import Scope as Asked
    from reference.tokens.app import TokenService

PULL = "AUTH-CHALLENGE-SCOPE-PULL"
PUSH = "AUTH-CHALLENGE-SCOPE-PUSH"
GRAMMAR = "AUTH-CHALLENGE-SCOPE-GRAMMAR"
HEADER = "AUTH-CHALLENGE-HEADER"
SOURCE = "AUTH-MOUNT-SOURCE-SCOPE"
NO_READ = "PUSH-MOUNT-NO-READ-ACCESS"
SESSION = "AUTH-UPLOAD-SESSION-PROTECTED"
_CHALLENGE = "WWW-Authenticate"


def _tokens(registry: Registry) -> Tokens:
    found: Any = registry.authenticator
    if found is None or not hasattr(found, "trust"):
        raise AttributeError("this registry has no logins by token")
    tokens: Tokens = found
    return tokens


def _scoped(change: Callable[[str, Request], str], *operations: str, missing: bool = False) -> Apply:
    """Write the scope of challenges in another way; only those to requests without a token where ``missing``."""

    def apply(registry: Registry) -> None:
        tokens = _tokens(registry)
        challenge, write = tokens.challenge, tokens.scope_text

        def changed(request: Request, scopes: list[Scope], error: str = "") -> str:
            text = challenge(request, scopes, error)
            if request.operation not in operations or (missing and error):
                return text
            return text.replace(f'scope="{write(scopes)}"', change(write(scopes), request))

        override(tokens, challenge=changed)

    return apply


def _as(spell: Callable[[str], str]) -> Callable[[str, Request], str]:
    return lambda text, _request: f'scope="{spell(text)}"'


def _apart(text: str, request: Request) -> str:
    """A parameter for each action."""
    return f'scope="repository:{request.name}:pull",scope="repository:{request.name}:push"'


def _source_free(registry: Registry) -> None:
    """What a mount is from is not asked for."""
    override(_tokens(registry), source=lambda _request: None)


def _push_in_first_place(registry: Registry) -> None:
    """The right to push counts only where it is the first of a token."""
    trust = _tokens(registry).trust
    read = trust.read

    def changed(claims: Any) -> Verified:
        first, *rest = claims.get("access") or [{}]
        kept = [entry for entry in rest if "push" not in (entry.get("actions") or [])]
        return read({**claims, "access": [first, *kept] if first else []})

    override(trust, read=changed)


def _any_push_goes_on(registry: Registry) -> None:
    """An upload goes on with the right to push to any repository."""

    def around(registry: Registry, check: Any) -> Any:
        trust, token = _tokens(registry).trust, _tokens(registry).token

        async def changed(request: Request) -> None:
            try:
                await check(request)
            except errors.RegistryError:
                text = token(request)
                session = request.operation in ("upload.patch", "upload.put", "upload.get", "upload.delete")
                if not session or text is None:
                    raise
                if not any("push" in actions for actions in trust.verify(text).grants.values()):
                    raise

        return changed

    checking(around)(registry)


def _blobs_of_all(registry: Registry) -> None:
    """A blob is read by the name of any repository."""
    find, storage = registry.blobs.find, registry.storage

    def changed(name: str, digest: str) -> Any:
        return find(name, digest) or next(filter(None, (find(other, digest) for other in storage.repositories())), None)

    override(registry.blobs, find=changed)


def _denied_otherwise(registry: Registry) -> None:
    """A pull with a token for another repository is answered 403 with the code UNSUPPORTED."""
    tokens = _tokens(registry)
    refusal = tokens.refusal

    def changed(request: Request, scopes: list[Scope], error: str = "") -> errors.RegistryError:
        refused = refusal(request, scopes, error)
        if error == "insufficient_scope" and request.method in ("GET", "HEAD"):
            refused.status, refused.entries, refused.headers = 403, (errors.ErrorEntry("UNSUPPORTED"),), []
        return refused

    override(tokens, refusal=changed)


def _readers_push(service: TokenService) -> None:
    """Who may pull gets the right to push as well."""
    granted = service.granted

    def changed(account: Account, asked: Any) -> list[Asked]:
        from reference.tokens.access import Scope as Made  # noqa: PLC0415  as above

        found = granted(account, asked)
        return [Made(s.kind, s.name, ("pull", "push")) if "pull" in s.actions else s for s in found]

    override(service, granted=changed)


def _refusals(*operations: str, change: Transform) -> Apply:
    return answers(*operations, status=401, change=change)


def _other_case(_request: Request, response: Response) -> None:
    response.headers.set(_CHALLENGE, response.headers.get(_CHALLENGE).replace("pull", "read"))


def _fault(name: str, title: str, breaks: str | tuple[str, ...], apply: Apply, *also: str) -> Fault:
    named = (breaks,) if isinstance(breaks, str) else breaks
    return Fault(name=name, title=title, breaks=named, also=also, configuration="token", apply=apply)


FAULTS = (
    _fault(
        "scope-of-pull-missing",
        "The challenge to a HEAD of a manifest has no scope.",
        PULL,
        _scoped(lambda _text, _request: "", "manifest.head", missing=True),
    ),
    _fault(
        "scope-of-pull-is-read",
        "The challenge to a pull of a blob names the action read.",
        PULL,
        _refusals("blob.head", change=_other_case),
    ),
    _fault(
        "scope-of-pull-without-namespace",
        "The challenge to a pull of a manifest names the last part of the repository alone.",
        PULL,
        _scoped(_as(lambda text: f"repository:{text.rpartition('/')[2]}"), "manifest.get", missing=True),
    ),
    _fault(
        "scope-of-push-is-pull",
        "The challenge to a push of a manifest names pull alone.",
        PUSH,
        _scoped(_as(lambda text: text.replace(",push", "")), "manifest.put", missing=True),
    ),
    _fault(
        "scope-of-catalog-without-actions",
        "The challenge of the catalogue has no actions.",
        GRAMMAR,
        _scoped(_as(lambda _text: "registry:catalog"), "catalog.list", missing=True),
    ),
    _fault(
        "scope-with-semicolons",
        "The challenge to a push of a manifest has its actions apart by semicolons.",
        GRAMMAR,
        _scoped(_as(lambda text: text.replace(",", ";")), "manifest.put", missing=True),
        PUSH,
    ),
    _fault(
        "scope-repeated",
        "The challenge to a push of a manifest has a parameter scope for each action.",
        "AUTH-CHALLENGE-SCOPE-ONCE",
        _scoped(_apart, "manifest.put", missing=True),
    ),
    _fault(
        "scope-of-mount-without-source",
        "The challenge to a mount without a token names the target alone.",
        "AUTH-MOUNT-CHALLENGE-SCOPES",
        _scoped(_as(lambda text: text.split(" ", maxsplit=1)[0]), "upload.mount", missing=True),
    ),
    _fault(
        "mount-refused-to-both",
        "The right to push counts only where it is the first of a token.",
        "AUTH-MOUNT-BOTH-SCOPES",
        _push_in_first_place,
    ),
    _fault(
        "mount-without-rights-on-source",
        "A mount asks for no right on the repository that it is from.",
        (SOURCE, NO_READ),
        _source_free,
    ),
    _fault(
        "upload-goes-on-elsewhere",
        "An upload goes on with a token that is for another repository.",
        SESSION,
        _any_push_goes_on,
    ),
    _fault(
        "blobs-of-all-repositories",
        "A blob is read by the name of any repository.",
        "AUTH-NO-LEAK-BLOB-BY-OTHER-REPO",
        _blobs_of_all,
        "PULL-BLOB-OTHER-REPO-404",
        "PULL-BLOB-HEAD-OTHER-REPO-404",
    ),
    _fault(
        "pull-denied-otherwise",
        "A pull with a token for another repository is answered 403 with the code UNSUPPORTED.",
        "BASE-ERROR-403-DENIED",
        _denied_otherwise,
    ),
    Fault(
        name="readers-push",
        title="Who may pull gets tokens to push.",
        breaks=("AUTH-WRITE-DENIED", "AUTH-TOKEN-SUBSET-NOT-ERROR"),
        also=(SESSION,),
        configuration="token",
        tokens=_readers_push,
    ),
    _fault(
        "starts-for-readers",
        "An upload is started by whoever may pull.",
        "AUTH-WRITE-DENIED",
        unchecked("upload.start", when=lambda request: bool(request.headers.get("authorization"))),
        "AUTH-TOKEN-INSUFFICIENT-SCOPE-REFUSED",
        "AUTH-TOKEN-SUBSET-NOT-ERROR",
        "AUTH-TOKEN-OTHER-REPO-REFUSED",
        "AUTH-TOKEN-INVALID-REFUSED",
    ),
    _fault(
        "refusal-of-deletion-bare",
        "The 401 of a deletion has no challenge.",
        HEADER,
        _refusals("manifest.delete", "blob.delete", change=drop_header(_CHALLENGE)),
    ),
    _fault(
        "refusal-of-push-bare",
        "The 401 of a push of a manifest has no challenge.",
        HEADER,
        _refusals("manifest.put", change=drop_header(_CHALLENGE)),
        "PUSH-MANIFEST-INDEX-ACCEPTED",
        "PUSH-MANIFEST-STATUS-201",
    ),
    _fault(
        "refusal-of-list-bare",
        "The 401 of a list of tags has no challenge.",
        HEADER,
        _refusals("tags.list", change=drop_header(_CHALLENGE)),
    ),
)
