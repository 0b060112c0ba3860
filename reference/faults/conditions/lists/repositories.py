"""Faults of lists that show in repositories with some names."""

from __future__ import annotations

import json

from reference import errors
from reference.app import Registry
from reference.documents import Json
from reference.faults.conditions.lists.shared import listed_again
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap

_LAST_COMPONENT = 7
_LONGEST = 255
#: How deep sessions are looked for, and how many parts of an upload are hashed.
_DEPTH = 8
_LINK_BUFFER = 256
#: As many components a name is taken apart into.
_COMPONENTS = 5
_NAME_COLUMN = 128


def _two_components(registry: Registry) -> None:
    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if "/" not in request.name:
                raise errors.no_such_endpoint(request.path)
            return await handler(request)

        return changed

    wrap(registry, ["referrers.list"], around)


def _library_in_front(registry: Registry) -> None:
    """A name without a slash is told with the namespace that it is kept in."""
    document = registry.tags.document

    def changed(name: str, tags: list[str]) -> dict[str, object]:
        return document(name if "/" in name else f"library/{name}", tags)

    override(registry.tags, document=changed)


def _seven_components_linked(request: Request, response: Response) -> None:
    """The pattern of the link has seven groups."""
    parts = request.name.split("/")
    if len(parts) > _LAST_COMPONENT and "Link" in response.headers:
        cut = "/".join(parts[:_LAST_COMPONENT])
        response.headers.set("Link", response.headers.get("Link").replace(f"/{request.name}/", f"/{cut}/", 1))


def _two_underscores_decoded(registry: Registry) -> None:
    """Two underscores are read as the slash that they stand for in file names."""
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        return collect(name.replace("__", "/"), subject)

    override(registry.referrers, collect=changed)


def _library(request: Request, response: Response) -> Response | None:
    if "/" in request.name:
        return None
    document = {**json.loads(response.body), "name": f"library/{request.name}"}
    return listed_again(response, document)


def _link_cut(request: Request, response: Response) -> None:
    link = response.headers.get("link")
    if len(request.name) == _LONGEST and link:
        response.headers.set("Link", link.replace(request.name, request.name[:-1], 1))


def _no_route(request: Request, _response: Response) -> Response | None:
    """The pattern of the route has up to seven components."""
    if len(request.name.split("/")) < _DEPTH:
        return None
    error = errors.no_such_endpoint(request.path)
    return Response(404, [("Content-Type", "application/json")], error.body())


def _tags_name_in_library(registry: Registry) -> None:
    document = registry.tags.document
    override(
        registry.tags,
        document=lambda name, tags: document(name if "/" in name else f"library/{name}", tags),
    )


def _link_in_a_buffer(_request: Request, response: Response) -> None:
    link = response.headers.get("Link")
    if len(link) > _LINK_BUFFER:
        response.headers.set("Link", link[:_LINK_BUFFER])


def _last_components(registry: Registry) -> None:
    """A name is put together from the groups of a pattern."""
    document = registry.tags.document

    def changed(name: str, tags: list[str]) -> dict[str, object]:
        return document("/".join(name.split("/")[-_COMPONENTS:]), tags)

    override(registry.tags, document=changed)


def _name_in_column(registry: Registry) -> None:
    """The name comes from a column, not from the request."""
    document = registry.tags.document
    override(registry.tags, document=lambda name, tags: document(name[:_NAME_COLUMN], tags))


FAULTS = (
    Fault(
        name="referrers-in-one-component-404",
        title="The referrers in a repository of one component get 404.",
        breaks=("DISC-REFERRERS-STATUS-200", "DISC-REFERRERS-ABSENT-SUBJECT-EMPTY", "BASE-NAME-PLAIN"),
        also=("PUSH-MANIFEST-OCI-SUBJECT-ONLY-IF-REFERRERS", "DISC-REFERRERS-COMPLETE"),
        apply=_two_components,
    ),
    Fault(
        name="tags-of-single-component-in-library",
        title="The tag list of a repository whose name has one component calls it library/NAME.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_library_in_front,
    ),
    Fault(
        name="link-of-eight-components-cut",
        title="The Link of a tag list leaves out the eighth component of the repository's name.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=("DISC-TAGS-LINK-SYNTAX", "DISC-TAGS-N-SHORT-PAGE"),
        apply=on("tags.list", status=200, change=_seven_components_linked),
    ),
    Fault(
        name="referrers-with-two-underscores-of-another",
        title="A repository with two underscores in its name lists the referrers of the one with a slash there.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-ISOLATION-REPO", "DISC-REFERRERS-COMPLETE-INDEX", "BASE-NAME-REPEATED-SEPARATOR"),
        apply=_two_underscores_decoded,
    ),
    Fault(
        name="tags-of-one-component-in-the-library",
        title="The list of tags of a repository of one component has library/ before the name.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_library_in_front,
    ),
    Fault(
        name="single-name-in-library",
        title="The list of tags of a repository of one component names it library/NAME.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=on("tags.list", status=200, change=_library),
    ),
    Fault(
        name="longest-name-link-cut",
        title="The Link of a page of tags lacks the last character of a name of 255.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=("DISC-TAGS-LINK-PRESENT-WHEN-MORE", "DISC-TAGS-N-SHORT-PAGE", "DISC-TAGS-LINK-SYNTAX"),
        apply=on("tags.list", status=200, change=_link_cut),
    ),
    Fault(
        name="single-component-library",
        title="The list of tags of a repository whose name has one component names it with library/ before.",
        breaks=("DISC-TAGS-BODY-NAME",),
        also=("DISC-TAGS-ISOLATION-REPO",),
        apply=_library_in_front,
    ),
    Fault(
        name="deep-name-without-referrers",
        title="Referrers return 404 in a repository whose name has eight components or more.",
        breaks=("DISC-REFERRERS-STATUS-200",),
        also=(
            "DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",
            "DISC-REFERRERS-INDEX-SHAPE",
            "DISC-REFERRERS-CONTENT-TYPE",
            "PUSH-MANIFEST-OCI-SUBJECT-ONLY-IF-REFERRERS",
            "DISC-REFERRERS-SUBJECT-DELETED",
            "DISC-REFERRERS-COMPLETE",
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
        ),
        apply=on("referrers.list", change=_no_route),
    ),
    Fault(
        name="tags-name-in-library",
        title="The list of tags of a repository of one component is that of one in library.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_tags_name_in_library,
    ),
    Fault(
        name="link-of-256-characters",
        title="The Link of a page of tags ends after 256 characters, as it does for a name of full length.",
        breaks=("DISC-TAGS-LINK-SYNTAX",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-LINK-PRESENT-WHEN-MORE", "DISC-TAGS-N-SHORT-PAGE"),
        apply=on("tags.list", status=200, change=_link_in_a_buffer),
    ),
    Fault(
        name="tags-name-of-last-components",
        title="The name in the list of tags has the last five components of a longer one.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_last_components,
    ),
    Fault(
        name="tags-name-of-128-characters",
        title="The name in the list of tags ends after 128 characters.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_name_in_column,
    ),
)
