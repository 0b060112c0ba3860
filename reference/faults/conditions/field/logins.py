"""Faults of logins, after public reports of bugs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from reference.faults.shared import answers_401, challenge_rewritten
from reference.messages import Request, Response
from reference.modifications import Fault, override

if TYPE_CHECKING:
    from reference.tokens.app import TokenService


def _form_not_read(service: TokenService) -> None:
    """Who asks by POST is looked for in Authorization, and is nobody."""
    override(service, by_password=lambda _name, _password: service.config.anonymous)


def _without_scope(challenge: str) -> str:
    return re.sub(r',\s*scope="[^"]*"', "", challenge)


def _port_printed_as_nil(challenge: str) -> str:
    return re.sub(r'realm="(https?://[^/:"]+)(?::\d+)?', r'realm="\1:%!s(<nil>)', challenge)


def _flat_error(_request: Request, response: Response) -> None:
    """The error that comes from in front of the registry has no envelope."""
    if response.body:
        response.body = json.dumps({"code": "UNAUTHORIZED", "message": "authentication required"}).encode()
        response.headers.drop("Content-Length")


FAULTS = (
    Fault(
        # https://github.com/artifact-keeper/artifact-keeper/issues/894
        name="password-in-the-form-not-read",
        title="A POST for a token gets that of nobody, whatever name and password are in its form.",
        configuration="token",
        breaks=("AUTH-OAUTH-ERRORS", "AUTH-OAUTH-SCOPE-LIST"),
        also=(
            "AUTH-OAUTH-POST-RESPONSE",
            "AUTH-OAUTH-REFRESH-GRANT",
            "AUTH-OAUTH-OFFLINE-REFRESH",
        ),
        tokens=_form_not_read,
    ),
    Fault(
        # https://github.com/artifact-keeper/artifact-keeper/issues/811
        name="blob-head-challenged-without-scope",
        title="The challenge to a HEAD of a blob has no scope, that to a GET has one.",
        configuration="token",
        breaks=("AUTH-CHALLENGE-SCOPE-PULL",),
        # Who follows the challenge has no token for a repository that is not known yet.
        also=(
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
            "PUSH-MOUNT-BLOB-AVAILABLE",
        ),
        apply=answers_401("blob.head", change=challenge_rewritten(_without_scope)),
    ),
    Fault(
        # https://github.com/SUSE/caasp-services/issues/36
        name="realm-with-a-port-of-nil",
        title="The realm of the challenge to the start of an upload has no number for its port.",
        configuration="token",
        breaks=("AUTH-CHALLENGE-BEARER-REALM",),
        also=("AUTH-VALID-CREDENTIALS-ACCEPTED",),
        apply=answers_401("upload.start", change=challenge_rewritten(_port_printed_as_nil)),
    ),
    Fault(
        # https://github.com/artifact-keeper/artifact-keeper/pull/3376
        name="unauthorized-without-envelope",
        title="The JSON of a 401 to a pull or a list is the error itself, not an object that has errors.",
        configuration="token",
        breaks=("BASE-ERROR-JSON-SHAPE",),
        also=(
            "AUTH-ERROR-UNAUTHORIZED-BODY",
            "BASE-ERROR-401-PULL",
        ),
        apply=answers_401("manifest.get", "blob.get", "tags.list", "referrers.list", change=_flat_error),
    ),
)
