"""What the page and the summary say of a report, in the order in which they say it."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass

from reports.model import Finding, Report, RequirementResult
from spec.model import Level, Outcome, Verdict

#: Verdicts from the worst to the best: the order of every list of them.
ORDER = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.WARNING,
    Verdict.KNOWN_FAILURE,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_TESTED,
    Verdict.UNSUPPORTED,
    Verdict.PASS,
)

#: What a verdict says of a requirement.
MEANING = {
    Verdict.FAIL: "a MUST is broken",
    Verdict.ERROR: "the suite itself erred; this blames nobody",
    Verdict.WARNING: "a SHOULD is not followed",
    Verdict.KNOWN_FAILURE: "broken, and declared by the operator of the target",
    Verdict.INCONCLUSIVE: "another broken requirement stood in the way",
    Verdict.NOT_TESTED: "no scenario looked at it in this run",
    Verdict.UNSUPPORTED: "an optional part that the target does not offer",
    Verdict.PASS: "it holds, as far as the scenarios could see",
}

#: The categories in the order of the specification's workflow; others follow by name.
_CATEGORIES = ("base", "pull", "push", "discovery", "management", "auth", "notifications")

#: What is missing where the owner of the target did not give something.
_WITHHELD = {
    "writing": "need writing, which was not allowed",
    "content": "need other content than was given",
    "repositories": "need other repositories than were given",
    "accounts": "need accounts that were not given",
    "listener": "need notifications, for which no listener was given",
}

#: What is said beside the verdict of the reference that comes along.
EMBEDDED = "The target was the reference registry that comes with the suite: this says nothing of any other registry."

_EXIT = {
    2: "The run was interrupted: what follows is what had been decided until then.",
    3: "The suite itself erred in this run: verdicts may be missing, and nothing marked ERROR blames the target.",
    4: "The run was not started as it should have been, so little or nothing was decided.",
    5: "Nothing was decided in this run.",
}


#: What runs the suite, in a checkout and as it is installed, and what runs a scenario of it.
_AGAIN = {
    " pytest conformance ": " pytest {} ",
    "registry-conformance certify ": "registry-conformance certify --scenario {} ",
}
#: Verdicts of a requirement that the target's answers decided; an absent part is none of them.
_DECIDED = (Verdict.PASS, Verdict.FAIL, Verdict.WARNING, Verdict.KNOWN_FAILURE)
#: Verdicts of a finding in a profile that weighs it.
_FOUND = (Verdict.FAIL, Verdict.WARNING, Verdict.KNOWN_FAILURE)


@dataclass(frozen=True)
class LevelRow:
    """How the requirements of one level fared in a profile."""

    level: str
    held: int
    broken: int
    unsupported: int
    undecided: int


@dataclass(frozen=True)
class ProfileView:
    """A profile's verdict in words and numbers."""

    id: str
    index: int
    decisive: bool
    verdict: str
    headline: str
    scope: str
    levels: tuple[LevelRow, ...]
    counts: dict[str, int]
    total: int
    decided: int
    undecided: int


@dataclass(frozen=True)
class FindingView:
    """A finding beside its requirement."""

    finding: Finding
    requirement: RequirementResult


@dataclass(frozen=True)
class Undecided:
    """Requirements that share an outcome and a reason for not being decided."""

    outcome: str
    reason: str
    ids: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """The verdict that the outcome is in every profile."""
        return self.outcome.upper().replace(" ", "_")


def label(verdict: str) -> str:
    """Return a verdict as words."""
    return verdict.replace("_", " ")


def profiles(report: Report) -> list[ProfileView]:
    """Return the view of each profile, in the report's order."""
    return [_profile(report, name, index) for index, name in enumerate(report["profiles"])]


def _profile(report: Report, name: str, index: int) -> ProfileView:
    result = report["profiles"][name]
    table: dict[str, Counter[str]] = {level: Counter() for level in Level}
    for entry in report["requirements"]:
        if name in entry["levels"]:
            table[entry["levels"][name]][_fate(entry["verdicts"][name], entry["outcome"])] += 1
    rows = tuple(
        LevelRow(level, fates["held"], fates["broken"], fates["unsupported"], fates["undecided"])
        for level, fates in table.items()
        if fates
    )
    counts: dict[str, int] = {verdict: result["counts"][verdict] for verdict in ORDER if result["counts"].get(verdict)}
    return ProfileView(
        id=name,
        index=index,
        decisive=name == report["run"]["profile"],
        verdict=result["verdict"],
        headline=_headline(result["verdict"], rows, counts),
        scope=scope(report, name),
        levels=rows,
        counts=counts,
        total=sum(counts.values()),
        decided=sum(counts.get(verdict, 0) for verdict in _DECIDED),
        undecided=sum(row.undecided for row in rows),
    )


def chosen(report: Report) -> ProfileView:
    """Return the view of the profile that decides the exit code."""
    return next(one for one in profiles(report) if one.decisive)


def weighed(report: Report) -> list[FindingView]:
    """Return the findings that the chosen profile demands or recommends otherwise, those first that weigh most."""
    profile = report["run"]["profile"]
    return [item for item in findings(report) if item.requirement["verdicts"].get(profile) in _FOUND]


def counted(report: Report) -> str:
    """Return in words what was decided and found by the chosen profile: the same sentence everywhere."""
    one, found = chosen(report), len(weighed(report))
    told = ", ".join(f"{one.counts[verdict]} {label(verdict)}" for verdict in _FOUND if one.counts.get(verdict))
    words = f"{found} finding{'' if found == 1 else 's'}{f' ({told})' if told else ''}"
    return f"{one.decided} of {one.total} requirements of {one.id} decided, {words}"


def elsewhere(report: Report) -> str:
    """Return in words how many findings the chosen profile does not weigh; empty where there are none."""
    number = len(report["findings"]) - len(weighed(report))
    if not number:
        return ""
    some = f"{number} more finding{'s' if number > 1 else ''} {'concern' if number > 1 else 'concerns'}"
    return f"{some} other profiles, or what {report['run']['profile']} leaves open"


def reason(entry: RequirementResult, profile: str, finding: Finding | None) -> str:
    """Return in one sentence why a requirement has its verdict in a profile."""
    verdict = Verdict(entry["verdicts"][profile])
    if finding and verdict in _FOUND:
        note = f" ({finding['note']})" if finding["note"] else ""
        return f"expected {finding['expected']}, but {finding['actual']}{note}"
    if finding:
        return f"a permission that the target does not use: {finding['actual']}"
    return entry["reason"] or MEANING[verdict]


def shortfall(report: Report) -> str:
    """Return why a run did not end with 0 although no requirement failed; empty where that is not so."""
    one, code = chosen(report), report["run"]["exit_code"]
    if not code or one.counts.get(Verdict.FAIL) or one.counts.get(Verdict.ERROR):
        return ""
    return f"{warning(report) or f'{label(one.verdict)}: {one.headline}'} (exit code {code})"


def scope(report: Report, profile: str) -> str:
    """Return in words what a profile's verdict leaves out; empty where it speaks of everything."""
    result = report["profiles"][profile]
    claimed = [name for name in categories(report) if name in result["scope"]["claimed"]]
    parts = [
        f"{count} requirement{'s' * (count > 1)} not tested: they {_WITHHELD[cause]}"
        for cause, count in result["scope"]["withheld"].items()
    ]
    if len(claimed) < len(result["categories"]):
        parts.insert(0, f"for {', '.join(claimed) or 'no category'} only")
    return "; ".join(parts)


def _fate(verdict: str, outcome: str) -> str:
    if outcome == Outcome.BROKEN and verdict != Verdict.UNSUPPORTED:
        return "broken"
    return {Verdict.PASS: "held", Verdict.UNSUPPORTED: "unsupported"}.get(Verdict(verdict), "undecided")


def _headline(verdict: str, rows: tuple[LevelRow, ...], counts: dict[str, int]) -> str:
    """Return what stands in the way of a PASS, and what else is broken, in the words of the verdicts."""
    worst = (Verdict.FAIL, Verdict.ERROR, Verdict.KNOWN_FAILURE, Verdict.WARNING)
    parts = [f"{counts[one]} {label(one)}" for one in worst if counts.get(one)]
    must = next((row for row in rows if row.level == Level.MUST), None)
    if must and not must.broken:
        parts.insert(0, f"{must.held} MUST pass" if must.held else "no MUST was decided")
    if must and must.undecided:
        parts.append(f"{must.undecided} MUST not decided")
    return ", ".join(parts) or label(verdict).lower()


def categories(report: Report) -> list[str]:
    """Return the categories in the order in which they are shown."""
    names = {name for result in report["profiles"].values() for name in result["categories"]}
    known = [name for name in _CATEGORIES if name in names]
    return known + sorted(names - set(known))


def verdicts_present(report: Report) -> list[str]:
    """Return the verdicts that occur in any profile, the worst first."""
    present = {verdict for entry in report["requirements"] for verdict in entry["verdicts"].values()}
    return [verdict for verdict in ORDER if verdict in present]


def findings(report: Report) -> list[FindingView]:
    """Return the findings, those first that weigh most in the run's profile."""
    entries = {entry["id"]: entry for entry in report["requirements"]}
    views = [FindingView(finding, entries[finding["requirement"]]) for finding in report["findings"]]
    profile = report["run"]["profile"]

    def weight(view: FindingView) -> tuple[int, int, str]:
        verdicts = view.requirement["verdicts"]
        here = ORDER.index(Verdict(verdicts[profile])) if profile in verdicts else len(ORDER)
        worst = min((ORDER.index(Verdict(v)) for v in verdicts.values()), default=len(ORDER))
        return here, worst, view.requirement["id"]

    return sorted(views, key=weight)


def undecided(report: Report) -> list[Undecided]:
    """Return what the run did not decide, grouped by outcome and reason, the largest group first."""
    groups: dict[tuple[str, str], list[str]] = {}
    for entry in report["requirements"]:
        if entry["outcome"] not in {Outcome.HELD, Outcome.BROKEN}:
            groups.setdefault((entry["outcome"], entry["reason"]), []).append(entry["id"])
    rank = {name: place for place, name in enumerate(("error", "inconclusive", "not tested", "unsupported"))}
    ordered = sorted(groups.items(), key=lambda item: (rank[item[0][0]], -len(item[1]), item[0][1]))
    return [Undecided(outcome, reason, tuple(sorted(ids))) for (outcome, reason), ids in ordered]


def warning(report: Report) -> str:
    """Return what a reader must see before any verdict; empty for a whole run against a registry of the reader's."""
    said = _EXIT.get(report["run"]["exit_code"], "")
    if not said and not report["run"]["complete"]:
        said = "Only a part of the suite was run, so this is no certificate: what follows is what was decided."
    return " ".join(filter(None, (EMBEDDED if report["target"].get("embedded") else "", said)))


def again(report: Report, finding: Finding) -> str:
    """Return the line for a shell that runs the scenario of a finding again; empty where nobody recorded one."""
    command, scenario = report["run"].get("command", ""), shlex.quote(finding["scenario"])
    if "::" not in finding["scenario"]:
        return ""
    for whole, part in _AGAIN.items():
        if whole in command:
            return command.replace(whole, part.format(scenario), 1) + " --report report-again"
    return ""


def product(report: Report) -> str:
    """Return the name and version of the target, or its host where nobody said."""
    target = report["target"]
    named = " ".join(part for part in (target["product"], target["version"]) if part)
    return named or target["url"].split("://", 1)[-1].rstrip("/")


def duration(seconds: float) -> str:
    """Return a duration for people, e.g. ``8.4 s`` or ``3 min 20 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
