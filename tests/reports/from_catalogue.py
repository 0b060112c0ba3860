"""A report about the whole catalogue as it stands, of a made-up run: no scenario is asked."""

from __future__ import annotations

from typing import Any

from spec import catalogue
from spec.model import Requirement
from tests.reports import samples

#: What the made-up run found, by the place of a requirement in the catalogue.
_OUTCOMES = ("held",) * 7 + ("unsupported",) + ("held",) * 5 + ("not tested", "held", "inconclusive")


def held() -> dict[str, Any]:
    """Return a report of every requirement, each held."""
    known, _ = catalogue.read()
    return samples.report([_entry(known, one, 0) for one in known])


def report() -> dict[str, Any]:
    """Return a report of every requirement; a few in the middle of each category are broken."""
    known, _ = catalogue.read()
    entries = [_entry(known, one, place) for place, one in enumerate(known)]
    made = samples.report(entries)
    made["target"]["capabilities"] = {
        name: {"present": place % 3 > 0, "declared": place % 5 == 0} for place, name in enumerate(known.capabilities)
    }
    return made


def _entry(known: catalogue.Catalogue, one: Requirement, place: int) -> dict[str, Any]:
    outcome = "broken" if place % 61 == 20 else _OUTCOMES[place % len(_OUTCOMES)]
    reasons = {"unsupported": "the target does not offer it", "not tested": "left out of this run"}
    reasons["inconclusive"] = "the registry refused the push that comes first"
    levels = {profile: str(level) for profile, level in one.levels.items()}
    entry = samples.requirement(
        one.id, one.category, levels, outcome, statement=one.statement, reason=reasons.get(outcome, "")
    )
    entry["sources"] = [
        {
            "document": cited.document,
            "section": cited.section,
            "title": known.sources[cited.document].title,
            "url": known.sources[cited.document].url,
        }
        for cited in one.sources
    ]
    return entry
