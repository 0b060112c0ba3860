"""What counts as certified, and for how long; ``docs/certificates.md`` has the reasons."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator

from reports import view
from reports.digests import of_catalogue, of_judged
from reports.model import Report, RequirementResult
from spec.catalogue import Catalogue
from spec.model import Level, Verdict, Withheld

#: The version of these rules; a certificate names it.
RULES = "1"
#: Days from the run to the certificate, and days of a certificate at most.
RUN_DAYS, VALID_DAYS = 30, 366
#: What an owner may withhold: the certificate then says how many requirements it leaves out.
MAY_WITHHOLD = (Withheld.ACCOUNTS, Withheld.LISTENER)
#: How a run ended that decided everything that it could; 1 may be for the sake of another profile.
_ENDED = (0, 1)
#: Categories that a registry without pushes does not have.
_WRITING = ("push", "management")


def objections(report: Report, profile: str, catalogue: Catalogue, now: datetime.datetime) -> Iterator[str]:
    """Give each reason why a report is not certified by a profile, in a sentence; none where it is."""
    if profile not in report["profiles"]:
        yield f"The report has no profile {profile}; it has {', '.join(report['profiles'])}."
        return
    yield from _of_run(report, now)
    yield from _of_suite(report, catalogue)
    yield from _of_scope(report, profile)
    yield from _of_verdicts(report, profile, catalogue)


def _of_run(report: Report, now: datetime.datetime) -> Iterator[str]:
    run, target = report["run"], report["target"]
    if not run["complete"]:
        yield "Only a part of the suite was run, or the run was broken off."
    if run["exit_code"] not in _ENDED:
        yield f"The run ended with exit code {run['exit_code']}."
    if run["options"].get("effort") == "quick":
        yield "The run searched with --effort quick; a certificate needs default or thorough."
    age = now - datetime.datetime.fromisoformat(run["started"])
    if age > datetime.timedelta(days=RUN_DAYS):
        yield f"The run began on {run['started'][:10]}; a certificate is issued within {RUN_DAYS} days of the run."
    if age < datetime.timedelta(minutes=-5):
        yield f"The run began on {run['started']}, which has not come yet."
    named = (("--product", target["product"]), ("--product-version", target["version"]))
    missing = [option for option, value in named if not value]
    if missing:
        yield f"The report does not name what was tested; give {' and '.join(missing)} to the run."


def _of_suite(report: Report, catalogue: Catalogue) -> Iterator[str]:
    if (report["suite"]["commit"] or "").endswith("-dirty"):
        yield "The suite had changes that no commit has."
    if of_judged(report) != of_catalogue(catalogue):
        yield "The report is by another catalogue of requirements than this version of the suite has; run it again."


def _of_scope(report: Report, profile: str) -> Iterator[str]:
    result = report["profiles"][profile]
    withheld = {cause: n for cause, n in result["scope"]["withheld"].items() if cause not in MAY_WITHHOLD}
    for cause, number in withheld.items():
        yield f"{number} requirements were not tested for want of {cause}, which may not be withheld."
    pushes = report["target"]["capabilities"].get("push", {"present": None})["present"]
    left_out = [
        name
        for name in result["categories"]
        if name not in result["scope"]["claimed"] and not (name in _WRITING and pushes is False)
    ]
    if left_out:
        yield f"The categories {', '.join(left_out)} were left out."


def _of_verdicts(report: Report, profile: str, catalogue: Catalogue) -> Iterator[str]:
    if any(result["counts"].get(Verdict.ERROR) for result in report["profiles"].values()):
        yield "The suite itself erred in this run."
    claimed = report["profiles"][profile]["scope"]["claimed"]
    musts = [
        entry
        for entry in report["requirements"]
        if entry["levels"].get(profile) == Level.MUST and (entry["category"] in claimed or _bad(entry, profile))
    ]
    found = Counter(verdict for entry in musts if (verdict := _against(entry, profile, catalogue)))
    words = {
        Verdict.FAIL: "are broken",
        Verdict.KNOWN_FAILURE: "are broken, which declaring them known does not change",
        Verdict.INCONCLUSIVE: "could not be decided",
        Verdict.NOT_TESTED: "were not tested",
    }
    for verdict, said in words.items():
        if number := found[verdict]:
            yield f"{number} MUST {said}."
    whole = report["profiles"][profile]["verdict"]
    if not found and whole not in {Verdict.PASS, Verdict.KNOWN_FAILURE, Verdict.ERROR}:
        yield f"The verdict of {profile} is {view.label(whole)}."


def _bad(entry: RequirementResult, profile: str) -> bool:
    return entry["verdicts"][profile] in {Verdict.FAIL, Verdict.KNOWN_FAILURE}


def _against(entry: RequirementResult, profile: str, catalogue: Catalogue) -> Verdict | None:
    """Return the verdict of a MUST where it stands in the way."""
    verdict = Verdict(entry["verdicts"][profile])
    if verdict in {Verdict.PASS, Verdict.UNSUPPORTED, Verdict.ERROR}:
        return None
    if verdict is Verdict.NOT_TESTED:
        known = catalogue.requirements.get(entry["id"])
        if entry["withheld"] or (known and (known.untestable or known.planned)):
            return None
    return verdict
