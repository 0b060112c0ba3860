"""The badge of a profile: SVG, and the JSON of an endpoint of shields.io. Green is only what was judged whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape

from reports import view
from reports.loading import ReportError
from reports.model import Report
from reports.text import shorten, visible
from spec.model import Verdict

#: By the name of a colour at shields.io: what white letters can be read on.
_COLOURS = {
    "brightgreen": "#1d7a3a",
    "blue": "#1f54cc",
    "orange": "#8f5400",
    "red": "#b3191f",
    "lightgrey": "#56606f",
}
_LABEL = "#3d4653"
#: Widths of letters in pixels, of a common sans-serif of 11 pixels.
_NARROW, _WIDE = frozenset("fijlrt.,:;|!'()[] "), frozenset("mwMWABCDEFGHKNOPQRSTUVXYZ")
_WIDTHS = (4.2, 8.2, 6.6)
_PADDING = 7
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge says: the profile, the verdict with its scope, and a colour of shields.io."""

    label: str
    message: str
    colour: str


def badge(report: Report, profile: str = "") -> Badge:
    """Return the badge of a profile, that of the run where none is named.

    Raises:
        ReportError: the report does not have the profile.
    """
    profile = profile or report["run"]["profile"]
    if profile not in report["profiles"]:
        raise ReportError(f"it has no profile {profile}; it has {', '.join(report['profiles'])}.")
    message, colour = _said(report, profile)
    whose = "reference registry: " if report["target"].get("embedded") else ""
    return Badge(profile, visible(shorten(whose + message, _LONGEST)), colour)


def _said(report: Report, profile: str) -> tuple[str, str]:
    result, scope = report["profiles"][profile], view.scope(report, profile)
    verdict, counts = result["verdict"], result["counts"]
    part = "" if report["run"]["complete"] else " (part of the suite)"
    if verdict == Verdict.FAIL:
        number = counts.get(Verdict.FAIL, 0)
        return f"{number} failure{'' if number == 1 else 's'}{part}", "red"
    if verdict == Verdict.ERROR or counts.get(Verdict.ERROR):
        return "error of the suite", "lightgrey"
    if part:
        return "not decided: part of the suite", "lightgrey"
    if verdict == Verdict.KNOWN_FAILURE:
        number = counts.get(Verdict.KNOWN_FAILURE, 0)
        return f"{number} known failure{'' if number == 1 else 's'}{_short(report, profile)}", "orange"
    if verdict != Verdict.PASS:
        return f"{view.label(verdict).lower()}{_short(report, profile)}", "lightgrey"
    warnings = counts.get(Verdict.WARNING, 0)
    told = f", {warnings} warning{'' if warnings == 1 else 's'}" if warnings else ""
    # What the owner withheld was not judged: that is not the same as conformant.
    return f"conformant{_short(report, profile)}{told}", "blue" if scope else "brightgreen"


def _short(report: Report, profile: str) -> str:
    """Return what a verdict leaves out, in few words."""
    result = report["profiles"][profile]
    claimed = [name for name in view.categories(report) if name in result["scope"]["claimed"]]
    parts = []
    if len(claimed) < len(result["categories"]):
        parts.append(f"{', '.join(claimed) or 'no category'} only")
    if withheld := sum(result["scope"]["withheld"].values()):
        parts.append(f"{withheld} not tested")
    return f" ({'; '.join(parts)})" if parts else ""


def as_json(made: Badge) -> str:
    """Return the answer of an endpoint of shields.io (https://shields.io/badges/endpoint-badge)."""
    return json.dumps({"schemaVersion": 1, "label": made.label, "message": made.message, "color": made.colour}) + "\n"


def as_svg(made: Badge) -> str:
    """Return a picture that needs neither network nor fonts of its own."""
    left, right = _width(made.label), _width(made.message)
    total, said = left + right, escape(f"{made.label}: {made.message}", quote=True)
    texts = _text(_PADDING, left, made.label) + _text(left + _PADDING, right, made.message)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" role="img" aria-label="{said}">'
        f"<title>{said}</title>"
        f'<clipPath id="r"><rect width="{total}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="{_LABEL}"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[made.colour]}"/></g>'
        f'<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">{texts}</g></svg>\n'
    )


def _text(x: int, width: int, text: str) -> str:
    # Drawn in just this width, whatever font there is.
    length = f'textLength="{width - 2 * _PADDING}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x}" y="14" {length}>{escape(text)}</text>'


def _width(text: str) -> int:
    narrow, wide, other = _WIDTHS
    letters = sum(narrow if c in _NARROW else wide if c in _WIDE or not c.isascii() else other for c in text)
    return round(letters) + 2 * _PADDING
