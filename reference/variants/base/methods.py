"""Variants of methods that a resource does not have."""

from __future__ import annotations

from reference.messages import Request, Response
from reference.modifications import Variant, answers


def _no_such_method(request: Request, response: Response) -> None:
    """A method that a resource lacks is as unknown as the resource; HEAD is no method of lists."""
    if response.status == 405 and not request.operation:
        response.status, response.body = 404, b"404 page not found\n"
        response.headers.drop("Allow")
        response.headers.set("Content-Type", "text/plain")
    elif request.method == "HEAD" and request.operation in ("tags.list", "catalog.list", "referrers.list"):
        response.status = 405
        response.headers.set("Allow", "GET")


VARIANTS = (
    Variant(
        name="method-unknown-404",
        title="A method that a resource lacks gets 404, HEAD of a list 405.",
        latitude=("METHOD-REFUSED-STATUS",),
        apply=answers(change=_no_such_method),
    ),
)
