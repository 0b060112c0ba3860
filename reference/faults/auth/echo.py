"""Faults of credentials that an answer repeats."""

from __future__ import annotations

import base64
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.faults.auth.shared import Check, checking
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, override


def _echoing(spell: Callable[[str], str]) -> Apply:
    """Let refusals repeat the credentials, in some spelling."""

    def around(_registry: Registry, check: Check) -> Check:
        async def changed(request: Request) -> None:
            try:
                await check(request)
            except errors.RegistryError as error:
                if given := request.headers.get("authorization"):
                    error.entries = (errors.ErrorEntry("UNAUTHORIZED", detail=spell(given)),)
                raise

        return changed

    return checking(around)


def _password(given: str) -> str:
    try:
        return base64.b64decode(given.partition(" ")[2]).decode()
    except ValueError:
        return ""


def _in_location(registry: Registry) -> None:
    """The Location of an upload has the credentials that opened it."""
    finish = registry.finish

    def changed(request: Request, response: Response) -> Response:
        response = finish(request, response)
        location, given = response.headers.get("Location"), request.headers.get("authorization").partition(" ")[2]
        if request.operation == "upload.start" and location and given:
            response.headers.set("Location", f"{location}{'&' if '?' in location else '?'}login={given.rstrip('=')}")
        return response

    override(registry, finish=changed)


FAULTS = (
    Fault(
        name="credentials-in-refusal",
        title="A refusal repeats the credentials.",
        breaks=("AUTH-CREDENTIALS-NOT-ECHOED",),
        configuration="htpasswd",
        apply=_echoing(lambda given: given),
    ),
    Fault(
        name="password-in-refusal",
        title="A refusal repeats name and password.",
        breaks=("AUTH-CREDENTIALS-NOT-ECHOED",),
        configuration="htpasswd",
        apply=_echoing(_password),
    ),
    Fault(
        name="credentials-in-location",
        title="The Location of an upload has the credentials in it.",
        breaks=("AUTH-CREDENTIALS-NOT-ECHOED",),
        configuration="htpasswd",
        apply=_in_location,
    ),
)
