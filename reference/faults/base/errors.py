"""Faults of errors, their bodies and codes, and limits of the rate."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from reference.app import Registry
from reference.faults.base.shared import another_code
from reference.faults.shared import answers_401, leaks, unauthorized_as
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, drop_header

_READS = ("manifest.get", "manifest.head", "blob.get", "blob.head")
_CHALLENGE = "WWW-Authenticate"


def _errors(change: Callable[[dict[str, Any]], object]) -> Apply:
    """Change the JSON bodies of refusals."""

    def edit(_request: Request, response: Response) -> None:
        if response.status >= 400 and response.body:
            response.body = json.dumps(change(json.loads(response.body))).encode()

    return answers(change=edit)


def _without_code(body: dict[str, Any]) -> object:
    for entry in body["errors"]:
        del entry["code"]
    return body


def _code(change: Callable[[str], str]) -> Apply:
    """Change the codes of refusals."""

    def edit(body: dict[str, Any]) -> object:
        for entry in body["errors"]:
            entry["code"] = change(entry["code"])
        return body

    return _errors(edit)


def _html(_request: Request, response: Response) -> None:
    if response.status >= 400 and response.body:
        response.headers.set("Content-Type", "text/html")


def _no_json(_request: Request, response: Response) -> None:
    """Break the JSON of a refusal that says it has some."""
    if response.status >= 400 and response.body:
        response.body = response.body[:-1]


def _text(_request: Request, response: Response) -> None:
    if response.body:
        response.body = b"404 page not found\n"
        response.headers.set("Content-Type", "text/plain")


def _each_tenth(change: Response) -> Apply:
    """Refuse one pull of a manifest in ten for being too many."""

    def apply(registry: Registry) -> None:
        count = 0

        def limited(_request: Request, response: Response) -> Response | None:
            nonlocal count
            count += 1
            if count % 10:
                return None
            if response.content is not None:
                response.content.close()
            return Response(change.status, change.headers.pairs, change.body)

        answers("manifest.get", change=limited)(registry)

    return apply


def _busy(code: str, retry_after: str) -> Response:
    headers = [("Content-Type", "application/json"), ("Retry-After", retry_after)]
    return Response(429, headers, b'{"errors": [{"code": "' + code.encode() + b'", "message": "slow down"}]}')


FAULTS = (
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
        title="The error for unknown content has the code NOT_FOUND.",
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
        name="error-json-cut",
        title="The JSON of a refusal lacks its last byte.",
        breaks=("BASE-ERROR-JSON-SHAPE",),
        also=("BASE-ERROR-JSON-PRESENT",),
        apply=answers(change=_no_json),
    ),
    Fault(
        name="head-of-unknown-with-content",
        title="The 404 to a HEAD is followed by its JSON body.",
        breaks=("BASE-ERROR-HEAD-NO-BODY",),
        apply=leaks("manifest.head", "blob.head", status=404),
    ),
    Fault(
        name="login-pull-without-challenge",
        title="The 401 of a pull has no challenge.",
        breaks=("BASE-ERROR-401-PULL", "AUTH-CHALLENGE-HEADER"),
        configuration="htpasswd",
        apply=answers_401(*_READS, change=drop_header(_CHALLENGE)),
    ),
    Fault(
        name="login-pull-code-wrong",
        title="The 401 of a pull has the code UNSUPPORTED.",
        breaks=("BASE-ERROR-401-PULL", "AUTH-ERROR-UNAUTHORIZED-BODY"),
        configuration="htpasswd",
        apply=answers_401(*_READS, change=unauthorized_as("UNSUPPORTED")),
    ),
    Fault(
        name="unknown-as-text",
        title="The 404 for unknown content has a line of text for its body.",
        breaks=("BASE-ERROR-JSON-PRESENT",),
        apply=answers(status=404, change=_text),
    ),
    Fault(
        name="limit-code-wrong",
        title="One pull of a manifest in ten gets 429 with the code DENIED.",
        breaks=("BASE-RATE-429",),
        apply=_each_tenth(_busy("DENIED", "0")),
    ),
    Fault(
        name="limit-retry-after-malformed",
        title="One pull of a manifest in ten gets 429 with the word soon in Retry-After.",
        breaks=("BASE-RATE-RETRY-AFTER",),
        apply=_each_tenth(_busy("TOOMANYREQUESTS", "soon")),
    ),
    Fault(
        name="pull-401-code-wrong",
        title="The 401 to a pull of a manifest has the code DENIED.",
        breaks=("BASE-ERROR-401-PULL",),
        configuration="htpasswd",
        apply=answers("manifest.get", status=401, change=another_code),
    ),
)
