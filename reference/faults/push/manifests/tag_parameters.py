"""Faults of the parameter tag of a push."""

from __future__ import annotations

from collections.abc import Callable

from reference.app import Registry
from reference.faults.shared import where_answer
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, around, on, override, set_header, wrap

_FEW = 5
_MANY = 100


def _unsaid(_request: Request, response: Response) -> None:
    response.headers.drop("OCI-Tag")


def _fails_where(condition: Callable[[list[str]], object]) -> Apply:
    def around(put: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            return Response(500) if condition(request.query.all("tag")) else await put(request)

        return changed

    return lambda registry: wrap(registry, ["manifest.put"], around)


def _told(change: Callable[[list[str]], list[str]]) -> Apply:
    """Name other tags in OCI-Tag."""

    def around(put: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await put(request)
            tags = response.headers.all("OCI-Tag")
            response.headers.drop("OCI-Tag")
            for tag in change(tags):
                response.headers.add("OCI-Tag", tag)
            return response

        return changed

    return lambda registry: wrap(registry, ["manifest.put"], around)


@around("manifest.put")
async def _told_and_not_made(registry: Registry, request: Request, handler: Handler) -> Response:
    """Name the tags in OCI-Tag and make none of them."""
    tags = registry.manifests.tags(request)
    request.query.pairs = [(key, value) for key, value in request.query.pairs if key != "tag"]
    response = await handler(request)
    for tag in tags if ":" in request.reference and response.status == 201 else ():
        response.headers.add("OCI-Tag", tag)
    return response


def _first_few(registry: Registry) -> None:
    tags = registry.manifests.tags

    def changed(request: Request) -> list[str]:
        return tags(request)[:_FEW]

    override(registry.manifests, tags=changed)


def _unchecked(registry: Registry) -> None:
    tags = registry.manifests.tags

    def changed(request: Request) -> list[str]:
        if ":" not in request.reference:
            return tags(request)
        return list(dict.fromkeys(request.query.all("tag")))[:_MANY]

    override(registry.manifests, tags=changed)


def _by_tag(request: Request, _response: Response) -> bool:
    return ":" not in request.reference


FAULTS = (
    Fault(
        name="tag-parameters-without-oci-tag",
        title="Tag parameters make tags, and OCI-Tag is never sent.",
        breaks=("PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED",),
        apply=on("manifest.put", change=_unsaid),
    ),
    Fault(
        name="tag-parameters-500",
        title="A push with tag parameters returns 500.",
        breaks=("PUSH-TAGPARAM-SUPPORTED",),
        apply=_fails_where(bool),
    ),
    Fault(
        name="oci-tag-lists-first-only",
        title="OCI-Tag names the first of several tags only.",
        breaks=("PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED",),
        apply=_told(lambda tags: tags[:1]),
    ),
    Fault(
        name="oci-tag-of-tags-not-made",
        title="OCI-Tag names the tags, and they are not made.",
        breaks=("PUSH-TAGPARAM-LISTED-TAG-RESOLVES",),
        apply=_told_and_not_made,
    ),
    Fault(
        name="tag-parameters-five",
        title="Tag parameters beyond the fifth are ignored.",
        breaks=("PUSH-TAGPARAM-TEN-TAGS",),
        apply=_first_few,
    ),
    Fault(
        name="tag-parameters-many-500",
        title="A push with more than a hundred tag parameters returns 500.",
        breaks=("PUSH-TAGPARAM-TOO-MANY-414",),
        apply=_fails_where(lambda tags: len(tags) > _MANY),
    ),
    Fault(
        name="tag-parameter-invalid-accepted",
        title="A tag parameter that is no tag is accepted.",
        breaks=("PUSH-TAGPARAM-INVALID-TAG-NOT-ACCEPTED",),
        # An answer that names so many has no room for its fields.
        also=("PUSH-TAGPARAM-TOO-MANY-414",),
        apply=_unchecked,
    ),
    Fault(
        name="oci-tag-after-push-by-tag",
        title="The answer to a push by tag lists a tag in OCI-Tag that nobody asked for.",
        breaks=("PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED",),
        seldom=True,
        apply=on("manifest.put", status=201, change=where_answer(_by_tag, set_header("OCI-Tag", "latest"))),
    ),
    Fault(
        name="oci-tag-after-push-by-digest",
        title="The answer to a push by digest lists a tag in OCI-Tag that nobody asked for.",
        breaks=("PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED",),
        seldom=True,
        apply=on(
            "manifest.put",
            status=201,
            change=where_answer(lambda *a: not _by_tag(*a) and not a[0].query.raw, set_header("OCI-Tag", "latest")),
        ),
    ),
)
