"""Faults of the version check, of methods, names, digests and error bodies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from reference import errors
from reference.app import Registry
from reference.grammar import is_name
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, Transform, answers, drop_header, on, override, set_header, set_status


def _errors(change: Callable[[dict[str, Any]], object]) -> Apply:
    """Change the JSON bodies of refusals."""

    def edit(_request: Request, response: Response) -> None:
        if response.status >= 400 and response.body:
            response.body = json.dumps(change(json.loads(response.body))).encode()

    return answers(change=edit)


def _code(change: Callable[[str], str]) -> Apply:
    """Change the codes of refusals."""

    def edit(body: dict[str, Any]) -> object:
        for entry in body["errors"]:
            entry["code"] = change(entry["code"])
        return body

    return _errors(edit)


def _without_code(body: dict[str, Any]) -> object:
    for entry in body["errors"]:
        del entry["code"]
    return body


def _html(_request: Request, response: Response) -> None:
    if response.status >= 400 and response.body:
        response.headers.set("Content-Type", "text/html")


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
    """Letters, digits and separators in any order; no component that a file system would read otherwise."""
    parts = name.split("/")
    if len(name) > 255:
        return False
    return all(part.strip(".") and set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-") for part in parts)


def _post_to_manifest(request: Request, response: Response) -> None:
    if request.method == "POST" and "/manifests/" in request.path:
        response.status, response.body = 201, b"{}"
        response.headers.drop("Allow")


def _bad_digest_500(request: Request, response: Response) -> None:
    if b"DIGEST_INVALID" in response.body and request.method in ("GET", "HEAD"):
        response.status = 500


def _only(code: str, change: Transform) -> Transform:
    def edit(request: Request, response: Response) -> None:
        if code.encode() in response.body:
            change(request, response)

    return edit


def _code_of_405(_request: Request, response: Response) -> None:
    response.body = response.body.replace(b"UNSUPPORTED", b"DENIED")


FAULTS = (
    Fault(
        name="version-header-wrong",
        title="The version header names another version.",
        breaks=("BASE-V2-VERSION-HEADER-TRUE",),
        apply=answers(change=set_header("Docker-Distribution-Api-Version", "registry/1.0")),
    ),
    Fault(
        name="error-not-an-array",
        title="The member errors of a refusal is an object.",
        breaks=("BASE-ERROR-JSON-SHAPE",),
        apply=_errors(lambda body: {"errors": body["errors"][0]}),
    ),
    Fault(
        name="error-without-code",
        title="The errors of a refusal have no code.",
        breaks=("BASE-ERROR-JSON-SHAPE",),
        apply=_errors(_without_code),
    ),
    Fault(
        name="error-list-empty",
        title="A refusal lists no error.",
        breaks=("BASE-ERROR-NONEMPTY",),
        # An empty list has no code, so each statement about a particular code fails with it.
        also=("PULL-MANIFEST-GET-UNKNOWN-CODE", "PULL-BLOB-GET-UNKNOWN-CODE", "BASE-METHOD-405-CODE"),
        apply=_errors(lambda _body: {"errors": []}),
    ),
    Fault(
        name="error-code-lower-case",
        title="Error codes are in lower case.",
        breaks=("BASE-ERROR-CODE-SYNTAX",),
        # Lower-case codes are not in the table either.
        also=("BASE-ERROR-CODE-REGISTERED",),
        apply=_code(str.lower),
    ),
    Fault(
        name="error-code-invented",
        title="What is unknown has the code NOT_FOUND.",
        breaks=("BASE-ERROR-CODE-REGISTERED",),
        apply=_code(lambda code: "NOT_FOUND" if code.endswith("_UNKNOWN") else code),
    ),
    Fault(
        name="error-labelled-html",
        title="JSON errors are labelled text/html.",
        breaks=("BASE-ERROR-CONTENT-TYPE",),
        apply=answers(change=_html),
    ),
    Fault(
        name="error-message-object",
        title="The message of an error is an object.",
        breaks=("BASE-ERROR-MESSAGE",),
        apply=_errors(lambda body: {"errors": [{**entry, "message": {}} for entry in body["errors"]]}),
    ),
    Fault(
        name="method-accepted",
        title="POST to a manifest is answered 201.",
        breaks=("BASE-METHOD-405",),
        apply=answers(status=405, change=_post_to_manifest),
    ),
    Fault(
        name="method-without-allow",
        title="405 comes without Allow.",
        breaks=("BASE-METHOD-405-ALLOW",),
        apply=answers(status=405, change=drop_header("Allow")),
    ),
    Fault(
        name="method-code-wrong",
        title="405 comes with the code DENIED.",
        breaks=("BASE-METHOD-405-CODE",),
        apply=answers(status=405, change=_code_of_405),
    ),
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
        title="A pull with an invalid name is answered 404.",
        breaks=("BASE-NAME-INVALID-400",),
        apply=answers(status=400, change=_only("NAME_INVALID", set_status(404))),
    ),
    Fault(
        name="digest-malformed-500",
        title="A malformed digest in a pull is answered 500.",
        breaks=("BASE-DIGEST-MALFORMED",),
        # Docker alone wants 400; the reference of a manifest may be a malformed digest too.
        also=("PULL-MANIFEST-GET-BAD-REFERENCE", "DISC-REFERRERS-INVALID-DIGEST-400"),
        apply=answers(status=400, change=_bad_digest_500),
    ),
    Fault(
        name="warning-malformed",
        title="A Warning has another code and a date.",
        breaks=("BASE-WARNING-FORMAT",),
        apply=answers(change=set_header("Warning", '199 reference "old" "Mon, 23 Nov 2026 10:00:00 GMT"')),
    ),
    Fault(
        name="version-check-head-404",
        title="HEAD of the version check is answered 404.",
        breaks=("BASE-V2-HEAD",),
        apply=on(
            "base.get",
            change=lambda request, response: set_status(404)(request, response) if request.method == "HEAD" else None,
        ),
    ),
)
