"""Faults that look like what the specification leaves open: an optional part that is absent, a form that is free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference.app import Registry
from reference.faults.refusals_to_serve import instead
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, on, override, wrap

if TYPE_CHECKING:
    # Its libraries take time to load, and a registry has no use for them.
    from reference.tokens.app import TokenService

_REFUSAL = b'{"errors": [{"code": "DENIED"}]}'


def _fails(request: Request) -> Response:
    """Break down."""
    return Response(500, [("Content-Type", "application/json")], b'{"errors": [{"code": "UNKNOWN"}]}')


def _forbidden(request: Request) -> Response:
    return Response(403, [("Content-Type", "application/json")], _REFUSAL)


def _post_fails(service: TokenService) -> None:
    async def post(request: Request) -> Response:
        return _fails(request)

    override(service, post=post)


def _unsaid(_request: Request, response: Response) -> None:
    response.headers.drop("OCI-Tag")


def _filtered_in_part(applies: Any) -> Apply:
    """Filter referrers by some types, and give all of them without a word for others."""

    def apply(registry: Registry) -> None:
        select = registry.referrers.select

        def changed(found: list[dict[str, Any]], wanted: str) -> list[dict[str, Any]]:
            return select(found, wanted) if applies(wanted) else found

        def unsaid(request: Request, response: Response) -> None:
            if not applies(request.query.get("artifactType") or ""):
                response.headers.drop("OCI-Filters-Applied")

        override(registry.referrers, select=changed)
        on("referrers.list", change=unsaid)(registry)

    return apply


def _no_json(_request: Request, response: Response) -> None:
    """Break the JSON of a refusal that says it has some."""
    if response.status >= 400 and response.body:
        response.body = response.body[:-1]


def _endless(registry: Registry) -> None:
    """Behind the last page of tags stands an empty one, and behind that another."""
    count = 0

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            nonlocal count
            response = await handler(request)
            # A page of none has nothing behind it.
            if (request.query.get("n") or "0") != "0" and response.status == 200 and "Link" not in response.headers:
                count += 1
                response.headers.add("Link", f'<{request.path}?n=1&last={"~" * 3}{count}>; rel="next"')
            return response

        return changed

    wrap(registry, ["tags.list"], around)


def _coded(_request: Request, response: Response) -> None:
    """Say a coding that the bytes do not have, and that nobody asked for."""
    if "gzip" in _request.headers.get("accept-encoding"):
        response.headers.set("Content-Encoding", "compress")


def _part_whatever_the_condition(registry: Registry) -> None:
    """Give weak validators, and pay no heed to If-Range."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            request.headers.drop("if-range")
            return await handler(request)

        return changed

    wrap(registry, ["blob.get"], around)


def _unknown_where_odd(_request: Request, response: Response) -> Response | None:
    """Know no manifest of a type that is none of OCI's and Docker's."""
    if not response.headers.get("content-type").startswith("application/vnd.example."):
        return None
    return Response(404, [("Content-Type", "application/json")], b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')


FAULTS = (
    Fault(
        name="referrers-403-with-subject",
        title="Lists of referrers are answered 403, though a push with a subject says that they are kept.",
        breaks=("DISC-REFERRERS-STATUS-200",),
        apply=instead("referrers.list", when=lambda _: True, answer=_forbidden),
    ),
    Fault(
        name="single-post-500",
        title="A POST with the whole blob is answered 500.",
        breaks=("PUSH-SINGLE-STATUS-201-OR-202",),
        apply=instead("upload.start-digest", when=lambda _: True, answer=_fails),
    ),
    Fault(
        name="mount-500",
        title="A mount is answered 500.",
        breaks=("PUSH-MOUNT-STATUS",),
        apply=instead("upload.mount", when=lambda _: True, answer=_fails),
    ),
    Fault(
        name="extensions-500",
        title="The discovery of extensions is answered 500.",
        breaks=("DISC-EXT-DISCOVER-SHAPE",),
        apply=instead("ext.discover", when=lambda _: True, answer=_fails),
    ),
    Fault(
        name="catalog-500",
        title="The catalogue is answered 500.",
        breaks=("DISC-CATALOG-SHAPE",),
        apply=instead("catalog.list", when=lambda _: True, answer=_fails),
    ),
    Fault(
        name="tag-parameters-unsaid",
        title="Tag parameters make tags, and OCI-Tag is never sent.",
        breaks=("PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED",),
        apply=on("manifest.put", change=_unsaid),
    ),
    Fault(
        name="oauth-500",
        title="The token service answers each POST with 500.",
        breaks=("AUTH-OAUTH-POST-RESPONSE",),
        configuration="token",
        tokens=_post_fails,
    ),
    Fault(
        name="referrers-filter-for-configs-ignored",
        title="The filter of referrers passes over types that come from a configuration.",
        breaks=("DISC-REFERRERS-FILTER-SUPPORTED",),
        apply=_filtered_in_part(lambda wanted: "config" not in wanted),
    ),
    Fault(
        name="referrers-filter-ignored-where-nothing-fits",
        title="The filter of referrers gives all of them where none is of the type.",
        breaks=("DISC-REFERRERS-FILTER-SUPPORTED",),
        apply=_filtered_in_part(lambda wanted: "signature" not in wanted),
    ),
    Fault(
        name="error-json-cut",
        title="The JSON of a refusal lacks its last byte.",
        breaks=("BASE-ERROR-JSON-SHAPE",),
        also=("BASE-ERROR-JSON-PRESENT",),
        apply=answers(change=_no_json),
    ),
    Fault(
        name="tags-pages-without-end",
        title="Behind each page of tags stands another one.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        apply=_endless,
    ),
    Fault(
        name="manifest-coding-unasked",
        title="A manifest for a client that takes gzip comes with a coding that is none of it.",
        breaks=("PULL-MANIFEST-GET-CODING-TRUE",),
        apply=on("manifest.get", status=200, change=_coded),
    ),
    Fault(
        name="blob-coding-unasked",
        title="A blob for a client that takes gzip comes with a coding that is none of it.",
        breaks=("PULL-BLOB-GET-NO-FALSE-CODING",),
        apply=on("blob.get", status=200, change=_coded),
    ),
    Fault(
        name="manifest-of-odd-type-unserved",
        title="A manifest of an unknown type is accepted, and unknown when it is pulled.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        apply=on("manifest.get", "manifest.head", status=200, change=_unknown_where_odd),
    ),
    Fault(
        name="if-range-passed-over-beside-weak-etags",
        title="A range is given whatever If-Range says; validators are weak.",
        breaks=("PULL-BLOB-RANGE-IF-RANGE",),
        variants=("etags-weak",),
        apply=_part_whatever_the_condition,
    ),
)
