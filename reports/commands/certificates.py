"""``certificate`` and ``verify``."""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click

from reports.certificate.issuing import Refused, issue
from reports.certificate.keys import KeyFileError, private, public
from reports.certificate.rules import VALID_DAYS
from reports.certificate.verifying import Verified
from reports.certificate.verifying import verify as verified
from reports.commands.calling import Unusable, give
from reports.loading import ReportError

_ARTIFACT = re.compile(r"([^=]+)=sha256:([0-9a-f]{64})")
_REFUSED = 1


@click.command()
@click.argument("path", metavar="REPORT.json", type=click.Path(path_type=Path))
@click.option("--key", required=True, metavar="FILE", type=click.Path(path_type=Path), help="private key, in PEM")
@click.option("--profile", default="", help="that of the run by default")
@click.option("--page", metavar="FILE", type=click.Path(path_type=Path), help="report.html beside it by default")
@click.option("--artifact", multiple=True, metavar="NAME=sha256:HEX", help="what was tested (repeatable)")
@click.option("--days", default=365, type=click.IntRange(1, VALID_DAYS), help="how long it is good; 365 by default")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="standard output by default")
def certificate(
    *, path: Path, key: Path, profile: str, page: Path | None, artifact: tuple[str, ...], days: int, output: Path | None
) -> int:
    """Issue a certificate of a report: an in-toto statement in a DSSE envelope, signed by a key of yours.

    The password of the key is taken from CERTIFICATE_KEY_PASSWORD. The exit code is 1 where the rules do not let the
    report be certified.
    """
    try:
        signing = private(key, os.environ.get("CERTIFICATE_KEY_PASSWORD", ""))
        text = issue(path, signing, page=page, profile=profile, artifacts=dict(_artifacts(artifact)), days=days)
    except KeyFileError as error:
        raise Unusable(f"--key: {error}") from None
    except Refused as refused:
        click.echo(f"{path} is not certified:", err=True)
        for reason in refused.reasons:
            click.echo(f"- {reason}", err=True)
        return _REFUSED
    give(text, output)
    return 0


def _artifacts(texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for text in texts:
        match = _ARTIFACT.fullmatch(text)
        if match is None:
            raise click.UsageError(f"--artifact: expected NAME=sha256:HEX, not {text!r}")
        yield match[1], match[2]


@click.command()
@click.argument("path", metavar="CERTIFICATE", type=click.Path(path_type=Path))
@click.option("--key", required=True, metavar="FILE", type=click.Path(path_type=Path), help="public key, in PEM")
@click.option("--report", metavar="FILE", type=click.Path(path_type=Path), help="the report.json that it is of")
@click.option("--page", metavar="FILE", type=click.Path(path_type=Path), help="the page that it is of")
@click.option("--at", "day", metavar="DATE", help="as of this day (2027-01-31); today by default")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text by default")
def verify(*, path: Path, key: Path, report: Path | None, page: Path | None, day: str | None, form: str) -> int:
    """Verify a certificate by the key of whoever issued it. Nothing is asked of any network.

    It says what is proven by it, and what is not. The exit code is 1 where the certificate is not good.
    """
    try:
        found = verified(path, public(key), _day(day), report, page)
    except KeyFileError as error:
        raise Unusable(f"--key: {error}") from None
    except ReportError as error:
        raise Unusable(str(error)) from None
    click.echo(_json(found) if form == "json" else "\n".join(_text(path, found)))
    return _REFUSED if found.problems else 0


def _day(text: str | None) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text) if text else datetime.datetime.now(tz=datetime.UTC).date()
    except ValueError:
        raise click.UsageError(f"--at: expected a date such as 2027-01-31, not {text!r}") from None


def _json(found: Verified) -> str:
    members = {
        "good": not found.problems,
        "problems": found.problems,
        "proven": found.proven,
        "unproven": found.unproven,
        "statement": found.statement,
    }
    return json.dumps(members, indent=1)


def _text(path: Path, found: Verified) -> Iterator[str]:
    yield f"{path} is {'NOT good' if found.problems else 'good'}."
    yield from (f"  - {problem}" for problem in found.problems)
    if found.says:
        yield f"It says: {found.says}."
    if found.proven:
        yield "Proven:"
        yield from (f"  - {each}" for each in found.proven)
        yield "Not proven:"
        yield from (f"  - {each}" for each in found.unproven)
