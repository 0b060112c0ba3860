"""Faults of methods that a resource does not have."""

from __future__ import annotations

from reference.messages import Request, Response
from reference.modifications import Fault, answers, drop_header


def _post_to_manifest(request: Request, response: Response) -> None:
    if request.method == "POST" and "/manifests/" in request.path:
        response.status, response.body = 201, b"{}"
        response.headers.drop("Allow")


def _code_of_405(_request: Request, response: Response) -> None:
    response.body = response.body.replace(b"UNSUPPORTED", b"DENIED")


def _allow_everything(request: Request, response: Response) -> None:
    response.headers.set("Allow", f"GET, HEAD, {request.method}")


FAULTS = (
    Fault(
        name="method-accepted",
        title="POST to a manifest returns 201.",
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
        name="allow-names-the-method",
        title="The Allow of a 405 has the method that is not allowed.",
        breaks=("BASE-METHOD-405-ALLOW",),
        also=("MGMT-DELETE-405-ALLOW",),
        apply=answers(status=405, change=_allow_everything),
    ),
)
