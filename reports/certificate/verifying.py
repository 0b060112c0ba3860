"""Verify a certificate without any network: its signature, its time, and what it was made of."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from reports.certificate.envelope import EnvelopeError, unseal
from reports.certificate.keys import PublicKey, key_id
from reports.certificate.rules import RULES
from reports.certificate.statement import PAGE, REPORT, schema, statement, summary
from reports.digests import of_bytes, of_catalogue
from reports.loading import ReportError, load
from reports.text import visible
from spec.catalogue import load as load_catalogue

#: What no certificate of this kind shows.
_NEVER = (
    "that the registry answers today as it did in the run, or elsewhere as it did there",
    "that the product's name and version are right: whoever ran the suite gave them",
)


@dataclass(frozen=True, slots=True)
class Means:
    """How a signature is checked, and what that proves.

    ``unseal`` returns the payload of a certificate, or raises EnvelopeError. ``proven`` and ``unproven`` are sentences.
    """

    unseal: Callable[[bytes], bytes]
    proven: str
    unproven: str


def by_key(key: PublicKey) -> Means:
    """Return how an envelope is verified by a key."""
    return Means(
        unseal=lambda data: unseal(data, key),
        proven=f"the key {key_id(key)[:16]} signed this statement, and it was not changed since",
        unproven="who holds the key: that you know from where you have it",
    )


@dataclass(slots=True)
class Verified:
    """What was found out about a certificate: ``problems`` is empty where it is good."""

    problems: list[str] = field(default_factory=list)
    proven: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    statement: dict[str, Any] = field(default_factory=dict)

    @property
    def says(self) -> str:
        """What the certificate says, in a sentence; empty where nothing of it can be believed."""
        return visible(summary(self.statement)) if self.statement else ""


def verify(path: Path, means: Means, day: datetime.date, report: Path | None, page: Path | None) -> Verified:
    """Verify a certificate as of a day, with the report and the page that it is of, where they are given.

    Raises:
        ReportError: a file cannot be read.
    """
    found = Verified()
    try:
        payload = means.unseal(_read(path))
        made = _statement(payload)
    except EnvelopeError as error:
        found.problems.append(f"{path}: {error}")
        return found
    found.statement = made
    found.proven.append(means.proven)
    _of_time(found, day)
    _of_documents(found, report, page)
    suite = made["predicate"]["configuration"][0]
    if suite["digest"]["sha256"] != of_catalogue(load_catalogue()):
        found.unproven.append("that it holds by the catalogue of this version of the suite, which is another")
    found.unproven += [means.unproven, *_NEVER]
    return found


def _statement(payload: bytes) -> dict[str, Any]:
    try:
        made = json.loads(payload)
    except (ValueError, RecursionError):
        raise EnvelopeError("its payload is no JSON.") from None
    if error := best_match(Draft202012Validator(schema()).iter_errors(made)):
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
        raise EnvelopeError(f"it is no certificate of ours, at {visible(place.lstrip('.')) or 'the top'}.")
    if made["predicate"]["configuration"][1]["annotations"]["rules"] != RULES:
        raise EnvelopeError("it is by rules that this version of the suite does not know.")
    return cast("dict[str, Any]", made)


def _certified(found: Verified) -> dict[str, Any]:
    return cast("dict[str, Any]", found.statement["predicate"]["configuration"][1]["annotations"])


def _of_time(found: Verified, day: datetime.date) -> None:
    try:
        issued, expires = (datetime.date.fromisoformat(_certified(found)[name]) for name in ("issued", "expires"))
    except ValueError:
        found.problems.append("its dates are none.")
        return
    if day < issued:
        found.problems.append(f"it is issued on {issued}, and on {day} that has not come.")
    elif day > expires:
        found.problems.append(f"it expired on {expires}.")
    else:
        found.proven.append(f"it is good on {day}")


def _of_documents(found: Verified, report: Path | None, page: Path | None) -> None:
    subjects = {one["name"]: one["digest"]["sha256"] for one in found.statement["subject"]}
    for name, option, path in ((REPORT, "--report", report), (PAGE, "--page", page)):
        if path is None:
            found.unproven.append(f"that a {name} is the one that it is of: none was given ({option})")
        elif name not in subjects:
            found.problems.append(f"it names no {name}.")
        elif of_bytes(_read(path, f"{option}: ")) != subjects[name]:
            found.problems.append(f"{path} is not the {name} that it is of.")
        else:
            found.proven.append(f"{path} is the {name} that it is of")
            if name == REPORT:
                _of_report(found, path, subjects)


def _of_report(found: Verified, path: Path, subjects: dict[str, str]) -> None:
    """Compare what it says with what the report says."""
    made, certified = found.statement, _certified(found)
    loaded = load(path)
    try:
        dates = [datetime.date.fromisoformat(certified[name]) for name in ("issued", "expires")]
        again = statement(loaded, certified["profile"], subjects, dates[0], dates[1])
    except (KeyError, ValueError):
        again = {}
    if again.get("predicate") == made["predicate"]:
        found.proven.append("it says what the report says")
    else:
        found.problems.append(f"it does not say what {path} says.")


def _read(path: Path, where: str = "") -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReportError(f"{where}{path} cannot be read: {error.strerror or type(error).__name__}.") from None
