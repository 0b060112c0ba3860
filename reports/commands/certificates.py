"""``certificate`` and ``verify``."""

from __future__ import annotations

import datetime
import json
import os
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from reports.certificate.envelope import seal
from reports.certificate.issuing import Refused, issue
from reports.certificate.keys import KeyFileError, private, public
from reports.certificate.rules import VALID_DAYS
from reports.certificate.statement import PAGE, REPORT
from reports.certificate.verifying import Means, Verified, by_key
from reports.certificate.verifying import verify as verified
from reports.commands.calling import Unusable, give, writable
from reports.loading import ReportError
from reports.text import visible

_ARTIFACT = re.compile(r"([^=]+)=sha256:([0-9a-f]{64})")
_REFUSED = 1


_FILE = click.Path(path_type=Path)
_TRUST = click.option(
    "--trust-config", "trust", metavar="FILE", type=_FILE, help="another sigstore than the public one, for keyless"
)


@click.command()
@click.argument("path", metavar="REPORT.json", type=_FILE)
@click.option("--key", metavar="FILE", type=_FILE, help="private key, in PEM")
@click.option("--keyless", "by_identity", is_flag=True, help="sign by sigstore for an identity, instead of with a key")
@click.option(
    "--identity-token-file", "token", metavar="FILE", type=_FILE, help="that of the CI system by default, for --keyless"
)
@_TRUST
@click.option("--profile", default="", help="that of the run by default")
@click.option("--page", metavar="FILE", type=_FILE, help="report.html beside it by default")
@click.option("--artifact", multiple=True, metavar="NAME=sha256:HEX", help="what was tested (repeatable)")
@click.option("--days", default=365, type=click.IntRange(1, VALID_DAYS), help="how long it is good; 365 by default")
@click.option("-o", "--output", metavar="FILE", type=_FILE, help="standard output by default")
def certificate(
    *,
    path: Path,
    key: Path | None,
    by_identity: bool,
    token: Path | None,
    trust: Path | None,
    artifact: tuple[str, ...],
    output: Path | None,
    **given: Any,
) -> int:
    """Issue a certificate of a report: an in-toto statement in a DSSE envelope, signed by your key or by sigstore.

    The password of the key is taken from CERTIFICATE_KEY_PASSWORD.

    With --keyless nobody needs a key: sigstore signs for the identity of a CI job or a person, and publishes identity
    and signature in a log for good. It needs the network, and the extra `keyless` of this package.

    The exit code is 1 where the rules do not let the report be certified, and 4 where nothing could be signed.
    """
    if (key is None) != by_identity:
        raise click.UsageError("expected one of --key FILE and --keyless")
    if not by_identity and (token or trust):
        raise click.UsageError("--identity-token-file and --trust-config go with --keyless")
    artifacts = dict(_artifacts(artifact))
    writable(output)
    try:
        if key is None:
            text = _keyless(path, token, trust, artifacts=artifacts, **given)
        else:
            signing = private(key, os.environ.get("CERTIFICATE_KEY_PASSWORD", ""))
            text = issue(path, lambda payload: seal(payload, signing), artifacts=artifacts, **given)
    except KeyFileError as error:
        raise Unusable(f"--key: {error}") from None
    except Refused as refused:
        click.echo(f"{path} is not certified:", err=True)
        for reason in refused.reasons:
            click.echo(f"- {reason}", err=True)
        return _REFUSED
    give(text, output)
    return 0


def _keyless(path: Path, token: Path | None, trust: Path | None, **given: Any) -> str:
    keyless = _sigstore("--keyless")
    try:
        sign = keyless.Signing(token, trust)
        text = issue(path, sign, **given)
    except keyless.KeylessError as error:
        raise Unusable(str(error)) from None
    who = shlex.join(["--identity", sign.identity, "--issuer", sign.issuer])
    click.echo(f"It verifies by {visible(who)}", err=True)
    return text


def _sigstore(option: str) -> ModuleType:
    """Return the module that needs the package of sigstore, which not everybody has."""
    try:
        import_module("sigstore")
        return import_module("reports.certificate.keyless")
    except ImportError as error:
        missing = visible(error.name or str(error))
        raise Unusable(
            f"{option}: {missing} is not installed; pip install 'registry-conformance[keyless]' installs it."
        ) from None


def _artifacts(texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    taken = {REPORT, PAGE}
    for text in texts:
        match = _ARTIFACT.fullmatch(text)
        if match is None:
            raise click.UsageError(f"--artifact: expected NAME=sha256:HEX, not {text!r}")
        if match[1] in taken or not match[1].isprintable():
            raise click.UsageError(f"--artifact: {match[1]!r} is taken, or cannot be the name of one")
        taken.add(match[1])
        yield match[1], match[2]


@click.command()
@click.argument("path", metavar="CERTIFICATE", type=_FILE)
@click.option("--key", metavar="FILE", type=_FILE, help="public key, in PEM")
@click.option(
    "--identity", default="", metavar="ID", help="who signed keyless: an address of mail, or a workflow's URL"
)
@click.option("--issuer", default="", metavar="URL", help="who vouches for the identity, as the URL of the provider")
@_TRUST
@click.option("--report", metavar="FILE", type=_FILE, help="the report.json that it is of")
@click.option("--page", metavar="FILE", type=_FILE, help="the page that it is of")
@click.option("--at", "day", metavar="DATE", help="as of this day (2027-01-31); today by default")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text by default")
def verify(
    *,
    path: Path,
    key: Path | None,
    identity: str,
    issuer: str,
    trust: Path | None,
    report: Path | None,
    page: Path | None,
    day: str | None,
    form: str,
) -> int:
    """Verify a certificate by the key or the identity of whoever issued it. Nothing is asked of any network.

    A certificate that was signed with --keyless is verified by --identity and --issuer. That needs the extra `keyless`
    of this package.

    It says what is proven by it, and what is not. The exit code is 1 where the certificate is not good.
    """
    if (key is None) == (not identity and not issuer) or bool(identity) != bool(issuer):
        raise click.UsageError("expected either --key FILE, or --identity ID and --issuer URL")
    if key is not None and trust:
        raise click.UsageError("--trust-config goes with --identity and --issuer")
    asof = _day(day)
    try:
        means = _by_identity(identity, issuer, trust) if key is None else by_key(public(key))
        found = verified(path, means, asof, report, page)
    except KeyFileError as error:
        raise Unusable(f"--key: {error}") from None
    except ReportError as error:
        raise Unusable(str(error)) from None
    click.echo(_json(found) if form == "json" else "\n".join(_text(path, found)))
    return _REFUSED if found.problems else 0


def _by_identity(identity: str, issuer: str, trust: Path | None) -> Means:
    keyless = _sigstore("--identity")
    try:
        means: Means = keyless.by_identity(identity, issuer, trust)
    except keyless.KeylessError as error:
        raise Unusable(str(error)) from None
    return means


def _day(text: str | None) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text) if text is not None else datetime.datetime.now(tz=datetime.UTC).date()
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
