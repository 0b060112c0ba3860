"""Variants of ETag, Cache-Control and 304."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Variant, drop_header, on, override
from reference.variants.shared import PULLS


def _weakly(request: Request, response: Response) -> None:
    """Say that another representation may do as well; a strong comparison then never holds."""
    if "ETag" in response.headers:
        response.headers.set("ETag", "W/" + response.headers.get("ETag"))


def _weak(registry: Registry) -> None:
    """Each ETag is weak; If-Range and If-Match, which compare strongly, never hold."""
    check = registry.check_allowed

    def changed(request: Request) -> None:
        for name in ("if-range", "if-match"):
            if request.headers.get(name).startswith("W/"):
                request.headers.set(name, '"nothing"')
        check(request)

    override(registry, check_allowed=changed)
    on(*PULLS, change=_weakly)(registry)


def _unvalidated(registry: Registry) -> None:
    """No ETag, and no condition is looked at."""

    def forget(request: Request) -> None:
        for name in ("if-none-match", "if-range"):
            request.headers.drop(name)

    check = registry.check_allowed

    def changed(request: Request) -> None:
        forget(request)
        check(request)

    override(registry, check_allowed=changed)
    on(*PULLS, change=drop_header("ETag", "Cache-Control"))(registry)


VARIANTS = (
    Variant(name="etags-weak", title="Each ETag is weak.", latitude=("CACHE-AND-DATE-HEADERS",), apply=_weak),
    Variant(
        name="pulls-without-validators",
        title="There is no ETag, and conditions are ignored.",
        latitude=("CACHE-AND-DATE-HEADERS", "CONDITIONAL-REQUESTS"),
        warns=("PULL-CACHE-BLOB-VALIDATOR",),
        apply=_unvalidated,
    ),
)
