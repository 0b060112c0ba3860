"""The pages of the requirements: one for each category, and one for each large group."""

from __future__ import annotations

from collections.abc import Iterator

from docs.site.facts import Facts
from docs.site.markdown import code, contents, entry, escape, fields, plural, prose, role, roles, table
from spec.implemented import by_outcome
from spec.model import Level, Requirement

#: A group of more requirements than this has a page of its own.
_LARGE = 12
_BADGES = {Level.MUST: "bdg-danger", Level.SHOULD: "bdg-warning", Level.MAY: "bdg-info"}


def pages(facts: Facts) -> Iterator[tuple[str, str]]:
    """Give the pages by name."""
    yield "requirements", _index(facts)
    for category, title in facts.categories.items():
        groups = facts.groups(category)
        large = {name: found for name, found in groups.items() if len(found) > _LARGE and len(groups) > 1}
        number = plural(len(facts.known.category(category)), "requirement")
        text = f"# {title}\n\n{number}: {_counted(facts, category)}\n\n"
        if large:
            text += contents(f"{category}/{name}" for name in large)
        for name, found in groups.items():
            if name not in large:
                text += f"\n## {name}\n\n" + "\n".join(_requirement(facts, each) for each in found)
        yield f"requirements/{category}", text
        for name, found in large.items():
            yield f"requirements/{category}/{name}", f"# {name}\n\n" + "\n".join(_requirement(facts, r) for r in found)


def _index(facts: Facts) -> str:
    profiles = list(facts.known.profiles)
    rows = [
        [
            f"[{title}](requirements/{category}.md)",
            str(len(facts.known.category(category))),
            *(_levels(facts, category, profile) for profile in profiles),
        ]
        for category, title in facts.categories.items()
    ]
    sums = (f"**{len(facts.known.of_profile(profile))}**" for profile in profiles)
    rows.append(["**All**", f"**{len(facts.known)}**", *sums])
    return f"""# Requirements

What the sources ask of a registry, one statement at a time: {plural(len(facts.known), "requirement")}.
The numbers count {_badge(Level.MUST)}, {_badge(Level.SHOULD)} and {_badge(Level.MAY)}, in this order.
RFC 2119 defines the three words. A broken MUST fails a registry. A broken SHOULD is a warning. A MAY is a permission.

{table(("Category", "All", *(role("profile", profile) for profile in profiles)), rows)}

## How to read an entry

**Id.** It is stable: it is never renumbered, and never used again.

**Statement.** It is in words of this project. The sources lead to the documents that it stands on, each at one version.
*Implied* means that it follows from the sources, though no sentence of theirs has the word of duty.

**Presumes.** These requirements must hold before this one can be decided. Where one of them is broken, a breach of this
one is its consequence and no finding of its own.

**Needs.** An optional part of the API. A registry without it is not asked.

**Caution.** How a careless test would accuse wrongly.

**Readings.** Where the sources can be read in two ways, the suite accepts both.

**Broken by.** Faults of the reference registry that the suite convicts of this requirement.

**Implemented by.** Registries that were found to hold it in a published run; *not implemented by* those that were found
to break it. Whoever is not named was not asked, or left it open.

{contents((f"requirements/{category}" for category in facts.categories), 2)}"""


def _badge(level: Level) -> str:
    return role(_BADGES[level], level)


def _levels(facts: Facts, category: str, profile: str) -> str:
    found = [each.levels.get(profile) for each in facts.known.category(category)]
    return " ".join(role(_BADGES[level], str(found.count(level))) for level in Level if level in found) or "none"


def _counted(facts: Facts, category: str) -> str:
    told = (f"{len([r for r in facts.known.category(category) if p in r.levels])} in {p}" for p in facts.known.profiles)
    return ", ".join(told) + "."


def _requirement(facts: Facts, requirement: Requirement) -> str:
    known = facts.known
    name = requirement.id
    levels = " ".join(f"{p} {_badge(requirement.levels[p])}" for p in known.profiles if p in requirement.levels)
    known_by = by_outcome(facts.repository, name)
    planned = f"No scenario decides it yet (issue {requirement.planned})." if requirement.planned else ""
    body = fields(
        [
            ("Level", levels),
            ("Decided by", prose(requirement.decide, known)),
            ("Caution", prose(requirement.caution, known)),
            ("Readings", prose(requirement.ambiguity, known)),
            ("Untestable", prose(requirement.untestable, known)),
            ("Planned", planned),
            ("Unprovable", prose(requirement.unprovable, known)),
            ("Sources", _sources(facts, requirement)),
            ("Operations", roles("operation", requirement.operations)),
            ("Statuses", _statuses(requirement)),
            ("Needs", roles("capability", requirement.needs)),
            ("Presumes", roles("req", requirement.presumes)),
            ("Presumed by", roles("req", known.presumed_by(name))),
            ("Scenarios", _scenarios(facts, name)),
            ("Laws", "; ".join(prose(law.statement, known) for law in facts.laws.of(name))),
            ("Contract", ", ".join(f"{link} {place}".strip() for link, place in facts.places.get(name, ()))),
            ("Broken by", roles("fault", facts.faults_of.get(name, ()))),
            ("Implemented by", ", ".join(map(escape, known_by["held"]))),
            ("Not implemented by", ", ".join(map(escape, known_by["broken"]))),
            ("Variants", roles("variant", facts.variants_of.get(name, ()))),
        ]
    )
    return entry("requirement", name, f"{prose(requirement.statement, known)}\n\n{body}")


def _statuses(requirement: Requirement) -> str:
    told = (f"{role('operation', name)} {' or '.join(map(str, s))}" for name, s in requirement.statuses.items())
    return ", ".join(told)


def _sources(facts: Facts, requirement: Requirement) -> str:
    cited = [
        f"{role('source', citation.document)} {prose(citation.section, facts.known)}"
        if citation.document in facts.known.sources
        else escape(f"{citation.document} {citation.section}")
        for citation in requirement.sources
    ]
    return "; ".join(cited) + (" (*implied*)" if requirement.implied else "")


def _scenarios(facts: Facts, name: str) -> str:
    files: dict[str, list[str]] = {}
    for scenario in facts.scenarios.get(name, ()):
        files.setdefault(scenario.file, []).append(scenario.name)
    return "; ".join(f"{code(file)}: {', '.join(map(code, names))}" for file, names in files.items())
