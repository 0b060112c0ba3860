"""The page: one self-contained HTML file that needs no network and runs nothing but its own script."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from reports import view
from reports.model import Exchange, Report
from reports.text import escape_sequence, safe_url, shorten, spell_out, visible
from spec.model import Verdict

#: Longer bodies are folded away.
_FOLD_LINES = 24
_FOLD_CHARACTERS = 1600

#: The verdicts that a cell of the matrix counts.
_BAD = (Verdict.FAIL, Verdict.ERROR, Verdict.KNOWN_FAILURE, Verdict.WARNING, Verdict.INCONCLUSIVE)

_GLYPH = {
    "PASS": "pass",
    "FAIL": "fail",
    "WARNING": "warning",
    "UNSUPPORTED": "unsupported",
    "INCONCLUSIVE": "inconclusive",
    "NOT_TESTED": "not-tested",
    "KNOWN_FAILURE": "known-failure",
    "ERROR": "error",
}


def _marked(character: str) -> str:
    # No quotation mark: in an attribute this must not end the value.
    return f"<span class=ctl>{escape_sequence(character)}</span>"


def _spelt(text: str, *, block: bool) -> Markup:
    return Markup(spell_out(str(escape(text)), _marked, block=block))  # noqa: S704 - escaped first, then marked by us


def _finalize(value: object) -> Markup:
    if isinstance(value, Markup):
        return value
    return _spelt("" if value is None else str(value), block=False)


def _block(text: str) -> Markup:
    return _spelt(text, block=True)


def _plain(text: object) -> str:
    return visible(str(text))


def _target_of(url: str) -> str:
    """Return the path and query of a URL, the whole of it where that cannot be told."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _is_long(text: str) -> bool:
    return len(text) > _FOLD_CHARACTERS or text.count("\n") > _FOLD_LINES


def _outcome(exchange: Exchange) -> str:
    response = exchange["response"]
    if response is None:
        return exchange["error"] or "no response"
    return f"{response['status']} {response['reason']}".strip()


def _option(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={_option(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_option, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not given" if value is None or value == "" else str(value)


def asset(name: str) -> str:
    """Return a file of the folder of templates."""
    return resources.files("reports").joinpath("templates", name).read_text(encoding="utf-8")


def source_hash(text: str) -> str:
    """Return what a Content-Security-Policy knows a script or a style in a page by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def environment() -> Environment:
    """Return the templates, and what they do to each value: whatever comes from a target is shown as text."""
    made = Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        block=_block,
        plain=_plain,
        safe_url=safe_url,
        shorten=shorten,
        label=view.label,
        target_of=_target_of,
        glyph=lambda verdict: _GLYPH[verdict],
        number=lambda value: f"{value:,}",
        duration=view.duration,
        answer=_outcome,
        option=_option,
        again=lambda item, report: view.again(report, item.finding),
        ordered=lambda counts: {verdict: counts[verdict] for verdict in view.ORDER if counts.get(verdict)},
        bad=lambda counts: ", ".join(f"{counts[one]} {view.label(one)}" for one in _BAD if counts.get(one)),
        verdict_in=lambda profile, verdicts: verdicts.get(profile, "-"),
    )
    made.tests["long"] = _is_long
    return made


def render(report: Report) -> str:
    """Return the page of a report that was checked (``reports.loading.check``)."""
    profile = report["run"]["profile"]
    style, script = asset("report.css"), asset("report.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{source_hash(style)}'",
            f"script-src '{source_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            policy=Markup(policy),  # noqa: S704 - made of constants above
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            product=view.product(report),
            profiles=view.profiles(report),
            categories=view.categories(report),
            verdicts=view.verdicts_present(report),
            findings=view.findings(report),
            weighed=view.weighed(report),
            failures=[f for f in view.weighed(report) if f.requirement["verdicts"][profile] == Verdict.FAIL],
            counted=view.counted(report),
            elsewhere=view.elsewhere(report),
            undecided=view.undecided(report),
            warning=view.warning(report),
            meaning=view.MEANING,
            laws=report.get("laws", []),
            found={finding["requirement"] for finding in report["findings"]},
        )
    )
