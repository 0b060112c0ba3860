"""Issue a certificate: the rules, the statement, and the signature."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from reports import html
from reports.certificate.rules import objections
from reports.certificate.statement import digests, payload, statement
from reports.loading import ReportError, load
from spec.catalogue import load as load_catalogue


class Refused(Exception):
    """A report that is not certified; ``reasons`` has each reason in a sentence."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def issue(
    path: Path,
    sign: Callable[[bytes], str],
    *,
    page: Path | None,
    profile: str,
    artifacts: Mapping[str, str],
    days: int,
) -> str:
    """Return the certificate of a report, as text.

    Args:
        path: the report.json.
        sign: returns the signed text of a statement; it is called last, and only for what may be certified.
        page: its page; the one beside the report, where there is one, if it is left out.
        profile: one of its profiles; that of the run if it is empty.
        artifacts: the SHA-256 of what was tested, by its name.
        days: how long the certificate is good.

    Raises:
        ReportError: report or page cannot be used.
        Refused: the rules do not let it be certified.
    """
    report = load(path)
    data = path.read_bytes()
    if json.loads(data) != report:
        raise ReportError(f"{path} was changed while it was read.")
    if profile and profile not in report["profiles"]:
        raise ReportError(f"--profile: {path} has no profile {profile}; it has {', '.join(report['profiles'])}.")
    profile = profile or report["run"]["profile"]
    now = datetime.datetime.now(tz=datetime.UTC)
    if reasons := [*objections(report, profile, load_catalogue(), now)]:
        raise Refused(reasons)
    beside = path.with_name("report.html")
    shown = _page(page or beside) if page or beside.is_file() else None
    if shown is not None and shown != html.render(report).encode("utf-8"):
        raise Refused([f"{page or beside} is not the page of this report, or not by this version of the suite."])
    expires = now.date() + datetime.timedelta(days=days)
    return sign(payload(statement(report, profile, digests(data, shown, artifacts), now.date(), expires)))


def _page(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReportError(f"--page: {path} cannot be read: {error.strerror or type(error).__name__}.") from None
