"""Faults of names of repositories."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.faults.shared import blobs_spoilt, recoded
from reference.grammar import is_name
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, Transform, answers, on, override, set_status

_WORDS = {"blobs", "manifests", "tags", "uploads"}
_WORDS_IN_NAMES = frozenset({"blobs", "manifests", "tags", "uploads"})


def _names(accepts: Callable[[str], bool], fold: bool = False) -> Apply:
    """Accept more names than the grammar has."""

    def apply(registry: Registry) -> None:
        def check(request: Request) -> None:
            if fold:
                request.name = request.name.lower()
            if not is_name(request.name) and not accepts(request.name):
                raise errors.name_invalid(request.name)

        override(registry, check_name=check)

    return apply


def _is_separated(name: str) -> bool:
    """Letters, digits and separators in any order, without components that file systems resolve."""
    parts = name.split("/")
    if len(name) > 255:
        return False
    return all(part.strip(".") and set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-") for part in parts)


def _only(code: str, change: Transform) -> Transform:
    def edit(request: Request, response: Response) -> None:
        if code.encode() in response.body:
            change(request, response)

    return edit


def _names_refused_where(refuses: Callable[[str], object]) -> Apply:
    """Refuse names that the grammar has."""

    def apply(registry: Registry) -> None:
        check = registry.check_name

        def changed(request: Request) -> None:
            check(request)
            if refuses(request.name):
                raise errors.name_invalid(request.name)

        override(registry, check_name=changed)

    return apply


def _empty_components(registry: Registry) -> None:
    check = registry.check_name

    def changed(request: Request) -> None:
        if not is_name(re.sub("//+", "/", request.name)):
            check(request)

    override(registry, check_name=changed)


def _two_slashes_500(request: Request, response: Response) -> Response | None:
    if "//" in request.path:
        return Response(500, [("Content-Type", "text/plain")], b"internal server error")
    return None


def _lost_in(words: frozenset[str]) -> Apply:
    """Lose what is pushed to repositories whose names have some words."""

    def changed(request: Request, response: Response) -> Response | None:
        return Response(404) if response.status == 200 and words & {*request.name.split("/")} else None

    return on("blob.get", "blob.head", change=changed)


FAULTS = (
    Fault(
        name="name-upper-case-accepted",
        title="Upper-case letters are accepted in names.",
        breaks=("BASE-NAME-REJECT-UPPERCASE",),
        apply=_names(lambda name: is_name(name.lower())),
    ),
    Fault(
        name="name-folded",
        title="Names are folded to lower case.",
        breaks=("BASE-NAME-REJECT-UPPERCASE",),
        apply=_names(lambda _name: False, fold=True),
    ),
    Fault(
        name="name-separators-accepted",
        title="Components may begin and end with separators, and hold any run of them.",
        breaks=("BASE-NAME-REJECT-SEPARATORS",),
        # Names outside the grammar may be tried there too.
        also=("PUSH-START-NAME-INVALID-REJECTED",),
        apply=_names(_is_separated),
    ),
    Fault(
        name="name-of-any-length",
        title="A name of 256 characters is accepted.",
        breaks=("BASE-NAME-LENGTH-MAX",),
        apply=_names(lambda name: len(name) == 256),
    ),
    Fault(
        name="name-invalid-404",
        title="A pull with an invalid name returns 404.",
        breaks=("BASE-NAME-INVALID-400",),
        apply=answers(status=400, change=_only("NAME_INVALID", set_status(404))),
    ),
    Fault(
        name="name-of-one-letter-refused",
        title="A component of a name must have two characters, as once in Docker's grammar.",
        breaks=("BASE-NAME-PLAIN",),
        apply=_names_refused_where(lambda name: any(len(part) < 2 for part in name.split("/"))),
    ),
    Fault(
        name="name-with-dot-refused",
        title="A name with a dot is refused.",
        breaks=("BASE-NAME-SINGLE-SEPARATOR",),
        apply=_names_refused_where(lambda name: "." in name),
    ),
    Fault(
        name="name-with-two-separators-refused",
        title="A name with two separators in a row is refused, as Docker's grammar has it.",
        breaks=("BASE-NAME-REPEATED-SEPARATOR",),
        also=(
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "PUSH-SINGLE-STATUS-201-OR-202",
        ),
        apply=_names_refused_where(re.compile("[._-]{2}").search),
    ),
    Fault(
        name="name-with-empty-component",
        title="A name with two slashes is a repository of its own.",
        breaks=("BASE-NAME-REJECT-EMPTY-COMPONENT",),
        # Such a name is listed, too.
        also=("DISC-CATALOG-SHAPE",),
        apply=_empty_components,
    ),
    Fault(
        name="name-of-255-refused",
        title="A name of 255 characters is refused.",
        breaks=("BASE-NAME-LENGTH-MAX",),
        apply=_names_refused_where(lambda name: len(name) == 255),
    ),
    Fault(
        name="name-of-route-words-refused",
        title="A name whose component is a word of the API is refused.",
        breaks=("BASE-NAME-ROUTE-WORDS",),
        apply=_names_refused_where(lambda name: _WORDS & {*name.split("/")}),
    ),
    Fault(
        name="name-invalid-code-unknown",
        title="A pull with an invalid name has the code NAME_UNKNOWN.",
        breaks=("BASE-NAME-INVALID-400",),
        apply=answers("manifest.get", "blob.get", status=400, change=recoded("NAME_INVALID", "NAME_UNKNOWN")),
    ),
    Fault(
        name="two-slashes-500",
        title="A path with two slashes gets 500.",
        breaks=("BASE-NAME-REJECT-EMPTY-COMPONENT",),
        apply=answers("upload.start", change=_two_slashes_500),
    ),
    Fault(
        name="blob-spoilt-in-names-with-two-dashes",
        title="The last byte of a blob in a repository whose name has two dashes in a row is another.",
        breaks=("BASE-NAME-ACCEPTED-KEPT", "PULL-BLOB-GET-BODY-EXACT"),
        apply=blobs_spoilt(lambda name, _digest, _size: "--" in name),
    ),
    Fault(
        name="blob-lost-in-route-words",
        title="A blob is accepted and unknown in a repository with a word of the API in its name.",
        breaks=("BASE-NAME-ACCEPTED-KEPT",),
        apply=_lost_in(_WORDS_IN_NAMES),
    ),
)
