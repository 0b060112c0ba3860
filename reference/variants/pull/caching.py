"""Variants of ETag, Cache-Control and 304."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Variant, drop_header, on, override
from reference.variants.shared import PULLS

#: What a 304 tells of the answer that it stands for.
_KEPT = frozenset({"Docker-Content-Digest", "ETag", "Last-Modified"})


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


def _is_since(text: str, at: datetime) -> bool:
    """Whether a time of a header is not before another one; what is no time is passed over (RFC 9110, 13.1.3)."""
    try:
        return parsedate_to_datetime(text) >= at
    except (ValueError, TypeError):  # no time, or one without a zone
        return False


def _by_time(registry: Registry) -> None:
    """A tag tells when it was pushed last, and is unchanged since that time."""
    moved: dict[tuple[str, str], datetime] = {}
    set_tag = registry.storage.set_tag

    def noting(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        moved[name, tag] = datetime.now(UTC).replace(microsecond=0)

    def told(request: Request, response: Response) -> Response | None:
        at = moved.get((request.name, request.reference))
        if at is None:
            return None
        response.headers.set("Last-Modified", format_datetime(at, usegmt=True))
        if "if-none-match" in request.headers or not _is_since(request.headers.get("if-modified-since"), at):
            return None
        return Response(304, [(name, value) for name, value in response.headers.pairs if name in _KEPT])

    override(registry.storage, set_tag=noting)
    on("manifest.get", "manifest.head", status=200, change=told)(registry)


VARIANTS = (
    Variant(
        name="tags-last-modified",
        title="A tag has the time of its last push as Last-Modified, and is answered 304 by it.",
        latitude=("CACHE-AND-DATE-HEADERS", "CONDITIONAL-REQUESTS"),
        apply=_by_time,
    ),
    Variant(name="etags-weak", title="Each ETag is weak.", latitude=("CACHE-AND-DATE-HEADERS",), apply=_weak),
    Variant(
        name="pulls-without-validators",
        title="There is no ETag, and conditions are ignored.",
        latitude=("CACHE-AND-DATE-HEADERS", "CONDITIONAL-REQUESTS"),
        warns=("PULL-CACHE-BLOB-VALIDATOR",),
        apply=_unvalidated,
    ),
)
