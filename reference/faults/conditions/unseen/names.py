"""Faults of the names of repositories in URLs."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override

_READS = ("manifest.get", "manifest.head", "blob.get", "blob.head", "tags.list")


@around(*_READS)
async def _first_match(_registry: Registry, request: Request, handler: Handler) -> Response:
    """The route of referrers comes first, and takes any path that has the word."""
    _, found, rest = request.path.removeprefix("/v2/").partition("/referrers/")
    if found:
        raise errors.digest_invalid(rest)
    return await handler(request)


@around(*_READS)
async def _names_as_written(_registry: Registry, request: Request, handler: Handler) -> Response:
    if not request.path.startswith(f"/v2/{request.name}/"):
        raise errors.name_unknown(request.name)
    return await handler(request)


def _hosts_dropped(registry: Registry) -> None:
    check = registry.check_name

    def changed(request: Request) -> None:
        first, _, rest = request.name.partition("/")
        if "." in first and rest:
            request.name = rest
        check(request)

    override(registry, check_name=changed)


FAULTS = (
    Fault(
        name="word-referrers-in-a-name",
        title="What lies in a repository with a component that is the word referrers is answered 400.",
        breaks=("BASE-NAME-ACCEPTED-KEPT", "DISC-TAGS-NAME-RESERVED-WORD"),
        also=("BASE-NAME-ROUTE-WORDS", "DISC-TAGS-STATUS-200"),
        apply=_first_match,
    ),
    Fault(
        name="encoded-letter-in-a-name",
        title="A repository is unknown whose name has a percent-encoded letter in the URL.",
        breaks=("PULL-MANIFEST-GET-TAG-200", "PULL-BLOB-GET-200", "DISC-TAGS-STATUS-200"),
        also=("PULL-MANIFEST-GET-DIGEST-200", "PULL-MANIFEST-HEAD-200", "PULL-BLOB-HEAD-200"),
        apply=_names_as_written,
    ),
    Fault(
        name="first-component-taken-for-a-host",
        title="Repositories are one whose names differ in a first component with a dot, as example.com/a and a.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG", "DISC-TAGS-ISOLATION-REPO"),
        also=("DISC-TAGS-BODY-NAME", "PULL-BLOB-OTHER-REPO-404", "PUSH-BLOB-KEPT"),
        apply=_hosts_dropped,
    ),
)
