"""Faults of logins: a refused deletion of a blob, and lists with a query."""

from __future__ import annotations

from contextlib import suppress

from reference import errors
from reference.app import Registry
from reference.faults.auth.shared import Check, checking, unchecked
from reference.messages import Request
from reference.modifications import Fault


def _deleted_before(registry: Registry, check: Check) -> Check:
    """The filter of the deletion runs ahead of that of the login."""

    async def changed(request: Request) -> None:
        try:
            await check(request)
        except errors.RegistryError:
            if request.operation == "blob.delete":
                with suppress(errors.RegistryError):
                    await registry.handlers[request.operation](request)
            raise

    return changed


FAULTS = (
    Fault(
        name="blob-deletion-refused-and-done",
        title="The deletion of a blob without a login is refused, and done.",
        breaks=("AUTH-REFUSED-WRITE-NO-EFFECT",),
        also=("PUSH-BLOB-KEPT",),
        configuration="htpasswd",
        apply=checking(_deleted_before),
    ),
    Fault(
        name="page-of-tags-open-to-everybody",
        title="A list of tags with a query, like a page by n, needs no login.",
        breaks=("AUTH-NO-LEAK-READ",),
        also=("AUTH-CHALLENGE-401", "AUTH-NO-LEAK-EXISTENCE"),
        configuration="htpasswd",
        apply=unchecked("tags.list", when=lambda request: bool(request.query.raw)),
    ),
)
